"""Reading from Kafka: every partition, or a member's share of them, from positions that we set ourselves."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from kafka import KafkaConsumer, OffsetAndMetadata, errors
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.protocol.consumer import OffsetSpec

from schemas.errors import Reason, StateError
from services.bus import Assigned, Message, TopicPartition
from services.bus.kafka_client import connected
from services.bus.kafka_cluster import Cluster
from services.bus.kafka_membership import Membership
from services.bus.kafka_topics import BATCH_LIMIT_BYTES
from services.bus.rules import POLL_LIMIT_BYTES, refuse_foreign

_FETCH_BYTES: Final = 2 * BATCH_LIMIT_BYTES
"""How much one answer of the broker may hold; one being read and one on its way are all that a slow reader holds."""

_FETCH_MESSAGES: Final = 500
_FETCH_WAIT_MS: Final = 250
_CATCH_UP_S: Final = 0.25
_SAY_AGAIN_S: Final = 1.0
_CATCH_UP_TIMES: Final = 40


class KafkaBusConsumer:
    """Reads its partitions in offset order, taking turns between them. Not thread-safe.

    Positions are ours: what Kafka holds for the group is written for lag only, and read only where no `assigned` says
    better. A few answers of the broker are held at most, however slowly they are read.
    """

    def __init__(
        self, cluster: Cluster, group: str, topics: Sequence[str], member: str | None, assigned: Assigned | None
    ) -> None:
        """Connect; without a member, at the group's committed offsets of every partition."""
        self._cluster = cluster
        self._group = group
        self._topics = topics
        self._assigned = assigned
        self._member = member
        self._membership: Membership | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._waiting: dict[TopicPartition, deque[Message]] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._unheard: dict[TopicPartition, int] = {}
        self._confirmed_s = time.monotonic()
        self._to_start: dict[TopicPartition, None] = {}
        self._turn = 0
        self._what = ", ".join(topics)
        self._client = self._connected()
        try:
            if member is None:
                every = [partition for topic in topics for partition in cluster.catalogue.partitions(topic)]
                self._client.assign([cluster.names.place(partition) for partition in every])
                self._start(every)
            else:
                self._membership = self._join(self._client)
        except BaseException:
            self.close()
            raise

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """Return up to `max_messages` (or 64 MiB of) further messages, waiting up to `timeout_s` for the first.

        What the broker has acknowledged is returned, even when `timeout_s` is 0. Raises TransientError UNAVAILABLE when
        the broker does not answer, StateError OWNERSHIP_LOST when another process took this member's name.
        """
        deadline = time.monotonic() + timeout_s
        catching_up = 0
        with self._cluster.errors(self._what):
            self._confirm_membership()
            while True:
                waiting = sum(map(len, self._waiting.values()))
                if waiting < max_messages:
                    self._fetch(0.0 if waiting else max(0.0, deadline - time.monotonic()))
                if taken := self._take(max_messages):
                    break
                if time.monotonic() < deadline:
                    continue
                if catching_up == _CATCH_UP_TIMES or not self._is_behind():
                    break
                catching_up += 1
                deadline = time.monotonic() + _CATCH_UP_S
        self._cluster.counts.add(read=len(taken), read_bytes=sum(len(m.value or b"") for m in taken))
        if taken:
            self._note_lag({p: end for p in self._waiting if (end := self._highwater(p)) is not None})
        return taken

    def position(self) -> dict[TopicPartition, int]:
        """Return the next offset to read of each partition; a member's, of those it had at its last poll."""
        return dict(self._positions)

    def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets; InputError for a partition that this consumer does not read.

        A member's partition that has gone to another member since is passed over: there is nothing to go back to.
        """
        if self._member is None:
            refuse_foreign(positions, self._positions)
        else:
            refuse_foreign(positions, [p for topic in self._topics for p in self._cluster.catalogue.partitions(topic)])
        with self._cluster.errors(self._what):
            for partition, offset in positions.items():
                self._go_to(partition, offset)

    def commit(self) -> None:
        """Store the position as the group's. A member is not heard during a rebalance: of partitions that leave it
        their new owner reads what lies behind again, and of those that stay the next polls say it once more.
        """
        moved = {p: offset for p, offset in self._positions.items() if self._committed.get(p) != offset}
        if not moved:
            return
        with self._cluster.errors(self._what):
            if self._write(moved):
                self._cluster.counts.add(commits=1)

    def close(self) -> None:
        """Close the connection. A member's partitions wait for it to come back for `Timing.session_s`."""
        self._cluster.counts.forget(self)
        self._client.close(autocommit=False, timeout_ms=1000)

    def _connected(self) -> KafkaConsumer:
        cluster, timing = self._cluster, self._cluster.timing
        for topic in self._topics:
            cluster.catalogue.partitions(topic)  # StateError, where there is no such topic
        with cluster.errors(self._what):
            return connected(
                KafkaConsumer,
                **cluster.options,
                group_id=cluster.names.on_broker(self._group),
                group_instance_id=self._member,
                partition_assignment_strategy=[CooperativeStickyAssignor()],
                session_timeout_ms=int(timing.session_s * 1000),
                heartbeat_interval_ms=int(min(1.0, timing.session_s / 3) * 1000),
                request_timeout_ms=int(timing.request_s * 1000),
                enable_auto_commit=False,
                auto_offset_reset="none",
                allow_auto_create_topics=False,
                fetch_max_bytes=_FETCH_BYTES,
                max_partition_fetch_bytes=BATCH_LIMIT_BYTES,
                fetch_max_wait_ms=_FETCH_WAIT_MS,
            )

    def _join(self, client: KafkaConsumer) -> Membership:
        with self._cluster.errors(self._what):
            # Who joins first deals the partitions out, and would deal none of topics that it does not know yet.
            client.topics()
        membership = Membership(client, self._cluster.timing.session_s)
        client.subscribe([self._cluster.names.on_broker(topic) for topic in self._topics], listener=membership)
        return membership

    def _rejoin_if_out(self) -> None:
        """Begin anew under the same name, where this client is out of the group and does not find its way back."""
        if self._membership is None or not self._membership.is_over(bool(self._positions)):
            return
        client = self._connected()
        try:
            membership = self._join(client)
        except BaseException:
            client.close(autocommit=False, timeout_ms=0)
            raise
        former, self._client, self._membership = self._client, client, membership
        for held in (self._positions, self._waiting, self._committed, self._unheard, self._to_start):
            held.clear()
        self._cluster.counts.add(rejoins=1)
        former.close(autocommit=False, timeout_ms=0)

    def _write(self, positions: Mapping[TopicPartition, int]) -> bool:
        """Store positions as the group's; return whether a member was heard."""
        self._unheard |= positions
        try:
            self._client.commit(
                {self._cluster.names.place(p): OffsetAndMetadata(offset, "", -1) for p, offset in positions.items()},
                timeout_ms=int(self._cluster.timing.request_s * 1000),
            )
        except (
            errors.CommitFailedError,
            errors.RebalanceInProgressError,
            errors.IllegalGenerationError,
            errors.UnknownMemberIdError,
        ):
            if self._member is None:
                raise StateError(
                    Reason.ALREADY_RUNNING,
                    f"Members share the group {self._group} out, so that nobody else can set its position; "
                    "end them, or read as a member.",
                ) from None
            self._cluster.counts.add(commits_refused=1)
            return False
        self._committed |= positions
        self._unheard = {p: offset for p, offset in self._unheard.items() if p not in positions}
        return True

    def _confirm_membership(self) -> None:
        """Say again what a rebalance left unheard, and now and then what the broker knows already, so that a member
        whose name was taken learns of it.

        kafka-python 3.0.12 tells such a member nothing at its polls: its heartbeats cease, and it reads on for ever.
        """
        wait_s = _SAY_AGAIN_S if self._unheard else self._cluster.timing.session_s
        if self._member is None or time.monotonic() < self._confirmed_s + wait_s:
            return
        known = {p: offset for p, offset in (self._committed | self._unheard).items() if p in self._positions}
        if known:
            self._write(known)
        self._confirmed_s = time.monotonic()

    def _fetch(self, timeout_s: float) -> None:
        """Put what the broker has beside what is waiting."""
        try:
            found = self._client.poll(timeout_ms=int(timeout_s * 1000), max_records=_FETCH_MESSAGES)
        except errors.NoOffsetForPartitionError:
            found = {}  # a partition has just come to us: below it is told where to begin
        except errors.OffsetOutOfRangeError as error:
            self._go_on_at_the_earliest([self._cluster.names.partition(place) for place in error.args[0]])
            return
        self._apply_changes()
        self._rejoin_if_out()
        for place, records in found.items():
            partition = self._cluster.names.partition(place)
            if partition not in self._waiting:
                continue  # it has left, or has come and was read from where Kafka thought that it begins
            self._waiting[partition].extend(
                Message(
                    partition.topic,
                    partition.partition,
                    record.offset,
                    record.key,
                    record.value,
                    {name: (value or b"").decode(errors="replace") for name, value in record.headers},
                    record.timestamp,
                )
                for record in records
            )
        if self._to_start:  # last, since it may fail: the next poll tries again, and what came here is kept
            self._start(list(self._to_start))
            self._to_start.clear()

    def _apply_changes(self) -> None:
        """Drop partitions that have left, and remember to start those that have come."""
        while self._membership is not None and self._membership.noted:
            held, places = self._membership.noted.popleft()
            self._cluster.counts.add(rebalances=1)
            for place in places:
                partition = self._cluster.names.partition(place)
                self._positions.pop(partition, None)
                self._waiting.pop(partition, None)
                self._committed.pop(partition, None)
                self._unheard.pop(partition, None)
                self._to_start.pop(partition, None)
                if held:
                    self._to_start[partition] = None

    def _start(self, partitions: Sequence[TopicPartition]) -> None:
        starts = self._cluster.catalogue.committed(self._group, partitions)
        self._committed |= starts
        if self._assigned is not None:
            starts |= {p: offset for p, offset in self._assigned(partitions).items() if p in starts}
        for partition in partitions:
            self._positions[partition] = starts[partition]
            self._go_to(partition, starts[partition])

    def _go_to(self, partition: TopicPartition, offset: int) -> None:
        if partition not in self._positions:
            return
        try:
            self._client.seek(self._cluster.names.place(partition), offset)
        except ValueError:  # it has left between two polls; the next one says so
            return
        self._positions[partition] = offset
        self._waiting[partition] = deque()

    def _go_on_at_the_earliest(self, partitions: Sequence[TopicPartition]) -> None:
        """Pass over what retention took; StateError NOT_RECONCILED when a position lies beyond the end."""
        begins = self._cluster.catalogue.offsets(partitions, OffsetSpec.EARLIEST)
        for partition in partitions:
            if self._positions.get(partition, 0) > begins[partition]:
                raise errors.OffsetOutOfRangeError
            self._go_to(partition, begins[partition])

    def _take(self, max_messages: int) -> list[Message]:
        """Take from what is waiting, a partition in turn first."""
        order = list(self._waiting)
        self._turn += 1
        taken: list[Message] = []
        left_bytes = POLL_LIMIT_BYTES
        for i in range(len(order)):
            partition = order[(i + self._turn) % len(order)]
            waiting = self._waiting[partition]
            while waiting and len(taken) < max_messages and left_bytes > 0:
                message = waiting.popleft()
                self._positions[partition] = message.offset + 1
                left_bytes -= len(message.value or b"")
                taken.append(message)
        return taken

    def _is_behind(self) -> bool:
        """Return whether the broker holds what has not come yet; a fetch may simply be on its way."""
        ends = self._cluster.catalogue.offsets(self._positions, OffsetSpec.LATEST) if self._positions else {}
        return self._note_lag(ends) > 0

    def _highwater(self, partition: TopicPartition) -> int | None:
        """Return the end that the last fetch of a partition saw; None before that, or when it has just left."""
        try:
            end: int | None = self._client.highwater(self._cluster.names.place(partition))
        except (errors.IllegalStateError, KeyError):
            return None
        return end

    def _note_lag(self, ends: Mapping[TopicPartition, int]) -> int:
        lag = sum(max(0, end - self._positions[p]) for p, end in ends.items())
        self._cluster.counts.set_lag(self, lag)
        return lag
