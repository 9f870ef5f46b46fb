"""What stops a feed as a whole, and what chance alone may do without stopping it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from schemas.contracts.subject import FILTER_COLUMNS
from schemas.errors import PolicyError, Reason
from services.ingest.police import FeedPolice, FillOfFilters, fill_of_filters

NOTHING = FillOfFilters({})


def filled(share: float, filters: int) -> FillOfFilters:
    return FillOfFilters({"filter_surname": (int(share * 512 * filters), filters)})


def test_set_bits_are_counted_by_column_and_nulls_are_no_filters() -> None:
    chance = np.random.default_rng(1)
    bits = chance.random((40, 512)) < 0.3
    values = [np.packbits(row, bitorder="little").tobytes() for row in bits]
    frame = pl.DataFrame(
        {name: [None, *values] if name == "filter_surname" else [None] * 41 for name in FILTER_COLUMNS},
        schema=dict.fromkeys(FILTER_COLUMNS, pl.Binary),
    )
    assert fill_of_filters(frame).bits_and_filters == {"filter_surname": (int(bits.sum()), 40)}


@pytest.mark.parametrize("share", [0.0, 0.01, 0.51, 1.0])
def test_filters_of_another_recipe_stop_a_stream(share: float) -> None:
    with pytest.raises(PolicyError) as caught:
        FeedPolice({}).watch(100, {}, filled(share, 100), 100, 0)
    assert caught.value.reason is Reason.FEED_SUSPECT


@pytest.mark.parametrize(("share", "filters"), [(0.25, 1_000), (0.03, 1_000), (0.49, 1_000), (0.9, 99)])
def test_usual_filters_and_a_few_odd_ones_do_not(share: float, filters: int) -> None:
    FeedPolice({}).watch(filters, {}, filled(share, filters), filters, 0)


def test_the_average_is_over_the_stream() -> None:
    police = FeedPolice({})
    police.watch(1_000, {}, filled(0.3, 1_000), 1_000, 0)
    police.watch(100, {}, filled(0.9, 100), 100, 0)


HISTORY = {"_records": 10_000, "token_postcode": 9_500, "token_middle_names": 2_000}


def test_a_column_that_collapsed_stops_a_stream() -> None:
    with pytest.raises(PolicyError, match="token_postcode"):
        FeedPolice(HISTORY).watch(1_000, {"token_postcode": 100, "token_middle_names": 200}, NOTHING, 1_000, 0)


@pytest.mark.parametrize(
    ("records", "present"),
    [
        (1_000, {"token_postcode": 600}),  # fewer, not gone
        (1_000, {"token_postcode": 950, "token_middle_names": 0}),  # was rare before
        (400, {}),  # too few to tell
        (0, {}),  # withdrawals only
    ],
)
def test_changes_that_happen_do_not(records: int, present: dict[str, int]) -> None:
    FeedPolice(HISTORY).watch(records, present, NOTHING, records, 0)


def test_a_source_without_history_is_not_judged_by_it() -> None:
    FeedPolice({"_records": 900, "token_postcode": 900}).watch(5_000, {}, NOTHING, 5_000, 0)


def test_a_file_in_clear_is_told_from_slips() -> None:
    police = FeedPolice({})
    police.watch(0, {}, NOTHING, 1_000, 19)
    police.refuse_clear_file()
    police = FeedPolice({})
    police.watch(0, {}, NOTHING, 30, 20)
    with pytest.raises(PolicyError) as caught:
        police.refuse_clear_file()
    assert caught.value.reason is Reason.FEED_SUSPECT
    assert "20 of the first 30" in caught.value.message
