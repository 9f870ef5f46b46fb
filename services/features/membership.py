"""Who belongs together, as the resolver's transactions left it: applied in their order, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.features.tables import MEMBERSHIP
from schemas.columns import columns
from schemas.contracts.persons import MembershipChange, PersonEvent, PersonEventKind

SUBJECT: Final = ["source", "subject_ref"]


@dataclass(frozen=True)
class Moves:
    """What a run of transactions did: the membership after it, the subjects' last changes, and every person id
    named.
    """

    membership: pl.DataFrame
    changed: pl.DataFrame
    persons: pl.Series


def moved(membership: pl.DataFrame, transactions: Sequence[pl.DataFrame]) -> Moves:
    """Return what `transactions` (frames of `MembershipChange`, oldest first) make of `membership`.

    The last change of a subject holds; one without a person takes the subject out. Applying the same ones again
    changes nothing, which is what a restart between writing and committing needs.
    """
    changes = pl.concat([columns(MembershipChange).to_frame(), *transactions])
    if changes.is_empty():
        return Moves(membership, changes, changes["person_id"])
    last = changes.unique(SUBJECT, keep="last", maintain_order=True)
    named = pl.concat([changes["person_id"], changes["previous_person_id"]])
    before = membership.join(last, on=SUBJECT, how="semi")["person_id"]
    staying = membership.join(last, on=SUBJECT, how="anti")
    arrived = last.filter(pl.col("person_id").is_not_null()).select(MEMBERSHIP.names())
    after = pl.concat([staying, arrived.cast(MEMBERSHIP)])
    return Moves(after, last, pl.concat([named, before]).drop_nulls().unique().alias("person_id"))


def lineage(before: pl.DataFrame, after: pl.DataFrame, sequence: int) -> list[PersonEvent]:
    """Return what became of person ids between two memberships, where the transactions that said so are gone.

    An id that is no more has merged into the person that has most of its subjects (of equals that of lowest id), or is
    retired where none of them is left. From one that stayed, each new person that has subjects of it was split off.
    """
    met = (
        before.select(*SUBJECT, was="person_id")
        .join(after.select(*SUBJECT, now="person_id"), on=SUBJECT, how="inner")
        .group_by("was", "now")
        .len()
        .sort(pl.col("len"), "now", descending=[True, False])
    )
    gone = before.select(was="person_id").unique().join(after.select(was="person_id"), on="was", how="anti")
    heirs = met.group_by("was").agg(pl.col("now").first())
    ended = gone.join(heirs, on="was", how="left").select("was", "now", ends=pl.lit(value=True))
    parted = (
        met.join(gone, on="was", how="anti")
        .filter(pl.col("was") != pl.col("now"))
        .join(before.select(now="person_id"), on="now", how="anti")
        .select("was", "now", ends=pl.lit(value=False))
    )
    return [
        PersonEvent(kind=_kind_of(heir, ends=ends), person_id=person, superseded_by=heir, sequence=sequence)
        for person, heir, ends in pl.concat([ended, parted]).sort("was", "now").rows()
    ]


def _kind_of(heir: str | None, *, ends: bool) -> PersonEventKind:
    if not ends:
        return PersonEventKind.SPLIT
    return PersonEventKind.RETIRE if heir is None else PersonEventKind.MERGE
