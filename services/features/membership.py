"""Who belongs together, as the resolver's transactions left it: applied in their order, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.features.tables import MEMBERSHIP
from schemas.columns import columns
from schemas.contracts.persons import MembershipChange

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
    last = changes.unique(SUBJECT, keep="last", maintain_order=True)
    named = pl.concat([changes["person_id"], changes["previous_person_id"]])
    before = membership.join(last, on=SUBJECT, how="semi")["person_id"]
    staying = membership.join(last, on=SUBJECT, how="anti")
    arrived = last.filter(pl.col("person_id").is_not_null()).select(MEMBERSHIP.names())
    after = pl.concat([staying, arrived.cast(MEMBERSHIP)])
    return Moves(after, last, pl.concat([named, before]).drop_nulls().unique().alias("person_id"))
