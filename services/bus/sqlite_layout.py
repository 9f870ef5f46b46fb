"""How the topics of the SQLite bus are kept. One process of one machine may do everything there: it has no rights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final

from schemas.topics import Topic
from services.bus import TopicPartition
from services.bus.layout import Layout, Right
from services.bus.sqlite import OFFSET_BITS
from services.bus.sqlite_file import SqliteFile, create_topic

_POLICY: Final = "cleanup.policy"
_RETENTION: Final = "retention.ms"
_COMPACT: Final = "compact"
_FOR_EVER: Final = "-1"
"""Settings and values under Kafka's names, so that one report reads alike on either bus."""


class SqliteLayout:
    """A `LayoutAdmin` on a bus file."""

    def __init__(self, path: Path, busy_timeout_s: float = 30.0) -> None:
        """Open the file; raises as `SqliteBus`."""
        self._file = SqliteFile(path, busy_timeout_s)

    def wanted(self, topic: Topic) -> Layout:
        """Return how this bus keeps a topic of the table."""
        return Layout(topic.partitions, _settings(topic.retention_ms, topic.compacted))

    def layouts(self, names: Collection[str]) -> dict[str, Layout]:
        """Return how each of these topics is kept; those that there are not are left out."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT name, (SELECT count(*) FROM topic_partition WHERE topic = name), retention_ms, compacted "
                "FROM topic"
            ).fetchall()
        return {row[0]: Layout(row[1], _settings(row[2], bool(row[3]))) for row in rows if row[0] in names}

    def create(self, layouts: Mapping[str, Layout]) -> None:
        """Make topics that do not exist."""
        with self._file.writing() as connection:
            for name, layout in layouts.items():
                create_topic(connection, name, layout.partitions, *_kept(layout))

    def alter(self, layouts: Mapping[str, Layout]) -> None:
        """Bring topics to these layouts; partitions are added, and readers see them when they next start."""
        with self._file.writing() as connection:
            for name, layout in layouts.items():
                connection.execute(
                    "UPDATE topic SET retention_ms = ?, compacted = ? WHERE name = ?", (*_kept(layout), name)
                )
                connection.executemany(
                    "INSERT INTO topic_partition (topic, partition) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    [(name, partition) for partition in range(layout.partitions)],
                )

    def begin_at(self, topic: Topic, offsets: Mapping[TopicPartition, int]) -> None:
        """Drop what stands before these offsets of a topic, and give none of them out any more, in one transaction."""
        with self._file.writing() as connection:
            for place, offset in offsets.items():
                (partition_id,) = connection.execute(
                    "UPDATE topic_partition SET next_offset = max(next_offset, ?) WHERE topic = ? AND partition = ? "
                    "RETURNING id",
                    (offset, topic.name, place.partition),
                ).fetchone()
                first = partition_id << OFFSET_BITS
                connection.execute("DELETE FROM message WHERE position >= ? AND position < ?", (first, first + offset))

    def rights(self, principals: str) -> set[Right] | None:
        """Return None: the file's owner may do everything."""
        return None

    def grant(self, rights: Iterable[Right]) -> None:
        """Do nothing: there are no rights to add."""

    def revoke(self, rights: Iterable[Right]) -> None:
        """Do nothing: there are no rights to take away."""

    def close(self) -> None:
        """Close the connection."""
        self._file.close()


def _settings(retention_ms: int | None, compacted: bool) -> dict[str, str]:
    return {
        _POLICY: _COMPACT if compacted else "delete",
        _RETENTION: _FOR_EVER if retention_ms is None else str(retention_ms),
    }


def _kept(layout: Layout) -> tuple[int | None, bool]:
    retention = layout.settings[_RETENTION]
    return (None if retention == _FOR_EVER else int(retention)), layout.settings[_POLICY] == _COMPACT
