"""`python -m tests.bench.feeds`: what each made-up source holds, as a table of `linkage/synthesise/README.md`, and how
long making all of them takes.
"""

from __future__ import annotations

import argparse
import resource
import time

from linkage.synthesise import Feeds, feeds


def table(made: Feeds) -> str:
    """Return what each source holds as a Markdown table: records, and facts of each kind."""
    lines = ["| source | records | facts |", "|---|---:|---|"]
    for source, frame in made.frames.items():
        lists = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
        facts = ", ".join(f"{name} {frame[name].list.len().sum():,}" for name in lists)
        lines.append(f"| `{source}` | {frame.height:,} | {facts} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, seconds and peak memory."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.feeds", description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--claims", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    started = time.perf_counter()
    made = feeds(given.people, given.claims, seed=given.seed)
    seconds = time.perf_counter() - started
    print(table(made))
    gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{given.people:,} people, {given.claims:,} rows of claims: {seconds:.1f} s, at most {gibibytes:.2f} GiB")


if __name__ == "__main__":
    main()
