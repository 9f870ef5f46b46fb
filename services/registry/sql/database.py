"""One database as every part of the registry opens it: transactions, and turns of those who write the same thing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, func, select

from services.registry.sql.engine import open_engine, our_errors

BUSY_TIMEOUT_S: Final = 30.0
"""How long a writer waits for another process's transaction; each is kept well under a second."""


class Database:
    """A registry database. Thread-safe: each transaction takes its own connection from the pool."""

    def __init__(self, url: str, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._engine = open_engine(url, busy_timeout_s)
        # Both share the pool. PostgreSQL shows one state throughout a transaction only if asked to; a writer there sees
        # what others committed before each of its statements, which is what it needs after it has waited for them.
        reads: dict[str, Any] = {}
        writes: dict[str, Any] = {"hwlink_writes": True}
        if self._engine.dialect.name == "postgresql":
            reads |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            writes |= {"isolation_level": "READ COMMITTED"}
        self._reader = self._engine.execution_options(**reads)
        self._writer = self._engine.execution_options(**writes)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection in a read transaction: all its statements see one state."""
        with our_errors(), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection in a write transaction: committed at the end, rolled back on any error.

        Who reads something and writes what follows from it takes a turn first (`take_turn`), or locks the row.
        """
        with our_errors(), self._writer.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def outside_transactions(self) -> Iterator[Connection]:
        """Lend a connection whose statements each commit by themselves, for what may run in no transaction."""
        is_postgresql = self._engine.dialect.name == "postgresql"
        options = {"isolation_level": "AUTOCOMMIT"} if is_postgresql else {"hwlink_alone": True}
        alone = self._engine.execution_options(**options)
        with our_errors(), alone.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the pool's connections. Idempotent; a later use opens new ones."""
        self._engine.dispose()


def take_turn(connection: Connection, *what: str) -> None:
    """Wait until nobody else holds the turn of this name, and hold it until the transaction ends.

    For what no row stands for yet, such as the first of a stream, or the next event of the audit chain. SQLite's
    writers take turns anyway. Turns are taken in the order stream, source; models, adoption, resolver; drift,
    overrides; audit: never one before another that it already holds, so that no two writers wait for one another.
    """
    if connection.dialect.name == "postgresql":
        digest = hashlib.sha256("\0".join(("hwlink", *what)).encode()).digest()
        connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest[:8], "big", signed=True))))


def to_json(value: Mapping[str, Any]) -> str:
    """Return a document in one canonical form: equal documents are equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
