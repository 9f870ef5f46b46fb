"""Every topic in one table: name, partitions, key, retention, who reads and who writes it. Nothing else in the project
spells a topic's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.contracts.base import Feed

DAYS_MS: Final = 24 * 60 * 60 * 1000
REPLAY: Final = "replay"
"""As whom `hwlink dlq replay` reads and writes: no role has both of that."""


@dataclass(frozen=True)
class Topic:
    """One topic. `retention_ms` is None where messages are kept for ever; `compacted` keeps the last message of each
    key.

    `value` says what a message holds; `key` what its key is; `readers` and `writers` which roles may read and write it
    (a Kafka ACL each; `services.admin.layout` says as whom each of them connects).
    """

    name: str
    partitions: int
    key: str
    value: str
    readers: tuple[str, ...]
    writers: tuple[str, ...] = ()
    retention_ms: int | None = 7 * DAYS_MS
    compacted: bool = False

    @property
    def dead(self) -> Topic:
        """The topic's dead letters: redacted envelope, reason and position, never values."""
        return Topic(
            f"{self.name}.dead",
            1,
            "position",
            "JSON: reason and position",
            readers=("operator", REPLAY),
            writers=tuple(reader for reader in self.readers if reader != REPLAY),
            retention_ms=30 * DAYS_MS,
        )


SUBJECTS: Final = Topic(
    "hwlink.subjects.v1",
    4,
    "source",
    "Arrow IPC stream of Subject rows of one source",
    readers=("matcher", "landing-linkage", REPLAY),
    writers=("ingest", REPLAY),
)
HEALTH: Final = Topic(
    "hwlink.health.v1",
    4,
    "source",
    "Arrow IPC stream of facts of one kind",
    readers=("landing-content", REPLAY),
    writers=("ingest", REPLAY),
)
WELFARE: Final = Topic(
    "hwlink.welfare.v1",
    4,
    "source",
    "Arrow IPC stream of facts of one kind",
    readers=("landing-content", REPLAY),
    writers=("ingest", REPLAY),
)
LINKS: Final = Topic(
    "hwlink.links.v1",
    4,
    "shard",
    "Arrow IPC stream of Roster or PairLink rows",
    readers=("resolver",),
    writers=("matcher",),
)
PERSONS: Final = Topic(
    "hwlink.persons.v1",
    1,
    "none",
    "one resolver transaction: Arrow IPC of MembershipChange",
    readers=("features",),
    writers=("resolver",),
)
AUDIT: Final = Topic(
    "hwlink.audit.v1",
    1,
    "none",
    "JSON audit event",
    readers=("governance",),
    retention_ms=None,
)

INTERNAL: Final = (SUBJECTS, HEALTH, WELFARE, LINKS, PERSONS, AUDIT)
CONTENT: Final[dict[Feed, Topic]] = {Feed.HEALTH: HEALTH, Feed.WELFARE: WELFARE}
REPLAYABLE: Final = (SUBJECTS, HEALTH, WELFARE)
"""What may be sent again: rows of sources, of which a later version always holds. What roles say to one another may
not: it is of one order, and a message out of its place would undo what came after it."""


def features_topic(consumer: str) -> Topic:
    """Return the feature topic of one consumer: one JSON record a person, tombstone on retirement."""
    return Topic(
        f"hwlink.features.{consumer}.v1",
        4,
        "re-keyed person id",
        "JSON feature record",
        readers=(consumer,),
        writers=("features",),
        retention_ms=None,
        compacted=True,
    )


def person_events_topic(consumer: str) -> Topic:
    """Return the lineage topic of one consumer: merges, splits and retirements of its re-keyed ids."""
    return Topic(
        f"hwlink.person-events.{consumer}.v1",
        1,
        "re-keyed person id",
        "JSON person event",
        readers=(consumer,),
        writers=("features",),
        retention_ms=None,
        compacted=True,
    )
