"""One rebuild: from what is pending and what has landed to a feature table and who changed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from linkage.features import FeatureTables, affected_persons, compute, feature_columns
from linkage.features.change import needed_subjects
from linkage.features.tables import COVERAGE, GEOGRAPHY, MEMBERSHIP, PRACTICES, PREVIOUS
from services.features.content import SUBJECT, Content, Offsets
from services.features.membership import Moves, moved

WHOLE_ABOVE_SHARE: Final = 0.3
"""Above this share of persons touched, everybody is computed: filtering every table costs more than it saves."""

_MOST_CHUNKS: Final = 32
"""Each update adds a piece to the table of features; with more than so many it is copied into one."""


@dataclass(frozen=True)
class Built:
    """The state a build starts from and ends with. `coverage` and `as_of` are None before the first.

    `features` are in no order. `households` says who is or was in which household by all that has landed up to
    `offsets`; `previous` what was published of persons on the newest day before `as_of`.
    """

    membership: pl.DataFrame
    features: pl.DataFrame
    offsets: Offsets
    coverage: pl.DataFrame | None = None
    as_of: date | None = None
    households: pl.DataFrame | None = None
    previous: pl.DataFrame = field(default_factory=PREVIOUS.to_frame)

    def before(self, as_of: date) -> pl.DataFrame:
        """Return what was published before `as_of`: this state, if it is of an earlier day, or what was before it."""
        if self.as_of is None or self.as_of >= as_of:
            return self.previous
        return self.features.select("person_id", "segment_code", pl.lit(self.as_of).alias("as_of"))


@dataclass(frozen=True)
class Reference:
    """Reference data of places and practices (`linkage.features.tables`), which features of areas are read from.

    `version` is what a snapshot tells them by.
    """

    geography: pl.DataFrame = field(default_factory=GEOGRAPHY.to_frame)
    practices: pl.DataFrame = field(default_factory=PRACTICES.to_frame)
    version: str = ""

    def tables(self, facts: Mapping[str, pl.LazyFrame], coverage: pl.DataFrame) -> FeatureTables:
        """Return facts with this reference data."""
        return FeatureTables.from_facts(facts, self.geography, coverage, self.practices)


@dataclass(frozen=True)
class Rebuild:
    """A build's result. `touched` are the ids that were computed or are gone, None for everybody.

    `moves` says which subjects changed their person.
    """

    state: Built
    touched: pl.Series | None
    moves: Moves


def nobody() -> Built:
    """Return the state before the first build."""
    return Built(membership=MEMBERSHIP.to_frame(), features=feature_columns().to_frame(), offsets={})


def rebuild(
    state: Built, transactions: Sequence[pl.DataFrame], content: Content, reference: Reference, as_of: date
) -> Rebuild:
    """Return the state after `transactions` and everything that has landed, as of `as_of`.

    Computes only who is touched: by a membership change, by new facts of their own or of somebody in a household
    with them, on any basis, now or before. Everybody is computed when the date turned, when a source delivers a kind
    of fact for the first time (which turns unknown into a negative for all of its people), or when too many are
    touched.
    """
    moves = moved(state.membership, transactions)
    offsets = content.offsets()
    fresh = state.coverage is None or state.households is None
    news = content.news(None if fresh else state.offsets, offsets)
    coverage, households = news.coverage, news.households
    if state.coverage is not None and state.households is not None:
        coverage = pl.concat([state.coverage, coverage]).unique().sort(*COVERAGE)
        households = _grown(state.households, households)
    previous = state.before(as_of)
    touched = None
    if state.coverage is not None and not fresh and state.as_of == as_of and coverage.equals(state.coverage):
        subjects = pl.concat([news.touched, moves.changed.select(SUBJECT)])
        touched = affected_persons(subjects, households, moves.membership, moves.persons)
        if len(touched) > WHOLE_ABOVE_SHARE * max(1, len(state.features)):
            touched = None
    if touched is None:
        tables = reference.tables(content.facts(), coverage)
        features = compute(tables, moves.membership, as_of, previous=previous)
    else:
        needed = needed_subjects(touched, households, moves.membership)
        plans = content.facts(needed)
        # Groups ask for some kinds again and again: of a few people the facts are read once, and kept.
        few = {kind: rows.lazy() for kind, rows in zip(plans, pl.collect_all(plans.values()), strict=True)}
        members = moves.membership.join(needed, on=SUBJECT, how="semi")
        computed = compute(reference.tables(few, coverage), members, as_of, touched, previous)
        features = _replaced(state.features, touched, computed)
    return Rebuild(Built(moves.membership, features, offsets, coverage, as_of, households, previous), touched, moves)


def _grown(held: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Return the household rows held and those of `more` that are new."""
    known = held.join(more.select(SUBJECT).unique(), on=SUBJECT, how="semi")
    return pl.concat([held, more.join(known, on=more.columns, how="anti")])


def _replaced(features: pl.DataFrame, touched: pl.Series, computed: pl.DataFrame) -> pl.DataFrame:
    """Return `features` without the rows of `touched`, and with those computed.

    In no order: to sort everybody by id would cost more than all the rest of an update.
    """
    staying = features.filter(~pl.col("person_id").is_in(touched.implode()))
    together = pl.concat([staying, computed])
    return together.rechunk() if together.n_chunks() > _MOST_CHUNKS else together
