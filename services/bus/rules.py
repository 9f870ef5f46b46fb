"""What every adapter refuses alike, before it writes anything."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final

from schemas.errors import InputError, Reason, StateError
from services.bus import Outgoing, TopicPartition

MESSAGE_LIMIT_BYTES: Final = 8 * 1024 * 1024
"""Largest value a message may have. Kafka's `max.message.bytes` must be at least this; 2,000 facts are some 100 kB."""

POLL_LIMIT_BYTES: Final = 64 * 1024 * 1024
"""A poll stops after this much, so that a reader's memory is bounded whatever the messages are."""

TOMBSTONE_RETENTION_MS: Final = 24 * 60 * 60 * 1000
"""How long a compacted topic shows a tombstone, so that readers that are behind learn of it (Kafka's default)."""


def refuse_unsendable(message: Outgoing, partitions: int, compacted: bool) -> None:
    """Raise InputError when a message is too large, has no such partition, or lacks the key that compaction needs."""
    if message.value is not None and len(message.value) > MESSAGE_LIMIT_BYTES:
        raise InputError(
            Reason.BATCH_TOO_LARGE,
            f"A message for {message.topic} is {len(message.value)} bytes; the limit is {MESSAGE_LIMIT_BYTES}. "
            "Send fewer rows in each batch.",
        )
    if not 0 <= message.partition < partitions:
        raise InputError(
            Reason.OPTION_INVALID,
            f"{message.topic} has partitions 0 to {partitions - 1}, not {message.partition}; "
            "count the partition from the topic table.",
        )
    if message.key is None and (compacted or message.value is None):
        raise InputError(
            Reason.OPTION_INVALID,
            f"A message for {message.topic} has no key, and a compacted topic or a tombstone needs one; give it a key.",
        )


def refuse_foreign(asked: Iterable[TopicPartition], read: Container[TopicPartition]) -> None:
    """Raise InputError when a consumer is sent to a partition that it does not read."""
    foreign = sorted(f"{p.topic}-{p.partition}" for p in asked if p not in read)
    if foreign:
        raise InputError(
            Reason.OPTION_INVALID,
            f"This consumer does not read {', '.join(foreign)}; give it the topic when you open it.",
        )


def unknown_topic(name: str) -> StateError:
    """Return the error for a topic that nobody has made."""
    return StateError(Reason.STORE_MISSING, f"The bus has no topic {name}; make the topics with `hwlink topics apply`.")
