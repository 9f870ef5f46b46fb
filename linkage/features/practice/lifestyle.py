"""Smoking, weight and drinking: the newest entry of the last 24 months."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.edges import BMI_KG_M2, NOT_RECORDED, graded, labels
from linkage.features.entry import category
from linkage.features.practice.evidence import event_on, measured_on, value
from linkage.features.windows import within
from linkage.features.wording import UNLINKED, health
from schemas.codes import EventCode, MeasurementKind, Sex

LOOK_BACK_MONTHS: Final = 24
ADULT_AGE: Final = 18
LOWER_RISK_UNITS: Final = 14.0
"""At most this many units of alcohol a week is lower risk (UK Chief Medical Officers, 2016)."""
HIGHER_RISK_UNITS: Final = {Sex.MALE.value: 50.0, Sex.FEMALE.value: 35.0}
"""More than this many units a week is higher risk (NICE PH24)."""

ENTRIES: Final = (
    category(
        "smoking_status",
        (NOT_RECORDED, "never", "ex", "current"),
        "The newest smoking code of the last 24 months; of one day, the code that smokes more.",
        **health(("coded_events",), look_back_months=LOOK_BACK_MONTHS),
    ),
    category(
        "bmi_band",
        labels(BMI_KG_M2),
        "Band of the newest body mass index of the last 24 months from the age of 18; younger people have none.",
        ordered=True,
        **health(
            ("measurements",),
            look_back_months=LOOK_BACK_MONTHS,
            unknown_when=f"{UNLINKED}, or the age of somebody measured is unknown",
        ),
    ),
    category(
        "alcohol_risk",
        (NOT_RECORDED, "lower", "increasing", "higher"),
        "Risk by the newest units of alcohol a week in 24 months: lower up to 14, higher above 35 (women) or 50 (men).",
        ordered=True,
        **health(
            ("measurements",),
            look_back_months=LOOK_BACK_MONTHS,
            unknown_when=f"{UNLINKED}, or the sex is unknown and decides",
        ),
    ),
)


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES`."""
    smokes = [
        pl.when(within(event_on(code), as_of, LOOK_BACK_MONTHS)).then(event_on(code))
        for code in (EventCode.SMOKER, EventCode.EX_SMOKER, EventCode.NEVER_SMOKED)
    ]
    newest = pl.max_horizontal(smokes)
    status = (
        pl.when(newest.is_null())
        .then(pl.lit(NOT_RECORDED))
        .when(smokes[0] == newest)
        .then(pl.lit("current"))
        .when(smokes[1] == newest)
        .then(pl.lit("ex"))
        .otherwise(pl.lit("never"))
    )
    bmi, units = _recent(MeasurementKind.BMI_KG_M2, as_of), _recent(MeasurementKind.ALCOHOL_UNITS_WEEK, as_of)
    adult = pl.col("age") >= ADULT_AGE
    weight = pl.when(bmi.is_null() | ~adult).then(pl.lit(NOT_RECORDED)).when(adult).then(graded(bmi, BMI_KG_M2))
    limit = pl.col("sex_code").replace_strict(HIGHER_RISK_UNITS, default=None, return_dtype=pl.Float64)
    least, most = min(HIGHER_RISK_UNITS.values()), max(HIGHER_RISK_UNITS.values())
    higher = (units > most) | ((units > least) & (units > limit))
    risk = (
        pl.when(units.is_null())
        .then(pl.lit(NOT_RECORDED))
        .when(units <= LOWER_RISK_UNITS)
        .then(pl.lit("lower"))
        .when(higher)
        .then(pl.lit("higher"))
        .when(~higher)
        .then(pl.lit("increasing"))
    )
    return [
        [
            pl.when(pl.col("covers_coded_events")).then(status).alias("smoking_status"),
            pl.when(pl.col("covers_measurements")).then(weight).alias("bmi_band"),
            pl.when(pl.col("covers_measurements")).then(risk).alias("alcohol_risk"),
        ]
    ]


def _recent(kind: MeasurementKind, as_of: date) -> pl.Expr:
    return pl.when(within(measured_on(kind), as_of, LOOK_BACK_MONTHS)).then(value(kind))
