"""One stream as a sequence of calls: open, batches in order, close. What is known of it lives in the registry.

Order of acts for a batch: every topic acknowledges, then the registry records it, then the receipt goes. Killed between
the first two, the batch is sent again and lands twice, which `latest` and every reader by (record, version) makes one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from schemas.agreement import Agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.errors import InputError, Reason, StateError
from schemas.topics import SUBJECTS
from services.bus import Bus, Producer
from services.figures import Durations, Figure, Tally
from services.ingest.opening import declaration_of, refuse_mixture
from services.ingest.police import FeedPolice
from services.ingest.split import Origin, outgoing, split, withdrawals
from services.ingest.stage import (
    MAX_BATCH_BYTES,
    MAX_BATCH_ROWS,
    RowBatch,
    Staged,
    digest_of_columns,
    digest_of_rows,
    stage_columns,
    stage_rows,
)
from services.ingest.withdrawal import await_landing, missing_subjects
from services.lake import Zone
from services.pb.hwlink.v1 import error_reason_pb2, ingest_pb2
from services.registry import IngestRegistry, RecordedBatch, StreamRow

WINDOW: Final = 8
"""Batches without a receipt at any time: enough to hide the latency of a disk, and a bound on what a client can pile up
(gRPC's own flow control let one push 37 batches ahead)."""

MESSAGES_AT_ONCE: Final = 64
"""Messages of one `send` when ingest itself withdraws many subjects."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What an operator sets: the share that one full extract may withdraw, and how long its end waits for landing."""

    withdrawal_share: float = 0.2
    landing_timeout_s: float = 300.0


@dataclass
class _Slot:
    """Who serves a stream now: only the last call that opened it may publish, and one at a time."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    holder: object = None
    users: int = 0


class Door:
    """What all streams of a process share: the ports, the agreements, and which call serves which stream."""

    def __init__(
        self, bus: Bus, registry: IngestRegistry, zone: Zone, agreements: Mapping[str, Agreement], limits: Limits
    ) -> None:
        """Open a producer on `bus`. `zone` is the linkage zone, read for the subjects that a full extract withdraws."""
        self.bus = bus
        self.registry = registry
        self.zone = zone
        self.agreements = dict(agreements)
        self.limits = limits
        self.producer: Producer = bus.producer()
        self.stop = threading.Event()
        self._accepted = Tally("hwlink_ingest_accepted_records_total", ("source",))
        self._refused = Tally("hwlink_ingest_refused_records_total", ("source", "reason"))
        self._batches = Tally("hwlink_ingest_batches_total", ("source",))
        self._in_flight = Tally("hwlink_ingest_bytes_in_flight", ())
        self._publishing = Durations("hwlink_ingest_publish_duration_seconds", ())
        self._slots: dict[str, _Slot] = {}
        self._guard = threading.Lock()

    @contextmanager
    def serving(self, stream_id: str, holder: object) -> Iterator[_Slot]:
        """Make `holder` the one that serves the stream, after what an earlier call of it is just doing."""
        with self._guard:
            slot = self._slots.setdefault(stream_id, _Slot())
            slot.users += 1
        try:
            with slot.lock:
                slot.holder = holder
            yield slot
        finally:
            with self._guard:
                slot.users -= 1
                if not slot.users:
                    del self._slots[stream_id]

    @contextmanager
    def publishing(self, source: str, staged: Staged, size_bytes: int) -> Iterator[None]:
        """Count a batch while it is published, and what came of it."""
        started = time.monotonic()
        self._in_flight.add(size_bytes)
        try:
            yield
        finally:
            self._in_flight.add(-size_bytes)
        self._publishing.observe(time.monotonic() - started)
        self._batches.add(1, source)
        self._accepted.add(staged.accepted, source)
        for reason, records in staged.refused_by_reason.items():
            self._refused.add(records, source, reason)

    def figures(self) -> list[Figure]:
        """Return what was taken in and refused since the start, for metrics."""
        tallies = (self._accepted, self._refused, self._batches, self._in_flight, self._publishing)
        return [figure for tally in tallies for figure in tally.now()]

    def close(self) -> None:
        """Release the producer."""
        self.producer.close()


class IngestStream:
    """One call's hold on a stream. `stage` and `publish` may run in two threads, each in the order of batches."""

    def __init__(self, door: Door, feed: Feed, opening: ingest_pb2.StreamOpening, slot: _Slot, holder: object) -> None:
        """Open the stream or find it again; raises what `opening` and `IngestRegistry.open_stream` raise."""
        self._door = door
        self._feed = feed
        self._slot = slot
        self._holder = holder
        self._declaration = declaration_of(opening, feed, door.agreements)
        refuse_mixture(self._declaration, _declared(door.registry.streams()))
        self._row = door.registry.open_stream(
            opening.stream_id, self._declaration.source, feed.value, self._declaration.model_dump_json()
        )
        self._next = self._row.next_batch
        self._police = FeedPolice(door.registry.field_counts(self._declaration.source))
        log.info(
            "stream opened", extra={"stream_id": opening.stream_id, "source": self._row.source, "batch": self._next}
        )

    def opened(self) -> ingest_pb2.StreamOpened:
        """Return the answer to the opening."""
        return ingest_pb2.StreamOpened(
            stream_id=self._row.stream_id,
            next_batch=self._next,
            window=WINDOW,
            max_batch_rows=MAX_BATCH_ROWS,
            max_batch_bytes=MAX_BATCH_BYTES,
            completed=self._row.completed,
        )

    def is_next(self, batch: int) -> bool:
        """Whether a batch is the next one, so that it may be staged while the one before it is being published."""
        return batch == self._next

    def stage(self, batch: RowBatch | ingest_pb2.ColumnBatch) -> Staged:
        """Check and split the next batch; nothing leaves yet. Raises PolicyError FEED_SUSPECT, InputError.

        A batch that came before must be answered with `answer_again` instead.
        """
        if batch.batch != self._next or self._row.completed:
            raise InputError(
                Reason.BATCH_OUT_OF_ORDER,
                f"Batch {self._next} comes next{', and the stream is closed' if self._row.completed else ''}; open the "
                "stream again and go on at next_batch, or use another stream id for other records.",
            )
        self._police.refuse_clear_file()
        if isinstance(batch, ingest_pb2.ColumnBatch):
            staged = stage_columns(batch, self._feed, self._declaration.source)
        else:
            staged = stage_rows(batch, self._feed, self._declaration.source)
        clear = staged.refused_by_reason.get(Reason.CLEAR_IDENTIFIER.value, 0)
        self._police.watch(staged.upserts, staged.present, staged.fill, staged.accepted + staged.refused, clear)
        self._next += 1
        return staged

    def publish(self, number: int, staged: Staged) -> ingest_pb2.Receipt:
        """Put a staged batch on its topics, record it, and return its receipt."""
        messages = outgoing(staged.pieces, self._origin(number), compressed=not self._door.bus.compresses)
        size_bytes = sum(len(message.value or b"") for message in messages)
        with self._slot.lock, self._door.publishing(self._declaration.source, staged, size_bytes):
            self._refuse_if_superseded()
            self._door.producer.send(messages)
            self._door.registry.record_batch(
                self._row.stream_id,
                number,
                staged.digest,
                accepted=staged.accepted,
                refused=staged.refused_by_reason,
                fields=staged.present,
            )
        return ingest_pb2.Receipt(
            batch=number,
            accepted=staged.accepted,
            refused=staged.refused,
            reason=_proto(staged.reason),
            refusals=[
                ingest_pb2.Refusal(index=one.index, field=one.field, reason=_proto(one.reason))
                for one in staged.refusals
            ],
        )

    def answer_again(self, batch: RowBatch | ingest_pb2.ColumnBatch) -> ingest_pb2.Receipt | None:
        """Return the receipt of a batch that had one before, None when it is new.

        Raises InputError BATCH_OUT_OF_ORDER when the batch of that number had other content.
        """
        known = self._door.registry.recorded_batch(self._row.stream_id, batch.batch)
        if known is None:
            return None
        columns = isinstance(batch, ingest_pb2.ColumnBatch)
        digest = digest_of_columns(batch) if isinstance(batch, ingest_pb2.ColumnBatch) else digest_of_rows(batch)
        if digest != known.digest:
            raise InputError(
                Reason.BATCH_OUT_OF_ORDER,
                f"Batch {batch.batch} had a receipt and comes again with other content"
                f"{' or by the other entrance' if columns else ''}; go on at batch {self._next}, or use another stream "
                "id for other records.",
            )
        with self._slot.lock:
            self._refuse_if_superseded()
            self._door.registry.record_duplicate(self._row.stream_id, batch.batch)
        return _duplicate(batch.batch, known)

    def close(self, closing: ingest_pb2.StreamClosing) -> ingest_pb2.StreamClosed:
        """Complete the stream; a full extract first withdraws what it no longer holds."""
        if closing.batches != self._next:
            raise InputError(
                Reason.STREAM_INCOMPLETE,
                f"The stream was closed after {closing.batches} batches and {self._next} have arrived; "
                "open it again, send the rest and close it.",
            )
        self._police.refuse_clear_file()
        row = self._now()
        withdrawn = 0
        if self._declaration.full_extract and not row.completed:
            withdrawn = self._withdraw(row)
        with self._slot.lock:
            self._refuse_if_superseded()
            self._door.registry.complete_stream(row.stream_id)
        log.info(
            "stream completed",
            extra={
                "stream_id": row.stream_id,
                "accepted": row.accepted,
                "refused": row.refused,
                "withdrawn": withdrawn,
            },
        )
        return ingest_pb2.StreamClosed(
            accepted=row.accepted, refused=row.refused, duplicate=row.duplicate, withdrawn=withdrawn
        )

    def _withdraw(self, row: StreamRow) -> int:
        """Withdraw what the extract no longer holds; nothing when records of it were refused: they are still held."""
        if row.refused:
            log.warning("a full extract with refused records withdraws nothing", extra={"stream_id": row.stream_id})
            return 0
        door = self._door
        await_landing(
            door.zone,
            lambda: door.bus.end_offsets(SUBJECTS),
            lambda: door.bus.begin_offsets(SUBJECTS),
            door.stop,
            door.limits.landing_timeout_s,
        )
        gone = missing_subjects(door.zone, row.source, row.stream_id, door.limits.withdrawal_share)
        rows = withdrawals(gone.refs, gone.version, self._feed)
        messages = split(rows, self._feed, self._origin(None), compressed=not door.bus.compresses)
        with self._slot.lock:
            self._refuse_if_superseded()
            for start in range(0, len(messages), MESSAGES_AT_ONCE):
                door.producer.send(messages[start : start + MESSAGES_AT_ONCE])
        return len(gone.refs)

    def _origin(self, batch: int | None) -> Origin:
        return Origin(
            source=self._declaration.source,
            stream_id=self._row.stream_id,
            agreement_id=self._declaration.agreement_id,
            key_epoch=self._declaration.key_epoch,
            one_record_per_person=self._declaration.one_record_per_person,
            batch=batch,
        )

    def _now(self) -> StreamRow:
        return next(row for row in self._door.registry.streams() if row.stream_id == self._row.stream_id)

    def _refuse_if_superseded(self) -> None:
        if self._slot.holder is not self._holder:
            raise StateError(
                Reason.OWNERSHIP_LOST,
                "This stream was opened again by another call, which serves it now; end the older client.",
            )


def _declared(rows: list[StreamRow]) -> list[FileDeclaration]:
    return [FileDeclaration.model_validate_json(row.declaration_json) for row in rows if row.accepted]


def _duplicate(batch: int, known: RecordedBatch) -> ingest_pb2.Receipt:
    return ingest_pb2.Receipt(batch=batch, accepted=known.accepted, refused=known.refused, duplicate=True)


def _proto(reason: Reason | None) -> error_reason_pb2.ErrorReason:
    name = f"ERROR_REASON_{'UNSPECIFIED' if reason is None else reason.value}"
    number: error_reason_pb2.ErrorReason = error_reason_pb2.ErrorReason.Value(name)
    return number
