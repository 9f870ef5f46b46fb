"""One rebuild: from what is pending and what has landed to a feature table and who changed in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.features import FeatureTables, affected_persons, compute, feature_columns
from linkage.features.change import claim_mates
from linkage.features.tables import MEMBERSHIP
from services.features.content import Content, Offsets
from services.features.membership import Moves, moved

WHOLE_ABOVE_SHARE: Final = 0.3
"""Above this share of persons touched, everybody is computed: filtering every table costs more than it saves."""


@dataclass(frozen=True)
class Built:
    """The state a build starts from and ends with. `coverage` and `as_of` are None before the first."""

    membership: pl.DataFrame
    features: pl.DataFrame
    offsets: Offsets
    coverage: pl.DataFrame | None = None
    as_of: date | None = None


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
    state: Built, transactions: Sequence[pl.DataFrame], content: Content, geography: pl.DataFrame, as_of: date
) -> Rebuild:
    """Return the state after `transactions` and everything that has landed, as of `as_of`.

    Computes only who is touched: by a membership change, by new facts of their own or of somebody in a claim with
    them, now or before. Everybody is computed when the date turned, when a source delivers a kind of fact for the
    first time (which turns unknown into a negative for all of its people), or when too many are touched.
    """
    moves = moved(state.membership, transactions)
    offsets = content.offsets()
    coverage = content.coverage()
    touched = None
    if state.coverage is not None and state.as_of == as_of and coverage.equals(state.coverage):
        claims = content.claim_rows()
        touched = affected_persons(content.touched(state.offsets, offsets), claims, moves.membership, moves.persons)
        if len(touched) > WHOLE_ABOVE_SHARE * max(1, len(state.features)):
            touched = None
    if touched is None:
        facts = content.facts()
        tables = FeatureTables.from_facts(facts, geography, coverage)
        features = compute(tables, moves.membership, as_of)
    else:
        own = moves.membership.join(touched.to_frame(), on="person_id", how="semi")
        tables = FeatureTables.from_facts(content.facts(claim_mates(own, claims)), geography, coverage)
        staying = state.features.join(touched.to_frame(), on="person_id", how="anti")
        computed = compute(tables, moves.membership, as_of, touched)
        features = pl.concat([staying, computed]).sort("person_id")
    return Rebuild(Built(moves.membership, features, offsets, coverage, as_of), touched, moves)
