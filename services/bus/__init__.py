"""The bus: topics with partitions, positions and at-least-once delivery. The port; adapters stand beside it.

Which adapter serves is chosen by the URL's scheme in `services.bootstrap`: `sqlite:///path`, `memory://` or
`kafka://host:port`. One contract suite, `tests/contract/test_bus.py`, runs over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.topics import Topic


@dataclass(frozen=True)
class TopicPartition:
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Message:
    """One message as read. `offset` counts from 0 within the partition, may have gaps, and never goes back."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]
    timestamp_ms: int


@dataclass(frozen=True)
class Outgoing:
    """One message to send. `value` None is a tombstone of its key."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]


Assigned = Callable[[Sequence[TopicPartition]], Mapping[TopicPartition, int]]
"""Told which partitions have come to a consumer; returns where to start them, where that is not the group's offset."""


class Producer(Protocol):
    """Sends messages. Thread-safe."""

    def send(self, messages: Sequence[Outgoing]) -> list[tuple[TopicPartition, int]]:
        """Send durably and return each message's partition and offset, in order.

        Returns only when every message is acknowledged; raises TransientError BUSY or UNAVAILABLE when it cannot be
        now, in which case any of them may have been written (at least once): send all of them again.
        """
        ...

    def close(self) -> None:
        """Release what the producer holds."""
        ...


class Consumer(Protocol):
    """Reads the partitions it was given, in offset order within each. Not thread-safe."""

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """Return up to `max_messages` further messages, waiting up to `timeout_s` for the first; empty when none
        came.
        """
        ...

    def position(self) -> dict[TopicPartition, int]:
        """Return the next offset to read of each partition; a member's, of those that it had at its last poll."""
        ...

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets. Partitions that have gone to another member since are passed over."""
        ...

    def commit(self) -> None:
        """Store the position as the group's, for lag and for groups that keep no position with their results."""
        ...

    def close(self) -> None:
        """Release what the consumer holds."""
        ...


class Bus(Protocol):
    """A bus. Opened by `services.bootstrap`."""

    @property
    def compresses(self) -> bool:
        """Whether it compresses what it carries, so that its senders need not."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened since the bus was opened, by the names of `services.bus.counts.COUNTS`; for metrics."""
        ...

    def create_topics(self, topics: Iterable[Topic]) -> None:
        """Make the topics that do not exist; existing ones are left as they are."""
        ...

    def producer(self) -> Producer:
        """Open a producer."""
        ...

    def consumer(
        self, group: str, topics: Sequence[Topic], *, member: str | None = None, assigned: Assigned | None = None
    ) -> Consumer:
        """Open a consumer of every partition of `topics`, at the group's committed offsets, else at the earliest.

        With a `member` name, the partitions are shared out among the group's members: each name is one process's alone,
        and keeps its partitions over a restart. They come and go at polls. `assigned` is asked where to start the ones
        that have come: within a poll for a member, within this call without one. What it leaves out starts at the
        group's committed offset. Adapters that cannot share partitions out give every member all of them, at once.
        """
        ...

    def end_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the offset that the next message of each partition will get."""
        ...

    def begin_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the first offset still held of each partition (later than 0 once retention has trimmed)."""
        ...

    def committed(self, group: str, topic: Topic) -> dict[TopicPartition, int]:
        """Return the group's committed offset of each partition, 0 where it has none."""
        ...

    def sent_at_ms(self, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return when the first message at or after each offset was sent, to the second, in milliseconds since 1970
        UTC; a partition that holds none is left out.
        """
        ...

    def trim(self, now_ms: int) -> int:
        """Drop messages past their topic's retention; return how many went."""
        ...

    def close(self) -> None:
        """Release what the bus holds."""
        ...
