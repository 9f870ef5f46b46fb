"""`python -m tests.bench.files`: `hwlink link` from files to files, by stage, with the memory that each stage takes.

    python -m tests.bench.files                              # 100,000 x 20,000 and 1,900,000 x 250,000, median of 3
    python -m tests.bench.files --sizes 5000x1000 --repeats 1 --out somewhere

Writes `results/files.json` and, as a table, `results/files.md`. Each run is a process of its own: stages and memory are
taken inside one that calls what the command calls, the whole process's time from another that runs the command.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.inputs import FEEDS
from tests.bench.machine import ROOT, commit, machine
from tests.bench.run import RESULTS
from tests.bench.table import markdown

FILES: Final = RESULTS.with_name("files.json")
SIZES: Final = ((100_000, 20_000), (1_900_000, 250_000))
SAMPLED_EVERY_S: Final = 0.01
UNWANTED: Final = ("deltalake", "grpc", "pandas", "recordlinkage", "scipy")
"""Libraries that linking files does not need, and that would each take longer to import than a small link takes."""


def make_files(folder: Path, people: int, claims: int) -> list[Path]:
    """Synthesise and pseudonymise both feeds with hwlink's own commands."""
    from services.cli.demo.commands import Commands

    commands = Commands({}, quiet=True)
    commands.run("synthesise", folder, "--people", str(people), "--claims", str(claims), "--seed", "1")
    commands.run("keys", "new", folder / "project.key")
    encoded = []
    for feed in FEEDS:
        encoded.append(folder / f"{feed}-encoded.parquet")
        options = ("--agreement", "test", "--key-file", folder / "project.key", "--source", f"bench.{feed}")
        commands.run("pseudonymise", *options, "--feed", feed, folder / f"{feed}.parquet", encoded[-1])
    return encoded


def by_stage(left: Path, right: Path, out: Path) -> dict[str, Any]:
    """Link here and now; return seconds by stage, the most memory while each ran, and how long importing took."""
    started = time.perf_counter()
    from schemas.model import default_model
    from services.link import run

    imports_s = time.perf_counter() - started
    stage, peaks, ended = ["open"], dict[str, float](), threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLED_EVERY_S):
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
            peaks[stage[0]] = max(peaks.get(stage[0], 0.0), pages * os.sysconf("SC_PAGESIZE") / 2**20)

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    cpu = time.process_time()
    summary = run(
        left,
        right,
        out,
        shipped=default_model(),
        unique="left",
        progress=lambda now, done, total: stage.__setitem__(0, now.value),
    )
    cpu = time.process_time() - cpu
    ended.set()
    sampler.join()
    return {
        "imports_s": round(imports_s, 3),
        "seconds": summary["seconds"],
        "cpu_s": round(cpu, 3),
        "peak_mib": summary["peak_memory_mib"],
        "peak_mib_by_stage": {name: round(peak) for name, peak in peaks.items()},
        "links": summary["counts"]["link"],
        "unwanted": [name for name in UNWANTED if name in sys.modules],
    }


def measure(people: int, claims: int, repeats: int) -> dict[str, Any]:
    """Return the medians of `repeats` runs of one size."""
    with tempfile.TemporaryDirectory(prefix="hwlink-bench-") as folder:
        files = make_files(Path(folder), people, claims)
        out = Path(folder) / "out"
        child = [sys.executable, "-m", "tests.bench.files", "--child", *map(str, files), str(out)]
        runs = [json.loads(_done(child).splitlines()[-1]) for _ in range(repeats)]
        whole = []
        for _ in range(repeats):
            started = time.perf_counter()
            link = [sys.executable, "-m", "services.cli.app", "link", *map(str, files), "--unique", "left"]
            _done([*link, "--out", str(out), "--json"])
            whole.append(time.perf_counter() - started)
    return {
        "people": people,
        "claims": claims,
        "whole_process_s": round(median(whole), 3),
        "imports_s": _typical([run["imports_s"] for run in runs]),
        "cpu_s": _typical([run["cpu_s"] for run in runs]),
        "seconds": {name: _typical([run["seconds"][name] for run in runs]) for name in runs[0]["seconds"]},
        "peak_mib": max(run["peak_mib"] for run in runs),
        "peak_mib_by_stage": runs[0]["peak_mib_by_stage"],
        "links": runs[0]["links"],
        "unwanted": runs[0]["unwanted"],
    }


def block(result: dict[str, Any]) -> str:
    """Return the figures as a table, a line of it for each size."""
    stages = [name for name in result["cases"][0]["seconds"] if name != "total"]
    rows = (
        (
            f"{case['people']:,} x {case['claims']:,}",
            *(f"{case['seconds'][name]:.2f} ({case['peak_mib_by_stage'].get(name, 0):,})" for name in stages),
            f"{case['seconds']['total']:.2f}",
            f"{case['cpu_s']:.2f}",
            f"{case['whole_process_s']:.2f}",
            f"{case['peak_mib']:,}",
        )
        for case in result["cases"]
    )
    facts = result["machine"]
    return "\n\n".join(
        [
            f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']:.0f} GiB, Python {facts['python']}; "
            f"{result['measured_on']}, median of {result['repeats']}. Seconds, and in brackets the most MiB held "
            "meanwhile; the whole process counts starting and importing too.",
            markdown(
                ("records", *stages, "after imports", "CPU s", "whole process", "peak MiB"),
                "l" + "r" * (len(stages) + 4),
                rows,
            ),
        ]
    )


def _done(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit("a run failed; its words stand above")
    return done.stdout


def _typical(values: Sequence[float]) -> float:
    return round(median(values), 3)


def main(arguments: Sequence[str]) -> None:
    """Measure as the arguments say, and write the figures."""
    if arguments[:1] == ["--child"]:
        print(json.dumps(by_stage(*map(Path, arguments[1:]))))
        return
    parser = argparse.ArgumentParser(prog="python -m tests.bench.files")
    parser.add_argument("--sizes", nargs="+", default=[f"{people}x{claims}" for people, claims in SIZES])
    parser.add_argument("--repeats", type=int, default=3, help="runs of each size; medians are reported")
    parser.add_argument("--out", type=Path, help="file to write instead of results/files.json; the table stands beside")
    options = parser.parse_args(arguments)
    facts, cases = machine(), []
    for size in options.sizes:
        people, claims = map(int, size.split("x"))
        cases.append(measure(people, claims, options.repeats))
        print(json.dumps(cases[-1]), file=sys.stderr, flush=True)
    measured_on = datetime.now(UTC).date().isoformat()
    result = {
        "measured_on": measured_on,
        "commit": commit(),
        "repeats": options.repeats,
        "machine": facts,
        "cases": cases,
    }
    target = options.out or FILES
    target.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    target.with_suffix(".md").write_text(block(result) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
