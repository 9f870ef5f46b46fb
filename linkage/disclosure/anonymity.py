"""Rows of persons: each must share what an outsider could know with enough others, or give some of it up.

Quasi-identifiers are given up one after the other, the least useful first, and only on the rows that need it.
Method: local suppression towards k-anonymity (Samarati and Sweeney 1998); the order is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Anonymised:
    """Rows that may leave, and how many may not. `generalised` counts those that gave up at least one value."""

    rows: pl.DataFrame
    generalised: int
    withheld: int


def k_anonymise(rows: pl.DataFrame, quasi: list[str], k: int) -> Anonymised:
    """Return rows of which each shares its values of `quasi` with at least `k - 1` others; order is kept.

    `quasi` stands in the order in which values are given up (made null). Null is a value like any other here: rows
    that gave up the same columns count together, and rows that never had one stand with them. Rows that fit nowhere
    are withheld.
    """
    if not quasi:
        fits = len(rows) >= k
        return Anonymised(rows if fits else rows.clear(), 0, 0 if fits else len(rows))
    left = rows.with_row_index("_row").with_columns(pl.lit(False).alias("_gave_up"))
    settled: list[pl.DataFrame] = []
    for step in range(len(quasi) + 1):
        size = pl.len().over(quasi)
        settled.append(left.filter(size >= k))
        left = left.filter(size < k)
        if step < len(quasi):
            name = quasi[step]
            left = left.with_columns(
                (pl.col("_gave_up") | pl.col(name).is_not_null()).alias("_gave_up"),
                pl.lit(None, dtype=left.schema[name]).alias(name),
            )
    kept = pl.concat(settled).sort("_row")
    return Anonymised(kept.drop("_row", "_gave_up"), int(kept["_gave_up"].sum()), len(left))
