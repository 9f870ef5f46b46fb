"""Whether a stay's diagnoses belong to a group of a code list."""

from __future__ import annotations

from typing import Final

import polars as pl

from schemas.code_lists import CodeGroup, CodePosition

PRIMARY: Final = pl.col("primary_diagnosis")
ALL: Final = pl.col("_diagnoses")
"""All codes of a stay, one a line, as `all_diagnoses` makes them: `(?m)^` then stands at the start of each."""
_SECONDARY: Final = pl.col("secondary_diagnoses")


def all_diagnoses() -> pl.Expr:
    """Return the column `ALL` from the primary and secondary diagnoses of an encounter."""
    further = _SECONDARY.str.replace_all(" ", "\n", literal=True)
    return pl.concat_str([PRIMARY, further], separator="\n", ignore_nulls=True).alias("_diagnoses")


def belongs(group: CodeGroup) -> pl.Expr:
    """Return whether an encounter's diagnoses belong to `group`; false without any."""
    found: pl.Expr = pl.lit(False)
    if group.pattern is not None:
        found = _any(group.pattern) if group.position is CodePosition.ANY else _first(group.pattern)
    if group.pair is not None:
        beside = _SECONDARY.str.replace_all(" ", "\n", literal=True).str.contains(f"(?m){group.pair.secondary}")
        found |= _first(group.pair.primary) & beside.fill_null(False)
    if group.unless is not None:
        found &= ~_any(group.unless)
    return found


def _first(pattern: str) -> pl.Expr:
    return PRIMARY.str.contains(pattern).fill_null(False)


def _any(pattern: str) -> pl.Expr:
    return ALL.str.contains(f"(?m){pattern}").fill_null(False)
