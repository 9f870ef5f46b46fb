"""What every test shares: the option that turns a missing broker into a failure, and a clean environment."""

from __future__ import annotations

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--require-brokers`."""
    parser.addoption(
        "--require-brokers",
        action="store_true",
        help="fail, rather than skip, tests marked `brokers` when no real Kafka broker or PostgreSQL server can be had",
    )


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own HWLINK_* variables out of every test."""
    for name in list(os.environ):
        if name.startswith("HWLINK_"):
            monkeypatch.delenv(name)
