"""How fast a registry takes a resolver's steps: `python -m tests.bench.registry URL [SUBJECTS]`, on an empty registry.

Steps of 10,000 new subjects, as the resolver writes them: look keys up, read the neighbourhood, write subjects, persons
and pairs, then move a third of the subjects and retire persons. Chance is seeded.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace

import numpy as np
import polars as pl

from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS, PublishedTransaction, ResolverChange
from services.registry.sql import open_registry

STEP = 10_000
PAIRS = 1_500
MOVED = 3_000


def references(chance: np.random.Generator, count: int) -> list[str]:
    """Return random references: 32 hexadecimal digits each."""
    digits = chance.bytes(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, 32 * count, 32)]


def subjects(chance: np.random.Generator, first: int) -> pl.DataFrame:
    """Return a step's subjects, each in a person of its own, a third of them in claims."""
    serials = np.arange(first, first + STEP)
    return pl.DataFrame(
        {
            "serial": serials,
            "source": ["kmpt.gp"] * STEP,
            "subject_ref": references(chance, STEP),
            "version": np.full(STEP, 1_750_000_000_000),
            "withdrawn": [False] * STEP,
            "content_hash": chance.integers(-(2**63), 2**63 - 1, STEP),
            "one_record_per_person": [True] * STEP,
            "claim_group": [chance.bytes(16) if n % 3 == 0 else None for n in range(STEP)],
            "passed": np.ones(STEP, dtype=np.int64),
            "person": serials,
            "link_probability": [None] * STEP,
        },
        schema=SUBJECT_COLUMNS,
    )


def pairs(chance: np.random.Generator, first: int) -> pl.DataFrame:
    """Return pairs of a step's subjects with former ones."""
    ones = np.ones(PAIRS, dtype=np.int64)
    return pl.DataFrame(
        {
            "left_serial": chance.integers(max(1, first - 50_000), first + STEP // 2, PAIRS),
            "right_serial": first + STEP // 2 + chance.permutation(STEP // 2)[:PAIRS],
            **dict.fromkeys(("left_version", "right_version", "left_hash", "right_hash", "pattern", "shard"), ones),
            **{name: chance.random(PAIRS) for name in ("weight_bits", "log2_odds", "probability")},
            "guard": [None] * PAIRS,
            "model_id": ["hwlink-default"] * PAIRS,
            "decision": ["link"] * PAIRS,
        }
    ).select(pl.col(name).cast(dtype) for name, dtype in PAIR_COLUMNS.items())


def main(url: str, count: int) -> None:
    """Write so many subjects and print what each kind of call took."""
    chance, spent = np.random.default_rng(1), Counter[str]()
    with closing(open_registry(url)) as registry:
        resolver = registry.resolver
        state = resolver.claim("bench")

        def timed(name: str, began: float) -> None:
            spent[name] += round(1e6 * (time.perf_counter() - began))

        for first in range(1, count + 1, STEP):
            new, links = subjects(chance, first), pairs(chance, first)
            people = pl.DataFrame({"serial": new["serial"], "person_id": references(chance, STEP)})
            began = time.perf_counter()
            resolver.subjects(new.select("source", "subject_ref"))
            timed("subjects", began)
            known = pl.Series("serial", chance.integers(1, max(2, first), STEP)).unique()
            began = time.perf_counter()
            resolver.neighbourhood(known, new["claim_group"].drop_nulls())
            timed("neighbourhood", began)
            retired = pl.DataFrame(schema={"serial": pl.Int64, "superseded_by": pl.Int64})
            none, after = links.head(0), replace(state, sequence=state.sequence + 1)
            said = PublishedTransaction(after.sequence, b"x" * 400_000, "[]", STEP)
            key = ("left_serial", "right_serial")
            began = time.perf_counter()
            resolver.apply(
                ResolverChange(state, after, new, new.head(0), none.select(key), links, people, retired, said)
            )
            timed("write new", began)
            state, after = after, replace(after, sequence=after.sequence + 1)
            moved = new.head(MOVED).with_columns(person=pl.col("serial") // 2 + 1)
            gone = people.select("serial", superseded_by=pl.col("serial") + 1).head(PAIRS)
            began = time.perf_counter()
            resolver.apply(
                ResolverChange(state, after, new.head(0), moved, none.select(key), links, people.head(0), gone, None)
            )
            timed("write changes", began)
            state = after
            resolver.mark_relayed(state.sequence)
    for name, us in spent.items():
        print(f"{name:<14} {us / 1e6:7.2f} s {1e6 * count / us:12,.0f} subjects/s")
    print(f"{'all':<14} {sum(spent.values()) / 1e6:7.2f} s {1e6 * count / sum(spent.values()):12,.0f} subjects/s")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100_000)
