"""Look-back windows: a number of months that ends on the as-of date and leaves out the day they began."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

import polars as pl


def months_before(as_of: date, months: int) -> date:
    """Return the same day `months` earlier, or the last of its month where that has fewer days."""
    year, month = divmod(as_of.year * 12 + as_of.month - 1 - months, 12)
    return date(year, month + 1, min(as_of.day, monthrange(year, month + 1)[1]))


def within(day: pl.Expr, as_of: date, months: int) -> pl.Expr:
    """Return whether `day` lies in the `months` up to and including `as_of`; null where `day` is."""
    return (day > months_before(as_of, months)) & (day <= as_of)


def months_between(since: pl.Expr, as_of: date) -> pl.Expr:
    """Return whole months from a date to `as_of`, at least 0."""
    months = (as_of.year - since.dt.year()) * 12 + as_of.month - since.dt.month().cast(pl.Int32)
    return (months - (since.dt.day() > as_of.day).cast(pl.Int32)).clip(0)


def newest(facts: pl.DataFrame, by: list[str], on: str) -> pl.DataFrame:
    """Return the fact of each `by` with the newest date `on`; of one day, the one that comes first by its content."""
    rest = [name for name in facts.columns if name not in (*by, on)]
    order = [*by, on, *rest]
    down = [name == on for name in order]
    return facts.sort(order, descending=down, nulls_last=True).unique(by, keep="first", maintain_order=True)
