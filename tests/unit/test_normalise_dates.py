"""Dates: every usual way of writing one, and what is left of a date that is none."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage.normalise import FieldReason, dates

LATEST = date(2026, 6, 30)


def parsed(written: str | None) -> dict[str, str | None]:
    """Parse one date."""
    return dates.parse(pl.Series([written], dtype=pl.String), LATEST).row(0, named=True)


@pytest.mark.parametrize(
    "written",
    ["1980-06-05", "05/06/1980", "5/6/1980", "05-06-1980", "05.06.1980", "19800605", "1980/06/05",
     "1980-06-05T00:00:00", "1980-06-05 13:00", "05/06/1980 00:00"],
)  # fmt: skip
def test_ways_of_writing_one_date(written: str) -> None:
    """All are the fifth of June: days come before months, as the British write them."""
    assert parsed(written) == {
        "date": "19800605", "swapped": "19800506", "year": "1980", "month": "06", "day": "05", "reason": None,
    }  # fmt: skip


def test_swapping_gives_another_date_or_nothing() -> None:
    """A day above 12 cannot have been a month, and the fifth of May swaps to itself."""
    assert parsed("1980-06-25")["swapped"] is None
    assert parsed("1980-05-05")["swapped"] is None


@pytest.mark.parametrize(
    ("written", "year", "month", "day", "swapped"),
    [
        ("19551192", "1955", "11", None, None),
        ("19404502", "1940", None, "02", None),
        ("1980-02-30", "1980", "02", "30", None),
        ("1980-13-05", "1980", None, "05", "19800513"),
        ("1980-00-00", "1980", None, None, None),
    ],
)
def test_a_date_that_no_calendar_has_keeps_its_usable_parts(
    written: str, year: str, month: str | None, day: str | None, swapped: str | None
) -> None:
    """One mistyped digit must not lose the rest of a date of birth."""
    assert parsed(written) == {
        "date": None, "swapped": swapped, "year": year, "month": month, "day": day,
        "reason": FieldReason.NOT_A_DATE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1900-01-01", FieldReason.PLACEHOLDER),
        ("01/01/1901", FieldReason.PLACEHOLDER),
        ("9999-12-31", FieldReason.PLACEHOLDER),
        ("1850-03-04", FieldReason.OUT_OF_RANGE),
        ("2026-07-01", FieldReason.OUT_OF_RANGE),
        ("2031-01-01", FieldReason.OUT_OF_RANGE),
        ("05/06/80", FieldReason.SHAPE),
        ("June 1980", FieldReason.SHAPE),
        ("29376", FieldReason.SHAPE),
    ],
)
def test_fillers_and_impossible_dates_leave_nothing(written: str, reason: FieldReason) -> None:
    """A filler makes strangers agree; a date to come is wrong somewhere, and nobody can tell where."""
    row = parsed(written)

    assert row.pop("reason") == reason
    assert set(row.values()) == {None}


def test_the_last_possible_day_and_the_first_of_january_are_kept() -> None:
    """1 January is often a guess, and still the date that both systems hold."""
    assert parsed("2026-06-30")["date"] == "20260630"
    assert parsed("1980-01-01")["date"] == "19800101"


def test_missing_dates_have_no_reason() -> None:
    """Absent is not wrong."""
    assert set(parsed(None).values()) == {None}
