"""The tables: one row a set for the README, one row a set and tool for `results/peers.md`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.bench.run import RESULTS
from tests.bench.table import markdown

PEERS_JSON: Final = RESULTS.with_name("peers.json")
PEERS_MD: Final = RESULTS.with_name("peers.md")
BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"
OURS, YARDSTICK = "hwlink", "Splink"

Row = dict[str, Any]


def block(result: dict[str, Any]) -> str:
    """Return what stands between the README's comments."""
    judged = [row for row in result["sets"] if not row["large"]]
    parts = [_where(result), markdown(_SHORT, "l" + "r" * (len(_SHORT) - 1), map(_short, judged))]
    parts += [_large(row) for row in result["sets"] if row["large"]]
    return "\n\n".join(parts)


_SHORT: Final = (
    "persons F1",
    "hwlink",
    "Splink",
    "difference [95 %]",
    "best: hwlink",
    "best: Splink",
    "difference [95 %]",
    "best: anonlink",
    "best: recordlinkage",
    "seconds: hwlink",
    "seconds: Splink (of it u)",
    "MiB: hwlink",
    "MiB: Splink",
)


def _short(row: Row) -> tuple[str, ...]:
    ours, theirs = _tool(row, OURS), _tool(row, YARDSTICK)
    cells = [row["title"]]
    for level in ("default", "best"):
        cells += [_f1(ours, level), _f1(theirs, level), _difference(theirs["difference"]["persons"][level])]
    cells += [_f1(_tool(row, name), "best") for name in ("anonlink", "recordlinkage")]
    cells += [f"{ours['seconds']:.1f}", f"{theirs['seconds']:.1f} ({theirs['stages']['u']:.1f})"]
    cells += [f"{tool['peak_mib']:,}" for tool in (ours, theirs)]
    return tuple(cells)


def _f1(tool: Row, level: str) -> str:
    return f"{tool['persons'][level]['f1']:.4f}"


def _difference(given: dict[str, float]) -> str:
    return f"{given['value']:+.4f} [{given['low']:+.4f}, {given['high']:+.4f}]"


def _large(row: Row) -> str:
    """Return what is said of the large set."""
    ours, theirs = _tool(row, OURS), _tool(row, YARDSTICK)
    faster, leaner = (theirs[what] / ours[what] for what in ("seconds", "peak_mib"))
    return (
        f"{row['title'].capitalize()}: hwlink {ours['seconds']:.1f} s and {ours['peak_mib']:,} MiB, Splink "
        f"{theirs['seconds']:.1f} s and {theirs['peak_mib']:,} MiB: {faster:.1f} times as long and {leaner:.1f} times "
        f"the memory (whole processes: {ours['whole_seconds']:.1f} s and {theirs['whole_seconds']:.1f} s). Persons F1 "
        f"at the default threshold: {_f1(ours, 'default')} and {_f1(theirs, 'default')}."
    )


def _where(result: dict[str, Any]) -> str:
    machine, versions = result["machine"], result["versions"]
    named = ", ".join(f"{name} {versions[name]}" for name in ("splink", "duckdb", "anonlink", "clkhash"))
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']:.0f} GiB, Python {machine['python']}, "
        f"{named}, recordlinkage {versions['recordlinkage']}; {result['measured_on']}. Seconds after imports."
    )


_FULL: Final = (
    "set",
    "tool",
    "threshold",
    "links P",
    "links R",
    "links F1",
    "persons P",
    "persons R",
    "persons F1",
    "hwlink minus it, links F1 [95 %]",
    "hwlink minus it, persons F1 [95 %]",
    "seconds",
    "of it u",
    "whole process",
    "encoding",
    "MiB",
    "times hwlink's seconds",
    "times hwlink's MiB",
)


def full(result: dict[str, Any]) -> str:
    """Return the whole table as a document."""
    head = "# hwlink and its peers\n\nMade by `python -m tests.bench.peers`; how, says `tests/bench/peers/README.md`."
    rows = [cells for row in result["sets"] for tool in row["tools"] for cells in _rows(row, tool)]
    return "\n\n".join([head, _where(result), markdown(_FULL, "ll" + "r" * (len(_FULL) - 2), rows)]) + "\n"


def _rows(row: Row, tool: Row) -> Iterable[tuple[str, ...]]:
    ours = _tool(row, OURS)
    for level in ("default", "best"):
        if level not in tool["persons"]:
            continue
        persons, links = tool["persons"][level], tool["links"][level]
        at = f"{persons['threshold']:.4g}" + (" (default)" if level == "default" else " (best)")
        ratios = [f"{part[ratio]:.4f}" for part in (links, persons) for ratio in ("precision", "recall", "f1")]
        differences = [
            _difference(tool["difference"][what][level]) if level in tool["difference"].get(what, {}) else ""
            for what in ("links", "persons")
        ]
        costs = [
            f"{tool['seconds']:.1f}",
            f"{tool['stages']['u']:.1f}" if "u" in tool["stages"] else "",
            f"{tool['whole_seconds']:.1f}",
            f"{tool['encode_s']:.1f}" if tool["encode_s"] else "",
            f"{tool['peak_mib']:,}",
            f"{tool['seconds'] / ours['seconds']:.2f}",
            f"{tool['peak_mib'] / ours['peak_mib']:.2f}",
        ]
        yield (row["title"], tool["name"], at, *ratios, *differences, *(costs if level == "default" else [""] * 7))


def _tool(row: Row, name: str) -> Row:
    return next(tool for tool in row["tools"] if tool["name"] == name)


def write(result: dict[str, Any], readme: Path) -> None:
    """Write the table of the whole, and put the short one into the README."""
    from tests.bench.table import between

    PEERS_MD.write_text(full(result), "utf-8")
    readme.write_text(between(readme.read_text("utf-8"), BEGIN, END, block(result)), "utf-8")
