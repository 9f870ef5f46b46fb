"""The bus in one process's memory: for tests and for offline runs. Nothing outlives the process."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.topics import Topic
from services.bus import Assigned, Message, Outgoing, TopicPartition
from services.bus.counts import Counts
from services.bus.rules import TOMBSTONE_RETENTION_MS, refuse_foreign, refuse_unsendable, unknown_topic


@dataclass
class _Log:
    """One partition: its messages in offset order, and the offset that the next one gets."""

    messages: list[Message] = field(default_factory=list)
    next_offset: int = 0

    def index_of(self, offset: int) -> int:
        return bisect_left(self.messages, offset, key=lambda m: m.offset)


class _Store:
    """Topics, logs and committed offsets, under one condition that is notified at each send."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.topics: dict[str, Topic] = {}
        self.logs: dict[TopicPartition, _Log] = {}
        self.committed: dict[tuple[str, TopicPartition], int] = {}
        self.counts = Counts()

    def partitions(self, topic: str) -> list[TopicPartition]:
        if topic not in self.topics:
            raise unknown_topic(topic)
        return [TopicPartition(topic, p) for p in range(self.topics[topic].partitions)]


class MemoryBus:
    """A bus whose producers and consumers share one process. Thread-safe."""

    compresses = False

    def __init__(self) -> None:
        self._store = _Store()

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened since the bus was opened, by the names of `services.bus.counts.COUNTS`."""
        return self._store.counts.now()

    def create_topics(self, topics: Iterable[Topic]) -> None:
        """Make the topics that do not exist; existing ones are left as they are."""
        with self._store.changed:
            for topic in topics:
                if self._store.topics.setdefault(topic.name, topic) is topic:
                    for partition in self._store.partitions(topic.name):
                        self._store.logs.setdefault(partition, _Log())

    def producer(self) -> MemoryProducer:
        """Open a producer."""
        return MemoryProducer(self._store)

    def consumer(
        self, group: str, topics: Sequence[Topic], *, member: str | None = None, assigned: Assigned | None = None
    ) -> MemoryConsumer:
        """Open a consumer of every partition of `topics`, at the group's committed offsets, else at the earliest.

        A member gets every partition too, those that `assigned` names at its offsets.
        """
        consumer = MemoryConsumer(self._store, group, [topic.name for topic in topics])
        if assigned is not None:
            consumer.seek(assigned(list(consumer.position())))
        return consumer

    def end_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the offset that the next message of each partition will get."""
        with self._store.changed:
            return {p: self._store.logs[p].next_offset for p in self._store.partitions(topic.name)}

    def begin_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the first offset still held of each partition; its end where it holds none."""
        with self._store.changed:
            logs = {p: self._store.logs[p] for p in self._store.partitions(topic.name)}
            return {p: log.messages[0].offset if log.messages else log.next_offset for p, log in logs.items()}

    def committed(self, group: str, topic: Topic) -> dict[TopicPartition, int]:
        """Return the group's committed offset of each partition, 0 where it has none."""
        with self._store.changed:
            return {p: self._store.committed.get((group, p), 0) for p in self._store.partitions(topic.name)}

    def sent_at_ms(self, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return when the first message at or after each offset was sent."""
        with self._store.changed:
            logs = {p: self._store.logs[p].messages[self._store.logs[p].index_of(at) :] for p, at in places.items()}
            return {p: messages[0].timestamp_ms for p, messages in logs.items() if messages}

    def trim(self, now_ms: int) -> int:
        """Drop messages past their topic's retention, and superseded ones of compacted topics; return how many went."""
        gone = 0
        with self._store.changed:
            for partition, log in self._store.logs.items():
                kept = _kept(log.messages, self._store.topics[partition.topic], now_ms)
                gone += len(log.messages) - len(kept)
                log.messages = kept
        return gone

    def close(self) -> None:
        """Hold nothing back: the messages go with the object."""


def _kept(messages: list[Message], topic: Topic, now_ms: int) -> list[Message]:
    """Return what retention and compaction leave of one partition."""
    if topic.compacted:
        last = {m.key: m.offset for m in messages}
        messages = [
            m
            for m in messages
            if last[m.key] == m.offset and (m.value is not None or m.timestamp_ms > now_ms - TOMBSTONE_RETENTION_MS)
        ]
    if topic.retention_ms is not None:
        cutoff = now_ms - topic.retention_ms
        first = next((i for i, m in enumerate(messages) if m.timestamp_ms >= cutoff), len(messages))
        messages = messages[first:]
    return messages


class MemoryProducer:
    """Sends messages. Thread-safe."""

    def __init__(self, store: _Store) -> None:
        self._store = store

    def send(self, messages: Sequence[Outgoing]) -> list[tuple[TopicPartition, int]]:
        """Append all messages or none, and return each one's partition and offset, in order."""
        sent: list[tuple[TopicPartition, int]] = []
        with self._store.changed:
            for message in messages:
                partitions = self._store.partitions(message.topic)
                refuse_unsendable(message, len(partitions), self._store.topics[message.topic].compacted)
            now_ms = time.time_ns() // 1_000_000
            for m in messages:
                partition = TopicPartition(m.topic, m.partition)
                log = self._store.logs[partition]
                log.messages.append(
                    Message(m.topic, m.partition, log.next_offset, m.key, m.value, dict(m.headers), now_ms)
                )
                sent.append((partition, log.next_offset))
                log.next_offset += 1
            self._store.changed.notify_all()
        self._store.counts.add(sent=len(messages), sent_bytes=sum(len(m.value or b"") for m in messages))
        return sent

    def close(self) -> None:
        """Hold nothing."""


class MemoryConsumer:
    """Reads its partitions in offset order, taking turns between them. Not thread-safe."""

    def __init__(self, store: _Store, group: str, topics: Sequence[str]) -> None:
        self._store = store
        self._group = group
        with store.changed:
            self._positions = {
                partition: store.committed.get((group, partition), 0)
                for topic in topics
                for partition in store.partitions(topic)
            }
        self._turn = 0

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """Return up to `max_messages` further messages, waiting up to `timeout_s` for the first; empty if none came."""
        deadline = time.monotonic() + timeout_s
        with self._store.changed:
            while not (messages := self._take(max_messages)):
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    break
                self._store.changed.wait(left_s)
            ends = {p: self._store.logs[p].next_offset for p in self._positions}
        self._store.counts.set_lag(self, sum(end - self._positions[p] for p, end in ends.items()))
        self._store.counts.add(read=len(messages), read_bytes=sum(len(m.value or b"") for m in messages))
        return messages

    def _take(self, max_messages: int) -> list[Message]:
        order = list(self._positions)
        self._turn += 1
        taken: list[Message] = []
        for i in range(len(order)):
            partition = order[(i + self._turn) % len(order)]
            log = self._store.logs[partition]
            start = log.index_of(self._positions[partition])
            found = log.messages[start : start + max_messages - len(taken)]
            if found:
                taken += found
                self._positions[partition] = found[-1].offset + 1
        return taken

    def position(self) -> dict[TopicPartition, int]:
        """Return the next offset to read of each partition."""
        return dict(self._positions)

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets; InputError for a partition that this consumer does not read."""
        refuse_foreign(positions, self._positions)
        self._positions.update(positions)

    def commit(self) -> None:
        """Store the position as the group's."""
        with self._store.changed:
            self._store.committed.update({(self._group, p): offset for p, offset in self._positions.items()})
        self._store.counts.add(commits=1)

    def close(self) -> None:
        """Hold nothing."""
        self._store.counts.forget(self)
