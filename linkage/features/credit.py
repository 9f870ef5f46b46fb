"""The group of a person's own Universal Credit and work: conditionality, sanctions, deductions, hours, caring."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import category, count, flag
from linkage.features.households import claims_held
from linkage.features.people import banded
from linkage.features.windows import months_before, newest, within
from schemas.codes import ConditionalityRegime, DeductionReason, WorkCapability
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, MarmotDomain, Sensitivity
from schemas.working_definitions import LIVING_STANDARD, living_standard

HOURS_BANDS: Final[tuple[tuple[int, str], ...]] = ((0, "none"), (1, "under_16"), (16, "16_to_29"), (30, "30_and_over"))
"""Lowest hours of work a week; 16 and 30 are where tax credits and Housing Benefit counted hours."""

NO_AWARD: Final = "no_award"


def _entries() -> list[FeatureDefinition]:
    shared = {"sources": (Feed.WELFARE,), "sensitivity": Sensitivity.WELFARE, "marmot_domain": MarmotDomain.FAIR_WORK}
    data_share = "no subject of the person is in a source that delivers Universal Credit periods"
    period = {**shared, "covered_by": ("credit_periods",), "unknown_when": f"{data_share}, or the period does not say"}
    year = {**period, "look_back_months": 12, "unknown_when": data_share}
    work = {**shared, "unknown_when": "no claim and no Universal Credit period of the person says it"}
    deducted = {
        **shared,
        "marmot_domain": MarmotDomain.STANDARD_OF_LIVING,
        "covered_by": ("deductions",),
        "unknown_when": "the person is in no source of a controller that delivers deductions",
        "look_back_months": 3,
    }
    return [
        category(
            "uc_conditionality",
            (*ConditionalityRegime, NO_AWARD),
            "Conditionality regime of the newest Universal Credit period, where it is recent enough to hold; no_award "
            "where the data share knows the person and no period holds.",
            **period,
        ),
        flag(
            "uc_lcw_lcwra",
            "Assessed as having limited capability for work, or for work-related activity, in the period that holds.",
            **period,
        ),
        flag("sanctioned_12m", "A Universal Credit period of the last 12 months was sanctioned.", **year),
        count(
            "uc_deductions_total",
            (0, 1, 2_500, 5_000, 10_000, 20_000),
            "Pence deducted from the award in the newest month of the last 3 that has deductions.",
            **deducted,
        ),
        *(
            flag(
                f"deduction_types_{reason}",
                f"A deduction for {reason.replace('_', ' ')} was made in the newest month of the last 3 that has any.",
                **deducted,
            )
            for reason in DeductionReason
        ),
        flag(
            "in_work",
            "Has earnings or hours of work by the person's own row of a claim, or by Real Time Information in "
            "the Universal Credit period that holds.",
            **work,
        ),
        category(
            "hours_band",
            tuple(label for _, label in HOURS_BANDS),
            "Band of the hours of work a week that a claim states for the person.",
            ordered=True,
            **{**work, "unknown_when": "no claim states the person's hours of work"},
        ),
        flag(
            "earnings_below_lw",
            "Earns less for each stated hour of work than the living wage of the working definition [K].",
            reference=LIVING_STANDARD,
            **{**work, "unknown_when": "no claim states both earnings and hours above 0"},
        ),
        flag(
            "carer_any",
            "A carer premium or element is counted for the person, or the GP record says that the person is a carer.",
            sources=(Feed.HEALTH, Feed.WELFARE),
            sensitivity=Sensitivity.WELFARE,
            marmot_domain=MarmotDomain.FAIR_WORK,
            covered_by=("coded_events", "credit_periods"),
            unknown_when="no claim or period of the person says it and no source delivers coded events of the person",
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody."""
    frame = context.beside(_periods(context), _deductions(context), _work(context))
    share, deducted = context.known("credit_periods"), context.known("deductions")
    reasons = [f"deduction_types_{reason}" for reason in DeductionReason]
    return frame.select(
        "person_id",
        # A period that holds and does not say is unknown; no period that holds is an answer.
        pl.when(share).then(pl.when("_holds").then("_regime").otherwise(pl.lit(NO_AWARD))).alias("uc_conditionality"),
        pl.when(share).then(pl.when("_holds").then("_limited").otherwise(pl.lit(False))).alias("uc_lcw_lcwra"),
        pl.when(share).then(pl.col("_sanctioned").fill_null(False)).alias("sanctioned_12m"),
        pl.when(deducted).then(pl.col("uc_deductions_total").fill_null(0)).alias("uc_deductions_total"),
        *(pl.when(deducted).then(pl.col(name).fill_null(False)).alias(name) for name in reasons),
        pl.max_horizontal("_worked", pl.when("_holds").then("_earned")).alias("in_work"),
        "hours_band",
        "earnings_below_lw",
        pl.max_horizontal(
            "_premium",
            pl.when("_holds").then("_element"),
            "is_carer",
        ).alias("carer_any"),
    )


def recent_periods(periods: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the periods that have begun and that are recent enough to hold on the date."""
    oldest = as_of - timedelta(days=living_standard().credit_period_holds_days)
    return periods.filter((pl.col("period_from") <= as_of) & (pl.col("period_to") >= oldest))


def _periods(context: Context) -> pl.DataFrame:
    """Return what the newest period that holds says, and whether any of the year was sanctioned."""
    periods = context.facts("credit_periods")
    holding = newest(recent_periods(periods, context.as_of), ["person_id"], "period_from").select(
        "person_id",
        pl.lit(True).alias("_holds"),
        pl.col("conditionality").alias("_regime"),
        (pl.col("work_capability") != WorkCapability.NONE.value).alias("_limited"),
        (pl.col("monthly_earnings_pence") > 0).alias("_earned"),
        pl.col("carer_element").alias("_element"),
    )
    year = periods.filter(
        (pl.col("period_from") <= context.as_of) & (pl.col("period_to") > months_before(context.as_of, 12))
    )
    sanctioned = year.group_by("person_id").agg(pl.col("sanctioned").any().alias("_sanctioned"))
    return holding.join(sanctioned, on="person_id", how="full", coalesce=True).with_columns(
        pl.col("_holds").fill_null(False)
    )


def _deductions(context: Context) -> pl.DataFrame:
    recent = context.facts("deductions").filter(within(pl.col("deducted_on"), context.as_of, 3))
    month = pl.col("deducted_on").dt.truncate("1mo")
    newest = recent.filter(month == month.max().over("person_id"))
    return newest.group_by("person_id").agg(
        pl.col("monthly_pence").clip(0).sum().alias("uc_deductions_total"),
        *((pl.col("reason") == reason.value).any().alias(f"deduction_types_{reason}") for reason in DeductionReason),
    )


def _work(context: Context) -> pl.DataFrame:
    """Return earnings and hours as the person's own rows of the claims that hold state them."""
    wage = living_standard().living_wage_hourly_pence
    own = (
        claims_held(context)
        .group_by("person_id")
        .agg(
            pl.col("weekly_earnings_pence").max().alias("_earnings"),
            pl.col("weekly_work_hours").max().alias("_hours"),
            pl.col("carer_premium").drop_nulls().max().alias("_premium"),
        )
    )
    return own.select(
        "person_id",
        pl.max_horizontal(pl.col("_earnings") > 0, pl.col("_hours") > 0).alias("_worked"),
        banded(pl.col("_hours").ceil(), HOURS_BANDS).alias("hours_band"),
        pl.when((pl.col("_hours") > 0) & (pl.col("_earnings") > 0))
        .then(pl.col("_earnings") < pl.col("_hours") * wage)
        .alias("earnings_below_lw"),
        "_premium",
    )
