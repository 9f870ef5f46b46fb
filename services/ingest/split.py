"""The separation principle in code: an accepted batch becomes subjects for the matcher and facts for the lake.

Both carry the same hash of the whole record, so that two records of one version are settled alike on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.columns import columns
from schemas.contracts.base import Feed, Operation
from schemas.contracts.facts import FACT_KINDS, LISTED_FACTS, Demographics, FactEnvelope
from schemas.contracts.records import RECORDS
from schemas.contracts.subject import Subject
from schemas.topics import CONTENT, SUBJECTS, Topic
from schemas.wire import to_ipc
from services.bus import Outgoing

SUBJECT_ROWS: Final = 500
"""Rows of a subjects message: what a matcher takes as one micro-batch, about 270 kB."""

FACT_ROWS: Final = 2_000
"""Rows of a facts message: they are a tenth as large, and only landing reads them, in bulk."""

_HASH_SEED: Final = 20_260_101
_KEPT_ON_WITHDRAWAL: Final = ("subject_ref", "version", "operation")
_PARTITION: Final = "_partition"


@dataclass(frozen=True)
class Origin:
    """Where a batch came from: what its messages' headers say. `batch` is None for rows that ingest itself makes."""

    source: str
    stream_id: str
    agreement_id: str
    key_epoch: str
    one_record_per_person: bool
    batch: int | None

    def headers(self, kind: str, rows: int) -> dict[str, str]:
        """Return the headers of one message."""
        stated = {
            "kind": kind,
            "source": self.source,
            "stream_id": self.stream_id,
            "agreement_id": self.agreement_id,
            "key_epoch": self.key_epoch,
            "one_record_per_person": "true" if self.one_record_per_person else "false",
            "schema_version": "1",
            "rows": str(rows),
        }
        return stated if self.batch is None else {**stated, "batch": str(self.batch)}


@dataclass(frozen=True)
class Piece:
    """The rows of one message."""

    topic: Topic
    partition: int
    kind: str
    rows: pl.DataFrame


def split(frame: pl.DataFrame, feed: Feed, origin: Origin, *, compressed: bool = True) -> list[Outgoing]:
    """Return the messages of validated records; `compressed` unless the bus compresses what it carries."""
    return outgoing(pieces_of(frame, feed, origin.source), origin, compressed=compressed)


def outgoing(pieces: Iterable[Piece], origin: Origin, *, compressed: bool = True) -> list[Outgoing]:
    """Return pieces as messages. Where they are `compressed` half of ingest's work, and apart for another thread."""
    key = origin.source.encode()
    return [
        Outgoing(
            p.topic.name,
            p.partition,
            key,
            to_ipc(p.rows, compressed=compressed),
            origin.headers(p.kind, p.rows.height),
        )
        for p in pieces
    ]


def pieces_of(frame: pl.DataFrame, feed: Feed, source: str) -> list[Piece]:
    """Cut validated records (columns of `RECORDS[feed]`) into messages: subjects first, then each kind of fact.

    A withdrawal carries nothing but its key. The partition is that of the record's reference, so that all versions of
    a record stay in order.
    """
    if frame.is_empty():
        return []
    frame = _bare_withdrawals(frame, feed)
    frame = frame.with_columns(
        pl.lit(source).alias("source"),
        frame.hash_rows(seed=_HASH_SEED).reinterpret(signed=True).alias("content_hash"),
        (pl.col("subject_ref").str.slice(0, 8).str.to_integer(base=16) % SUBJECTS.partitions).alias(_PARTITION),
    )
    pieces = list(_pieces(frame, list(columns(Subject)), SUBJECTS, "subjects", SUBJECT_ROWS))
    topic = CONTENT[feed]
    for kind, facts in _facts(frame, feed):
        wanted = [*columns(FactEnvelope), *columns(FACT_KINDS[feed][kind])]
        pieces.extend(_pieces(facts, wanted, topic, kind, FACT_ROWS))
    return pieces


def withdrawals(refs: pl.Series, version: int, feed: Feed) -> pl.DataFrame:
    """Return records of a feed that withdraw these references at this version."""
    given = pl.DataFrame(
        {"subject_ref": refs},
    ).with_columns(version=pl.lit(version, dtype=pl.Int64), operation=pl.lit(Operation.WITHDRAW.value))
    return given.select(
        pl.col(name) if name in given.columns else _nothing(name, dtype)
        for name, dtype in columns(RECORDS[feed]).items()
    )


def _nothing(name: str, dtype: pl.DataType) -> pl.Expr:
    return pl.lit([] if isinstance(dtype, pl.List) else None, dtype=dtype).alias(name)


def _bare_withdrawals(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    withdrawn = frame["operation"] == Operation.WITHDRAW.value
    if not withdrawn.any():
        return frame
    return frame.with_columns(
        pl.when(pl.lit(withdrawn)).then(_nothing(name, dtype)).otherwise(pl.col(name)).alias(name)
        for name, dtype in columns(RECORDS[feed]).items()
        if name not in _KEPT_ON_WITHDRAWAL
    )


def _facts(frame: pl.DataFrame, feed: Feed) -> Iterator[tuple[str, pl.DataFrame]]:
    envelope = [name for name in columns(FactEnvelope) if name != "ordinal"]
    yield "demographics", frame.select(*envelope, _PARTITION, *columns(Demographics), ordinal=pl.lit(0, pl.Int64))
    counts = frame.select(pl.col(list(LISTED_FACTS[feed])).list.len().sum()).row(0, named=True)
    for kind in (kind for kind, count in counts.items() if count):
        held = frame.select(*envelope, _PARTITION, kind).filter(pl.col(kind).list.len() > 0)
        numbered = held.with_columns(ordinal=pl.int_ranges(0, pl.col(kind).list.len()))
        yield kind, numbered.explode(kind, "ordinal").unnest(kind)


def _pieces(rows: pl.DataFrame, wanted: list[str], topic: Topic, kind: str, most_rows: int) -> Iterator[Piece]:
    # Chosen first: dealing out the other columns too, lists among them, would take three times as long.
    chosen = rows.select(*wanted, _PARTITION)
    parts: Mapping[tuple[object, ...], pl.DataFrame] = chosen.partition_by(_PARTITION, as_dict=True, include_key=False)
    for (partition,), part in parts.items():
        for piece in part.iter_slices(most_rows):
            yield Piece(topic, int(str(partition)), kind, piece)
