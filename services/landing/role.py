"""The landing role: poll, append to each table with the offsets it then holds, and only then move the group on."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.errors import InputError, Reason, StateError, TransientError
from services.bus import Bus, Message, Outgoing, TopicPartition
from services.bus.dead import dead_letter
from services.bus.rows import record_rows
from services.lake import Zone
from services.landing.routes import CONTENT_ROUTES, LINKAGE_ROUTES, Routes, Table, table_of
from services.loop import step_until


@dataclass(frozen=True)
class Pace:
    """How much goes into one commit, and how long it may wait.

    The defaults put some 30,000 subjects or 130,000 facts into a commit when there is much to do, and make one small
    file a second at most when there is little; `compact_every` commits to a table they are rewritten as one.
    """

    batch_messages: int = 64
    batch_bytes: int = 64 * 1024 * 1024
    linger_s: float = 1.0
    poll_s: float = 0.5
    compact_every: int = 64


DEFAULT_PACE: Final = Pace()

log = logging.getLogger(__name__)


class Landing:
    """Lands the topics of one zone. Not thread-safe; `run` is its loop.

    Any number of instances may run at once, by mistake or while one takes over from another: each message still lands
    once, since a table stores the offsets it holds in the same commit as the rows.
    """

    def __init__(
        self,
        bus: Bus,
        zone: Zone,
        routes: Routes,
        group: str,
        pace: Pace = DEFAULT_PACE,
        member: str | None = None,
    ) -> None:
        """Join at the group's position, making the topics for dead letters; as `member`, share the partitions out.

        Raises StateError NOT_RECONCILED when the zone holds offsets that the bus has not given out yet: another bus was
        put in place, and its new messages would be taken for replays.
        """
        self._bus = bus
        self._zone = zone
        self._routes = routes
        self._group = group
        self._pace = pace
        self._commits: Counter[str] = Counter()
        self._kinds = {topic.name: kinds for topic, kinds in routes.items()}
        self._dead = {topic.name: topic.dead.name for topic in routes}
        self.counts: Counter[str] = Counter()
        """Since the start: `messages`, `rows` handed to tables, `replayed` appends, `dead` letters, `lost` messages."""
        bus.create_topics([topic.dead for topic in routes])
        self._next: dict[TopicPartition, int] = {}
        """Of each partition that has come: the offset before which everything is in the tables."""
        self._refuse_another_bus()
        self._producer = bus.producer()
        self._consumer = bus.consumer(group, list(routes), member=member, assigned=self._begin)

    @classmethod
    def of_linkage(cls, bus: Bus, zone: Zone, pace: Pace = DEFAULT_PACE, member: str | None = None) -> Landing:
        """Return the instance of the linkage zone: subjects."""
        return cls(bus, zone, LINKAGE_ROUTES, "landing-linkage", pace, member)

    @classmethod
    def of_content(cls, bus: Bus, zone: Zone, pace: Pace = DEFAULT_PACE, member: str | None = None) -> Landing:
        """Return the instance of the content zone: a table `<feed>_<kind>` for every kind of fact."""
        return cls(bus, zone, CONTENT_ROUTES, "landing-content", pace, member)

    def step(self) -> int:
        """Land one batch of messages, waiting briefly for the first; return how many were dealt with.

        When something fails, the next step starts with the same messages again.
        """
        try:
            messages = self._gather()
            if not messages:
                return 0
            self._note_lost(self._passed_over(messages))
            touched = self._land(messages)
            self._consumer.commit()
        except BaseException:
            self._consumer.seek({p: self._next[p] for p in self._consumer.position()})
            raise
        # Within a partition, offsets only rise.
        self._next |= {TopicPartition(m.topic, m.partition): m.offset + 1 for m in messages}
        self._compact(touched)
        self.counts["messages"] += len(messages)
        return len(messages)

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; transient failures are tried again, all others raised."""
        step_until(stop, self.step, self.close, "landing")

    def lag(self) -> dict[TopicPartition, int]:
        """Return how many offsets of each partition the group has not landed yet."""
        return {
            partition: end - self._bus.committed(self._group, topic)[partition]
            for topic in self._routes
            for partition, end in self._bus.end_offsets(topic).items()
        }

    def close(self) -> None:
        """Close the consumer and the producer."""
        self._consumer.close()
        self._producer.close()

    def _gather(self) -> list[Message]:
        pace = self._pace
        messages = self._consumer.poll(pace.batch_messages, pace.poll_s)
        deadline = time.monotonic() + pace.linger_s
        size = sum(len(m.value or b"") for m in messages)
        while messages and len(messages) < pace.batch_messages and size < pace.batch_bytes:
            more = self._consumer.poll(pace.batch_messages - len(messages), max(0.0, deadline - time.monotonic()))
            if not more:
                break
            # A partition that left and came back in between is read from its start again, which may be here already.
            held = {(m.topic, m.partition): m.offset for m in messages}
            messages += [m for m in more if m.offset > held.get((m.topic, m.partition), -1)]
            size += sum(len(m.value or b"") for m in more)
        return messages

    def _land(self, messages: list[Message]) -> set[str]:
        """Append each table's rows with its offsets; return the tables that took any."""
        frames: dict[str, list[pl.DataFrame]] = {}
        offsets: dict[str, dict[str, int]] = {}
        dead: list[Outgoing] = []
        for message in messages:
            try:
                table = table_of(message, self._kinds[message.topic])
                frame = record_rows(message, table.contracts)
            except InputError as error:
                dead.append(dead_letter(message, error.reason, "landing", self._dead[message.topic]))
                continue
            frames.setdefault(table.name, []).append(frame)
            application = f"{message.topic}-{message.partition}"
            offsets.setdefault(table.name, {})[application] = message.offset  # within a partition, offsets only rise
        if dead:
            self._producer.send(dead)
            self.counts["dead"] += len(dead)
            log.error("landing put messages aside on dead-letter topics: %d", len(dead))
        touched = set()
        for table_name, parts in frames.items():
            rows = pl.concat(parts)
            self.counts["rows"] += rows.height
            if self._zone.append(table_name, rows, offsets[table_name]):
                touched.add(table_name)
            else:
                self.counts["replayed"] += 1
        return touched

    def _compact(self, tables: set[str]) -> None:
        self._commits.update(tables)
        for table in sorted(tables):
            if self._commits[table] >= self._pace.compact_every:
                self._commits[table] = 0
                try:
                    self._zone.compact(table)
                except TransientError:
                    log.warning("landing left a table's compaction for later")

    def _refuse_another_bus(self) -> None:
        """Raise StateError NOT_RECONCILED when tables or group are ahead of the bus."""
        for topic, kinds in self._routes.items():
            landed = self._landed(kinds)
            committed, ends = self._bus.committed(self._group, topic), self._bus.end_offsets(topic)
            for partition, end in ends.items():
                name = f"{topic.name}-{partition.partition}"
                if max(landed.get(name, -1) + 1, committed[partition]) > end:
                    raise StateError(
                        Reason.NOT_RECONCILED,
                        f"What {self._group} holds of {name} is beyond the topic's end: this is another bus. "
                        "Put the old one back, or, if it is gone for good, run `hwlink store new-bus`.",
                    )

    def _begin(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Start partitions that have come at the group's position, and report what retention took before it landed.

        The group's position is moved after all tables, so it is never beyond any; what lies between is recognised.
        """
        starts: dict[TopicPartition, int] = {}
        for topic, kinds in self._routes.items():
            came = [partition for partition in partitions if partition.topic == topic.name]
            if not came:
                continue
            landed = self._landed(kinds)
            committed, begins = self._bus.committed(self._group, topic), self._bus.begin_offsets(topic)
            for partition in came:
                held = max(landed.get(f"{topic.name}-{partition.partition}", -1) + 1, committed[partition])
                self._note_lost(max(0, begins[partition] - held))
                starts[partition] = max(committed[partition], begins[partition])
        self._next |= starts
        return starts

    def _passed_over(self, messages: list[Message]) -> int:
        """Return how many offsets between where reading began and what came first were taken by retention."""
        first: dict[TopicPartition, int] = {}
        for message in messages:
            first.setdefault(TopicPartition(message.topic, message.partition), message.offset)
        gaps = {p: offset for p, offset in first.items() if offset > self._next[p]}
        begins = {
            p: begin for t in self._routes if gaps for p, begin in self._bus.begin_offsets(t).items() if p in gaps
        }
        return sum(max(0, min(begin, gaps[p]) - self._next[p]) for p, begin in begins.items())

    def _note_lost(self, messages: int) -> None:
        if messages:
            self.counts["lost"] += messages
            log.error("retention took messages before they were landed: %d", messages)

    def _landed(self, kinds: Mapping[str, Table]) -> dict[str, int]:
        """Return the highest offset of each topic-partition that any of the tables holds."""
        highest: dict[str, int] = {}
        for table in kinds.values():
            for application, offset in self._zone.offsets(table.name).items():
                highest[application] = max(offset, highest.get(application, -1))
        return highest
