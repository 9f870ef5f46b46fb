"""Rates from released counts: right where the counts are told, silent where they are not."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.indicators.rates import crude_rates, standardised_ratios

AREAS = ["authority"]


def _cells(**counts: int | None) -> pl.DataFrame:
    return pl.DataFrame(
        {"authority": list(counts), "count": list(counts.values())}, schema_overrides={"count": pl.Int64}
    )


def test_a_share_per_thousand_with_wilsons_interval() -> None:
    [row] = crude_rates(_cells(medway=50), _cells(medway=1000), AREAS).to_dicts()
    # Newcombe 1998, method 3, worked by hand: (0.05 + 0.0019207) / 1.0038415 -+ 0.0134910.
    assert row == {
        "authority": "medway",
        "people": 50,
        "of": 1000,
        "rate_per_1000": 50.0,
        "lcl": pytest.approx(38.12, abs=0.02),
        "ucl": pytest.approx(65.32, abs=0.02),
    }


def test_a_withheld_count_withholds_the_rate() -> None:
    found = crude_rates(_cells(a=None, b=10), _cells(a=100, b=None, c=100), AREAS)
    assert found["rate_per_1000"].to_list() == [None] * 3
    assert found["authority"].to_list() == ["a", "b", "c"]


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_rate_lies_between_its_limits(people: int, of: int) -> None:
    [row] = crude_rates(_cells(a=people), _cells(a=of), AREAS).to_dicts()
    assert 0 <= row["lcl"] <= row["rate_per_1000"] + 0.01
    assert row["rate_per_1000"] <= row["ucl"] + 0.01 <= 1000.02


STANDARD = pl.DataFrame({"stratum": ["young", "old"], "people": [100, 900], "of": [10_000, 10_000]})


def _strata(**areas: tuple[int | None, int | None]) -> pl.DataFrame:
    rows = [(area, *pair) for area, counts in areas.items() for pair in zip(("young", "old"), counts, strict=True)]
    return pl.DataFrame(rows, schema={"area": pl.String, "stratum": pl.String, "count": pl.Int64}, orient="row")


def test_an_old_area_is_expected_to_have_more() -> None:
    found = standardised_ratios({"old": 180, "young": 40}, _strata(old=(0, 2000), young=(2000, 0)), STANDARD).to_dicts()
    by_area = {row["area"]: row for row in found}
    assert (by_area["old"]["expected"], by_area["old"]["ratio"]) == (180.0, 1.0)
    assert (by_area["young"]["expected"], by_area["young"]["ratio"]) == (20.0, 2.0)
    assert by_area["old"]["rate_per_1000"] == 50.0
    # Byar's limits of 40: 28.57 and 54.47, over 20.
    assert (by_area["young"]["lcl"], by_area["young"]["ucl"]) == (
        pytest.approx(1.429, abs=0.002),
        pytest.approx(2.723, abs=0.002),
    )


def test_the_standard_itself_has_the_ratio_one() -> None:
    [row] = standardised_ratios({"all": 1000}, _strata(all=(10_000, 10_000)), STANDARD).to_dicts()
    assert (row["ratio"], row["rate_per_1000"]) == (1.0, 50.0)


@pytest.mark.parametrize(
    ("observed", "strata", "standard"),
    [
        ({"a": None}, _strata(a=(1000, 1000)), STANDARD),
        ({"a": 20}, _strata(a=(None, 50)), STANDARD),
        ({"a": 20}, _strata(a=(1000, 1000)), STANDARD.with_columns(people=pl.Series([100, None], dtype=pl.Int64))),
        ({"a": 20}, _strata(a=(1000, 1000)), STANDARD.with_columns(people=pl.lit(0))),
        ({}, _strata(a=(1000, 1000)), STANDARD),
    ],
)
def test_nothing_is_told_where_too_much_is_withheld(
    observed: dict[str, int | None], strata: pl.DataFrame, standard: pl.DataFrame
) -> None:
    [row] = standardised_ratios(observed, strata, standard).to_dicts()
    assert (row["ratio"], row["rate_per_1000"]) == (None, None)


def test_a_few_withheld_people_in_a_large_area_do_not_silence_it() -> None:
    [row] = standardised_ratios({"a": 100}, _strata(a=(None, 2000)), STANDARD).to_dicts()
    assert row["expected"] == 180.0
