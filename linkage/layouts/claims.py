"""People of claims in tables that have a row for each of them."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.layouts.plain import Column, Kind
from schemas.contracts.subject import ClaimRole

PERSON_OF_CLAIM: Final = (
    Column("claim_reference", required=True),
    Column("role", Kind.CODE),
    Column("person_reference"),
)
"""Columns that say whose part in which claim a row is. Without a role it is the claimant's."""

_SPELLINGS: Final = {
    "non_dependent": ClaimRole.NON_DEPENDANT.value,
    "nondependant": ClaimRole.NON_DEPENDANT.value,
    "nondependent": ClaimRole.NON_DEPENDANT.value,
    "dependant": ClaimRole.CHILD.value,
    "dependent": ClaimRole.CHILD.value,
    "main": ClaimRole.CLAIMANT.value,
    "applicant": ClaimRole.CLAIMANT.value,
}


def person_of_claim(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `rows` with `claim_role` and `record_id`: the claim and the person's reference, or else their place in it.

    A child or non-dependant without a reference is told apart by date of birth.
    """
    role = pl.col("role").replace(_SPELLINGS).fill_null(ClaimRole.CLAIMANT.value)
    adult = pl.col("claim_role").is_in([ClaimRole.CLAIMANT.value, ClaimRole.PARTNER.value])
    place = pl.when(adult).then("claim_role").otherwise(pl.concat_str("claim_role", "date_of_birth", separator="|"))
    return rows.with_columns(claim_role=role).with_columns(
        record_id=pl.concat_str("claim_reference", pl.coalesce(pl.col("person_reference"), place), separator="|")
    )
