"""What may go wrong, and a seeded schedule of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a fault is. The first is a crash whoever it meets; of servers, `kill` is one too."""

    KILL = "kill"
    """`kill -9`; after `lasts_s` it is started again."""
    PAUSE = "pause"
    """SIGSTOP, and after `lasts_s` SIGCONT: a slow consumer; beyond its lease or session a zombie."""
    LEAVE = "leave"
    """SIGTERM, and another start after `lasts_s`: partitions and shards are dealt out twice."""
    JOIN = "join"
    """One more of the role for `lasts_s`."""
    DISK_FULL = "disk full"
    """No byte more on the lake's disk for `lasts_s`."""
    ECHO = "echo"
    """Messages of ingest's topics come once more, late and in another order."""


ROLES: Final = ("ingest", "landing", "matcher", "resolver", "features", "query", "review")
SERVERS: Final = ("kafka", "postgresql")

BEYOND_LEASE_S: Final = 14.0
"""Longer than a lease of `services.leases` and a session of `services.bus.kafka_cluster`: both are 10 s."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, `gap_s` after the one before. `target` names a worker, a role that gets one more, a
    server or the lake.
    """

    kind: Kind
    target: str
    gap_s: float
    lasts_s: float

    @property
    def is_crash(self) -> bool:
        """Whether something is killed without warning."""
        return self.kind is Kind.KILL

    def __str__(self) -> str:
        return f"+{self.gap_s:.1f}s {self.kind} {self.target} for {self.lasts_s:.1f}s"


def draw(seed: int, crashes: int, crew: Mapping[str, int]) -> list[Fault]:
    """Return a schedule with so many crashes and half as many other faults, for a crew of so many workers a role.

    Where there is room, every role and server crashes and every kind of fault comes at least once.
    """
    chance = random.Random(seed)

    def worker(role: str) -> str:
        return f"{role}-{chance.randint(1, crew[role])}"

    def fault(kind: Kind, target: str, shortest_s: float, longest_s: float) -> Fault:
        return Fault(kind, target, chance.uniform(1.0, 5.0), chance.uniform(shortest_s, longest_s))

    def crash(what: str) -> Fault:
        if what in SERVERS:
            return fault(Kind.KILL, what, 1.0, 8.0)
        longest_s = chance.choice([0.0, 2.0, BEYOND_LEASE_S + 2])
        return fault(Kind.KILL, worker(what), 0.0, longest_s)

    def other(number: int) -> Fault:
        kinds = [
            *((Kind.PAUSE, worker(role), BEYOND_LEASE_S, 20.0) for role in ("matcher", "landing", "resolver")),
            *((Kind.PAUSE, worker(role), 3.0, 16.0) for role in ("features", "ingest")),
            *((Kind.LEAVE, worker(role), 0.0, 12.0) for role in ("matcher", "landing", "resolver", "ingest")),
            *((Kind.JOIN, role, 5.0, 20.0) for role in ("matcher", "landing")),
            *((Kind.PAUSE, server, 5.0, 20.0) for server in SERVERS),
            *((Kind.LEAVE, server, 1.0, 8.0) for server in SERVERS),
            (Kind.DISK_FULL, "lake", 4.0, 15.0),
            (Kind.ECHO, "topics", 0.0, 0.0),
        ]
        kind = kinds[number] if number < len(kinds) else chance.choice(kinds)
        return fault(*kind)

    once = [*ROLES, *SERVERS]
    weighted = [role for role in ROLES for _ in range(crew[role])] + list(SERVERS)
    killed = [once[n] if n < len(once) else chance.choice(weighted) for n in range(crashes)]
    faults = [crash(what) for what in killed] + [other(number) for number in range(max(17, crashes // 2))]
    chance.shuffle(faults)
    return faults
