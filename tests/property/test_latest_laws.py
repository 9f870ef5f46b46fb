"""Laws of the latest view: order, repetition and splitting cannot matter, and the matcher's index sees the same."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.held import HeldSubjects
from linkage.subjects import Subjects
from schemas.columns import columns
from schemas.contracts.subject import Subject
from schemas.model import default_model
from services.lake.latest import latest

MODEL = default_model()

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["x.a", "x.b"]),
        st.sampled_from(["1" * 32, "2" * 32, "3" * 32]),
        st.integers(0, 2),
        st.sampled_from(["upsert", "withdraw"]),
        st.integers(-2, 2),
    ),
    max_size=12,
)
Row = tuple[str, str, int, str, int]
NAMES = ("source", "subject_ref", "version", "operation", "content_hash")


def subjects(rows: list[Row]) -> pl.DataFrame:
    blank = dict.fromkeys(columns(Subject))
    return pl.DataFrame([blank | dict(zip(NAMES, row, strict=True)) for row in rows], schema=columns(Subject))


def held(rows: list[Row]) -> set[Row]:
    return set(latest(subjects(rows).lazy()).select(NAMES).collect().rows())


@given(ROWS, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(rows: list[Row], chance: random.Random) -> None:
    shuffled = rows + rows[: len(rows) // 2]
    chance.shuffle(shuffled)
    assert held(shuffled) == held(rows)


@given(ROWS, ROWS)
def test_the_latest_of_parts_is_the_latest_of_the_whole(one: list[Row], other: list[Row]) -> None:
    assert held([*held(one), *held(other)]) == held(one + other)


@given(ROWS)
def test_it_holds_one_row_a_record_and_none_that_did_not_land(rows: list[Row]) -> None:
    found = held(rows)
    assert found <= set(rows)
    assert len(found) == len({row[:2] for row in rows}) == len({row[:2] for row in found})


@settings(deadline=None)
@given(st.lists(ROWS, max_size=4))
def test_the_index_of_the_matcher_holds_the_same_versions(batches: list[list[Row]]) -> None:
    index = HeldSubjects(MODEL)
    for batch in batches:
        index.upsert(Subjects.from_frame(subjects(batch)))
    flat = [row for batch in batches for row in batch]
    alive = index.subjects.take(index.alive.nonzero()[0]) if len(index) else None
    seen = set()
    if alive is not None:
        refs = alive.ref_column(np.arange(len(alive)))
        sources = [alive.sources[code] for code in alive.source]
        seen = set(zip(sources, refs, alive.version.tolist(), alive.content_hash.tolist(), strict=True))
    assert seen == {(s, r, v, h) for s, r, v, operation, h in held(flat) if operation == "upsert"}
