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
_PLACEHOLDERS: Final = (
    "19000101", "19010101", "18991230", "18991231", "17530101", "99991231", "00010101", "00000000",
)  # fmt: skip

_YEAR_FIRST: Final = r"^([0-9]{4})[-/. ]?([0-9]{2})[-/. ]?([0-9]{2})(?:[T ].*)?$"
_DAY_FIRST: Final = r"^([0-9]{1,2})[-/. ]([0-9]{1,2})[-/. ]([0-9]{4})(?:[T ].*)?$"


def parse(raw: pl.Series, latest: date) -> pl.DataFrame:
    """`date/1` of a String column without blanks: columns `date, swapped, year, month, day, reason`, all String.

    `date` is `YYYYMMDD`, `swapped` the same date with day and month exchanged where that is another date; `year`,
    `month` and `day` are digits, each null where it is not usable alone. `latest` is the last day that is possible.
    Where `reason` is `not_a_date`, some parts may still be there; with any other reason none is.
    """
    # In steps: as one expression, polars plans for longer than it computes.
    found = (
        raw.alias("raw")
        .to_frame()
        .select(
            present=pl.col("raw").is_not_null(),
            year_first=pl.col("raw").str.extract_groups(_YEAR_FIRST),
            day_first=pl.col("raw").str.extract_groups(_DAY_FIRST),
        )
    )
    digits = found.select(
        "present",
        year=pl.coalesce(_group("year_first", 1), _group("day_first", 3)),
        month=pl.coalesce(_group("year_first", 2), _group("day_first", 2)).str.zfill(2),
        day=pl.coalesce(_group("year_first", 3), _group("day_first", 1)).str.zfill(2),
    ).with_columns(straight=pl.concat_str("year", "month", "day"), crossed=pl.concat_str("year", "day", "month"))
    judged = digits.with_columns(
        shaped=pl.col("straight").is_not_null(),
        placeholder=pl.col("straight").is_in(_PLACEHOLDERS),
        year_possible=pl.col("year").cast(pl.Int32).is_between(EARLIEST_YEAR, latest.year),
        straight_date=pl.col("straight").str.to_date("%Y%m%d", strict=False),
        crossed_date=pl.col("crossed").str.to_date("%Y%m%d", strict=False),
    ).with_columns(
        usable=pl.col("shaped")
        & ~pl.col("placeholder")
        & pl.col("year_possible")
        # A date yet to come is wrong somewhere, and nobody can tell where: none of its parts is used.
        & (pl.col("straight_date") <= latest).fill_null(True)
    )
    usable, whole = pl.col("usable"), pl.col("straight_date").is_not_null()
    crosses = (pl.col("crossed_date") <= latest).fill_null(False) & (~whole | (pl.col("crossed") != pl.col("straight")))
    return judged.select(
        date=pl.when(usable & whole).then("straight"),
        swapped=pl.when(usable & crosses).then("crossed"),
        year=pl.when(usable).then("year"),
        month=pl.when(usable & pl.col("month").is_between(pl.lit("01"), pl.lit("12"))).then("month"),
        day=pl.when(usable & pl.col("day").is_between(pl.lit("01"), pl.lit("31"))).then("day"),
        reason=pl.when(pl.col("present") & ~pl.col("shaped"))
        .then(pl.lit(FieldReason.SHAPE.value))
        .when(pl.col("placeholder"))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(pl.col("shaped") & ~usable)
        .then(pl.lit(FieldReason.OUT_OF_RANGE.value))
        .when(pl.col("shaped") & ~whole)
        .then(pl.lit(FieldReason.NOT_A_DATE.value)),
    )


def _group(name: str, number: int) -> pl.Expr:
    return pl.col(name).struct.field(str(number))
