"""Rows out of the database, as frames: whole results, large results, and the rows that many keys name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import polars as pl
from sqlalchemy import Column, Connection, Dialect, Executable, any_, bindparam, select

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

IN_CHUNK: Final = 4_096
"""Values of one IN list: SQLite takes 32,766 parameters by default."""

ROWS_AT_ONCE: Final = 50_000
"""Rows of a large result that are turned into columns at a time."""


def frame(connection: Connection, statement: Executable, schema: Schema) -> pl.DataFrame:
    """Return a query's rows as a frame with these columns, in the query's order."""
    rows = connection.execute(statement).fetchall()
    return pl.DataFrame(rows, schema=dict(schema), orient="row")


def large_frame(connection: Connection, statement: Executable, schema: Schema) -> pl.DataFrame:
    """Return what `frame` does, `ROWS_AT_ONCE` rows as Python objects at a time: those take much more room."""
    parts = [pl.DataFrame(schema=schema)]
    for rows in connection.execute(statement, execution_options={"yield_per": ROWS_AT_ONCE}).partitions():
        parts.append(pl.DataFrame(rows, schema=dict(schema), orient="row"))
    return pl.concat(parts)


def matching(
    connection: Connection, column: Column[Any], values: pl.Series, schema: Schema, **fixed: str
) -> pl.DataFrame:
    """Return the rows, as `schema`, whose `column` is one of `values` (each given once), with `fixed` columns as given.

    PostgreSQL takes the values as one array. For SQLite, IN lists are padded with their last value to a power of two,
    so that few statements exist and each is compiled once: SQLAlchemy's own expanding lists took 88 ms for 10,000 keys,
    of which 33 ms were the database's.
    """
    parts = [pl.DataFrame(schema=schema)]
    is_postgresql = connection.dialect.name == "postgresql"
    wanted = values.to_list()
    for start in range(0, len(wanted), IN_CHUNK):
        piece = wanted[start : start + IN_CHUNK]
        size = 0 if is_postgresql else min(IN_CHUNK, max(16, 1 << (len(piece) - 1).bit_length()))
        sql = matching_sql(connection.dialect, column, tuple(schema), tuple(fixed), size)
        keys = [piece] if is_postgresql else [*piece, *piece[-1:] * (size - len(piece))]
        rows = connection.exec_driver_sql(sql, (*fixed.values(), *keys)).fetchall()
        parts.append(pl.DataFrame(rows, schema=dict(schema), orient="row"))
    return pl.concat(parts)


@lru_cache(maxsize=256)
def matching_sql(
    dialect: Dialect, column: Column[Any], names: tuple[str, ...], fixed: tuple[str, ...], size: int
) -> str:
    """Return the statement of `matching` for an IN list of `size` values, or for an array of any size where it is 0."""
    table = column.table
    conditions = [table.c[name] == bindparam(f"fixed_{name}") for name in fixed]
    keys = [f"value_{number}" for number in range(size)] or ["values"]
    among = column.in_([bindparam(key) for key in keys]) if size else column == any_(bindparam("values"))
    compiled = select(*(table.c[name] for name in names)).where(*conditions, among).compile(dialect=dialect)
    # The parameters are handed over by position, so the statement must ask for them in the order in which they stand.
    assert compiled.positiontup == [*(f"fixed_{name}" for name in fixed), *keys]  # noqa: S101
    return str(compiled)
