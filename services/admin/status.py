"""How far each role has come on the topics it reads, from the positions that roles keep with their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.topics import CONTENT, LINKS, PERSONS, SUBJECTS, Topic
from services.bus import Bus
from services.registry import Registry


@dataclass(frozen=True)
class PartitionPosition:
    """A role's next offset on one partition, and the offset that the partition's next message will get."""

    topic: str
    partition: int
    next_offset: int
    end_offset: int

    @property
    def lag_messages(self) -> int:
        """Messages not yet dealt with."""
        return max(0, self.end_offset - self.next_offset)


@dataclass(frozen=True)
class RoleStatus:
    """One role's positions. `unpublished` counts results that the role holds and has not passed on yet."""

    role: str
    positions: tuple[PartitionPosition, ...]
    unpublished: int = 0

    @property
    def lag_messages(self) -> int:
        """Messages the role has still to deal with, and results it has still to pass on."""
        return sum(p.lag_messages for p in self.positions) + self.unpublished


def status(bus: Bus, registry: Registry) -> list[RoleStatus]:
    """Return every role's status, in the order in which records pass them.

    Read role by role without a lock: while records flow, a later role may be shown further on than an earlier one.
    """
    landed_content = tuple(CONTENT.values())
    shards = registry.matcher.shards()
    slowest: dict[str, int] = {}
    for shard in shards:
        for name, offset in shard.position.items():
            slowest[name] = min(offset, slowest.get(name, offset))
    persons_position, sequence = registry.features.features_position()
    outbox = registry.resolver.outbox(registry.resolver.relayed(), 1)
    return [
        RoleStatus("landing-linkage", _committed(bus, "landing-linkage", (SUBJECTS,))),
        RoleStatus("landing-content", _committed(bus, "landing-content", landed_content)),
        RoleStatus("matcher", _kept(bus, SUBJECTS, slowest)),
        RoleStatus("resolver", _kept(bus, LINKS, registry.resolver.position()), unpublished=len(outbox)),
        RoleStatus("features", _kept(bus, PERSONS, persons_position), unpublished=_unbuilt(bus, registry, sequence)),
    ]


def drained(roles: Sequence[RoleStatus]) -> bool:
    """Return whether nothing is under way any more."""
    return all(role.lag_messages == 0 for role in roles)


def _unbuilt(bus: Bus, registry: Registry, sequence: int) -> int:
    """Return 1 when content has landed that the newest snapshot was not made from, or nothing was published yet."""
    if not sequence:
        return 0
    snapshots = registry.features.snapshots()
    if not snapshots:
        return 1
    seen = snapshots[0].positions
    for topic in CONTENT.values():
        for key, end in bus.end_offsets(topic).items():
            if seen.get(f"{topic.name}-{key.partition}", 0) < end:
                return 1
    return 0


def _committed(bus: Bus, group: str, topics: Sequence[Topic]) -> tuple[PartitionPosition, ...]:
    positions = []
    for topic in topics:
        committed = bus.committed(group, topic)
        for key, end in sorted(bus.end_offsets(topic).items(), key=lambda item: item[0].partition):
            positions.append(PartitionPosition(topic.name, key.partition, committed.get(key, 0), end))
    return tuple(positions)


def _kept(bus: Bus, topic: Topic, position: Mapping[str, int]) -> tuple[PartitionPosition, ...]:
    ends = sorted(bus.end_offsets(topic).items(), key=lambda item: item[0].partition)
    return tuple(
        PartitionPosition(topic.name, key.partition, position.get(f"{topic.name}-{key.partition}", 0), end)
        for key, end in ends
    )
