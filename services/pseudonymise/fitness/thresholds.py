"""Where fitness ends: each threshold by its name, which findings carry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Shares are of what is counted, 0 to 1. What a `_warn` share reaches is a warning, an `_unfit` share unfit.

    They are this project's [assumption]: loose enough for what real extracts are like, tight enough that a column
    shifted by one, a unit mistaken or a default date shows. No publisher's are known to us.
    """

    refused_warn: float = 0.01
    refused_unfit: float = 0.10
    unlinkable_warn: float = 0.05
    unlinkable_unfit: float = 0.25
    bad_values_warn: float = 0.01
    bad_values_unfit: float = 0.20
    dummy_values_warn: float = 0.005
    birth_dates_missing_warn: float = 0.10
    birth_dates_missing_unfit: float = 0.50
    first_of_january_warn: float = 0.02
    """One birthday in 365 is a share of 0.003; people registered without papers bring it to about 0.01."""
    one_birth_date_warn: float = 0.01
    one_day_warn: float = 0.20
    one_day_least_facts: int = 200
    """Fewer facts bunch by chance."""
    dated_ahead_warn: float = 0.005
    repeated_number_warn: float = 0.02
    shared_number_records: int = 8
    """As many records bear one number: a filler, however valid it looks."""
    repeated_people_warn: float = 0.02
    award_median_least_pence: int = 300
    award_median_most_pence: int = 100_000
    """A week's award of three pounds or a thousand in the middle of a file: the unit is mistaken."""
    amounts_least: int = 30


DEFAULT = Thresholds()
