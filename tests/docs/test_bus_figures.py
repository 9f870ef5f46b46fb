"""The bus's README shows the figures that are committed."""

from __future__ import annotations

from tests.bench.bus import main


def test_the_table_is_that_of_the_committed_results() -> None:
    assert main(["--check"]) == 0
