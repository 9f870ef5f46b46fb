"""What the parts of the Kafka adapter share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from services.bus.counts import Counts
from services.bus.kafka_errors import our_errors
from services.bus.kafka_topics import Catalogue, Names


@dataclass(frozen=True)
class Timing:
    """How long the adapter waits, and how much it holds.

    `request_s` bounds one request; `delivery_s` a message from its hand-over to its acknowledgement, with all repeats;
    `block_s` how long a send waits for room among what is unacknowledged; `session_s` how long a member may be silent
    before its partitions go to others, so also how long a killed member's wait for it to come back.
    """

    request_s: float = 10.0
    delivery_s: float = 30.0
    block_s: float = 10.0
    session_s: float = 10.0
    in_flight_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True)
class Cluster:
    """A Kafka cluster as one process uses it: the options of every client, names, topics, patience, and the count."""

    options: Mapping[str, Any]
    names: Names
    catalogue: Catalogue
    timing: Timing
    counts: Counts

    def errors(self, what: str) -> AbstractContextManager[None]:
        """Raise the client's failures at `what` as ours, and count those that may pass."""
        return our_errors(what, lambda: self.counts.add(failures=1))
