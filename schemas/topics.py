"""Every topic in one table: name, partitions, key, retention, who reads it. Nothing else in the project spells a
topic's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.contracts.base import Feed

DAYS_MS: Final = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class Topic:
    """One topic. `retention_ms` is None where messages are kept for ever; `compacted` keeps the last message of each
    key.

    `value` says what a message holds; `key` what its key is; `readers` which roles may read it (a Kafka ACL each).
    """

    name: str
    partitions: int
    key: str
    value: str
    readers: tuple[str, ...]
    retention_ms: int | None = 7 * DAYS_MS
    compacted: bool = False

    @property
    def dead(self) -> Topic:
        """The topic's dead letters: redacted envelope, reason and position, never values."""
        return Topic(f"{self.name}.dead", 1, "position", "JSON: reason and position", ("operator",), 30 * DAYS_MS)


SUBJECTS: Final = Topic(
    "hwlink.subjects.v1", 4, "source", "Arrow IPC stream of Subject rows of one source", ("matcher", "landing-linkage")
)
HEALTH: Final = Topic("hwlink.health.v1", 4, "source", "Arrow IPC stream of facts of one kind", ("landing-content",))
WELFARE: Final = Topic("hwlink.welfare.v1", 4, "source", "Arrow IPC stream of facts of one kind", ("landing-content",))
LINKS: Final = Topic("hwlink.links.v1", 4, "shard", "Arrow IPC stream of Roster or PairLink rows", ("resolver",))
PERSONS: Final = Topic(
    "hwlink.persons.v1", 1, "none", "one resolver transaction: Arrow IPC of MembershipChange", ("features",)
)
AUDIT: Final = Topic("hwlink.audit.v1", 1, "none", "JSON audit event", ("governance",), retention_ms=None)

INTERNAL: Final = (SUBJECTS, HEALTH, WELFARE, LINKS, PERSONS, AUDIT)
CONTENT: Final[dict[Feed, Topic]] = {Feed.HEALTH: HEALTH, Feed.WELFARE: WELFARE}


def features_topic(consumer: str) -> Topic:
    """Return the feature topic of one consumer: one JSON record a person, tombstone on retirement."""
    return Topic(
        f"hwlink.features.{consumer}.v1",
        4,
        "re-keyed person id",
        "JSON feature record",
        (consumer,),
        None,
        compacted=True,
    )


def person_events_topic(consumer: str) -> Topic:
    """Return the lineage topic of one consumer: merges, splits and retirements of its re-keyed ids."""
    return Topic(
        f"hwlink.person-events.{consumer}.v1",
        1,
        "re-keyed person id",
        "JSON person event",
        (consumer,),
        None,
        compacted=True,
    )
