"""One database as every part of the registry opens it: engine, transactions, bulk statements, errors in our words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import polars as pl
from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    Engine,
    Executable,
    bindparam,
    create_engine,
    event,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.sql.dml import UpdateBase

from schemas.errors import DefectError, HwlinkError, InputError, Reason, StateError, TransientError

Schema = Mapping[str, pl.DataType | type[pl.DataType]]

BUSY_TIMEOUT_S: Final = 30.0
"""How long a writer waits for another process's transaction; each is kept well under a second."""

PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-65536",
    "wal_autocheckpoint=16384",
    "journal_size_limit=134217728",
)
"""How every SQLite connection is set up (cache in KiB, checkpoint in 4 KiB pages): `decisions/0001` has the figures."""

IN_CHUNK: Final = 4_096
"""Values of one IN list: SQLite takes 32,766 parameters by default, PostgreSQL's protocol 65,535."""

ROWS_AT_ONCE: Final = 50_000
"""Rows of a large result that are turned into columns at a time."""

_BUSY: Final = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"}
_NOT_OURS: Final = {"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT"}
_UNWRITABLE: Final = {"SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"}
_CONFLICT: Final = {"40001", "40P01", "55P03"}  # serialisation failure, deadlock, lock not available (PostgreSQL)


class Database:
    """A registry database. Thread-safe: each transaction takes its own connection from the pool."""

    def __init__(self, url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._engine = _engine(url, busy_timeout_s)
        self._writer = self._engine.execution_options(hwlink_writes=True)  # the same pool

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection in a read transaction: all its statements see one state."""
        with our_errors(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection in a write transaction: committed at the end, rolled back on any error."""
        with our_errors(), self._writer.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close the pool's connections. Idempotent; a later use opens new ones."""
        self._engine.dispose()


def _engine(url: str, busy_timeout_s: float) -> Engine:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            if not parsed.database:
                raise InputError(Reason.OPTION_INVALID, "A SQLite registry needs a file: give sqlite:///path.")
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            # Who is linked with whom is personal data: the owner alone reads the file (-wal and -shm take its mode).
            os.close(os.open(parsed.database, os.O_CREAT | os.O_RDWR, 0o600))
            engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": busy_timeout_s})
            _prepare_sqlite(engine)
            return engine
        if backend == "postgresql":
            # Positional parameters, so that bulk rows can be tuples with both drivers.
            return create_engine(parsed, hide_parameters=True, paramstyle="format", pool_pre_ping=True)
    except (ArgumentError, ImportError, SQLAlchemyError):
        pass  # said below, without the URL, which may hold a password
    except OSError:
        raise StateError(
            Reason.STORE_MISSING, "The registry's file cannot be made there; check the path and its permissions."
        ) from None
    raise InputError(
        Reason.OPTION_INVALID, "The registry URL is not usable; give sqlite:///path or postgresql+psycopg://host/name."
    )


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: a reader that turns into a writer later could only fail.
        writes = connection.get_execution_options().get("hwlink_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def our_errors() -> Iterator[None]:
    """Raise the database's failures as ours, without its text, which may quote values."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _translated(error) from None


def _translated(error: SQLAlchemyError) -> HwlinkError:
    original = error.orig if isinstance(error, DBAPIError) else None
    name = str(getattr(original, "sqlite_errorname", ""))
    base = "_".join(name.split("_")[:2])
    if base in _BUSY or str(getattr(original, "sqlstate", "")) in _CONFLICT:
        return TransientError(Reason.BUSY, "The registry is locked by another process; try again.")
    if base in _NOT_OURS:
        return StateError(
            Reason.STORE_VERSION,
            "The registry file is not a readable database; move it away or restore it from a backup, and start again.",
        )
    if base in _UNWRITABLE:
        return StateError(
            Reason.STORE_MISSING, "The registry file cannot be opened for writing; check its folder's permissions."
        )
    if base in {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM"}:
        return TransientError(Reason.UNAVAILABLE, "The registry could not be written; free disk space and try again.")
    if isinstance(error, DBAPIError) and not name and not isinstance(error, IntegrityError):
        return TransientError(Reason.UNAVAILABLE, "The registry's server cannot be reached or refused; try again.")
    return DefectError(Reason.INTERNAL, f"The registry failed with {name or type(error).__name__}; report this.")


def bulk(connection: Connection, statement: UpdateBase, rows: pl.DataFrame) -> None:
    """Run a statement once for each row of a frame whose columns are named as its parameters.

    Rows go to the driver as tuples: measured 200,000 roster rows a second on SQLite, against 130,000 as dictionaries.
    """
    if rows.is_empty():
        return
    compiled = statement.compile(dialect=connection.dialect, column_keys=rows.columns)
    assert compiled.positiontup is not None  # noqa: S101 - both engines are made with positional parameters
    connection.exec_driver_sql(str(compiled), rows.select(compiled.positiontup).rows())


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

    IN lists are padded with their last value to a power of two, so that few statements exist and each is compiled once:
    SQLAlchemy's own expanding lists took 88 ms for 10,000 keys, of which 33 ms were the database's.
    """
    parts = [pl.DataFrame(schema=schema)]
    wanted = values.to_list()
    for start in range(0, len(wanted), IN_CHUNK):
        piece = wanted[start : start + IN_CHUNK]
        size = min(IN_CHUNK, max(16, 1 << (len(piece) - 1).bit_length()))
        sql = _matching_sql(connection.dialect, column, tuple(schema), tuple(fixed), size)
        parameters = (*fixed.values(), *piece, *piece[-1:] * (size - len(piece)))
        rows = connection.exec_driver_sql(sql, parameters).fetchall()
        parts.append(pl.DataFrame(rows, schema=dict(schema), orient="row"))
    return pl.concat(parts)


@lru_cache(maxsize=256)
def _matching_sql(
    dialect: Dialect, column: Column[Any], names: tuple[str, ...], fixed: tuple[str, ...], size: int
) -> str:
    table = column.table
    conditions = [table.c[name] == bindparam(f"fixed_{name}") for name in fixed]
    in_list = column.in_([bindparam(f"value_{number}") for number in range(size)])
    compiled = select(*(table.c[name] for name in names)).where(*conditions, in_list).compile(dialect=dialect)
    # The parameters are handed over by position, so the statement must ask for them in the order in which they stand.
    assert compiled.positiontup == [  # noqa: S101
        *(f"fixed_{name}" for name in fixed),
        *(f"value_{number}" for number in range(size)),
    ]
    return str(compiled)


def to_json(value: Mapping[str, Any]) -> str:
    """Return a document in one canonical form: equal documents are equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
