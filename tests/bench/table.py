"""`python -m tests.bench.table [--check]`: puts the committed figures between two comments of the README, or checks
that they are the ones that stand there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.machine import ROOT
from tests.bench.run import RESULTS

README: Final = ROOT / "README.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"

STAGE_NAMES: Final = {
    "pseudonymise_2": "pseudonymise",
    "pseudonymise_1": "pseudonymise",
    "ingest_rows": "ingest",
    "ingest_columns": "ingest",
    "landing": "land",
    "compare": "match, pure functions",
}
"""Stages that the table calls otherwise than the command line does."""


def block(result: dict[str, Any]) -> str:
    """Return what stands between the comments, as Markdown."""
    throughput = [m for m in result["measures"] if m["unit"] != "answers"]
    latency = [m for m in result["measures"] if m["unit"] == "answers"]
    parts = [_where(result)]
    if throughput:
        parts.append(
            markdown(("stage", "what", "records", "seconds", "a second", "peak MiB"), "llrrrr", map(_rate, throughput))
        )
    if slower := [m for m in throughput if "times_slower_than_hwlink" in m["details"]]:
        parts.append(_peers(slower))
    if latency:
        parts.append(
            markdown(("answers over gRPC", "asked", "median ms", "95 % within ms"), "lrrr", map(_wait, latency))
        )
    if result["line"]:
        parts += line_parts(result["line"])
    return "\n\n".join(parts)


def replaced(text: str, result: dict[str, Any]) -> str:
    """Return a document with the figures between its comments; ValueError unless it has both, in order, once."""
    return between(text, BEGIN, END, block(result))


def between(text: str, begin: str, end: str, wanted: str) -> str:
    """Return a document with `wanted` between two comments; ValueError unless it has both, in order, once."""
    before, first, rest = text.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last or begin in after or end in before + after:
        raise ValueError(f"the document needs the line {begin} and after it the line {end}, each once")
    return f"{before}{begin}\n{wanted}\n{end}{after}"


def _where(result: dict[str, Any]) -> str:
    machine = result["machine"]
    libraries = machine["libraries"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB, {machine['system']}, Python "
        f"{machine['python']}, Polars {libraries['polars']}, NumPy {libraries['numpy']}, grpcio {libraries['grpcio']}; "
        f"{result['measured_on']}. Each stage alone, {result['people']:,} people x {result['claims']:,} claims, "
        f"median of {result['repeats']}."
    )


def _rate(measure: dict[str, Any]) -> tuple[str, ...]:
    peak = measure["peak_mib"]
    return (
        STAGE_NAMES.get(measure["stage"], measure["stage"]),
        measure["name"],
        f"{measure['records']:,} {measure['unit']}",
        _seconds(measure["seconds"]),
        f"{_three_figures(measure['records_per_s']):,}",
        "" if peak is None else f"{peak:,}",
    )


def _wait(measure: dict[str, Any]) -> tuple[str, ...]:
    details = measure["details"]
    return (
        measure["name"],
        f"{measure['records']:,}",
        f"{details['p50_ms']:,.0f}",
        f"{details['p95_ms']:,.0f}" if "p95_ms" in details else "",
    )


def _peers(slower: Sequence[dict[str, Any]]) -> str:
    told = " and ".join(
        f"{m['details']['times_slower_than_hwlink']:.1f} times as long ({m['name'].partition('recordlinkage, ')[2]})"
        for m in slower
    )
    return f"On one sample of the same candidate pairs, recordlinkage's own `Compare` takes {told}."


def line_parts(line: dict[str, Any], options: str = "") -> list[str]:
    """Return the whole line's table, and what it held and found; `options` are the command's beside the size."""
    command = f"hwlink demo --size {line['size']}{options}"
    rows = (
        (name, f"{stage['records']:,.0f}", _seconds(stage["seconds"]), f"{_three_figures(stage['records_per_s']):,}")
        for name, stage in line["stages"].items()
    )
    everyone = line["quality"][0]  # the others are of groups
    return [
        f"The whole line, all services at once (`{command}`, {line['people']:,} people x "
        f"{line['claims']:,} claims); from `ingest` on, stages overlap and their time runs from the first record sent:",
        markdown(("stage", "records", "seconds", "a second"), "lrrr", rows),
        f"All services together held {line['services_peak_mib']:,} MiB at most. Links between the feeds: precision "
        f"{everyone['precision']:.4f}, recall {everyone['recall']:.4f}, F1 {everyone['f1']:.4f}.",
    ]


def markdown(header: Sequence[str], align: str, rows: Iterable[Sequence[str]]) -> str:
    """Return a table; `align` has l or r for each column."""
    rule = ["---:" if side == "r" else "---" for side in align]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds >= 10 else f"{seconds:.2f}"


def _three_figures(number: int) -> int:
    """Return a number to three figures: more would claim more than a measurement can hold."""
    digits = len(str(number))
    return round(number, min(0, 3 - digits))


def main(arguments: Sequence[str]) -> None:
    """Write the README's table, or check it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.table")
    parser.add_argument("--check", action="store_true", help="fail where the README says otherwise; change nothing")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the figures")
    parser.add_argument("--readme", type=Path, default=README, help="the document")
    options = parser.parse_args(arguments)
    if not options.results.exists():
        sys.exit("there are no figures yet: make bench")
    text = options.readme.read_text("utf-8")
    try:
        wanted = replaced(text, json.loads(options.results.read_text("utf-8")))
    except ValueError as error:
        sys.exit(f"{options.readme.name}: {error}")
    if options.check and wanted != text:
        sys.exit(f"the table in {options.readme.name} is not what the figures give: python -m tests.bench.table")
    if not options.check:
        options.readme.write_text(wanted, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
