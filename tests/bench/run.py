"""`python -m tests.bench.run`: time the stages apart, and the whole line if asked, and write the figures as JSON.

    make bench                                # every stage at 100,000 people x 20,000 claims, three times
    make bench ARGS="--line medway"           # the same, and then the whole line for 428,000 people
    make bench ARGS="--people 5000 --claims 1000 --repeats 1 --only match,resolve"

A run of every stage is written to `tests/bench/results/stages.json`, which the README's table comes from; a partial
one only where `--out` says.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.bench.inputs import Inputs, make_inputs, make_names
from tests.bench.machine import ROOT, commit, machine
from tests.bench.measure import combined
from tests.bench.stages import STAGES, needed

RESULTS: Final = Path(__file__).parent / "results" / "stages.json"
FORMAT: Final = 1
SEED: Final = 1


def main(arguments: Sequence[str]) -> None:
    """Measure as the arguments say."""
    options = _options(arguments)
    only = list(STAGES) if options.only is None else options.only.split(",")
    if unknown := sorted(set(only) - set(STAGES) - {""}):
        sys.exit(f"no such stage: {', '.join(unknown)}; there are: {', '.join(STAGES)}")
    result = measure([name for name in only if name], options.people, options.claims, options.repeats, options.line)
    text = json.dumps(result, indent=1) + "\n"
    whole = options.only is None and (options.people, options.claims) == (DEFAULT_PEOPLE, DEFAULT_CLAIMS)
    out = options.out or (RESULTS if whole else None)
    if out is None:
        print(text, end="")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, "utf-8")
    _say(f"wrote {out}")


DEFAULT_PEOPLE: Final = 100_000
DEFAULT_CLAIMS: Final = 20_000


def measure(only: Sequence[str], people: int, claims: int, repeats: int, line: str | None) -> dict[str, Any]:
    """Run these stages `repeats` times each, every time from the state that the stage before left; return the figures.

    Stages that others go on from but that are not asked for run once and are not reported.
    """
    facts = machine()
    measures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="hwlink-bench-") as folder:
        if only:
            _say(f"inputs: {people:,} people, {claims:,} claims")
            inputs = make_inputs(Path(folder) / "inputs", people, claims, SEED)
            if any(name.startswith("pseudonymise") for name in only):
                make_names(inputs, people, claims, SEED)
            for name in needed(only):
                runs = _repeated(name, inputs, Path(folder), repeats if name in only else 1)
                found = [combined(name, same) for same in zip(*runs, strict=True)]
                for one in found:
                    _say(
                        f"{name:<15} {one['name']:<50} {one['seconds']:>9.3f} s {one['records_per_s']:>11,} a second, "
                        f"CPU {one['cpu_s']:.2f} s"
                    )
                measures += found if name in only else []
        whole = None if line is None else _line(line, Path(folder))
    return {
        "format": FORMAT,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "people": people,
        "claims": claims,
        "seed": SEED,
        "repeats": repeats,
        "machine": facts,
        "measures": measures,
        "line": whole,
    }


def _repeated(name: str, inputs: Inputs, folder: Path, repeats: int) -> list[list[dict[str, Any]]]:
    """Run one stage so many times, each from a fresh copy; keep the last one's state for those that go on from it."""
    before, state = STAGES[name].after, folder / "states" / name
    runs = []
    for _ in range(repeats):
        shutil.rmtree(state, ignore_errors=True)
        if before is None:
            state.mkdir(parents=True)
        else:
            shutil.copytree(folder / "states" / before, state)
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.stages", name, str(inputs.root), str(state)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"stage {name} failed; its words stand above")
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return runs


def _line(size: str, folder: Path) -> dict[str, Any]:
    """Run the whole line as `hwlink demo` does, all services at once, and return what it measured."""
    _say(f"the whole line: hwlink demo --size {size}")
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.app", "demo", "--size", size, "--out", str(folder / "demo"), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit("the demo failed; its words stand above")
    return {"size": size, **json.loads(done.stdout)}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.run", description="Time the stages of hwlink.")
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help="rows of the health file")
    parser.add_argument("--claims", type=int, default=DEFAULT_CLAIMS, help="rows of the welfare file")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each stage; the median is reported")
    parser.add_argument("--only", help=f"stages with commas between them, of {', '.join(STAGES)}; '' for none")
    parser.add_argument("--line", choices=("small", "medway"), help="run the whole line too, at this size")
    parser.add_argument("--out", type=Path, help="file to write; a partial run goes to standard output without it")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
