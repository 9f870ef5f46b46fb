"""How well risks are controlled: blood pressure, sugar, cholesterol, ten-year risk."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.edges import CHOLESTEROL_MMOL_L, HBA1C_MMOL_MOL, QRISK_PERCENT, Grades, graded, labels
from linkage.features.entry import category, flag
from linkage.features.practice import pressure
from linkage.features.practice.evidence import measured_on, value
from linkage.features.windows import within
from linkage.features.wording import UNLINKED, health
from schemas.codes import MeasurementKind
from schemas.features import FeatureDefinition

LOOK_BACK_MONTHS: Final = 24
QRISK_MONTHS: Final = 60
"""A ten-year risk is asked for every five years (NHS Health Check)."""

_BANDS: Final[dict[str, tuple[MeasurementKind, Grades, int, str]]] = {
    "hba1c_band": (
        MeasurementKind.HBA1C_MMOL_MOL,
        HBA1C_MMOL_MOL,
        LOOK_BACK_MONTHS,
        "Band of the newest HbA1c of the last 24 months, in mmol/mol.",
    ),
    "chol_band": (
        MeasurementKind.CHOLESTEROL_MMOL_L,
        CHOLESTEROL_MMOL_L,
        LOOK_BACK_MONTHS,
        "Band of the newest total cholesterol of the last 24 months, in mmol/l.",
    ),
    "qrisk_band": (
        MeasurementKind.QRISK_PERCENT,
        QRISK_PERCENT,
        QRISK_MONTHS,
        "Band of the newest QRISK of the last five years: percent risk of a heart attack or stroke in ten years.",
    ),
}


def _entries() -> list[FeatureDefinition]:
    return [
        flag(
            "bp_controlled",
            "The newest blood pressure of the last 12 months is at most 140/90 (135/85 at home), or above the age of "
            "80 at most 150/90 (145/85).",
            **health(
                ("measurements",),
                look_back_months=pressure.LOOK_BACK_MONTHS,
                unknown_when=f"{UNLINKED}, none was taken in 12 months, or the age is unknown and decides",
            ),
        ),
        *(
            category(name, labels(grades), sentence, ordered=True, **health(("measurements",), look_back_months=months))
            for name, (_, grades, months, sentence) in _BANDS.items()
        ),
    ]


ENTRIES: Final = tuple(_entries())


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES`."""
    controlled = pl.when(pressure.recent(as_of)).then(~pressure.above_for_age(as_of)).alias("bp_controlled")
    bands = [
        pl.when(pl.col("covers_measurements"))
        .then(graded(pl.when(within(measured_on(kind), as_of, months)).then(value(kind)), grades))
        .alias(name)
        for name, (kind, grades, months, _) in _BANDS.items()
    ]
    return [[controlled, *bands]]
