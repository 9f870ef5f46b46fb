"""`python -m tests.bench.peers`: hwlink beside Splink, anonlink and recordlinkage, on the same sets in the same run.

    make peers                                        # the peers' environment, every set, the tables
    make peers ARGS="--large"                         # the large set instead: seconds and memory
    make peers ARGS="--work DIR --only febrl4,second" # some sets, printed
    make peers ARGS="--tables"                        # only the tables, from the committed figures

Sets and figures stay in `--work DIR`, so that a run that was stopped goes on. A run of every set of the table, or of
the large one, writes `results/peers.json`, `results/peers.md` and the README's table; any other prints its figures.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.machine import commit, machine
from tests.bench.peers import judge, report
from tests.bench.peers.ask import PEERS_PYTHON, Tool, ask, at_default, at_every_threshold, tools_for
from tests.bench.peers.resample import REPLICATES, f1_difference
from tests.bench.peers.sets import CLAIMS, LARGE, PEOPLE, Case, cases, large, prepare
from tests.bench.table import README

FIGURES = "figures.json"


def measure(case: Case, folder: Path, replicates: int) -> dict[str, Any]:
    """Run every tool on one set and return its figures."""
    ready = prepare(case, folder)
    truth = judge.read(ready.clean, ready.truth)
    told, found, tools = {}, {}, tools_for(case)
    for tool in tools:
        told[tool.name] = ask(tool, case, ready, folder)
        found[tool.name] = _judged(tool, told[tool.name], truth, swept=not (case.large or tool.once))
        persons = {level: round(f["score"]["persons"].f1, 4) for level, f in found[tool.name].items()}
        _say(f"{case.name}: {tool.name} {told[tool.name]['seconds']:.1f} s, persons F1 {persons}")
    ours = found[tools[0].name]
    return {
        "name": case.name,
        "title": case.title,
        "large": case.large,
        "measured_on": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "records": ready.records,
        "fields": ready.fields,
        "tools": [
            _figures(tool, told[tool.name], found[tool.name], ours, ready.pseudonymise_s, replicates) for tool in tools
        ],
    }


def _judged(tool: Tool, told: dict[str, Any], truth: judge.Truth, swept: bool) -> dict[str, dict[str, Any]]:
    """Return, at the default and at the best thresholds, the scores, the tallies and the threshold of each.

    The best threshold of links and that of persons are looked for apart, with the labels.
    """
    tried = (
        at_every_threshold(tool, told, truth) if swept else iter([(told["threshold"], at_default(tool, told, truth))])
    )
    levels: dict[str, dict[str, Any]] = {}
    for threshold, outcome in tried:
        scores = judge.scores(truth, outcome)
        for level in ("best", "default") if not levels else ("best",):
            held = levels.setdefault(level, {"score": {}, "threshold": {}, "outcome": {}})
            for what, score in scores.items():
                if what not in held["score"] or score.f1 > held["score"][what].f1:
                    held["score"][what], held["threshold"][what] = score, threshold
                    held["outcome"][what] = outcome
    for held in levels.values():
        held["tallies"] = {what: judge.tallies(truth, outcome)[what] for what, outcome in held.pop("outcome").items()}
    return levels if swept else {"default": levels["default"]}


def _figures(
    tool: Tool,
    told: dict[str, Any],
    found: dict[str, dict[str, Any]],
    ours: dict[str, dict[str, Any]],
    pseudonymise_s: float,
    replicates: int,
) -> dict[str, Any]:
    """Return a tool's figures: scores, hwlink's F1 minus its own with the interval, seconds, memory, versions."""
    scores = {
        what: {
            level: {**held["score"][what].as_dict(), "threshold": held["threshold"][what]}
            for level, held in found.items()
        }
        for what in ("links", "persons")
    }
    differences = {
        what: {
            level: f1_difference(ours[level]["tallies"][what], held["tallies"][what], replicates).as_dict()
            for level, held in found.items()
        }
        for what in ("links", "persons")
        if found is not ours
    }
    return {
        "name": tool.name,
        **scores,
        "difference": differences,
        **{key: told[key] for key in ("seconds", "whole_seconds", "peak_mib", "stages", "versions")},
        "encode_s": pseudonymise_s if tool.ours else told["apart"].get("encode", 0.0),
    }


def run(chosen: Sequence[Case], work: Path, replicates: int) -> list[dict[str, Any]]:
    """Return the figures of sets in order; those that `work` holds for this very commit are taken as they are."""
    rows = []
    for case in chosen:
        kept = work / case.name / FIGURES
        row = json.loads(kept.read_text("utf-8")) if kept.exists() else None
        if row is None or row["commit"] != commit() or str(row["commit"]).endswith("+"):
            row = measure(case, work / case.name, replicates)
            kept.write_text(json.dumps(row), "utf-8")
            for folder in (work / case.name).glob("with_*"):
                shutil.rmtree(folder)
        rows.append(row)
    return rows


def assembled(rows: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a run: its sets and those measured at another time, the large one last."""
    newest = rows[-1]
    everything = sorted([*rows, *others], key=lambda row: bool(row["large"]))
    return {
        **{key: newest[key] for key in ("measured_on", "commit", "machine")},
        "versions": {
            name: told for row in everything for tool in row["tools"] for name, told in tool["versions"].items()
        },
        "sets": everything,
    }


def main(arguments: Sequence[str]) -> None:
    """Measure as the arguments say."""
    options = _options(arguments)
    if options.tables:
        report.write(_committed(), README)
        return
    if not PEERS_PYTHON.exists():
        sys.exit("the peers' environment is not there; make it with `make peers`.")
    people, claims = options.size or (LARGE if options.large else (PEOPLE, CLAIMS))
    everything = [large(people, claims)] if options.large else cases(people, claims)
    chosen = [case for case in everything if any(word in case.name for word in options.only.split(","))]
    with tempfile.TemporaryDirectory(prefix="hwlink-peers-") as folder:
        rows = run(chosen, options.work or Path(folder), options.replicates)
    if options.size or len(chosen) < len(everything):
        print(json.dumps(assembled(rows, []), indent=1))
        return
    others = [] if not report.PEERS_JSON.exists() else _committed()["sets"]
    result = assembled(rows, [row for row in others if row["large"] != options.large])
    report.PEERS_JSON.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    report.write(result, README)


def _committed() -> dict[str, Any]:
    committed: dict[str, Any] = json.loads(report.PEERS_JSON.read_text("utf-8"))
    return committed


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers", description="Set hwlink beside its peers.")
    parser.add_argument("--only", default="", help="sets whose name holds one of these, commas between; printed only")
    parser.add_argument("--large", action="store_true", help="the large set instead, for seconds and memory")
    parser.add_argument("--size", type=_size, metavar="PEOPLE,CLAIMS", help="other sizes, to try it out; printed only")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keep sets and figures here, and go on from them")
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="draws of the bootstrap")
    parser.add_argument("--tables", action="store_true", help="only write the tables, from the committed figures")
    return parser.parse_args(arguments)


def _size(text: str) -> tuple[int, int]:
    people, claims = text.split(",")
    return int(people), int(claims)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
