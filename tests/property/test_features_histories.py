"""Any history gives what a rebuild from nothing gives: late facts, corrections, withdrawals, moves, merges, splits, new
kinds of facts and new days, over every kind of fact and every basis of a household.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from linkage.features.tables import KINDS
from schemas.columns import columns
from schemas.contracts.facts import FACT_KINDS, FactEnvelope
from schemas.contracts.persons import MembershipChange
from services.features import builder
from services.features.builder import Built, Reference, nobody, rebuild
from services.features.content import Content
from services.lake.delta import DeltaZone
from tests.features.worlds import AS_OF, GEOGRAPHY, PRACTICES, SOURCES, SUBJECTS, facts_of

REFERENCE = Reference(GEOGRAPHY, PRACTICES)
PERSONS = st.sampled_from(["p1", "p2", "p3", "p4", None])
FEED_KINDS = {feed.value: [kind for kind in kinds if kind != "demographics"] for feed, kinds in FACT_KINDS.items()}


class Lake:
    """A content zone in a folder, with a hand to land records."""

    def __init__(self, folder: str) -> None:
        self.zone = DeltaZone(Path(folder), "content")
        self.content = Content(self.zone)
        self.offset = 0

    def land(self, source: str, ref: str, version: int, operation: str, facts: dict[str, list[dict[str, Any]]]) -> None:
        """Land one record, each kind as a message of its own."""
        feed = SOURCES[source]
        head = {"source": source, "subject_ref": ref, "version": version, "operation": operation}
        for kind, listed in facts.items():
            schema = {**columns(FactEnvelope), **columns(KINDS[kind])}
            rows = [{**head, "content_hash": version, "ordinal": n, **fact} for n, fact in enumerate(listed)]
            frame = pl.DataFrame(rows, schema=schema).with_columns(
                _topic=pl.lit(f"hwlink.{feed}.v1"),
                _partition=pl.lit(0, pl.Int64),
                _offset=pl.lit(self.offset, pl.Int64),
            )
            self.zone.append(f"{feed}_{kind}", frame, {f"hwlink.{feed}.v1-0": self.offset})
            self.offset += 1


@st.composite
def records(draw: st.DrawFn) -> tuple[str, str, int, str, dict[str, list[dict[str, Any]]]]:
    """One record of a subject with facts of two kinds, at a version that may be older than what is there."""
    source, ref = draw(SUBJECTS)
    kinds = draw(st.lists(st.sampled_from(FEED_KINDS[SOURCES[source]]), unique=True, max_size=2))
    operation = draw(st.sampled_from(["upsert", "upsert", "upsert", "withdraw"]))
    listed = {kind: draw(st.lists(facts_of(kind), min_size=1, max_size=2)) for kind in kinds}
    content = listed if operation == "upsert" else {}
    return (
        source,
        ref,
        draw(st.integers(1, 4)),
        operation,
        {"demographics": [draw(facts_of("demographics"))], **content},
    )


MOVES = st.tuples(SUBJECTS, PERSONS)
STEPS = st.tuples(st.lists(records(), max_size=3), st.lists(MOVES, max_size=3), st.sampled_from([0, 0, 0, 1, 40]))
"""What lands, who moves, and how many days go by, before the next build."""


def _transaction(moves: Sequence[tuple[tuple[str, str], str | None]], person_of: dict[Any, str | None]) -> pl.DataFrame:
    rows = []
    for (source, ref), person in moves:
        row = {"source": source, "subject_ref": ref, "person_id": person, "link_probability": 0.9}
        rows.append({**row, "previous_person_id": person_of.get((source, ref))})
        person_of[source, ref] = person
    return pl.DataFrame(rows, schema=columns(MembershipChange))


@contextmanager
def _every_update_is_incremental() -> Iterator[None]:
    """So few people are soon all touched; a share that none reaches keeps the builder from starting over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "WHOLE_ABOVE_SHARE", 2.0)
        yield


def _holds_for(steps: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, _every_update_is_incremental():
        lake, day, person_of = Lake(folder), AS_OF, dict[Any, str | None]()
        state = nobody()
        for landed, moves, days in steps:
            for record in landed:
                lake.land(*record)
            day += timedelta(days)
            state = rebuild(state, [_transaction(moves, person_of)], lake.content, REFERENCE, day).state
            _equals_a_rebuild(state, lake.content, day)


def _equals_a_rebuild(state: Built, content: Content, day: date) -> None:
    anew = replace(state, coverage=None, households=None, features=nobody().features)
    whole = rebuild(anew, [], content, REFERENCE, day)
    assert whole.touched is None
    assert_frame_equal(state.features.sort("person_id"), whole.state.features.sort("person_id"))


def test_whoever_lands_first_after_a_build_of_nothing_is_computed() -> None:
    moves = [(("a.gp", "1"), "p1")]
    born = {"demographics": [{"birth_year_month": "1990-07"}]}
    _holds_for([([], moves, 0), ([("a.gp", "1", 1, "upsert", born)], [], 0)])


@settings(deadline=None, max_examples=3)
@given(st.lists(STEPS, min_size=2, max_size=4))
def test_any_history_gives_what_a_rebuild_gives(steps: list[Any]) -> None:
    _holds_for(steps)


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(STEPS, min_size=3, max_size=6))
def test_long_histories_give_what_a_rebuild_gives(steps: list[Any]) -> None:
    _holds_for(steps)
