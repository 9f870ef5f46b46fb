"""Topics and rights as the table says they must be, how a bus differs from that, and what brings it there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from schemas.purposes import shipped_purposes
from schemas.topics import INTERNAL, REPLAY, Topic, features_topic, person_events_topic
from services.bus.layout import Layout, LayoutAdmin, Operation, Resource, Right

PRINCIPALS: Final = "User:hwlink-"
"""What stands before a role's name in its principal, unless the operator says otherwise."""

OPERATOR: Final = "operator"
"""As whom `hwlink doctor` and `hwlink dlq` look: it describes every topic and group, and reads dead letters only."""

SERVES_ADMIN: Final = "review"
"""The role that serves the AdminService: it describes what the operator describes."""

SETTLE_S: Final = 10.0
"""How long a cluster may take to show a change that it has taken (measured: well under a second on one broker)."""

_LOOK_S: Final = 0.1

DESCRIBERS: Final = ("ingest", "landing", "matcher", "resolver", "features", SERVES_ADMIN, OPERATOR, REPLAY)
"""Whoever opens the bus: it looks whether every topic is there, and roles compare their positions with the ends of
others' topics. That tells how many messages there are, and nothing of what is in them."""

_PROCESS_OF: Final = {"landing-linkage": "landing", "landing-content": "landing"}
"""Readers in the table that are consumer groups of one process, which connects once."""


@dataclass(frozen=True)
class Difference:
    """One way in which a bus differs from the table. `mendable` says whether `apply` can mend it."""

    name: str
    what: str
    wanted: str
    found: str
    mendable: bool = True


@dataclass(frozen=True)
class Plan:
    """What the table wants of one bus, and in what that differs. `checks_rights` is False where the bus has none."""

    create: dict[str, Layout]
    alter: dict[str, Layout]
    grant: frozenset[Right]
    revoke: frozenset[Right]
    differences: tuple[Difference, ...]
    checks_rights: bool


def every_topic() -> list[Topic]:
    """Return every topic of a deployment: the internal ones, those of each consumer, and all of their dead letters."""
    consumers = sorted({p.consumer for p in shipped_purposes().values() if p.feeds_topic and p.consumer})
    outward = [topic for name in consumers for topic in (features_topic(name), person_events_topic(name))]
    return [*INTERNAL, *(topic.dead for topic in INTERNAL), *outward]


def rights_of(topics: Iterable[Topic], principals: str = PRINCIPALS) -> frozenset[Right]:
    """Return the rights that the table gives: each reader its topics and its groups, each writer its topics."""
    rights: set[Right] = set()
    watchers = [principals + name for name in (OPERATOR, SERVES_ADMIN)]
    for topic in topics:
        for reader in topic.readers:
            principal = principals + _PROCESS_OF.get(reader, reader)
            rights.add(Right(principal, Operation.READ, Resource.TOPIC, topic.name))
            rights.add(Right(principal, Operation.READ, Resource.GROUPS, reader))
            rights.update(Right(watcher, Operation.DESCRIBE, Resource.GROUPS, reader) for watcher in watchers)
        for writer in topic.writers:
            principal = principals + _PROCESS_OF.get(writer, writer)
            rights.add(Right(principal, Operation.WRITE, Resource.TOPIC, topic.name))
        rights.update(Right(principals + name, Operation.DESCRIBE, Resource.TOPIC, topic.name) for name in DESCRIBERS)
    return frozenset(rights)


def plan(admin: LayoutAdmin, topics: Sequence[Topic], principals: str = PRINCIPALS) -> Plan:
    """Compare a bus with the table.

    Rights are compared among the principals whose names begin with `principals`; nobody else's are touched.
    """
    wanted = {topic.name: admin.wanted(topic) for topic in topics}
    found = admin.layouts(list(wanted))
    differences: list[Difference] = []
    alter: dict[str, Layout] = {}
    for name, layout in wanted.items():
        if name not in found:
            differences.append(Difference(name, "topic", "there", "missing"))
            continue
        unlike = _unlike(name, layout, found[name])
        differences += unlike
        if any(difference.mendable for difference in unlike):
            alter[name] = replace(layout, partitions=max(layout.partitions, found[name].partitions))
    given = admin.rights(principals)
    rights = rights_of(topics, principals)
    grant = frozenset() if given is None else rights - given
    revoke = frozenset() if given is None else frozenset(given) - rights
    differences += [_right(right, "given", "missing") for right in sorted(grant)]
    differences += [_right(right, "not given", "given") for right in sorted(revoke)]
    return Plan(
        create={name: layout for name, layout in wanted.items() if name not in found},
        alter=alter,
        grant=grant,
        revoke=revoke,
        differences=tuple(differences),
        checks_rights=given is not None,
    )


def apply(admin: LayoutAdmin, wanted: Plan) -> None:
    """Bring a bus to what a plan wants: topics first, then the rights on them."""
    admin.create(wanted.create)
    admin.alter(wanted.alter)
    admin.grant(wanted.grant)
    admin.revoke(wanted.revoke)


def settled(
    admin: LayoutAdmin, topics: Sequence[Topic], principals: str = PRINCIPALS, wait_s: float = SETTLE_S
) -> Plan:
    """Return what still differs once changes have shown: brokers tell one another of them, and answer before that."""
    deadline = time.monotonic() + wait_s
    while True:
        left = plan(admin, topics, principals)
        if not any(difference.mendable for difference in left.differences) or time.monotonic() >= deadline:
            return left
        time.sleep(_LOOK_S)


def _unlike(name: str, wanted: Layout, found: Layout) -> list[Difference]:
    differences = [
        Difference(name, setting, value, found.settings.get(setting, "none"))
        for setting, value in sorted(wanted.settings.items())
        if found.settings.get(setting) != value
    ]
    if wanted.partitions != found.partitions:
        # Fewer partitions would mean to throw messages away; Kafka has no such act, and hwlink wants none.
        more = wanted.partitions > found.partitions
        differences.append(Difference(name, "partitions", str(wanted.partitions), str(found.partitions), more))
    return differences


def _right(right: Right, wanted: str, found: str) -> Difference:
    return Difference(f"{right.resource} {right.name}", f"{right.operation} by {right.principal}", wanted, found)
