"""How far each role has come on the topics it reads, from the positions that roles keep with their results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.topics import CONTENT, LINKS, PERSONS, SUBJECTS, Topic
from services.bus import Bus
from services.lake import Zone
from services.registry import Registry

LANDING_LINKAGE: Final = "landing-linkage"
LANDING_CONTENT: Final = "landing-content"
"""Consumer groups of landing, whose committed offsets say how far it is; other roles keep theirs in the registry."""


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


def status(bus: Bus, registry: Registry, content: Zone | None = None) -> list[RoleStatus]:
    """Return every role's status, in the order in which records pass them.

    Read without a lock, upstream first and each position before the end that it is set against: while records flow,
    a role may be shown further behind than it is, and never further on, so that nothing under way is overlooked.
    While a model is being adopted, `matcher-candidate` is how far its shards are.
    `content` tells what has landed to the message; without it, that is taken from landing's committed position, which
    also counts messages that were put aside as unusable.
    """
    resolver = registry.resolver
    candidate = registry.adoptions.in_use().candidate
    return [
        RoleStatus("landing-linkage", _committed(bus, LANDING_LINKAGE, (SUBJECTS,))),
        RoleStatus("landing-content", _committed(bus, LANDING_CONTENT, tuple(CONTENT.values()))),
        RoleStatus("matcher", positions_on(bus, SUBJECTS, _slowest(registry))),
        *(
            [RoleStatus("matcher-candidate", positions_on(bus, SUBJECTS, _slowest(registry, candidate)))]
            if candidate
            else []
        ),
        RoleStatus(
            "resolver",
            positions_on(bus, LINKS, resolver.position()),
            unpublished=len(resolver.outbox(resolver.relayed(), 1)),  # after the position: they move together
        ),
        RoleStatus(
            "features",
            positions_on(bus, PERSONS, registry.features.features_position()[0]),
            unpublished=_unbuilt(bus, registry, content),
        ),
    ]


@dataclass(frozen=True)
class DriftAlarm:
    """A measure of a source that is not any more what it was when its model came into force.

    `share` is that of the `bucket` that changed most in the last window, `usual_share` what it was before, `index` the
    population stability index of the whole measure.
    """

    source: str
    measure: str
    bucket: str
    usual_share: float
    share: float
    index: float


def drift_alarms(registry: Registry) -> list[DriftAlarm]:
    """Return the alarms of every source's last window by the model in force, by source."""
    documents = registry.matcher.drift().items()
    return [DriftAlarm(source=source, **alarm) for source, text in documents for alarm in json.loads(text)["alarms"]]


def drained(roles: Sequence[RoleStatus]) -> bool:
    """Return whether nothing is under way any more."""
    return all(role.lag_messages == 0 for role in roles)


def _slowest(registry: Registry, model_id: str | None = None) -> dict[str, int]:
    """Return how far every shard of a model has come (that in force): one that has not begun holds all of them back."""
    positions = [shard.position for shard in registry.matcher.shards(model_id)]
    names = {name for position in positions for name in position}
    return {name: min(position.get(name, 0) for position in positions) for name in names}


def _unbuilt(bus: Bus, registry: Registry, content: Zone | None) -> int:
    """Return 1 when facts have landed that the newest snapshot was not made from, else 0.

    A snapshot's positions name what it read of the content zone as `table:topic-partition`, with the last offset.
    """
    snapshots = registry.features.snapshots()
    seen = {name: at for name, at in snapshots[0].positions.items() if ":" in name} if snapshots else {}
    if content is not None:
        landed = {f"{table}:{name}": at for table in content.tables() for name, at in content.offsets(table).items()}
        return int(any(seen.get(name, -1) < at for name, at in landed.items()))
    built: dict[str, int] = {}
    for name, at in seen.items():
        partition = name.partition(":")[2]
        built[partition] = max(at + 1, built.get(partition, 0))
    committed = _committed(bus, LANDING_CONTENT, tuple(CONTENT.values()))
    return int(any(built.get(f"{p.topic}-{p.partition}", 0) < p.next_offset for p in committed))


def _committed(bus: Bus, group: str, topics: Sequence[Topic]) -> tuple[PartitionPosition, ...]:
    positions = []
    for topic in topics:
        committed = bus.committed(group, topic)
        for key, end in sorted(bus.end_offsets(topic).items(), key=lambda item: item[0].partition):
            positions.append(PartitionPosition(topic.name, key.partition, committed.get(key, 0), end))
    return tuple(positions)


def positions_on(bus: Bus, topic: Topic, position: Mapping[str, int]) -> tuple[PartitionPosition, ...]:
    """Return a position that a role keeps with its results (`topic-partition` -> next offset), by partition."""
    ends = sorted(bus.end_offsets(topic).items(), key=lambda item: item[0].partition)
    return tuple(
        PartitionPosition(topic.name, key.partition, position.get(f"{topic.name}-{key.partition}", 0), end)
        for key, end in ends
    )
