"""Three-state logic over columns: Polars' `&` and `|` are Kleene's, so that unknown counts only where it matters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_

import polars as pl


def known(fact: str, truth: pl.Expr) -> pl.Expr:
    """Return `truth` where the person's sources deliver `fact`, with nothing recorded as false; else null."""
    return pl.when(pl.col(f"covers_{fact}")).then(truth.fill_null(False))


def some(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Return Kleene's OR: true if any part is, unknown if none is true and one unknown."""
    return reduce(or_, parts, pl.lit(False))


def every(parts: Sequence[pl.Expr]) -> pl.Expr:
    """Return Kleene's AND: false if any part is, unknown if none is false and one unknown."""
    return reduce(and_, parts, pl.lit(True))


def first_true(rungs: Sequence[tuple[pl.Expr, str]], otherwise: str) -> pl.Expr:
    """Return the label of the first rung that is true, `otherwise` where none is.

    Unknown from the first unknown rung on: one further down may be true, but this one would have come before it.
    """
    label: pl.Expr = pl.lit(otherwise)
    for holds, name in reversed(rungs):
        label = pl.when(holds.is_null()).then(pl.lit(None, pl.String)).when(holds).then(pl.lit(name)).otherwise(label)
    return label


def at_least(flags: Sequence[pl.Expr], number: int) -> pl.Expr:
    """Return whether at least `number` of `flags` are true; known already when the unknown ones cannot change it."""
    surely = reduce(lambda total, part: total + part.fill_null(False).cast(pl.Int32), flags, pl.lit(0, pl.Int32))
    perhaps = reduce(lambda total, part: total + part.fill_null(True).cast(pl.Int32), flags, pl.lit(0, pl.Int32))
    return pl.when(surely >= number).then(True).when(perhaps < number).then(False)
