"""What landed of the batches that sources sent, whatever often it was delivered."""

from __future__ import annotations

from typing import Final

import polars as pl

_MESSAGE: Final = ("_stream", "_batch", "_partition", "_offset")
_RECORD: Final = ("subject_ref", "version", "content_hash")
_PRINT_SHIFT: Final = 1 << 20
"""Hashes are cut to 44 bits, so that the sum over a message's rows stays within 64."""


def landed_messages(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row a message of a table: `_stream, _batch, _partition, rows`, and `_offset`, where it stood last.

    A batch that was delivered again is cut into the same messages again, so a message is known by its batch, its
    partition and a fingerprint of its rows, and counts once. Rows that ingest itself made (withdrawals by a full
    extract) belong to no batch and are left out. Expects the columns of landed subjects or demographics.
    """
    hashes = [pl.col(name).hash(seed) // _PRINT_SHIFT for seed, name in enumerate(_RECORD)]
    return (
        rows.filter(pl.col("_batch").is_not_null())
        .select(*_MESSAGE, print=pl.sum_horizontal(hashes))
        .group_by(_MESSAGE)
        .agg(pl.len().alias("rows"), pl.col("print").sum())
        .group_by("_stream", "_batch", "_partition", "rows", "print")
        .agg(pl.col("_offset").max())
        .drop("print")
    )
