"""What consumers get: one JSON record a person of the features their purpose permits, under ids of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.features import changed_rows
from linkage.features.permitted import permitted_features
from linkage.rekey import rekey
from schemas.contracts.persons import PersonEvent
from schemas.events import EventType, cloud_event_headers
from schemas.purposes import Purpose
from schemas.topics import Topic, features_topic, person_events_topic
from services.bus import Outgoing, Producer

_CHUNK: Final = 10_000
"""Messages handed to the bus at once: large enough to be one transaction, small enough to stay a few megabytes."""


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Stamp:
    """What every record of one snapshot carries. `revision` is the snapshot's serial, so it rises for every person."""

    snapshot_id: str
    revision: int
    as_of: date


class Consumer:
    """One consumer's topics. Sends what changed for it, and only that."""

    def __init__(self, purpose: Purpose, key: bytes, clock_ms: Callable[[], int] = _wall_clock_ms) -> None:
        """Send to the topics of `purpose.consumer`, ids re-keyed under `key`."""
        self.name = purpose.consumer or purpose.purpose_id
        self._purpose = purpose
        self._key = key
        self._clock_ms = clock_ms
        self._features = permitted_features(purpose)
        self._records_topic = features_topic(self.name)
        self._events_topic = person_events_topic(self.name)

    @property
    def topics(self) -> tuple[Topic, Topic]:
        """Return the topics that must exist before the first record."""
        return self._records_topic, self._events_topic

    def send(
        self,
        producer: Producer,
        before: pl.DataFrame,
        after: pl.DataFrame,
        events: Iterable[PersonEvent],
        stamp: Stamp,
    ) -> int:
        """Send records of the persons in `after` that are new or changed, tombstones of those gone, and lineage
        events.

        `before` and `after` are the persons that may have changed. Returns when the bus has acknowledged
        everything, with the number of messages. Sending again after a failure gives the same keys, revisions and
        event ids.
        """
        gone = before.join(after, on="person_id", how="anti")["person_id"]
        wanted = changed_rows(before, after, self._features)
        changed = after.join(wanted.to_frame(), on="person_id", how="semi")
        sent = 0
        for messages in _chunks(self._outgoing(changed, gone, events, stamp)):
            producer.send(messages)
            sent += len(messages)
        return sent

    def _outgoing(
        self, changed: pl.DataFrame, gone: pl.Series, events: Iterable[PersonEvent], stamp: Stamp
    ) -> Iterator[Outgoing]:
        headers = self._headers(EventType.FEATURE_RECORD, stamp)
        ids = rekey(changed["person_id"], self._key)
        values = changed.select(self._record(ids, stamp).struct.json_encode()).to_series()
        for person, value in zip(ids.to_list(), values.to_list(), strict=True):
            yield self._message(self._records_topic, headers, person, f"{person}-{stamp.revision}", value.encode())
        for person in rekey(gone, self._key).to_list():
            yield self._message(self._records_topic, headers, person, f"{person}-{stamp.revision}", None)
        yield from self._lineage(events, stamp)

    def _record(self, ids: pl.Series, stamp: Stamp) -> pl.Expr:
        """Return the fields of `schemas.events.FeatureRecord` as one struct column."""
        return pl.struct(
            pl.lit(ids).alias("person_id"),
            pl.lit(stamp.revision).alias("revision"),
            pl.lit(stamp.as_of.isoformat()).alias("as_of"),
            pl.lit(stamp.snapshot_id).alias("snapshot_id"),
            pl.lit(self._purpose.purpose_id).alias("purpose"),
            pl.struct(self._features).alias("features"),
        )

    def _lineage(self, events: Iterable[PersonEvent], stamp: Stamp) -> Iterator[Outgoing]:
        headers = self._headers(EventType.PERSON_EVENT, stamp)
        for event in events:
            named = rekey(pl.Series("id", [event.person_id, event.superseded_by], dtype=pl.String), self._key)
            person, successor = named.to_list()
            body = {
                "kind": event.kind.value,
                "person_id": person,
                "superseded_by": successor,
                "sequence": event.sequence,
            }
            event_id = f"{person}-{event.kind.value}-{event.sequence}"
            yield self._message(self._events_topic, headers, person, event_id, json.dumps(body).encode())

    def _headers(self, kind: EventType, stamp: Stamp) -> dict[str, str]:
        common = cloud_event_headers(kind, event_id="", consumer=self.name, subject="", time_ms=self._clock_ms())
        return {**common, "revision": str(stamp.revision)}

    def _message(
        self, topic: Topic, headers: dict[str, str], person: str, event_id: str, value: bytes | None
    ) -> Outgoing:
        partition = int(person[:8], 16) % topic.partitions
        own = {**headers, "ce_id": event_id, "ce_subject": person}
        return Outgoing(topic.name, partition, person.encode(), value, own)


def _chunks(messages: Iterator[Outgoing]) -> Iterator[list[Outgoing]]:
    chunk: list[Outgoing] = []
    for message in messages:
        chunk.append(message)
        if len(chunk) >= _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
