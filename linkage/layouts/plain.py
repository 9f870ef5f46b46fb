"""Welfare data sets without a national layout, as one plain table: our column names, one row or several a person.

Sources name and code such columns each in their own way; a source's settings say which of its columns is which of ours
and which of its values is which. A column has a kind: money becomes whole pence, a code is brought to small letters
with underscores (`Working - with requirements` is `working_with_requirements`), so that labels serve as codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import polars as pl

from linkage.encode.derive import IDENTITY_FIELDS
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from linkage.layouts.tables import ROW, Table

WHO: Final = (*IDENTITY_FIELDS, "date_of_death", "ethnic_category", "lsoa")
"""Columns of a person that any of these tables may have, under the names that clear files use."""


class Kind(Enum):
    """What a column holds."""

    TEXT = "text"
    CODE = "code"
    MONEY = "money"


@dataclass(frozen=True)
class Column:
    """One column of a table beside `WHO`."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False


@dataclass(frozen=True)
class Terms:
    """What one source's files leave open: the unit of money, and for each column its own values -> ours."""

    unit: Unit | None = None
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def table(name: str, columns: tuple[Column, ...]) -> Table:
    """Return the file of such a table."""
    return Table(
        name,
        tuple(column.name for column in columns if column.required),
        (*WHO, *(column.name for column in columns if not column.required)),
    )


def prepared(frame: pl.DataFrame, columns: tuple[Column, ...], terms: Terms) -> pl.DataFrame:
    """Return `ROW`, `WHO` and the table's columns (String; absent ones null) with money and codes in our form."""
    names = [*WHO, *(column.name for column in columns)]
    full = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in frame.columns)
    return full.select(ROW, *WHO, *(_brought(column, terms).alias(column.name) for column in columns))


def _brought(column: Column, terms: Terms) -> pl.Expr:
    value = pl.col(column.name)
    own = terms.values.get(column.name)
    if own:
        value = value.replace(dict(own))
    if column.kind is Kind.CODE:
        return slug(value)
    if column.kind is Kind.MONEY and terms.unit is not None:
        return pence(value, terms.unit)
    return value


def slug(text: pl.Expr) -> pl.Expr:
    """Return text in small letters, with one underscore for what is neither letter nor digit."""
    return text.str.to_lowercase().str.replace_all(r"[^a-z0-9]+", "_").str.strip_chars("_").replace("", None)


def day(text: pl.Expr) -> pl.Expr:
    """Return a date for putting rows in order (null where it is written in no usual way)."""
    return pl.coalesce(text.str.to_date("%Y-%m-%d", strict=False), text.str.to_date("%d/%m/%Y", strict=False))


def by_record(rows: pl.DataFrame, once: tuple[str, ...], facts: tuple[str, ...]) -> Mapped:
    """Return one clear row for each `record_id` of `rows`, in the order of their first rows.

    Of columns in `once` the first value that is there counts; lists in `facts` are joined. Rows without a record id are
    kept as they are: encoding refuses and reports them.
    """
    named = rows.filter(pl.col("record_id").is_not_null())
    grouped = named.group_by("record_id", maintain_order=True).agg(
        pl.col(ROW).first(),
        *(pl.col(name).drop_nulls().first() for name in once),
        *(pl.col(name).explode(empty_as_null=False, keep_nulls=False) for name in facts),
    )
    nameless = rows.filter(pl.col("record_id").is_null()).select(grouped.columns)
    whole = pl.concat([grouped, nameless]).sort(ROW, maintain_order=True)
    return Mapped(whole.drop(ROW), whole[ROW], {"rows": rows.height, "records": whole.height})
