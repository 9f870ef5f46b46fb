"""Candidates: every pair that shares a pass is met, once, whatever the passes, crossings, stop keys and sources."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.block import Probes, pass_keys
from linkage.held import HeldSubjects
from linkage.subjects import Subjects
from schemas.model import BlockPass, default_model

COLUMNS = ("token_forename", "token_surname", "token_date_of_birth", "token_postcode")
PASSES = (
    BlockPass(name="date_forename", parts=(("token_date_of_birth",), ("token_forename",))),
    BlockPass(name="date_surname", parts=(("token_date_of_birth",), ("token_surname",))),
    BlockPass(name="names", parts=(("token_forename", "token_surname"),)),
    BlockPass(name="postcode", parts=(("token_postcode",),)),
)
CROSSINGS = (("date_forename", "date_surname"),)


def records(seed: int, count: int) -> pl.DataFrame:
    """Return subjects of two sources with few values a column, so that many agree, and some missing."""
    generator = np.random.default_rng(seed)
    drawn = {name: generator.integers(0, 5, count) for name in COLUMNS}
    tokens = {name: [None if v == 0 else bytes([int(v)] * 16) for v in values] for name, values in drawn.items()}
    source = np.where(generator.random(count) < 0.5, "a.one", "b.two")
    return pl.DataFrame({"source": source, "subject_ref": [f"r{n}" for n in range(count)], "version": 1, **tokens})


def expected(subjects: Subjects, probes: Probes, keys: np.ndarray) -> set[tuple[int, int]]:
    """Return by brute force the pairs (later row, earlier row) that some probe finds."""
    found = set()
    for later in range(len(subjects)):
        for earlier in range(later):
            shared = any(
                keys[later, ask] and keys[later, ask] == keys[earlier, hold]
                for ask, hold in zip(probes.asked, probes.held, strict=True)
            )
            if shared and (
                subjects.source[later] != subjects.source[earlier] or not subjects.one_record_per_person(later)
            ):
                found.add((later, earlier))
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 6), st.integers(1, 15), st.booleans(), st.booleans())
def test_every_pair_that_shares_a_pass_is_met_once(
    seed: int, count: int, portions: int, chosen: int, first_unique: bool, stop_one: bool
) -> None:
    passes = tuple(p for bit, p in enumerate(PASSES) if chosen >> bit & 1)
    crossings = CROSSINGS if {"date_forename", "date_surname"} <= {p.name for p in passes} else ()
    frame, unique = records(seed, count), {"a.one": first_unique, "b.two": False}
    if stop_one:
        keys = pass_keys(Subjects.from_frame(frame, unique).table, passes[:1])[:, 0]
        passes = (passes[0].model_copy(update={"stop_keys": tuple(sorted({int(keys.max())} - {0}))}), *passes[1:])
    held = HeldSubjects(default_model().model_copy(update={"passes": passes, "crossings": crossings}))
    for rows in np.array_split(np.arange(count), portions):
        held.upsert(Subjects.from_frame(frame[rows], unique))
    met = [
        pair
        for left, right in held.candidates(np.arange(count))
        for pair in zip(left.tolist(), right.tolist(), strict=True)
    ]

    assert len(met) == len(set(met))
    assert set(met) == expected(held.subjects, Probes.of(passes, crossings), held.keys(np.arange(count)))
    assert {later for later, _ in met} <= set(held.asking().tolist())
