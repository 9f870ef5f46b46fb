"""The one view of what holds: for each record the row of highest (version, withdraw over upsert, content hash)."""

from __future__ import annotations

import polars as pl

_RANK = ["version", "_withdrawn", "_content_hash"]


def latest(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row a record, `(source, subject_ref)`, withdrawn ones included: the latest by (version, operation,
    hash).

    Expects columns `source, subject_ref, version, operation, content_hash`. Every reader of landed rows goes through
    this, so that an older version that arrives late never wins and a tie is settled alike everywhere.
    """
    return (
        rows.with_columns(
            (pl.col("operation") == "withdraw").alias("_withdrawn"),
            pl.col("content_hash").fill_null(0).alias("_content_hash"),
        )
        .sort(_RANK, descending=True, nulls_last=True)
        .unique(subset=["source", "subject_ref"], keep="first", maintain_order=True)
        .drop("_withdrawn", "_content_hash")
    )
