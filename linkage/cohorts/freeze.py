"""A cohort frozen at a date: who was in it then, so that the same people can be looked at again later.

What is kept are the persons and the subjects that each was linked of. Persons merge and split as the linkage learns;
a frozen one is found again as the person that has most of its subjects now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

import polars as pl

FROZEN: Final = pl.Schema({"person_id": pl.String(), "source": pl.String(), "subject_ref": pl.String()})
_SUBJECT: Final = ["source", "subject_ref"]


def frozen(person_ids: pl.Series, membership: pl.DataFrame) -> pl.DataFrame:
    """Return the subjects of these persons, with the columns of `FROZEN`, sorted."""
    chosen = person_ids.unique().alias("person_id").to_frame()
    return membership.join(chosen, on="person_id", how="semi").select(FROZEN.names()).sort(FROZEN.names())


def digest(canonical: Mapping[str, str], snapshot_id: str, members: pl.DataFrame) -> str:
    """Return SHA-256 over the filters, the snapshot and everybody in it, in order, as hexadecimal digits."""
    state = hashlib.sha256(json.dumps([dict(canonical), snapshot_id], sort_keys=True).encode())
    for row in members.sort(FROZEN.names()).select(pl.concat_str(FROZEN.names(), separator="\t")).to_series():
        state.update(f"\n{row}".encode())
    return state.hexdigest()


def found_again(members: pl.DataFrame, membership: pl.DataFrame) -> pl.Series:
    """Return the ids of the persons who are the frozen ones now, each once, sorted.

    Of several that have as many of one's subjects, the first by id; who has no subject any more is not found.
    """
    return (
        members.rename({"person_id": "was"})
        .join(membership.select("person_id", *_SUBJECT), on=_SUBJECT, how="inner")
        .group_by("was", "person_id")
        .len()
        .sort("was", pl.col("len"), "person_id", descending=[False, True, False])
        .group_by("was", maintain_order=True)
        .agg(pl.col("person_id").first())["person_id"]
        .unique()
        .sort()
    )
