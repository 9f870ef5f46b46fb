"""Subjects from where they are: the lake for what is old, the topic for what is new, without a gap between."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from schemas.columns import columns, conform
from schemas.contracts.subject import Subject
from schemas.errors import InputError, Reason, StateError, TransientError
from schemas.topics import SUBJECTS
from services.bus import Bus, Message, TopicPartition
from services.bus.retention import trimmed
from services.bus.rows import record_rows
from services.lake import Zone
from services.matcher.vector import Vector, before, lowest, vector_of

TABLE: Final = "subjects"
LAKE_ROWS: Final = 50_000
"""Rows of the lake taken in at a time: some 40 MB."""

GAP_MESSAGES: Final = 50
"""Messages of a partition that are evaluated at a time when the lake stands in for a topic that was trimmed."""

_PROVENANCE: Final = ("_topic", "_partition", "_offset", "_one_record_per_person")

_HELD_BY_TOPIC_S: Final = 10.0
"""How long to wait for messages that the topic says it holds."""

log = logging.getLogger(__name__)


class SubjectSource:
    """Reads landed rows: the columns of Subject, `_topic, _partition, _offset, _one_record_per_person`."""

    def __init__(self, bus: Bus, zone: Zone, group: str) -> None:
        """Open a consumer of the subjects topic for `group`, which serves to show the lag only."""
        self._bus = bus
        self._zone = zone
        self.group = group
        self.consumer = bus.consumer(group, [SUBJECTS])
        self.counts: Counter[str] = Counter()
        """Since the start: `unreadable` messages passed over, `lost` messages that no place holds any more."""

    def refuse_beyond_end(self, vector: Vector) -> None:
        """Raise StateError NOT_RECONCILED when a position lies beyond the topic's end: this is another bus."""
        ends = self._bus.end_offsets(SUBJECTS)
        beyond = sorted(p.partition for p, offset in vector.items() if offset > ends[p])
        if beyond:
            raise StateError(
                Reason.NOT_RECONCILED,
                f"The matcher's position is beyond the end of {SUBJECTS.name}, partitions {beyond}: another bus. "
                "Put the old one back, or, if it is gone for good, run `hwlink store new-bus`.",
            )

    def lake_rows(self) -> int:
        """Return how many rows the lake holds, older versions included."""
        scan = self._zone.scan(TABLE)
        return 0 if scan is None else int(scan.select(pl.len()).collect().item())

    def lake_end(self) -> Vector:
        """Return the next offset of each partition that the lake does not hold."""
        return vector_of(SUBJECTS, {p: offset + 1 for p, offset in self._zone.offsets(TABLE).items()})

    def history(self, until: Vector) -> Iterator[pl.DataFrame]:
        """Yield every row before `until`, first from the lake and then from the topic; leave the topic at `until`."""
        # Offsets first: rows that land between the two calls are in the scan, and are left to the topic.
        held = self.lake_end()
        from_lake = {p: min(held[p], offset) for p, offset in until.items()}
        yield from self._lake_rows(before(from_lake))
        yield from self._topic_rows(from_lake, until)
        self.consumer.seek(until)

    def trimmed(self, start: Vector) -> Iterator[tuple[pl.DataFrame, Vector]]:
        """Yield what the topic no longer holds from `start` on, and the vector after it; leave the topic there."""
        self.consumer.seek(start)
        begins = self._bus.begin_offsets(SUBJECTS)
        held = self.lake_end()
        position = dict(start)
        for partition, begin in begins.items():
            self._note_lost(begin - max(position[partition], held[partition]))
            while (first := position[partition]) < begin:
                position[partition] = min(first + GAP_MESSAGES, begin)
                yield self._landed(partition, first, position[partition]), dict(position)
                self.consumer.seek(position)

    def poll(self, max_messages: int, timeout_s: float) -> Iterator[tuple[pl.DataFrame, int, Vector]]:
        """Yield the rows of the next messages, how many those were, and the vector after them; nothing when none came.

        Where retention overtook the reader, what it took comes first, from the lake.
        """
        start = self.consumer.position()
        messages = self.consumer.poll(max_messages, timeout_s)
        after = self.consumer.position()
        try:
            is_overtaken = bool(trimmed(self._bus, SUBJECTS, start, messages))
        except BaseException:
            self.consumer.seek(start)
            raise
        if is_overtaken:
            for rows, position in self.trimmed(start):
                yield rows, 1, position
            return  # the messages of this poll are read again
        if messages:
            yield self._rows(messages), len(messages), after

    def piece(self, start: Vector, until: Vector, max_messages: int) -> tuple[pl.DataFrame, Vector]:
        """Return some of the rows from `start` on that come before `until`, and the vector after them.

        They come from the lake where the topic does not hold them any more. To be called again from the vector that
        it returned, until that is `until`.
        """
        while True:
            begins = self._bus.begin_offsets(SUBJECTS)
            for partition, first in start.items():
                begin = min(begins[partition], until[partition])
                if first < begin:
                    held = self.lake_end()
                    self._note_lost(begin - max(first, held[partition]))
                    last = min(first + GAP_MESSAGES, begin)
                    return self._landed(partition, first, last), {**start, partition: last}
            if lowest((self.consumer.position(), until)) != start:
                self.consumer.seek(start)
            before_poll = self.consumer.position()
            messages = self.consumer.poll(max_messages, _HELD_BY_TOPIC_S)
            if not messages:
                raise _withheld()
            if not trimmed(self._bus, SUBJECTS, before_poll, messages):
                return self._rows(messages).filter(before(until)), lowest((self.consumer.position(), until))
            self.consumer.seek(start)

    def close(self) -> None:
        """Close the consumer."""
        self.consumer.close()

    def _landed(self, partition: TopicPartition, first: int, last: int) -> pl.DataFrame:
        """Return the rows that the lake holds of a partition from offset `first` on, before `last`."""
        offset = pl.col("_offset")
        within = (pl.col("_partition") == partition.partition) & (offset >= first) & (offset < last)
        return pl.concat([empty(), *self._lake_rows(within)])

    def _lake_rows(self, condition: pl.Expr) -> Iterator[pl.DataFrame]:
        scan = self._zone.scan(TABLE)
        if scan is None:
            return
        for rows in scan.filter(condition).collect_batches(chunk_size=LAKE_ROWS, maintain_order=False):
            yield _conformed(rows)

    def _topic_rows(self, start: Vector, until: Vector) -> Iterator[pl.DataFrame]:
        begins = self._bus.begin_offsets(SUBJECTS)
        for partition, begin in begins.items():
            self._note_lost(min(begin, until[partition]) - start[partition])
        self.consumer.seek({p: max(offset, min(begins[p], until[p])) for p, offset in start.items()})
        while any(offset < until[p] for p, offset in self.consumer.position().items()):
            messages = self.consumer.poll(GAP_MESSAGES, _HELD_BY_TOPIC_S)
            if not messages:
                raise _withheld()
            yield self._rows(messages).filter(before(until))

    def _rows(self, messages: Sequence[Message]) -> pl.DataFrame:
        frames = []
        for message in messages:
            try:
                frames.append(_conformed(record_rows(message, (Subject,))))
            except InputError as error:
                # Landing puts it aside for the operator; here it is only passed over.
                self.counts["unreadable"] += 1
                log.error("matcher passed over an unreadable message: %s", error.reason)
        return pl.concat(frames) if frames else empty()

    def _note_lost(self, messages: int) -> None:
        if messages > 0:
            self.counts["lost"] += messages
            log.error("%s: retention took %d messages that the lake does not hold", SUBJECTS.name, messages)


def _withheld() -> TransientError:
    return TransientError(Reason.UNAVAILABLE, f"{SUBJECTS.name} did not give the messages that it holds; try again.")


def empty() -> pl.DataFrame:
    """Return no rows, in the columns that `SubjectSource` reads."""
    types = (pl.String(), pl.Int64(), pl.Int64(), pl.Boolean())
    return pl.DataFrame(schema=dict(columns(Subject)) | dict(zip(_PROVENANCE, types, strict=True)))


def _conformed(rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([conform(rows, Subject), rows.select(_PROVENANCE)], how="horizontal")
