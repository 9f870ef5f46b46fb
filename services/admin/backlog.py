"""How long what waits has waited, by reader, shard and partition, and when retention would take it unread."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.topics import INTERNAL, SUBJECTS
from services.admin.status import PartitionPosition, RoleStatus, positions_on
from services.bus import Bus, TopicPartition
from services.registry import Registry

LATE_SHARE: Final = 0.5
"""Share of a topic's retention that a message may wait before it is late: half of it is left for mending things."""

_RETENTION_MS: Final = {topic.name: topic.retention_ms for topic in INTERNAL}


@dataclass(frozen=True)
class Backlog:
    """What one reader has still to read of one partition.

    `shard` is the matcher's, None for readers without shards. `age_s` is how long ago the oldest unread message was
    sent, `retention_share` that as a share of what the topic keeps (None where it keeps for ever).
    """

    role: str
    shard: int | None
    topic: str
    partition: int
    lag_messages: int
    age_s: float
    retention_share: float | None

    @property
    def reader(self) -> str:
        """The role, with its shard where it has one."""
        return self.role if self.shard is None else f"{self.role} shard {self.shard}"


def backlogs(bus: Bus, registry: Registry, roles: Sequence[RoleStatus], now_ms: int | None = None) -> list[Backlog]:
    """Return what waits for each reader; `roles` is what `status` returned. Nothing where nothing waits."""
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    behind = list(_behind(bus, registry, roles))
    oldest = _oldest(bus, [position for _, _, position in behind])
    found = []
    for role, shard, position in behind:
        sent_at_ms = oldest.get((TopicPartition(position.topic, position.partition), position.next_offset))
        if sent_at_ms is None:
            continue  # nothing is held there any more: the marker of a transaction, or what retention took
        age_s = max(0.0, (now_ms - sent_at_ms) / 1000)
        kept_ms = _RETENTION_MS.get(position.topic)
        share = None if kept_ms is None else age_s * 1000 / kept_ms
        found.append(Backlog(role, shard, position.topic, position.partition, position.lag_messages, age_s, share))
    return found


def late(found: Sequence[Backlog], share: float = LATE_SHARE, age_s: float | None = None) -> list[Backlog]:
    """Return what has waited for too long: `share` of its retention, or `age_s` seconds."""
    return [
        one
        for one in found
        if (one.retention_share is not None and one.retention_share >= share)
        or (age_s is not None and one.age_s >= age_s)
    ]


def oldest_age_s(found: Sequence[Backlog]) -> dict[str, float]:
    """Return the age of the oldest unread message by role."""
    ages: dict[str, float] = {}
    for one in found:
        ages[one.role] = max(one.age_s, ages.get(one.role, 0.0))
    return ages


def _behind(
    bus: Bus, registry: Registry, roles: Sequence[RoleStatus]
) -> Iterator[tuple[str, int | None, PartitionPosition]]:
    for role in roles:
        if role.role == "matcher":
            continue
        yield from ((role.role, None, position) for position in role.positions if position.lag_messages)
    for shard in registry.matcher.shards():
        for position in positions_on(bus, SUBJECTS, shard.position):
            if position.lag_messages:
                yield "matcher", shard.shard, position


def _oldest(bus: Bus, positions: Sequence[PartitionPosition]) -> Mapping[tuple[TopicPartition, int], int]:
    """Return when the first message at or after each position was sent; a bus is asked one offset a partition."""
    asked: dict[TopicPartition, set[int]] = {}
    for position in positions:
        asked.setdefault(TopicPartition(position.topic, position.partition), set()).add(position.next_offset)
    found: dict[tuple[TopicPartition, int], int] = {}
    while asked:
        places = {place: offsets.pop() for place, offsets in asked.items()}
        found |= {(place, places[place]): at for place, at in bus.sent_at_ms(places).items()}
        asked = {place: offsets for place, offsets in asked.items() if offsets}
    return found
