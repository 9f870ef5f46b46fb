"""Arrears: one row a debt. No layout is common to councils; names after the neutral record of this project [D]."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.layouts.facts import single
from linkage.layouts.mapped import Mapped
from linkage.layouts.plain import WHO, Column, Kind, Terms, by_record, prepared

COLUMNS: Final = (
    Column("account_reference", required=True),
    Column("person_reference"),
    Column("kind", Kind.CODE, required=True),
    Column("balance", Kind.MONEY, required=True),
    Column("oldest_debt_on"),
    Column("recovery_stage", Kind.CODE),
    Column("weeks_in_arrears"),
)


def clear_rows(frame: pl.DataFrame, terms: Terms) -> Mapped:
    """Return one clear row a person (their reference, or else their account's) with all their debts."""
    rows = prepared(frame, COLUMNS, terms).with_columns(
        record_id=pl.coalesce("person_reference", "account_reference"),
        arrears=single(
            pl.col("balance").is_null() | (pl.col("balance") != "0"),
            kind=pl.col("kind"),
            balance_pence=pl.col("balance"),
            oldest_debt_on=pl.col("oldest_debt_on"),
            recovery_stage=pl.col("recovery_stage"),
            weeks_in_arrears=pl.col("weeks_in_arrears"),
        ),
    )
    return by_record(rows, WHO, ("arrears",))
