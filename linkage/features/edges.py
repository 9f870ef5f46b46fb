"""Where clinical values are cut: bands that tables show, and the intervals of the priority groups.

Intervals are half-open, so that no value is in two of them or in none: the sources print 58-75 and 75-90.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

NOT_RECORDED: Final = "not_recorded"
"""The band of somebody of whom nothing is recorded in the look-back: known, and not unknown."""

Grades = tuple[tuple[float, str], ...]
"""Lowest value and label of each band, lowest first."""

BMI_KG_M2: Final[Grades] = (
    (0, "underweight"),
    (18.5, "healthy"),
    (25, "overweight"),
    (30, "obese"),
    (40, "severely_obese"),
)
"""Adults (NICE CG189, without its lower thresholds for some ethnic groups)."""
HBA1C_MMOL_MOL: Final[Grades] = (
    (0, "under_42"),
    (42, "42_to_47"),
    (48, "48_to_57"),
    (58, "58_to_74"),
    (75, "75_to_90"),
    (91, "91_and_over"),
)
CHOLESTEROL_MMOL_L: Final[Grades] = ((0, "under_4"), (4, "4_to_4_9"), (5, "5_to_7_4"), (7.5, "7_5_and_over"))
QRISK_PERCENT: Final[Grades] = ((0, "under_10"), (10, "10_to_19"), (20, "20_and_over"))
EFI: Final[Grades] = ((0, "fit"), (0.12, "mild"), (0.24, "moderate"), (0.36, "severe"))
"""Electronic frailty index (Clegg 2016)."""
EFI2: Final[Grades] = ((0, "fit"), (0.09, "mild"), (0.16, "moderate"), (0.24, "severe"))
FIT_UG_G: Final[Grades] = ((0, "negative"), (10, "positive"))
"""Faecal immunochemical test for symptoms: 10 micrograms of haemoglobin a gram (NICE DG56)."""


def graded(value: pl.Expr, grades: Grades, otherwise: str = NOT_RECORDED) -> pl.Expr:
    """Return the label of the last band that starts at or below each value; `otherwise` where there is none."""
    label: pl.Expr = pl.when(value >= grades[0][0]).then(pl.lit(grades[0][1])).otherwise(pl.lit(otherwise))
    for low, name in grades[1:]:
        label = pl.when(value >= low).then(pl.lit(name)).otherwise(label)
    return label


def labels(grades: Grades) -> tuple[str, ...]:
    """Return the values of a feature that `graded` gives."""
    return (NOT_RECORDED, *(label for _, label in grades))


@dataclass(frozen=True)
class Over:
    """The values above `low`, up to and including `high`."""

    low: float
    high: float | None = None

    def holds(self, value: pl.Expr) -> pl.Expr:
        """Return whether `value` lies in the interval; null where it is."""
        above = value > self.low
        return above if self.high is None else above & (value <= self.high)


@dataclass(frozen=True)
class From:
    """The values from `low` on, below `high`; `closed` takes `high` in."""

    low: float
    high: float
    closed: bool = False

    def holds(self, value: pl.Expr) -> pl.Expr:
        """Return whether `value` lies in the interval; null where it is."""
        return (value >= self.low) & ((value <= self.high) if self.closed else (value < self.high))
