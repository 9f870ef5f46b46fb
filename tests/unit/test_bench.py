"""The benchmarks: every stage gives figures of one shape, the README's table is theirs, and nothing names a machine."""

from __future__ import annotations

import copy
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bench import accuracy
from tests.bench.machine import ROOT, commit, machine
from tests.bench.measure import Measure, Stopwatch, combined, peak_mib
from tests.bench.run import RESULTS
from tests.bench.stages import STAGES, needed
from tests.bench.table import BEGIN, END, README, between, block, replaced

MEASURE_KEYS = {
    "stage",
    "name",
    "unit",
    "records",
    "seconds",
    "seconds_each",
    "records_per_s",
    "cpu_s",
    "peak_mib",
    "details",
}


def a_result() -> dict[str, Any]:
    """Figures of one stage, one peer, one latency and a line."""
    runs = [Measure("matcher role", "subjects", 120_000, s, 2 * s, m).as_json() for s, m in ((4.0, 300), (3.0, 310))]
    peer = Measure(
        "sample: recordlinkage, clear values", "pairs", 20_000, 0.5, 0.5, None, {"times_slower_than_hwlink": 41.3}
    )
    asked = Measure(
        "count, new question", "answers", 40, 0.8, 0.8, None, {"p50_ms": 17.6, "p95_ms": 30.2, "refused": 0.0}
    )
    return {
        "format": 1,
        "measured_on": "2026-07-01",
        "commit": None,
        "people": 100_000,
        "claims": 20_000,
        "seed": 1,
        "repeats": 2,
        "machine": {
            "cpu": "Some CPU",
            "cores": 2,
            "memory_gib": 23.5,
            "load_average_at_start": 0.1,
            "system": "Linux x86_64",
            "python": "3.11.9",
            "libraries": {"polars": "2.1.0", "numpy": "2.4.6", "grpcio": "1.85.1"},
        },
        "measures": [
            combined("match", runs),
            combined("compare", [peer.as_json()]),
            combined("query", [asked.as_json()]),
        ],
        "line": {
            "size": "small",
            "people": 8_000,
            "claims": 2_400,
            "stages": {"ingest": {"records": 10_400, "seconds": 0.81, "records_per_s": 12_840}},
            "quality": [{"group": "all", "precision": 0.999, "recall": 0.98, "f1": 0.9894}],
            "services_peak_mib": 1_432,
        },
    }


def test_several_runs_are_one_figure_by_their_median_and_highest_memory() -> None:
    runs = [
        Measure("m", "subjects", 10, seconds, 2 * seconds, mib, {"pairs": pairs}).as_json()
        for seconds, mib, pairs in ((4.0, 300, 5.0), (1.0, None, 7.0), (2.0, 310, 6.0))
    ]

    figure = combined("match", runs)

    assert figure.keys() == MEASURE_KEYS
    assert (figure["seconds"], figure["cpu_s"], figure["records_per_s"], figure["peak_mib"]) == (2.0, 4.0, 5, 310)
    assert figure["seconds_each"] == [4.0, 1.0, 2.0]
    assert figure["details"] == {"pairs": 6.0}


def test_a_stopwatch_counts_work_and_tells_waiting_from_it() -> None:
    with Stopwatch() as working:
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
    with Stopwatch() as waiting:
        time.sleep(0.05)

    assert working.cpu_s >= 0.05
    assert waiting.seconds >= 0.05


def test_the_memory_of_a_process_that_is_not_there_is_unknown() -> None:
    assert peak_mib(2**22 + 1) is None
    assert (peak_mib() or 0) > 10


def test_a_stage_runs_after_all_that_it_goes_on_from() -> None:
    assert needed(["resolve"]) == ["ingest_columns", "landing", "match", "resolve"]
    assert needed(STAGES) == list(STAGES)
    assert needed([]) == []


def test_machine_facts_name_no_machine_and_no_folder() -> None:
    facts = json.dumps([machine(), commit()])

    assert str(ROOT) not in facts
    assert socket.gethostname() not in facts
    assert {"cpu", "cores", "memory_gib", "python", "libraries"} <= machine().keys()


def test_the_table_has_a_row_for_every_figure() -> None:
    text = block(a_result())

    assert "Some CPU, 2 cores, 24 GiB" in text
    assert "| match | matcher role | 120,000 subjects | 3.50 | 34,300 | 310 |" in text
    assert "takes 41.3 times as long (clear values)" in text
    assert "| count, new question | 40 | 18 | 30 |" in text
    assert "| ingest | 10,400 | 0.81 | 12,800 |" in text
    assert "held 1,432 MiB at most" in text


def test_the_table_goes_between_the_comments_and_again_without_a_change() -> None:
    document = f"# Title\n\n{BEGIN}\nold\n{END}\n\nafter\n"

    once = replaced(document, a_result())

    assert once.startswith(f"# Title\n\n{BEGIN}\nSome CPU")
    assert once.endswith(f"\n{END}\n\nafter\n")
    assert "old" not in once
    assert replaced(once, a_result()) == once
    changed = copy.deepcopy(a_result())
    changed["measures"][0]["seconds"] = 9.0
    assert replaced(once, changed) != once


@pytest.mark.parametrize("document", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{END}\n{BEGIN}\n{END}"])
def test_a_document_without_one_pair_of_comments_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="each once"):
        replaced(document, a_result())


def test_the_readme_shows_the_committed_figures() -> None:
    """Figures and table are committed together, or neither is."""
    text = README.read_text("utf-8")

    if RESULTS.exists():
        assert replaced(text, json.loads(RESULTS.read_text("utf-8"))) == text, "run: python -m tests.bench.table"
    else:
        assert BEGIN not in text


def test_the_readme_shows_the_committed_accuracy() -> None:
    text, figures = README.read_text("utf-8"), json.loads(accuracy.ACCURACY.read_text("utf-8"))

    wanted = between(text, accuracy.BEGIN, accuracy.END, accuracy.block(figures))

    assert wanted == text, "run: python -m tests.bench.accuracy"


def test_committed_figures_name_no_folder() -> None:
    texts = {path.name: path.read_text("utf-8") for path in RESULTS.parent.glob("*.json")}

    assert [name for name, text in texts.items() if '"/' in text or '": "~' in text or ":\\\\" in text] == []


@pytest.mark.slow
def test_a_tiny_run_of_every_stage_gives_figures_of_one_shape(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    size = ("--people", "1200", "--claims", "400", "--repeats", "1")

    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.run", *size, "--out", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text("utf-8"))
    assert [stage for stage in STAGES if stage not in {m["stage"] for m in result["measures"]}] == []
    for figure in result["measures"]:
        assert figure.keys() == MEASURE_KEYS
        assert figure["records"] > 0
        assert figure["seconds"] > 0
        assert len(figure["seconds_each"]) == 1
    subjects = {m["records"] for m in result["measures"] if m["unit"] == "subjects"}
    assert len(subjects) == 1, "a stage saw another number of subjects than the others"
    assert str(tmp_path) not in json.dumps(result)
    assert block(result).count("\n| ") >= len(result["measures"])


def test_an_unknown_stage_is_refused_by_name() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.run", "--only", "match,juggle"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "no such stage: juggle" in done.stderr
