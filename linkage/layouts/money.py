"""Amounts of money: from text in pence or pounds to whole pence."""

from __future__ import annotations

from enum import StrEnum

import polars as pl


class Unit(StrEnum):
    """In what a source writes amounts."""

    PENCE = "pence"
    POUNDS = "pounds"


def pence(amount: pl.Expr, unit: Unit) -> pl.Expr:
    """Return amounts (String) as whole pence (String), rounded to the nearest; what is no number stays as it stands.

    A fraction of a penny where amounts are said to be pence stays too, so that encoding reports it: the unit is wrong.
    """
    number = amount.str.replace_all(r"[£,\s]", "").cast(pl.Float64, strict=False)
    if unit is Unit.POUNDS:
        number = (number * 100.0).round()
    whole = pl.when(number.is_finite() & (number == number.floor())).then(number)
    return pl.coalesce(whole.cast(pl.Int64, strict=False).cast(pl.String), amount)
