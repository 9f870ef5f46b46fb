"""The features role: gathers memberships and landed facts, rebuilds, writes, tells consumers, and publishes a
snapshot.

In this order, so that a crash anywhere leads to the same state: tables first (they may run ahead of the registry
and are written whole after a restart), then the consumers' records, acknowledged, and last the snapshot with the
position and sequence it was made from, in one transaction.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import polars as pl

from linkage.features import feature_columns
from linkage.features.tables import MEMBERSHIP, PREVIOUS
from schemas.contracts.persons import MembershipChange, PersonEvent
from schemas.errors import Reason, StateError
from schemas.topics import PERSONS
from services.bus import Bus, Message, TopicPartition
from services.bus.retention import trimmed
from services.bus.rows import rows_of
from services.features.builder import Built, Rebuild, Reference, nobody, rebuild
from services.features.content import Content
from services.features.membership import lineage, moved
from services.features.records import Consumer, Stamp
from services.features.summary import summary_json
from services.lake import Zone
from services.loop import step_until
from services.registry import FeaturesRegistry, Snapshot

GROUP: Final = "features"
FEATURES_TABLE: Final = "features"
MEMBERSHIP_TABLE: Final = "membership"
PREVIOUS_TABLE: Final = "previous"
_TABLES: Final = {FEATURES_TABLE: feature_columns(), MEMBERSHIP_TABLE: MEMBERSHIP, PREVIOUS_TABLE: PREVIOUS}
_SUBJECT: Final = ["source", "subject_ref"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How eagerly to rebuild. Input is gathered until none came for `quiet_s`, or until it waited for `max_wait_s`.

    A rebuild also waits until `rest_factor` times the last one's length has passed since it ended: under a steady
    stream it takes at most a share of 1 / (1 + rest_factor) of a core.
    """

    poll_messages: int = 500
    poll_s: float = 0.2
    quiet_s: float = 1.0
    max_wait_s: float = 20.0
    rest_factor: float = 2.0


class Features:
    """The one active feature builder. Not thread-safe; `run` is its loop."""

    def __init__(
        self,
        bus: Bus,
        content: Zone,
        products: Zone,
        registry: FeaturesRegistry,
        *,
        reference: Reference,
        consumers: Sequence[Consumer] = (),
        today: Callable[[], date] = date.today,
        model_id: Callable[[], str | None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        """Take up the last published snapshot and the position and sequence that it was made from.

        `reference` is the reference data, by whose version a snapshot is told; `today` gives the as-of date;
        `model_id` the match model in force.
        """
        self._bus = bus
        self._products = products
        self._content = Content(content)
        self._registry = registry
        self._reference = reference
        self._consumers = list(consumers)
        self._today = today
        self._model_id = model_id
        self._pace = pace or Pace()
        bus.create_topics([topic for consumer in self._consumers for topic in consumer.topics])
        self._producer = bus.producer()
        self._consumer = bus.consumer(GROUP, [PERSONS])
        positions, self._sequence = registry.features_position()
        self._published = self._sequence
        self._consumer.seek({p: positions.get(_name(p), 0) for p in self._consumer.position()})
        self._serial, self._state = self._take_up()
        self._restarted = True
        # Without a position the snapshot came of another bus, and on this one consumers have heard of nobody.
        self._untold = not positions and not self._state.features.is_empty()
        self._replaced = self._reference_of_last() not in (None, reference.version)
        self.counts: Counter[str] = Counter()
        """Since the start: `snapshots` published, messages `sent` to consumers; and `people` in the last snapshot."""
        self._transactions: list[pl.DataFrame] = []
        self._events: list[PersonEvent] = []
        self._offsets_seen = self._state.offsets
        self._checked = self._rest_until = -float("inf")
        self._waiting_since = time.monotonic() if self._untold or self._replaced else None
        self._last_input = 0.0

    def step(self) -> int:
        """Gather what is there and rebuild if it is time; return how much was done (messages and rebuilds)."""
        before = self._sequence
        messages = self._read()
        now = time.monotonic()
        if messages or self._sequence != before or self._content_moved(now):
            self._last_input = now
            self._waiting_since = self._waiting_since if self._waiting_since is not None else now
        if not self._due(now):
            return len(messages)
        self.publish()
        return len(messages) + 1

    def drain(self) -> Snapshot | None:
        """Take in everything there is now and publish at once; return the snapshot, None if nothing was new."""
        while self._read():
            pass
        return self.publish() if self._is_behind() else None

    def publish(self) -> Snapshot:
        """Rebuild from what was gathered, write the tables, tell the consumers and publish the snapshot."""
        started = time.monotonic()
        done = rebuild(self._state, self._transactions, self._content, self._reference, self._today())
        tables = self._write(done)
        stamp = self._stamp(done.state)
        sent = self._tell(done, stamp)
        position = {_name(p): offset for p, offset in self._consumer.position().items()}
        content = {f"{table}:{app}": at for table, apps in done.state.offsets.items() for app, at in apps.items()}
        snapshot = Snapshot(
            snapshot_id=stamp.snapshot_id,
            published_at_ms=time.time_ns() // 1_000_000,
            as_of=stamp.as_of,
            tables=tables,
            model_id=self._model_id(),
            positions={**position, **content},
            summary_json=summary_json(done.state.features, self._reference.version),
        )
        self._registry.publish_snapshot(snapshot, position, self._sequence)
        self._untold = self._replaced = False
        self._state, self._serial, self._restarted = done.state, stamp.revision, False
        self._transactions, self._events, self._waiting_since = [], [], None
        self._published = self._sequence
        self._offsets_seen = done.state.offsets
        self._consumer.commit()
        self.counts.update(snapshots=1, sent=sent)
        self.counts["people"] = len(done.state.features)
        ended = time.monotonic()
        self._rest_until = ended + self._pace.rest_factor * (ended - started)
        log.info("snapshot published: %d persons, %d messages to consumers", len(done.state.features), sent)
        return snapshot

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; transient failures are tried again, all others raised."""
        step_until(stop, self.step, self.close, "features")

    def close(self) -> None:
        """Close the consumer and the producer."""
        self._consumer.close()
        self._producer.close()

    def _tell(self, done: Rebuild, stamp: Stamp) -> int:
        """Send consumers what has changed, or everybody where they have heard nothing; return how many messages."""
        before, after = self._state.features, done.state.features
        if self._untold:
            before = before.join(after, on="person_id", how="anti")  # who has gone since is gone for them too
        elif done.touched is not None:
            narrow = done.touched.to_frame()
            before, after = (frame.join(narrow, on="person_id", how="semi") for frame in (before, after))
        return sum(c.send(self._producer, before, after, self._events, stamp) for c in self._consumers)

    def _take_up(self) -> tuple[int, Built]:
        """Return the last snapshot's serial and tables; the first build after it reads all facts again."""
        published, given_out = self._registry.snapshots(), self._registry.last_revision()
        if not published:
            return given_out, nobody()
        last = published[0]
        frames = {}
        for table, schema in _TABLES.items():
            if table not in last.tables:  # of a release that did not look back
                continue
            rows = self._products.scan(table, last.tables[table])
            if rows is None:
                raise StateError(
                    Reason.STORE_MISSING,
                    f"Table {table} of the last snapshot is not in the lake; restore it, or empty the registry.",
                )
            frames[table] = _shaped(rows.collect(), schema)
        serial = max(int(last.snapshot_id.rpartition(".")[2]), given_out)
        offsets: dict[str, dict[str, int]] = {}
        for name, at in last.positions.items():
            table, colon, application = name.partition(":")
            if colon:
                offsets.setdefault(table, {})[application] = at
        return serial, Built(
            frames[MEMBERSHIP_TABLE],
            frames[FEATURES_TABLE],
            offsets,
            as_of=last.as_of,
            previous=frames.get(PREVIOUS_TABLE, PREVIOUS.to_frame()),
        )

    def _reference_of_last(self) -> str | None:
        """Return the version of the reference data behind the last snapshot, None before the first."""
        published = self._registry.snapshots()
        return json.loads(published[0].summary_json).get("reference", "") if published else None

    def _read(self) -> list[Message]:
        """Gather the next transactions; where retention took some, what they all came to."""
        start = self._consumer.position()
        try:
            messages = self._consumer.poll(self._pace.poll_messages, self._pace.poll_s)
            if begins := trimmed(self._bus, PERSONS, start, messages):
                self._take_whole()
                at = self._consumer.position()
                self._consumer.seek({place: max(begin, at[place]) for place, begin in begins.items()})
        except BaseException:
            self._consumer.seek(start)  # what was read has not been gathered: the next step reads it again
            raise
        for message in messages:
            self._gather(message)
        return messages

    def _take_whole(self) -> None:
        """Go on from everybody's membership as the resolver keeps it, in place of transactions that are gone."""
        sequence, membership = self._registry.membership()
        if sequence <= self._sequence:
            return
        log.error("%s: retention took transactions, everybody is built anew", PERSONS.name)
        known = moved(self._state.membership, self._transactions).membership
        self._events += lineage(known, membership, sequence)
        # Without a coverage everybody is computed, and the tables are written whole.
        self._state = replace(self._state, membership=membership.cast(MEMBERSHIP), coverage=None)
        self._transactions, self._sequence, self._restarted = [], sequence, True

    def _gather(self, message: Message) -> None:
        sequence = int(message.headers["sequence"])
        if sequence <= self._sequence:
            return
        if sequence != self._sequence + 1:
            raise StateError(
                Reason.NOT_RECONCILED,
                f"Transactions {self._sequence + 1} to {sequence - 1} of the resolver are missing on {PERSONS.name}; "
                "start again with an empty products zone, or restore the topic.",
            )
        self._transactions.append(rows_of(message, [MembershipChange], _SUBJECT))
        self._events += [PersonEvent.model_validate(event) for event in json.loads(message.headers.get("events", "[]"))]
        self._sequence = sequence

    def _content_moved(self, now: float) -> bool:
        if now - self._checked < self._pace.quiet_s:
            return False
        self._checked = now
        offsets = self._content.offsets()
        changed = offsets != self._offsets_seen
        self._offsets_seen = offsets
        return changed or self._today() != (self._state.as_of or self._today())

    def _due(self, now: float) -> bool:
        if self._waiting_since is None:
            return False
        if now - self._last_input >= self._pace.quiet_s:
            return True
        return now - self._waiting_since >= self._pace.max_wait_s and now >= self._rest_until

    def _is_behind(self) -> bool:
        return (
            self._untold
            or self._replaced
            or self._sequence != self._published
            or self._content.offsets() != self._state.offsets
            or self._today() != self._state.as_of
        )

    def _stamp(self, state: Built) -> Stamp:
        serial = self._serial + 1
        as_of = state.as_of or self._today()
        return Stamp(f"{as_of.isoformat()}.{serial}", serial, as_of)

    def _write(self, done: Rebuild) -> dict[str, int]:
        """Write the tables and return their versions: whole after a restart or a whole rebuild, else what changed.

        What was published of an earlier day changes only with the date, which is a whole rebuild.
        """
        if done.touched is None or self._restarted:
            return {
                FEATURES_TABLE: self._products.replace(FEATURES_TABLE, done.state.features, {}),
                MEMBERSHIP_TABLE: self._products.replace(MEMBERSHIP_TABLE, done.state.membership, {}),
                PREVIOUS_TABLE: self._products.replace(PREVIOUS_TABLE, done.state.previous, {}),
            }
        narrow = done.touched.to_frame()
        after = done.state.features.join(narrow, on="person_id", how="semi")
        gone = narrow.join(after, on="person_id", how="anti")
        rows = pl.concat(
            [after.with_columns(_deleted=pl.lit(False)), gone.with_columns(_deleted=pl.lit(True))], how="diagonal"
        )
        changed = done.moves.changed.with_columns(_deleted=pl.col("person_id").is_null()).drop("previous_person_id")
        return {
            FEATURES_TABLE: self._merge(FEATURES_TABLE, rows, ["person_id"]),
            MEMBERSHIP_TABLE: self._merge(MEMBERSHIP_TABLE, changed, _SUBJECT),
            PREVIOUS_TABLE: self._merge(PREVIOUS_TABLE, done.state.previous.clear(), ["person_id"]),
        }

    def _merge(self, table: str, rows: pl.DataFrame, key: list[str]) -> int:
        version = self._products.version(table)
        if rows.is_empty() and version is not None:
            return version
        return self._products.merge(table, rows, key, {})


def _shaped(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Return the columns of today: a snapshot of an earlier release may lack some, and everybody is computed again."""
    have = set(frame.columns)
    return frame.select(
        pl.col(name).cast(dtype) if name in have else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}-{partition.partition}"
