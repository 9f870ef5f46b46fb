"""What every test shares: real servers where it asks for them, and a clean environment."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether a law holds.
settings.register_profile("hwlink", deadline=None)
settings.load_profile("hwlink")

pytest_plugins = ["tests.servers"]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own HWLINK_* variables out of every test."""
    for name in list(os.environ):
        if name.startswith("HWLINK_"):
            monkeypatch.delenv(name)
