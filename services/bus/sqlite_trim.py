"""Retention and compaction of the SQLite bus, in short write transactions so that senders wait little."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from services.bus.rules import TOMBSTONE_RETENTION_MS
from services.bus.sqlite_file import SqliteFile

_CHUNK_MESSAGES: Final = 500
_CHUNK_PAGES: Final = 1024


def trim(file: SqliteFile, now_ms: int, offset_bits: int) -> int:
    """Drop what retention and compaction no longer keep, then shrink the file; return how many messages went."""
    with file.reading() as connection:
        rows: list[tuple[int, int | None, int]] = connection.execute(
            "SELECT p.id, t.retention_ms, t.compacted FROM topic_partition p JOIN topic t ON t.name = p.topic"
        ).fetchall()
    gone = 0
    for partition_id, retention_ms, compacted in rows:
        bounds = (partition_id << offset_bits, (partition_id + 1) << offset_bits)
        if compacted:
            with file.reading() as connection:
                superseded = _superseded(connection, bounds, now_ms - TOMBSTONE_RETENTION_MS)
            gone += _drop(file, superseded)
        if retention_ms is not None:
            with file.reading() as connection:
                expired = _expired(connection, bounds, now_ms - retention_ms)
            gone += _drop(file, expired)
    if gone:
        _shrink(file)
    return gone


def _superseded(connection: sqlite3.Connection, bounds: tuple[int, int], tombstones_before_ms: int) -> list[int]:
    """Return the positions of messages whose key came again, and of old tombstones."""
    within = "position >= ?1 AND position < ?2"
    found = connection.execute(
        f"SELECT position FROM message WHERE {within} AND ((value IS NULL AND timestamp_ms <= ?3) "
        f"OR position NOT IN (SELECT max(position) FROM message WHERE {within} GROUP BY key))",
        (*bounds, tombstones_before_ms),
    )
    return [position for (position,) in found.fetchall()]


def _expired(connection: sqlite3.Connection, bounds: tuple[int, int], before_ms: int) -> list[int]:
    """Return the positions before the first message that is young enough, so that no gap opens if a clock went back."""
    found = connection.execute(
        "SELECT position FROM message WHERE position >= ?1 AND position < coalesce((SELECT position FROM message "
        "WHERE position >= ?1 AND position < ?2 AND timestamp_ms >= ?3 ORDER BY position LIMIT 1), ?2)",
        (*bounds, before_ms),
    )
    return [position for (position,) in found.fetchall()]


def _drop(file: SqliteFile, positions: Sequence[int]) -> int:
    for start in range(0, len(positions), _CHUNK_MESSAGES):
        with file.writing() as connection:
            chunk = [(position,) for position in positions[start : start + _CHUNK_MESSAGES]]
            connection.executemany("DELETE FROM message WHERE position = ?", chunk)
    return len(positions)


def _shrink(file: SqliteFile) -> None:
    """Give free pages back, and fold the write-ahead log into the file, so that what was dropped is in neither."""
    while True:
        with file.reading() as connection:
            if not connection.execute("PRAGMA freelist_count").fetchone()[0]:
                break
            connection.execute(f"PRAGMA incremental_vacuum({_CHUNK_PAGES})").fetchall()
    with file.reading() as connection:
        # Reports busy, and leaves the rest to the next trim, when a reader is in the middle of a read.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
