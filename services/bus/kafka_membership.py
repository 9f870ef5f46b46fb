"""Being a member of a group, where kafka-python 3.0.12 alone would not get in, or not learn that it is out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka import TopicPartition as Place
from kafka.structs import MemberState

_NO_GENERATION: Final = -1
_OUT_SESSIONS: Final = 3.0
"""For how many session lengths a member may be out of its group, or unheard, before it begins anew (decision 0006)."""


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """One client's place in its group: what came to it and went, and whether it is in at all.

    As a listener it runs on Kafka's own thread, which must never wait, and only notes; all else is the reader's.
    """

    def __init__(self, client: KafkaConsumer, session_s: float) -> None:
        """Watch a client that is about to subscribe."""
        self.noted: deque[tuple[bool, list[Place]]] = deque()
        self._client = client
        self._patience_s = _OUT_SESSIONS * session_s
        self._in_at_s = time.monotonic()
        _keep_answers(client)

    def on_partitions_assigned(self, assigned: Sequence[Place]) -> None:
        """Note what came."""
        self.noted.append((True, sorted(assigned)))

    def on_partitions_revoked(self, revoked: Sequence[Place]) -> None:
        """Note what was given up."""
        self.noted.append((False, sorted(revoked)))

    def on_partitions_lost(self, lost: Sequence[Place]) -> None:
        """Note what went to others while nobody told us."""
        self.noted.append((False, sorted(lost)))

    def is_over(self, is_holding: bool) -> bool:
        """Return whether this client had better be replaced; `is_holding` says whether it still reads partitions.

        It is, when the group forgot a member that goes on reading, as it does when it is thrown out while it joins; and
        when it has been neither in nor heard for long, whatever the client believes. In an outage the latter is said
        once in that time.
        """
        now_s = time.monotonic()
        group = self._client.group_metadata()
        if is_holding and group.generation_id == _NO_GENERATION:
            return True
        if group.state is MemberState.STABLE and not self._client._coordinator.heartbeat.session_timeout_expired():
            self._in_at_s = now_s
        if now_s - self._in_at_s < self._patience_s:
            return False
        self._in_at_s = now_s
        return True


def _keep_answers(client: KafkaConsumer) -> None:
    """Keep the answer of a join that comes while no poll is waiting for it, for the poll after it.

    kafka-python throws it away and joins again, which makes the whole group rebalance, on a busy machine for ever.
    There is no other way in: a poll can wait longer, but never between two polls.
    """
    coordinator = client._coordinator
    join = coordinator._do_join_and_sync_async
    kept: list[tuple[Any, bytes]] = []

    async def join_once() -> bytes:
        # An answer that was taken leaves the state STABLE, and who is thrown out has another generation.
        if not (kept and coordinator.state is MemberState.REBALANCING and kept[0][0] is coordinator._generation):
            kept.clear()
            assignment: bytes = await join()
            kept.append((coordinator._generation, assignment))
        return kept[0][1]

    coordinator._do_join_and_sync_async = join_once
