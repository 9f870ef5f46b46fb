"""Diagnoses in a table of their own, one row a code in its place: of spells, and of attendances."""

from __future__ import annotations

import polars as pl

from linkage.layouts.tables import Table


def diagnosis_table(key: str) -> Table:
    """Return the table: the event that a code is of, its place (1 is the primary one) and the code."""
    return Table("diagnosis", (key, "diagnosis_number", "code"), optional=True)


def with_diagnoses(events: pl.DataFrame, table: pl.DataFrame | None, key: str) -> pl.DataFrame:
    """Return events with `first` and `further`: the primary code, and the others in their order with spaces between."""
    if table is None:
        return events.with_columns(first=pl.lit(None, dtype=pl.String), further=pl.lit(None, dtype=pl.String))
    number = pl.col("diagnosis_number").cast(pl.Int64, strict=False)
    ordered = table.with_columns(number.alias("at")).sort("at", maintain_order=True)
    by_event = ordered.group_by(key, maintain_order=True).agg(
        first=pl.col("code").filter(pl.col("at") == 1).first(),
        further=pl.col("code").filter(pl.col("at") > 1).str.join(" "),
    )
    joined = events.join(by_event, on=key, how="left", maintain_order="left")
    return joined.with_columns(pl.col("further").replace("", None))
