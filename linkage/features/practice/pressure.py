"""The newest blood pressure, judged by where it was taken: thresholds at home and ambulatory ones are lower."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.features.practice.evidence import pressure, pressure_on
from linkage.features.states import known
from linkage.features.windows import within
from schemas.codes import MeasurementKind

LOOK_BACK_MONTHS: Final = 12
OLD_AGE: Final = 80
"""Above this age (not at it) a higher systolic pressure is accepted."""


@dataclass(frozen=True)
class Limit:
    """A pressure is above a limit when its systolic or its diastolic is above this many mmHg."""

    systolic_mmhg: int
    diastolic_mmhg: int


SEVERE: Final = {"clinic": Limit(180, 120), "away": Limit(170, 115)}
STAGE_2: Final = {"clinic": Limit(160, 100), "away": Limit(150, 95)}
STAGE_1: Final = {"clinic": Limit(140, 90), "away": Limit(135, 85)}
STAGE_1_OLD: Final = {"clinic": Limit(150, 90), "away": Limit(145, 85)}
"""By place: in a clinic, or away from it (at home, ambulatory)."""


def _newest() -> pl.Expr:
    return pl.max_horizontal(pressure_on("clinic"), pressure_on("away"))


def recent(as_of: date) -> pl.Expr:
    """Return whether a blood pressure was taken in the last twelve months."""
    return known("measurements", within(_newest(), as_of, LOOK_BACK_MONTHS))


def above(limits: dict[str, Limit], as_of: date) -> pl.Expr:
    """Return whether the newest pressure of twelve months is above the limits of its place; false without one.

    Of a day with readings of both places, either may be.
    """
    either = pl.any_horizontal(
        (pressure_on(place) == _newest())
        & (
            (pressure(MeasurementKind.SYSTOLIC_MMHG, place) > limit.systolic_mmhg).fill_null(False)
            | (pressure(MeasurementKind.DIASTOLIC_MMHG, place) > limit.diastolic_mmhg).fill_null(False)
        )
        for place, limit in limits.items()
    )
    return known("measurements", within(_newest(), as_of, LOOK_BACK_MONTHS) & either)


def above_for_age(as_of: date) -> pl.Expr:
    """Return whether the newest pressure is above stage 1, with the systolic limit of the person's age."""
    return above(STAGE_1_OLD, as_of) | (above(STAGE_1, as_of) & (pl.col("age") <= OLD_AGE))
