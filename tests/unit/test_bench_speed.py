"""The benchmarks of linking files and of the stream: tiny runs give figures of one shape, and tables from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench import files, streaming


@pytest.mark.slow
def test_a_tiny_link_gives_figures_and_a_table(tmp_path: Path) -> None:
    files.main(["--sizes", "600x200", "--repeats", "1", "--out", str(tmp_path / "files.json")])
    (case,) = json.loads((tmp_path / "files.json").read_text("utf-8"))["cases"]

    assert case["links"] > 100
    assert {"read", "fit", "match", "resolve", "write", "total"} <= set(case["seconds"])
    assert "600 x 200" in (tmp_path / "files.md").read_text("utf-8")


@pytest.mark.slow
def test_a_tiny_stream_has_the_same_candidates_whatever_is_held(tmp_path: Path) -> None:
    small = ["--millions", "0.01", "0.02", "--batches", "1", "--seconds", "0.05"]
    streaming.main([*small, "--out", str(tmp_path / "streaming.json")])
    one, two = json.loads((tmp_path / "streaming.json").read_text("utf-8"))["sizes"]

    assert one["held"] == 10_000
    assert two["held"] > 20_000
    assert one["micro_batches"]["candidates_a_record"] > 0.5
    assert two["micro_batches"]["candidates_a_record"] == pytest.approx(
        one["micro_batches"]["candidates_a_record"], rel=0.5
    )
    assert two["array_bytes_a_subject"] < 614
    assert "10,000" in (tmp_path / "streaming.md").read_text("utf-8")
