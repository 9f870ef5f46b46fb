"""Laws of matching: what is said of a pair never depends on order, portions, repeats, or who else is there."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode import ProjectKeys, encode
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import default_model

MODEL = default_model()
MATCHER = Matcher(MODEL)
AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
UNIQUE = {"a.gp": True, "b.hb": False}
LAWS = settings(max_examples=25, deadline=None)


@cache
def records() -> pl.DataFrame:
    """Rows of two sources, every tenth of them in an older version too, some withdrawn."""
    made = population(250, 120, seed=9)
    frames = []
    for source, feed, clear in (("a.gp", Feed.HEALTH, made.health), ("b.hb", Feed.WELFARE, made.welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frame = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame
        linking = [c for c in frame.columns if c.startswith(("token_", "key_", "filter_", "claim_group"))]
        frames.append(frame.select("subject_ref", "version", "operation", *linking).with_columns(source=pl.lit(source)))
    newest = pl.concat(frames, how="diagonal").with_columns(version=pl.lit(5, dtype=pl.Int64))
    every = pl.int_range(pl.len())
    older = newest.filter(every % 10 == 0).with_columns(version=pl.lit(3, dtype=pl.Int64), token_surname=pl.lit(None))
    gone = newest.filter(every % 17 == 0).with_columns(version=pl.lit(6, dtype=pl.Int64), operation=pl.lit("withdraw"))
    return pl.concat([newest, older, gone], how="diagonal_relaxed")


def said(portions: list[pl.DataFrame]) -> tuple[set[tuple[object, ...]], set[tuple[str, int]]]:
    """Every pair of versions that both hold in the end, as it was said when the later one came; and who holds."""
    held = HeldSubjects(MODEL)
    pairs = []
    for portion in portions:
        rows = held.upsert(Subjects.from_frame(portion, UNIQUE))
        pairs.append(MATCHER.match(rows, held))
    subjects = held.subjects.take(np.flatnonzero(held.alive))
    now = {(ref.decode(), int(version)) for ref, version in zip(subjects.ref, subjects.version, strict=True)}
    links = {row for row in pl.concat(pairs).rows() if (row[1], row[2]) in now and (row[4], row[5]) in now}
    return links, now


@cache
def at_once() -> tuple[set[tuple[object, ...]], set[tuple[str, int]]]:
    return said([records()])


def test_there_is_something_to_say() -> None:
    assert len(at_once()[0]) > 60


@LAWS
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_any_order_in_any_portions_says_the_same(random: object, portions: int) -> None:
    order = list(range(records().height))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = records()[order]
    size = -(-shuffled.height // portions)

    assert said([shuffled[start : start + size] for start in range(0, shuffled.height, size)]) == at_once()


@LAWS
@given(st.lists(st.integers(0, 399), min_size=1, max_size=80))
def test_repeats_say_nothing_new(repeated: list[int]) -> None:
    again = records()[[n % records().height for n in repeated]]

    assert said([records(), again]) == at_once()
    assert said([again, records(), again]) == at_once()


@LAWS
@given(st.sets(st.integers(0, 399), min_size=20, max_size=200))
def test_a_pair_is_weighed_alike_whoever_else_is_held(kept: set[int]) -> None:
    some = records()[sorted({n % records().height for n in kept})]
    links, now = said([some])
    pairs, everyone = at_once()

    assert {pair for pair in links if (pair[1], pair[2]) in everyone and (pair[4], pair[5]) in everyone} == {
        pair for pair in pairs if (pair[1], pair[2]) in now and (pair[4], pair[5]) in now
    }


@LAWS
@given(st.integers(2, 7))
def test_shards_divide_what_one_would_say(shards: int) -> None:
    held = HeldSubjects(MODEL)
    rows = held.upsert(Subjects.from_frame(records(), UNIQUE))
    whole = MATCHER.match(rows, held, shards)
    parts = [MATCHER.match(rows, held, shards, frozenset({shard})) for shard in range(shards)]

    assert sorted(whole.rows()) == sorted(row for part in parts for row in part.rows())
