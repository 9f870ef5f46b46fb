"""Discretionary awards: one row an award (Discretionary Housing Payment, Household Support Fund, hardship) [D]."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.layouts.facts import single
from linkage.layouts.mapped import Mapped
from linkage.layouts.plain import WHO, Column, Kind, Terms, by_record, prepared

COLUMNS: Final = (
    Column("person_reference", required=True),
    Column("kind", Kind.CODE, required=True),
    Column("awarded_on", required=True),
    Column("amount", Kind.MONEY),
)


def clear_rows(frame: pl.DataFrame, terms: Terms) -> Mapped:
    """Return one clear row a person with all their awards."""
    rows = prepared(frame, COLUMNS, terms).with_columns(
        record_id=pl.col("person_reference"),
        awards=single(
            pl.lit(True),
            kind=pl.col("kind"),
            awarded_on=pl.col("awarded_on"),
            amount_pence=pl.col("amount"),
        ),
    )
    return by_record(rows, WHO, ("awards",))
