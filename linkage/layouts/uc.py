"""Universal Credit as DWP shares it with councils: one row a person of an award and assessment period, and deductions,
which come with notices of changes, in columns of that table or in one of their own.

Which fields the share has is in a restricted specification. Verified: the nine reasons of deductions since 26 October
2023 (LA Welfare Direct lite 10/2023) and the six conditionality regimes (Stat-Xplore). All other columns are general
knowledge [K]; a source's settings map its own names and codes to these. Amounts are a month's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from linkage.layouts.claims import PERSON_OF_CLAIM, person_of_claim
from linkage.layouts.facts import joined, single
from linkage.layouts.mapped import Mapped
from linkage.layouts.plain import WHO, Column, Kind, Terms, by_record, day, prepared
from schemas.codes import Benefit, DeductionReason
from schemas.contracts.subject import ClaimRole

_DEDUCTIONS: Final = {reason: f"deduction_{reason.value}" for reason in DeductionReason}
_WEEKS_A_MONTH: Final = 52 / 12
COLUMNS: Final = (
    *PERSON_OF_CLAIM,
    Column("period_from", required=True),
    Column("period_to", required=True),
    Column("status", Kind.CODE),
    Column("started_on"),
    Column("ended_on"),
    Column("tenure", Kind.CODE),
    Column("children"),
    Column("conditionality", Kind.CODE),
    Column("work_capability", Kind.CODE),
    Column("carer_element", Kind.CODE),
    Column("two_child_limit", Kind.CODE),
    Column("sanctioned", Kind.CODE),
    Column("net_award", Kind.MONEY),
    Column("housing_element", Kind.MONEY),
    Column("earnings", Kind.MONEY),
    Column("capital", Kind.MONEY),
    Column("cap_reduction", Kind.MONEY),
    *(Column(name, Kind.MONEY) for name in _DEDUCTIONS.values()),
)


NOTICES: Final = (
    Column("claim_reference", required=True),
    Column("deducted_on", required=True),
    Column("reason", Kind.CODE, required=True),
    Column("amount", Kind.MONEY, required=True),
)


def clear_rows(tables: Mapping[str, pl.DataFrame], terms: Terms) -> Mapped:
    """Return one clear row a person of an award, with a fact for each period and deduction; the award as it stands in
    the person's latest period.

    `tables` has `uc`, and `deductions` where there is one. A deduction stands on the claimant's row; one in a column is
    dated by its period's end.
    """
    frame = tables["uc"]
    claimant = pl.col("claim_role") == ClaimRole.CLAIMANT.value
    standing = pl.when(pl.col("ended_on").is_null()).then(pl.lit("in_payment")).otherwise(pl.lit("other"))
    rows = person_of_claim(prepared(frame, COLUMNS, terms))
    until = day(pl.col("period_to"))
    latest = (pl.int_range(pl.len()) == until.fill_null(pl.date(1, 1, 1)).arg_max()).over("record_id")
    rows = rows.with_columns(
        claims=single(
            latest,
            claim_reference=pl.col("claim_reference"),
            benefit=pl.lit(Benefit.UNIVERSAL_CREDIT.value),
            role=pl.col("claim_role"),
            status=pl.coalesce(pl.col("status"), standing),
            started_on=pl.col("started_on"),
            ended_on=pl.col("ended_on"),
            tenure=pl.col("tenure"),
            weekly_award_pence=pl.when(claimant).then(_weekly("net_award")),
            weekly_cap_reduction_pence=pl.when(claimant).then(_weekly("cap_reduction")),
            weekly_earnings_pence=_weekly("earnings"),
            capital_pence=pl.when(claimant).then("capital"),
            children_declared=pl.when(claimant).then("children"),
        ),
        credit_periods=single(
            pl.col("claim_role") != ClaimRole.CHILD.value,
            claim_reference=pl.col("claim_reference"),
            period_from=pl.col("period_from"),
            period_to=pl.col("period_to"),
            conditionality=pl.col("conditionality"),
            work_capability=pl.col("work_capability"),
            carer_element=pl.col("carer_element"),
            monthly_net_award_pence=pl.col("net_award"),
            monthly_housing_element_pence=pl.col("housing_element"),
            monthly_earnings_pence=pl.col("earnings"),
            monthly_cap_reduction_pence=pl.col("cap_reduction"),
            two_child_limit=pl.col("two_child_limit"),
            sanctioned=pl.col("sanctioned"),
        ),
        deductions=joined(
            *(
                single(
                    claimant & pl.col(name).is_not_null() & (pl.col(name) != "0"),
                    reason=pl.lit(reason.value),
                    deducted_on=pl.col("period_to"),
                    monthly_pence=pl.col(name),
                )
                for reason, name in _DEDUCTIONS.items()
            )
        ),
    )
    mapped = by_record(rows, (*WHO, "claim_reference", "claim_role"), ("claims", "credit_periods", "deductions"))
    notices = tables.get("deductions")
    return mapped if notices is None else _with_notices(mapped, prepared(notices, NOTICES, terms))


def _with_notices(mapped: Mapped, notices: pl.DataFrame) -> Mapped:
    """Add the deductions of a table of their own to their claims' claimants; those of no claim are counted."""
    members = pl.struct("reason", "deducted_on", pl.col("amount").alias("monthly_pence"))
    listed = notices.group_by("claim_reference", maintain_order=True).agg(members.alias("notified"))
    claimant = pl.col("claim_role") == ClaimRole.CLAIMANT.value
    claims = mapped.frame.filter(claimant)["claim_reference"]
    beside = mapped.frame.join(listed, on="claim_reference", how="left", maintain_order="left")
    both = pl.when(claimant & pl.col("notified").is_not_null()).then(pl.concat_list("deductions", "notified"))
    lost = notices.filter(~pl.col("claim_reference").is_in(claims.implode())).height
    counts = {**mapped.counts, **({"deductions of no award, left out": lost} if lost else {})}
    frame = beside.with_columns(deductions=both.otherwise("deductions")).drop("notified")
    return Mapped(frame, mapped.rows, counts)


def _weekly(name: str) -> pl.Expr:
    """A month's pence as a week's, twelve months to 52 weeks; what is no number stays as it stands."""
    week = (pl.col(name).cast(pl.Float64, strict=False) / _WEEKS_A_MONTH).round()
    return pl.coalesce(week.cast(pl.Int64, strict=False).cast(pl.String), name)
