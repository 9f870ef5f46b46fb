"""How each kind of server is connected to: settings of a connection, and failures in our words.

`decisions/0003` says why these isolation levels and time limits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from schemas.errors import DefectError, HwlinkError, InputError, Reason, StateError, TransientError

PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "cache_size=-65536",
    "wal_autocheckpoint=16384",
    "journal_size_limit=134217728",
)
"""How every SQLite connection is set up (cache in KiB, checkpoint in 4 KiB pages): `decisions/0001` has the figures."""

CONNECT_TIMEOUT_S: Final = 10
"""How long PostgreSQL may take to take a connection."""

SILENCE_TIMEOUT_S: Final = 30
"""How long a PostgreSQL server may leave what was sent unacknowledged before its connection counts as lost."""

STATEMENT_TIMEOUT_S: Final = 300
"""Longest statement on PostgreSQL. The largest, a switch of models over 428,000 people, takes seconds."""

IDLE_TIMEOUT_S: Final = 120
"""How long a transaction may stand idle before PostgreSQL ends it: a frozen process must not hold the others up."""

POOL_SIZE: Final = 2
POOL_OVERFLOW: Final = 8
"""Connections a process keeps, and how many more it may open: PostgreSQL takes 100 in all by default."""

_BUSY: Final = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"}
_NOT_OURS: Final = {"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT"}
_UNWRITABLE: Final = {"SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"}
_NO_ROOM: Final = {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM"}

# PostgreSQL's SQLSTATEs (its manual, appendix A): serialisation failure, deadlock, lock not available, and a
# statement that was cancelled, which is what its time limit does.
_CONFLICT: Final = {"40001", "40P01", "55P03", "57014"}
_REFUSED: Final = {"28000", "28P01", "3D000", "3F000"}
_NOT_MIGRATED: Final = {"42P01", "42703"}
_NO_RIGHT: Final = {"42501"}
_LOST_CLASSES: Final = {"08", "25", "53", "57", "58"}
"""Connection lost, transaction ended or server read-only, no resources, operator's intervention, the server's disk."""

# A refused connection has no SQLSTATE at its client, only the server's text.
_REFUSALS: Final = (
    "authentication failed",
    "does not exist",
    "no password supplied",
    "pg_hba.conf",
    "permission denied",
    "not permitted to log in",
)


def open_engine(url: str, busy_timeout_s: float) -> Engine:
    """Return the engine of a registry URL, which connects at first use.

    Raises InputError OPTION_INVALID for a URL that names no registry, StateError STORE_MISSING for a file that cannot
    be made.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            if not parsed.database:
                raise InputError(Reason.OPTION_INVALID, "A SQLite registry needs a file: give sqlite:///path.")
            return _sqlite(parsed, parsed.database, busy_timeout_s)
        if parsed.drivername == "postgresql+psycopg":
            return _postgresql(parsed, busy_timeout_s)
    except (ArgumentError, ImportError, SQLAlchemyError):
        pass  # said below, without the URL, which may hold a password
    except OSError:
        raise StateError(
            Reason.STORE_MISSING, "The registry's file cannot be made there; check the path and its permissions."
        ) from None
    raise InputError(
        Reason.OPTION_INVALID, "The registry URL is not usable; give sqlite:///path or postgresql+psycopg://host/name."
    )


def _sqlite(url: URL, path: str, busy_timeout_s: float) -> Engine:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    # Who is linked with whom is personal data: the owner alone reads the file (-wal and -shm take its mode).
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_timeout_s})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: a reader that turns into a writer later could only fail.
        options = connection.get_execution_options()
        if not options.get("hwlink_alone", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("hwlink_writes", False) else "BEGIN")

    return engine


def _postgresql(url: URL, busy_timeout_s: float) -> Engine:
    limits = {
        "lock_timeout": busy_timeout_s,
        "statement_timeout": STATEMENT_TIMEOUT_S,
        "idle_in_transaction_session_timeout": IDLE_TIMEOUT_S,
    }
    asked = url.query.get("options", "")
    options = [asked if isinstance(asked, str) else " ".join(asked)]
    options += [f"-c {name}={round(1000 * limit_s)}" for name, limit_s in limits.items()]
    return create_engine(
        url,
        hide_parameters=True,
        paramstyle="format",  # by position, so that `matching` hands over tuples with either driver
        pool_pre_ping=True,  # a connection that the server has closed meanwhile is opened anew
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=busy_timeout_s,
        connect_args={
            "options": " ".join(options),
            "application_name": "hwlink",
            "connect_timeout": CONNECT_TIMEOUT_S,
            "keepalives_idle": SILENCE_TIMEOUT_S,
            "tcp_user_timeout": 1000 * SILENCE_TIMEOUT_S,
        },
    )


@contextmanager
def our_errors() -> Iterator[None]:
    """Raise the database's failures as ours, without its text, which may quote values."""
    try:
        yield
    except SQLAlchemyError as error:
        raise translated(error.orig if isinstance(error, DBAPIError) else error) from None


def translated(error: BaseException | None) -> HwlinkError:
    """Return a driver's failure, or one of SQLAlchemy's own, as ours."""
    name = str(getattr(error, "sqlite_errorname", ""))
    if name:
        return _of_sqlite(name)
    kind, unset = type(error).__name__, object()
    state = getattr(error, "sqlstate", unset)
    if state is not unset:
        return _of_postgresql(None if state is None else str(state), str(error), kind)
    if kind == "TimeoutError":  # SQLAlchemy's: every connection of the pool is in use
        return TransientError(Reason.BUSY, "The registry's connections are all in use; try again.")
    return DefectError(Reason.INTERNAL, f"The registry failed with {kind}; report this.")


def _of_sqlite(name: str) -> HwlinkError:
    base = "_".join(name.split("_")[:2])
    if base in _BUSY:
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
    if base in _NO_ROOM:
        return TransientError(Reason.UNAVAILABLE, "The registry could not be written; free disk space and try again.")
    return DefectError(Reason.INTERNAL, f"The registry failed with {name}; report this.")


def _of_postgresql(state: str | None, text: str, kind: str) -> HwlinkError:
    if state in _CONFLICT:
        return TransientError(Reason.BUSY, "The registry is locked by another process; try again.")
    if state in _REFUSED or (state is None and any(refusal in text for refusal in _REFUSALS)):
        return StateError(
            Reason.SETTING_INVALID,
            "PostgreSQL refuses the connection; check database, user and password in HWLINK_REGISTRY_URL, and that "
            "the server lets this user in from here (pg_hba.conf).",
        )
    if state in _NO_RIGHT:
        return StateError(
            Reason.SETTING_INVALID,
            "The registry's user lacks a right that this command or role needs; apply deploy/postgresql/roles.sql, "
            "or use the owner of the tables.",
        )
    if state in _NOT_MIGRATED:
        return StateError(
            Reason.STORE_VERSION,
            "The registry's tables are not those of this version of hwlink; stop this process and run "
            "`hwlink store migrate`.",
        )
    if state is None or state[:2] in _LOST_CLASSES:
        return TransientError(
            Reason.UNAVAILABLE,
            "The registry's server cannot be reached or used now; see that it runs, has room, and is no standby, "
            "then try again.",
        )
    return DefectError(Reason.INTERNAL, f"The registry failed with {kind}; report this.")
