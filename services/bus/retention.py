"""What retention took before a reader came to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.topics import Topic
from services.bus import Bus, Message, TopicPartition


def trimmed(
    bus: Bus, topic: Topic, start: Mapping[TopicPartition, int], messages: Sequence[Message]
) -> dict[TopicPartition, int]:
    """Return the first offset still held of each partition whose messages from `start` on are gone in part.

    `messages` are those that a poll from `start` gave: the bus is asked only when they leave a gap, or are none.
    """
    first: dict[TopicPartition, int] = {}
    for message in messages:
        first.setdefault(TopicPartition(message.topic, message.partition), message.offset)
    if messages and not any(offset > start[place] for place, offset in first.items()):
        return {}
    begins = bus.begin_offsets(topic)
    return {place: begins[place] for place, offset in start.items() if begins[place] > offset}
