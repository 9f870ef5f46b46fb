"""Dates: `date/1`. ISO, `DD/MM/YYYY` (also with dots or hyphens) and `YYYYMMDD`, with or without a time of day.

A date that no calendar has keeps its usable parts: `1955-11-92` still gives year and month, `1994-13-05` shows year
and, read the other way round, one whole date.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.normalise.reasons import FieldReason

EARLIEST_YEAR: Final = 1900
# What systems hold for want of a date: nobody alive was born then.
_PLACEHOLDERS: Final = ("19000101", "19010101", "18991230", "18991231", "17530101", "99991231", "00010101", "00000000")

_YEAR_FIRST: Final = r"^\s*(\d{4})[-/. ]?(\d{2})[-/. ]?(\d{2})([T ].*)?\s*$"
_DAY_FIRST: Final = r"^\s*(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})([T ].*)?\s*$"

DATE_PARTS: Final = ("date", "swapped", "year", "month", "day")


def parts(raw: pl.Expr, latest: date) -> tuple[dict[str, pl.Expr], pl.Expr]:
    """`date/1`: ({part: expression}, reason or null) of a column of strings.

    `date` is `YYYYMMDD`, `swapped` the same date with day and month exchanged where that is another date; `year`,
    `month` and `day` are digits, each null where it is not usable alone. `latest` is the last day that is possible.
    """
    year_first = raw.str.extract_groups(_YEAR_FIRST)
    day_first = raw.str.extract_groups(_DAY_FIRST)
    year_text = pl.coalesce(year_first.struct.field("1"), day_first.struct.field("3"))
    month_text = pl.coalesce(year_first.struct.field("2"), day_first.struct.field("2")).str.zfill(2)
    day_text = pl.coalesce(year_first.struct.field("3"), day_first.struct.field("1")).str.zfill(2)

    placeholder = pl.concat_str(year_text, month_text, day_text).is_in(_PLACEHOLDERS)
    possible_year = year_text.cast(pl.Int32, strict=False).is_between(EARLIEST_YEAR, latest.year)
    usable = possible_year & ~placeholder
    year = pl.when(usable).then(year_text)
    month = pl.when(usable & month_text.cast(pl.Int32, strict=False).is_between(1, 12)).then(month_text)
    day = pl.when(usable & day_text.cast(pl.Int32, strict=False).is_between(1, 31)).then(day_text)

    straight = _calendar_date(year, month, day)
    crossed = _calendar_date(year, pl.when(day_text.cast(pl.Int32, strict=False) <= 12).then(day_text), month_text)
    in_time = straight.str.to_date("%Y%m%d", strict=False) <= pl.lit(latest)
    whole = pl.when(in_time).then(straight)
    swapped = pl.when((crossed != straight) | straight.is_null()).then(crossed)

    future = straight.is_not_null() & ~in_time
    reason: pl.Expr = (
        pl.when(raw.is_not_null() & year_text.is_null())
        .then(pl.lit(FieldReason.SHAPE.value))
        .when(placeholder)
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(~possible_year | future)
        .then(pl.lit(FieldReason.OUT_OF_RANGE.value))
        .when(year_text.is_not_null() & straight.is_null())
        .then(pl.lit(FieldReason.NOT_A_DATE.value))
    )
    expressions: dict[str, pl.Expr] = {"date": whole, "swapped": swapped, "year": year, "month": month, "day": day}
    # A date yet to come is wrong somewhere, and nobody can tell where: none of its parts is used.
    kept: dict[str, pl.Expr] = {
        name: pl.when(~future.fill_null(False)).then(expression) for name, expression in expressions.items()
    }
    return kept, reason


def _calendar_date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    digits = pl.concat_str(year, month, day)
    return pl.when(digits.str.to_date("%Y%m%d", strict=False).is_not_null()).then(digits)
