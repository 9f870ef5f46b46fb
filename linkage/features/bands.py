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

SCHOOL_AGES: Final[tuple[tuple[int, str], ...]] = (
    (0, "before_school"),
    (5, "primary"),
    (11, "secondary"),
    (16, "sixth_form"),
    (18, "after_school"),
)
"""Lowest age in whole years of each stage of schooling in England; a birthday within the school year is not seen."""

PM25_BANDS: Final[tuple[tuple[int, str], ...]] = (
    (0, "under_5"),
    (5, "5_to_7"),
    (7, "7_to_9"),
    (9, "9_to_11"),
    (11, "11_and_over"),
)
"""Lowest yearly mean of fine particles in micrograms a cubic metre; 5 is the World Health Organization's guideline of
2021. A raw value would name its area."""

GP_DISTANCE_BANDS: Final[tuple[tuple[int, str], ...]] = (
    (0, "under_1"),
    (1, "1_to_2"),
    (2, "2_to_4"),
    (4, "4_to_8"),
    (8, "8_and_over"),
)
"""Lowest road distance to a practice in kilometres. A raw value would name its area."""
