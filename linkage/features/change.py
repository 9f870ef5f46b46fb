"""Who must be worked out again, and what that changed: the two ends of an incremental update."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.registry import feature_columns
from linkage.features.tables import SUBJECT

_CLAIM: Final = ["source", "claim_ref"]


def claim_mates(touched: pl.DataFrame, claim_rows: pl.DataFrame) -> pl.DataFrame:
    """Return `touched` subjects and everybody who shares or shared a claim with one, as `source, subject_ref`.

    `claim_rows` has `source, subject_ref, claim_ref` of **every** landed version, superseded ones too: that is how
    the old household of somebody who moved is found again without keeping it.
    """
    subjects = touched.select(SUBJECT).unique()
    claims = claim_rows.join(subjects, on=list(SUBJECT), how="semi").select(_CLAIM).unique()
    mates = claim_rows.join(claims, on=_CLAIM, how="semi").select(SUBJECT)
    return pl.concat([subjects, mates]).unique()


def affected_persons(
    touched: pl.DataFrame, claim_rows: pl.DataFrame, membership: pl.DataFrame, moved: pl.Series
) -> pl.Series:
    """Return the ids of persons whose features may have changed.

    `touched` are subjects with new facts, `moved` the person ids, old and new, that a membership change names. A
    household feature depends on the facts of everybody in the claim, never on whose person they are, so that one
    step over the claims of touched subjects is enough.
    """
    mates = claim_mates(touched, claim_rows)
    holders = membership.join(mates, on=list(SUBJECT), how="semi")["person_id"]
    return pl.concat([holders, moved.cast(pl.String).alias("person_id")]).drop_nulls().unique().sort()


def changed_rows(before: pl.DataFrame, after: pl.DataFrame, columns: list[str] | None = None) -> pl.Series:
    """Return the ids in `after` that are new or differ from `before` in any of `columns` (all features if None)."""
    names = columns if columns is not None else [n for n in feature_columns().names() if n != "person_id"]
    held = before.select("person_id", *names, pl.lit(True).alias("_held"))
    differs = [pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in names]
    return (
        after.select("person_id", *names)
        .join(held, on="person_id", how="left", suffix="_before")
        .filter(pl.any_horizontal(pl.col("_held").is_null(), *differs))["person_id"]
        .sort()
    )
