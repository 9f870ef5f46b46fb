"""Fixed bands, in one place: they are cut here and nowhere else, so that no two queries can differ by a year of age.

Age bands serve the board papers' cohorts (0-4, 5-17, 10-24, 18-64, 65 and over) and are five years wide elsewhere.
Life stages follow the stages of the open NCL patient model; money bands are ours (configuration, not a published
standard).
"""

from __future__ import annotations

from typing import Final

AGE_EDGES: Final = (0, 5, 10, 15, 18, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90)

LIFE_STAGES: Final[tuple[tuple[int, str], ...]] = (
    (0, "infant"),
    (1, "toddler"),
    (4, "child"),
    (13, "adolescent"),
    (20, "young_adult"),
    (25, "adult"),
    (60, "older_adult"),
    (75, "elderly"),
    (85, "very_elderly"),
)
"""Lowest age in whole years of each stage."""

PENSION_AGE_YEARS: Final = 66
"""State Pension age between 6 October 2020 and 5 May 2026; it rises to 67 by March 2028 (Pensions Act 2014, s. 26)."""

ARREARS_BANDS: Final[tuple[tuple[int, str], ...]] = (
    (0, "none"),
    (1, "under_500"),
    (50_000, "500_to_1999"),
    (200_000, "2000_and_over"),
)
"""Lowest balance in pence of each band; labels are pounds."""

INCOME_BANDS: Final[tuple[tuple[int, str], ...]] = (
    (0, "under_150"),
    (15_000, "150_to_299"),
    (30_000, "300_to_499"),
    (50_000, "500_and_over"),
)
"""Lowest weekly income in pence of each band; labels are pounds a week."""

CORE20_LOWEST_DECILES: Final = 2
"""Core20: the fifth of areas that is most deprived nationally, IMD deciles 1 and 2 (NHS England, Core20PLUS5)."""
