"""Progress of reviews: of the people that a risk-stratification search put into a priority group, how many were seen.

Columns throughout: `condition`, `group` (1 to 4, 0 for all together), `identified`, `reviewed`, `percent`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

import numpy as np
import polars as pl

from linkage.disclosure import release_percent, release_table
from schemas.disclosure import CountRule

ALL_GROUPS: Final = 0
COLUMNS: Final = pl.Schema(
    {
        "condition": pl.String(),
        "group": pl.Int64(),
        "identified": pl.Int64(),
        "reviewed": pl.Int64(),
        "percent": pl.Float64(),
    }
)


def progress(counts: pl.DataFrame) -> pl.DataFrame:
    """Return exact progress with a row for all groups of each condition; per cent to two decimals, halves up.

    For whoever holds the exact counts; what leaves is `released_progress`.
    """
    totals = counts.group_by("condition", maintain_order=True).agg(
        pl.lit(ALL_GROUPS, pl.Int64).alias("group"), pl.col("identified", "reviewed").sum()
    )
    columns = [name for name in COLUMNS.names() if name != "percent"]
    rows = pl.concat([part.select(columns).cast({"group": pl.Int64}) for part in (counts, totals)])
    shares = [_percent(done, of) for of, done in rows.select("identified", "reviewed").iter_rows()]
    return rows.with_columns(pl.Series("percent", shares, pl.Float64)).cast(COLUMNS)


def released_progress(counts: pl.DataFrame, rule: CountRule) -> pl.DataFrame:
    """Return what may be said of exact counts: each condition is one table of groups by seen and not seen.

    Null is withheld. A percentage is worked out from the two released numbers, to one decimal.
    """
    rows = []
    for (condition,), part in counts.group_by("condition", maintain_order=True):
        reviewed = part["reviewed"].to_numpy()
        table = release_table(np.stack([reviewed, part["identified"].to_numpy() - reviewed], 1), rule, (False, True))
        told = [
            [None if hidden else int(value) for value, hidden in zip(values, gone, strict=True)]
            for values, gone in zip(table.values, table.suppressed, strict=True)
        ]
        for group, (seen, _, identified) in zip([*part["group"], ALL_GROUPS], told, strict=True):
            rows.append((condition, group, identified, seen, release_percent(seen, identified)))
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def told_progress(condition: str, cells: Sequence[tuple[str, str, int | None]], total: str) -> pl.DataFrame:
    """Return progress from a released table: cells of (group, seen, count), `seen` being `true`, `false` or `total`.

    A null count is withheld. Groups are those that are numbers, and `total`.
    """
    counts = {(group, seen): count for group, seen, count in cells}
    groups = sorted({group for group, _ in counts if group.isdigit()})
    rows = [
        (condition, ALL_GROUPS if group == total else int(group), identified, seen, release_percent(seen, identified))
        for group in [*groups, total]
        for identified, seen in [(counts.get((group, total)), counts.get((group, "true")))]
    ]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _percent(part: int, whole: int) -> float | None:
    if not whole:
        return None
    return float((Decimal(100 * part) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP))
