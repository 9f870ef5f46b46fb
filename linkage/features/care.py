"""The group of referrals, adult social care and fit notes."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.edges import Grades, graded
from linkage.features.entry import category, count, flag
from linkage.features.states import known
from linkage.features.windows import months_before
from linkage.features.wording import EVENTLESS, health
from schemas.codes import CarePackage, ReferralReason, ReferralService
from schemas.features import FeatureDefinition, MarmotDomain

NONE: Final = "none"
HOURS: Final[Grades] = ((0, "under_10"), (10, "10_to_24"), (25, "25_and_over"))
"""Lowest weekly hours of each band. Ours, not a published standard."""
FIT_NOTE_DAYS: Final = (0, 1, 28, 91, 183)
"""Bands of days not fit for work: four weeks, a quarter, half a year."""

_HEAVIEST_FIRST: Final = (
    CarePackage.CARE_HOME_NURSING,
    CarePackage.CARE_HOME_RESIDENTIAL,
    CarePackage.HOME_CARE,
    CarePackage.DIRECT_PAYMENT,
    CarePackage.DAY_CARE,
    CarePackage.REABLEMENT,
)
_HOMES: Final = {CarePackage.CARE_HOME_NURSING: "nursing", CarePackage.CARE_HOME_RESIDENTIAL: "residential"}
_YEAR: Final[dict[str, tuple[ReferralService, str]]] = {
    "sp_referred_12m": (ReferralService.SOCIAL_PRESCRIBING, "Referred to social prescribing in the last 12 months."),
    "nss_referral_12m": (
        ReferralService.NON_SPECIFIC_SYMPTOMS,
        "Referred to a clinic for non-specific symptoms of cancer in the last 12 months.",
    ),
    "child_weight_referral_12m": (
        ReferralService.CHILD_WEIGHT_TIER_3,
        "Referred to tier 3 weight management of children in the last 12 months.",
    ),
}


def _entries() -> list[FeatureDefinition]:
    eventless = {"unknown_when": EVENTLESS}
    return [
        flag(
            "mh_open_referral",
            "Referred to mental health services, and the referral was open on the as-of date.",
            **health((ReferralService.MENTAL_HEALTH.value,), **eventless),
        ),
        *(
            flag(name, sentence, **health((service.value,), look_back_months=12, **eventless))
            for name, (service, sentence) in _YEAR.items()
        ),
        category(
            "sp_domain",
            (NONE, *(reason.value for reason in ReferralReason)),
            "Reason of the newest referral to social prescribing of the last 12 months; other where none is given.",
            **health(
                (ReferralService.SOCIAL_PRESCRIBING.value,),
                look_back_months=12,
                marmot_domain=MarmotDomain.PLACES,
                **eventless,
            ),
        ),
        category(
            "asc_package",
            (NONE, *(package.value for package in reversed(_HEAVIEST_FIRST))),
            "The heaviest package of adult social care on the as-of date.",
            **health(("care_arrangements",), **eventless),
        ),
        category(
            "asc_hours_band",
            (NONE, "not_stated", *(label for _, label in HOURS)),
            "Hours a week of the packages of adult social care on the as-of date, together.",
            **health(("care_arrangements",), **eventless),
        ),
        category(
            "care_home",
            (NONE, "residential", "nursing"),
            "In a care home that a council arranged, on the as-of date; nursing where both are.",
            **health(("care_arrangements",), **eventless),
        ),
        count(
            "fit_note_days_12m",
            FIT_NOTE_DAYS,
            "Days of the 12 months up to the as-of date on which a fit note said not fit for work, each day once.",
            **health(("fit_notes",), look_back_months=12, marmot_domain=MarmotDomain.FAIR_WORK, **eventless),
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the features of `ENTRIES`, one row a person."""
    frame = context.persons.lazy()
    for part in (
        _referrals(context.plan("referrals"), context.as_of),
        _arrangements(context.plan("care_arrangements"), context.as_of),
        _unfit(context.plan("fit_notes"), context.as_of),
    ):
        frame = frame.join(part, on="person_id", how="left", maintain_order="left")
    cared_for = pl.when(pl.col("covers_care_arrangements"))
    hours = pl.col("_hours")
    return frame.select(
        "person_id",
        known(ReferralService.MENTAL_HEALTH, pl.col("_open")).alias("mh_open_referral"),
        *(known(service, pl.col(name)).alias(name) for name, (service, _) in _YEAR.items()),
        pl.when(pl.col(f"covers_{ReferralService.SOCIAL_PRESCRIBING}"))
        .then(pl.col("_reason").fill_null(NONE))
        .alias("sp_domain"),
        cared_for.then(_heaviest(dict(zip(_HEAVIEST_FIRST, _HEAVIEST_FIRST, strict=True)))).alias("asc_package"),
        cared_for.then(
            pl.when(~pl.col("_cared").fill_null(False))
            .then(pl.lit(NONE))
            .otherwise(graded(hours, HOURS, otherwise="not_stated"))
        ).alias("asc_hours_band"),
        cared_for.then(_heaviest(_HOMES)).alias("care_home"),
        pl.when(pl.col("covers_fit_notes"))
        .then(pl.col("_unfit_days").fill_null(0))
        .cast(pl.Int32)
        .alias("fit_note_days_12m"),
    ).collect()


def _heaviest(names: dict[CarePackage, str] | dict[CarePackage, CarePackage]) -> pl.Expr:
    label: pl.Expr = pl.lit(NONE)
    for package, name in reversed(list(names.items())):
        label = pl.when(pl.col(f"_{package}").fill_null(False)).then(pl.lit(str(name))).otherwise(label)
    return label


def _referrals(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    service, opened, closed = pl.col("service"), pl.col("opened_on"), pl.col("closed_on")
    lately = opened > months_before(as_of, 12)
    still_open = closed.is_null() | (closed > as_of)
    reasons = [reason.value for reason in ReferralReason]
    # Day and place in the list in one whole number: the greatest is the newest, and of one day always the same.
    rank = (
        pl.col("reason")
        .fill_null(ReferralReason.OTHER.value)
        .replace_strict(reasons, range(len(reasons)), default=None, return_dtype=pl.Int64)
    )
    social = lately & (service == ReferralService.SOCIAL_PRESCRIBING.value)
    newest = pl.when(social).then(opened.cast(pl.Int32).cast(pl.Int64) * len(reasons) + rank).max() % len(reasons)
    return (
        rows.filter(opened <= as_of)
        .group_by("person_id")
        .agg(
            ((service == ReferralService.MENTAL_HEALTH.value) & still_open).any().alias("_open"),
            *((lately & (service == one.value)).any().alias(name) for name, (one, _) in _YEAR.items()),
            newest.alias("_reason"),
        )
        .with_columns(
            pl.col("_reason").replace_strict(range(len(reasons)), reasons, default=None, return_dtype=pl.String)
        )
    )


def _arrangements(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    ended = pl.col("ended_on")
    return (
        rows.filter((pl.col("started_on") <= as_of) & (ended.is_null() | (ended > as_of)))
        .group_by("person_id")
        .agg(
            *((pl.col("package") == package.value).any().alias(f"_{package}") for package in CarePackage),
            pl.lit(True).any().alias("_cared"),
            pl.when(pl.col("weekly_hours").count() > 0).then(pl.col("weekly_hours").sum()).alias("_hours"),
        )
    )


def _unfit(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Return `person_id` and `_unfit_days`: the days of the year's notes, overlaps once."""
    # The window leaves out the day a year ago, so that a note counts from the day after it.
    start = pl.max_horizontal(pl.col("started_on"), pl.lit(months_before(as_of, 12)) + pl.duration(days=1))
    end = pl.min_horizontal(pl.col("ended_on"), pl.lit(as_of)) + pl.duration(days=1)
    told = pl.col("_end").cum_max().shift(1).over("person_id")
    return (
        rows.select("person_id", start.cast(pl.Date).alias("_start"), end.cast(pl.Date).alias("_end"))
        .filter(pl.col("_end") > pl.col("_start"))
        .sort("person_id", "_start", "_end")
        .with_columns(told.alias("_told"))
        .with_columns((pl.col("_end") - pl.max_horizontal("_start", "_told")).dt.total_days().clip(0).alias("_days"))
        .group_by("person_id")
        .agg(pl.col("_days").sum().alias("_unfit_days"))
    )
