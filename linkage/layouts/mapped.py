"""What a layout's mapping returns."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True)
class Mapped:
    """Clear rows of a layout.

    `frame` has any of `linkage.encode.CLEAR_COLUMNS` of the layout's feed: text as String, listed facts as
    List(Struct). `rows` (Int64) names the row of the file that each of them stands in. `counts` says what the file held
    (record types, records without a claim) and `left_out` how many values of a column were there and must not leave.
    """

    frame: pl.DataFrame
    rows: pl.Series
    counts: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
