"""Maps of codes as tables to join with."""

from __future__ import annotations

import polars as pl

from schemas.code_lists import CodeMap


def meanings(codes: CodeMap) -> pl.DataFrame:
    """Return `code`, `kind`, `means` and `status` (String), one row a code."""
    rows = [(entry.code, entry.kind, entry.means, entry.status) for entry in codes.entries]
    return pl.DataFrame(rows, schema=dict.fromkeys(("code", "kind", "means", "status"), pl.String), orient="row")
