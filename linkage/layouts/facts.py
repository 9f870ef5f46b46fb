"""List columns of facts, built from flat columns."""

from __future__ import annotations

import polars as pl


def single(present: pl.Expr, **members: pl.Expr) -> pl.Expr:
    """Return a list of one struct of `members` where `present`, an empty list elsewhere."""
    fact = pl.struct(value.alias(name) for name, value in members.items())
    return pl.when(present).then(pl.concat_list(fact)).otherwise(pl.concat_list(fact).list.head(0))


def joined(*lists: pl.Expr) -> pl.Expr:
    """Return the facts of several list columns in one."""
    return pl.concat_list(*lists)
