"""The bus in one SQLite file: the embedded default. Any number of processes of one machine send and read at once."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.topics import Topic
from services.bus import Assigned, Message, Outgoing, TopicPartition
from services.bus.counts import Counts
from services.bus.rules import POLL_LIMIT_BYTES, refuse_foreign, refuse_unsendable, unknown_topic
from services.bus.sqlite_file import SqliteFile, create_topic
from services.bus.sqlite_trim import trim

OFFSET_BITS: Final = 40
"""Bits of a message's position that hold its offset; the bits above hold its partition's id."""

_FIRST_SLEEP_S: Final = 0.001
_LONGEST_SLEEP_S: Final = 0.02


@dataclass(frozen=True)
class _TopicRow:
    compacted: bool
    partition_ids: tuple[int, ...]


class _Catalogue:
    """Topics as the file has them. Topics are never removed, so what was read once holds."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._rows: dict[str, _TopicRow] = {}

    def __getitem__(self, name: str) -> _TopicRow:
        if name not in self._rows:
            with self._file.reading() as connection:
                row = connection.execute("SELECT compacted FROM topic WHERE name = ?", (name,)).fetchone()
                ids = connection.execute("SELECT id FROM topic_partition WHERE topic = ? ORDER BY partition", (name,))
                partition_ids = tuple(i for (i,) in ids.fetchall())
            if row is None:
                raise unknown_topic(name)
            self._rows[name] = _TopicRow(bool(row[0]), partition_ids)
        return self._rows[name]

    def partitions(self, topic: str) -> dict[TopicPartition, int]:
        """Return the id of each of a topic's partitions."""
        return {TopicPartition(topic, p): i for p, i in enumerate(self[topic].partition_ids)}


class SqliteBus:
    """A bus in one SQLite file. Thread-safe; may be forked or pickled, each process then opens the file itself."""

    compresses = False

    def __init__(self, path: Path, busy_timeout_s: float = 30.0) -> None:
        """Open the file, making it if need be.

        Raises StateError STORE_VERSION when it is not a bus of this version, TransientError BUSY when it stays locked
        for longer than `busy_timeout_s`.
        """
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._file = SqliteFile(path, busy_timeout_s)
        self._file.connection()
        self._catalogue = _Catalogue(self._file)
        self._counts = Counts()

    def __reduce__(self) -> tuple[type[SqliteBus], tuple[Path, float]]:
        return SqliteBus, (self._path, self._busy_timeout_s)

    @property
    def counts(self) -> Mapping[str, int]:
        """What this process did since it opened the bus, by the names of `services.bus.counts.COUNTS`."""
        return self._counts.now()

    def create_topics(self, topics: Iterable[Topic]) -> None:
        """Make the topics that do not exist; existing ones are left as they are."""
        with self._file.writing() as connection:
            for t in topics:
                create_topic(connection, t.name, t.partitions, t.retention_ms, t.compacted)

    def producer(self) -> SqliteProducer:
        """Open a producer."""
        return SqliteProducer(SqliteFile(self._path, self._busy_timeout_s), self._counts)

    def consumer(
        self, group: str, topics: Sequence[Topic], *, member: str | None = None, assigned: Assigned | None = None
    ) -> SqliteConsumer:
        """Open a consumer of every partition of `topics`, at the group's committed offsets, else at the earliest.

        A member gets every partition too, those that `assigned` names at its offsets.
        """
        file = SqliteFile(self._path, self._busy_timeout_s)
        consumer = SqliteConsumer(file, group, [t.name for t in topics], self._counts)
        if assigned is not None:
            consumer.seek(assigned(list(consumer.position())))
        return consumer

    def end_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the offset that the next message of each partition will get."""
        return self._by_partition(topic, "SELECT next_offset FROM topic_partition WHERE id = :id")

    def begin_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the first offset still held of each partition; its end where it holds none."""
        first = f"SELECT min(position) - (:id << {OFFSET_BITS}) FROM message WHERE position >= :id << {OFFSET_BITS} "
        return self._by_partition(
            topic,
            f"SELECT coalesce(({first} AND position < (:id + 1) << {OFFSET_BITS}), next_offset) "
            "FROM topic_partition WHERE id = :id",
        )

    def committed(self, group: str, topic: Topic) -> dict[TopicPartition, int]:
        """Return the group's committed offset of each partition, 0 where it has none."""
        return self._by_partition(
            topic,
            "SELECT coalesce(max(next_offset), 0) FROM committed WHERE consumer_group = :group AND partition_id = :id",
            group=group,
        )

    def _by_partition(self, topic: Topic, query: str, **parameters: str) -> dict[TopicPartition, int]:
        partitions = self._catalogue.partitions(topic.name)
        with self._file.reading() as connection:
            return {p: connection.execute(query, {"id": i, **parameters}).fetchone()[0] for p, i in partitions.items()}

    def sent_at_ms(self, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return when the first message at or after each offset was sent."""
        found = {}
        with self._file.reading() as connection:
            for place, offset in places.items():
                first = self._catalogue.partitions(place.topic)[place] << OFFSET_BITS
                row = connection.execute(
                    "SELECT timestamp_ms FROM message WHERE position >= ? AND position < ? ORDER BY position LIMIT 1",
                    (first + offset, first + (1 << OFFSET_BITS)),
                ).fetchone()
                if row is not None:
                    found[place] = int(row[0])
        return found

    def trim(self, now_ms: int) -> int:
        """Drop messages past their topic's retention, and superseded ones of compacted topics; return how many went.

        Works in short transactions, so that senders wait little, and gives the freed space back to the file system.
        """
        return trim(self._file, now_ms, OFFSET_BITS)

    def close(self) -> None:
        """Close the bus's own connection; producers and consumers close theirs."""
        self._file.close()


class SqliteProducer:
    """Sends messages. Thread-safe: one transaction at a time."""

    def __init__(self, file: SqliteFile, counts: Counts) -> None:
        self._file = file
        self._counts = counts
        self._catalogue = _Catalogue(file)

    def send(self, messages: Sequence[Outgoing]) -> list[tuple[TopicPartition, int]]:
        """Append all messages or none, in one transaction, and return each one's partition and offset, in order."""
        if not messages:
            return []
        for m in messages:
            topic = self._catalogue[m.topic]
            refuse_unsendable(m, len(topic.partition_ids), topic.compacted)
        ids = [self._catalogue[m.topic].partition_ids[m.partition] for m in messages]
        now_ms = time.time_ns() // 1_000_000
        offsets: list[int] = []
        with self._file.writing() as connection:
            ends: dict[int, int] = {}
            for partition_id, count in Counter(ids).items():
                query = "SELECT next_offset FROM topic_partition WHERE id = ?"
                ends[partition_id] = connection.execute(query, (partition_id,)).fetchone()[0]
                connection.execute(
                    "UPDATE topic_partition SET next_offset = next_offset + ? WHERE id = ?", (count, partition_id)
                )
            for partition_id in ids:
                offsets.append(ends[partition_id])
                ends[partition_id] += 1
            connection.executemany(
                "INSERT INTO message (position, timestamp_ms, key, headers, value) VALUES (?, ?, ?, ?, ?)",
                (
                    ((i << OFFSET_BITS) + offset, now_ms, m.key, json.dumps(dict(m.headers)), m.value)
                    for m, i, offset in zip(messages, ids, offsets, strict=True)
                ),
            )
        self._counts.add(sent=len(messages), sent_bytes=sum(len(m.value or b"") for m in messages))
        return [(TopicPartition(m.topic, m.partition), o) for m, o in zip(messages, offsets, strict=True)]

    def close(self) -> None:
        """Close the connection."""
        self._file.close()


class SqliteConsumer:
    """Reads its partitions in offset order, taking turns between them. Not thread-safe."""

    def __init__(self, file: SqliteFile, group: str, topics: Sequence[str], counts: Counts) -> None:
        self._file = file
        self._counts = counts
        self._group = group
        catalogue = _Catalogue(file)
        self._ids = {p: i for topic in topics for p, i in catalogue.partitions(topic).items()}
        with file.reading() as connection:
            held = connection.execute(
                "SELECT partition_id, next_offset FROM committed WHERE consumer_group = ?", (group,)
            ).fetchall()
        committed: dict[int, int] = dict(held)
        self._positions = {p: committed.get(i, 0) for p, i in self._ids.items()}
        self._turn = 0

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """Return up to `max_messages` (or 64 MiB of) further messages, waiting up to `timeout_s` for the first.

        While nothing is there it sleeps, 1 to 20 ms, and asks SQLite only whether the file has changed at all.
        """
        deadline = time.monotonic() + timeout_s
        sleep_s = _FIRST_SLEEP_S
        seen = -1
        while True:
            with self._file.reading() as connection:
                # Read before the messages: a send in between then shows as a change, and is looked for once more.
                changed: int = connection.execute("PRAGMA data_version").fetchone()[0]
                if changed != seen:
                    seen = changed
                    messages = self._take(max_messages)
                    self._note_lag()
                    if messages:
                        self._counts.add(read=len(messages), read_bytes=sum(len(m.value or b"") for m in messages))
                        return messages
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return []
            time.sleep(min(sleep_s, left_s))
            sleep_s = min(sleep_s * 2, _LONGEST_SLEEP_S)

    def _take(self, max_messages: int) -> list[Message]:
        order = list(self._ids)
        self._turn += 1
        taken: list[Message] = []
        after = dict(self._positions)
        left_bytes = POLL_LIMIT_BYTES
        for i in range(len(order)):
            partition = order[(i + self._turn) % len(order)]
            first = self._ids[partition] << OFFSET_BITS
            cursor = self._file.connection().execute(
                "SELECT position, timestamp_ms, key, headers, value FROM message WHERE position >= ? AND position < ? "
                "ORDER BY position LIMIT ?",
                (first + self._positions[partition], first + (1 << OFFSET_BITS), max_messages - len(taken)),
            )
            for position, timestamp_ms, key, headers, value in cursor:
                offset = position - first
                taken.append(
                    Message(partition.topic, partition.partition, offset, key, value, json.loads(headers), timestamp_ms)
                )
                after[partition] = offset + 1
                left_bytes -= len(value or b"")
                if left_bytes <= 0:
                    break
            cursor.close()  # an open cursor would hold a snapshot, and with it the write-ahead log
            if left_bytes <= 0 or len(taken) >= max_messages:
                break
        self._positions = after  # only now: a read that fails half-way has then read nothing
        return taken

    def _note_lag(self) -> None:
        ends = self._file.connection().execute("SELECT id, next_offset FROM topic_partition").fetchall()
        end_of = dict(ends)
        self._counts.set_lag(self, sum(end_of[i] - self._positions[p] for p, i in self._ids.items()))

    def position(self) -> dict[TopicPartition, int]:
        """Return the next offset to read of each partition."""
        return dict(self._positions)

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets; InputError for a partition that this consumer does not read."""
        refuse_foreign(positions, self._positions)
        self._positions.update(positions)

    def commit(self) -> None:
        """Store the position as the group's, in one transaction."""
        with self._file.writing() as connection:
            connection.executemany(
                "INSERT INTO committed (consumer_group, partition_id, next_offset) VALUES (?, ?, ?) "
                "ON CONFLICT (consumer_group, partition_id) DO UPDATE SET next_offset = excluded.next_offset",
                [(self._group, self._ids[p], offset) for p, offset in self._positions.items()],
            )
        self._counts.add(commits=1)

    def close(self) -> None:
        """Close the connection."""
        self._counts.forget(self)
        self._file.close()
