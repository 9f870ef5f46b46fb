"""One SQLite file as every part of the bus opens it: its pragmas, its schema, its errors in our words.

Durability: write-ahead log with `synchronous=FULL`. A killed process loses nothing either way, since the operating
system holds what was written. FULL adds one fsync a transaction, so that a power cut loses nothing acknowledged either.
NORMAL would forget the last transactions then, and would give their offsets out again: readers that keep positions
elsewhere (lake, registry) would take the new messages for replays and drop them.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import DefectError, HwlinkError, Reason, StateError, TransientError

APPLICATION_ID: Final = 0x68776C62  # "hwlb": tells a bus from any other SQLite file
FORMAT_VERSION: Final = 1

PAGE_BYTES: Final = 16 * 1024
"""Messages are some 100 kB: large pages mean short overflow chains (and measured fastest of 4 to 32 KiB)."""

WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024

_SCHEMA: Final = (
    "CREATE TABLE topic (name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, retention_ms INTEGER, "
    "compacted INTEGER NOT NULL)",
    # next_offset lives apart from the messages, so that an offset is never given out twice, even after a trim.
    "CREATE TABLE topic_partition (id INTEGER PRIMARY KEY, topic TEXT NOT NULL REFERENCES topic, "
    "partition INTEGER NOT NULL, next_offset INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, partition))",
    # position = id of the partition * 2**40 + offset: one B-tree in reading order, and no second index to write.
    "CREATE TABLE message (position INTEGER PRIMARY KEY, timestamp_ms INTEGER NOT NULL, key BLOB, "
    "headers TEXT NOT NULL, value BLOB)",
    "CREATE TABLE committed (consumer_group TEXT NOT NULL, partition_id INTEGER NOT NULL REFERENCES topic_partition, "
    "next_offset INTEGER NOT NULL, PRIMARY KEY (consumer_group, partition_id)) WITHOUT ROWID",
)

_BUSY: Final = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL"}
_BROKEN: Final = {"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT"}
_UNWRITABLE: Final = {"SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"}


@contextmanager
def our_errors(path: Path) -> Iterator[None]:
    """Raise SQLite's failures as ours, without SQLite's own text."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from None


def _translated(error: sqlite3.Error, path: Path) -> HwlinkError:
    name = str(getattr(error, "sqlite_errorname", ""))
    base = "_".join(name.split("_")[:2])  # SQLITE_BUSY_SNAPSHOT is a kind of SQLITE_BUSY
    if base in _BUSY:
        return TransientError(Reason.BUSY, f"The bus file {path.name} is locked by another process; try again.")
    if base in _BROKEN:
        return StateError(
            Reason.STORE_VERSION,
            f"{path.name} is not a readable bus file; move it away, or restore it from a backup, and start again.",
        )
    if base in _UNWRITABLE:
        return StateError(
            Reason.STORE_MISSING,
            f"The bus file {path.name} cannot be opened for writing; check its folder's permissions.",
        )
    if base in {"SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM"}:
        return TransientError(
            Reason.UNAVAILABLE,
            f"The bus file {path.name} could not be written ({base}); free disk space, then try again.",
        )
    return DefectError(Reason.INTERNAL, f"The bus failed with {name or type(error).__name__}; report this.")


class SqliteFile:
    """A connection to the bus file, one for each process that uses this. Thread-safe: one transaction at a time."""

    def __init__(self, path: Path, busy_timeout_s: float) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._busy_timeout_s = busy_timeout_s
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []

    def __reduce__(self) -> tuple[type[SqliteFile], tuple[Path, float]]:
        return SqliteFile, (self.path, self._busy_timeout_s)

    def connection(self) -> sqlite3.Connection:
        """Return this process's connection, opening it (and making the file) at first use."""
        with self.lock:
            if self._connection is not None and self._process != os.getpid():
                # Forked: SQLite forbids using, and even closing, the parent's connection here: it is only kept alive.
                self._inherited.append(self._connection)
                self._connection = None
            if self._connection is None:
                self._connection = _open(self.path, self._busy_timeout_s)
                self._process = os.getpid()
            return self._connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for statements that each stand alone."""
        with self.lock, our_errors(self.path):
            yield self.connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection within one write transaction: committed at the end, rolled back on any error."""
        with self.lock, our_errors(self.path):
            connection = self.connection()
            # IMMEDIATE takes the write lock at once: a read that later turns into a write could only fail.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close this process's connection. Idempotent; a later use opens it again."""
        with self.lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
                self._connection = None


def copy_file(path: Path, into: Path, busy_timeout_s: float = 30.0) -> None:
    """Write the bus file as it stands at one moment to `into`, which is made; senders and readers go on meanwhile."""
    os.close(os.open(into, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    source = SqliteFile(path, busy_timeout_s)
    with closing(source), source.reading() as connection, closing(sqlite3.connect(into)) as target:
        connection.backup(target)


def create_topic(
    connection: sqlite3.Connection, name: str, partitions: int, retention_ms: int | None, compacted: bool
) -> None:
    """Make a topic with its partitions within a transaction; one that exists is left as it is."""
    made = connection.execute(
        "INSERT INTO topic (name, partitions, retention_ms, compacted) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (name, partitions, retention_ms, compacted),
    )
    if made.rowcount:
        connection.executemany(
            "INSERT INTO topic_partition (topic, partition) VALUES (?, ?)", [(name, p) for p in range(partitions)]
        )


def _open(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    with our_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Tokens are personal data: nobody but the owner reads the file (its -wal and -shm take the same mode).
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError:
            raise StateError(
                Reason.STORE_MISSING, f"The bus file {path.name} cannot be made; check that its folder can be written."
            ) from None
        connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
        try:
            _configure(connection, path, busy_timeout_s)
        except BaseException:
            connection.close()
            raise
    return connection


def _configure(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # these two matter only while the file is empty
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _switch_to_wal(connection, busy_timeout_s)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_LIMIT_BYTES // 4 // PAGE_BYTES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    # Zeroes what a delete leaves in half-used pages; whole free pages go with incremental vacuum.
    connection.execute("PRAGMA secure_delete = FAST")
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        connection.execute("BEGIN IMMEDIATE")
        try:
            _create(connection, path)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
    if connection.execute("PRAGMA user_version").fetchone()[0] != FORMAT_VERSION:
        raise StateError(
            Reason.STORE_VERSION,
            f"{path.name} was written by another version of hwlink; use that version, or start with a new bus file.",
        )


def _switch_to_wal(connection: sqlite3.Connection, busy_timeout_s: float) -> None:
    """Switch the file to write-ahead logging; SQLite does not wait for its lock here, so we do."""
    deadline = time.monotonic() + busy_timeout_s
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _create(connection: sqlite3.Connection, path: Path) -> None:
    """Make the schema, unless another process just did."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StateError(
            Reason.STORE_VERSION, f"{path.name} is a SQLite file of something else; choose another path for the bus."
        )
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
