"""Council Tax Reduction: one row a person of a claim; a claim's amounts on its claimant's row.

Each billing authority has a scheme of its own for working age, so there is no common layout: the columns are those of
this project's neutral record [D]. Class, scheme, income band and discounts have no place in our contracts and are not
carried.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.layouts.claims import PERSON_OF_CLAIM, person_of_claim
from linkage.layouts.facts import single
from linkage.layouts.mapped import Mapped
from linkage.layouts.plain import WHO, Column, Kind, Terms, by_record, prepared
from schemas.codes import Benefit, Passported
from schemas.contracts.subject import ClaimRole

COLUMNS: Final = (
    *PERSON_OF_CLAIM,
    Column("account_reference"),
    Column("status", Kind.CODE),
    Column("started_on"),
    Column("ended_on"),
    Column("tenure", Kind.CODE),
    Column("passported", Kind.CODE),
    Column("is_uc_claimant", Kind.CODE),
    Column("weekly_award", Kind.MONEY, required=True),
    Column("weekly_liability", Kind.MONEY),
    Column("weekly_income", Kind.MONEY),
    Column("capital", Kind.MONEY),
    Column("children"),
    Column("non_dependants"),
    Column("weekly_earnings", Kind.MONEY),
    Column("weekly_hours"),
    Column("disability_premium", Kind.CODE),
    Column("carer_premium", Kind.CODE),
)


def clear_rows(frame: pl.DataFrame, terms: Terms) -> Mapped:
    """Return one clear row a person of a claim.

    Where a status is not given, a claim without an end is in payment. Who claims Universal Credit is passported by it
    unless the row says by what.
    """
    claimant = pl.col("claim_role") == ClaimRole.CLAIMANT.value
    by_credit = pl.when(pl.col("is_uc_claimant").is_in(["1", "yes", "y", "true"])).then(
        pl.lit(Passported.UNIVERSAL_CREDIT.value)
    )
    standing = pl.when(pl.col("ended_on").is_null()).then(pl.lit("in_payment")).otherwise(pl.lit("other"))
    amounts = {
        "passported": pl.coalesce(pl.col("passported"), by_credit),
        "children_declared": pl.col("children"),
        "non_dependants_declared": pl.col("non_dependants"),
        "weekly_award_pence": pl.col("weekly_award"),
        "weekly_income_pence": pl.col("weekly_income"),
        "weekly_council_tax_pence": pl.col("weekly_liability"),
        "capital_pence": pl.col("capital"),
        "account_reference": pl.col("account_reference"),
    }
    rows = person_of_claim(prepared(frame, COLUMNS, terms)).with_columns(
        claims=single(
            pl.lit(True),
            claim_reference=pl.col("claim_reference"),
            benefit=pl.lit(Benefit.COUNCIL_TAX_REDUCTION.value),
            role=pl.col("claim_role"),
            status=pl.coalesce(pl.col("status"), standing),
            started_on=pl.col("started_on"),
            ended_on=pl.col("ended_on"),
            tenure=pl.col("tenure"),
            weekly_earnings_pence=pl.col("weekly_earnings"),
            weekly_work_hours=pl.col("weekly_hours"),
            disability_premium=pl.col("disability_premium"),
            carer_premium=pl.col("carer_premium"),
            **{name: pl.when(claimant).then(value) for name, value in amounts.items()},
        )
    )
    return by_record(rows, (*WHO, "claim_reference", "claim_role"), ("claims",))
