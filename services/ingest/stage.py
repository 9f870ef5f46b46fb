"""One batch from bytes or messages to what its topics will hold: the part of ingest without any I/O.

`tests/bench` times these functions and `split.outgoing`; the service calls nothing else between request and bus.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.contracts.base import Feed, Operation
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.errors import InputError, Reason
from schemas.wire import from_ipc
from services.ingest.police import FillOfFilters, fill_of_filters
from services.ingest.rows import frame_of_rows
from services.ingest.split import Piece, pieces_of
from services.ingest.validate import Refusal, validate
from services.pb.hwlink.v1 import ingest_pb2

MAX_BATCH_ROWS: Final = 5_000
MAX_BATCH_BYTES: Final = 8 * 1024 * 1024
"""Of one message. Larger batches gain nothing (1.2 M rows a second are validated at 5,000) and cost memory."""

RowBatch = ingest_pb2.HealthRowBatch | ingest_pb2.WelfareRowBatch
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True)
class Staged:
    """A batch ready for its topics.

    `refused_by_reason` counts each refused record once, by its first fault; `present` counts the values of linkage
    columns among `upserts` accepted records that are no withdrawals; `reason` is set when the whole batch was refused.
    """

    digest: str
    pieces: list[Piece]
    accepted: int
    refused: int
    refusals: list[Refusal]
    refused_by_reason: Mapping[str, int]
    present: Mapping[str, int]
    upserts: int
    fill: FillOfFilters
    reason: Reason | None = None


def digest_of_rows(batch: RowBatch) -> str:
    """Return the digest by which a batch of rows is known when it comes again."""
    return _digest_of_rows(batch.SerializeToString(deterministic=True))


def digest_of_columns(batch: ingest_pb2.ColumnBatch) -> str:
    """Return the digest by which a batch of columns is known when it comes again."""
    digest = hashlib.blake2b(b"columns", digest_size=_DIGEST_BYTES)
    digest.update(batch.arrow_ipc)
    return digest.hexdigest()


def stage_rows(batch: RowBatch, feed: Feed, source: str) -> Staged:
    """Stage a batch of typed records."""
    content = batch.SerializeToString(deterministic=True)
    digest, rows = _digest_of_rows(content), len(batch.records)
    if rows > MAX_BATCH_ROWS or len(content) > MAX_BATCH_BYTES:
        return _refused_whole(digest, rows, Reason.BATCH_TOO_LARGE)
    return _staged(digest, frame_of_rows(batch.records, feed), feed, source)


def stage_columns(batch: ingest_pb2.ColumnBatch, feed: Feed, source: str) -> Staged:
    """Stage a batch of columns."""
    digest = digest_of_columns(batch)
    if len(batch.arrow_ipc) > MAX_BATCH_BYTES:
        return _refused_whole(digest, 0, Reason.BATCH_TOO_LARGE)
    try:
        frame = from_ipc(batch.arrow_ipc)
    except InputError as error:
        return _refused_whole(digest, 0, error.reason)
    if frame.height > MAX_BATCH_ROWS:
        return _refused_whole(digest, frame.height, Reason.BATCH_TOO_LARGE)
    return _staged(digest, frame, feed, source)


def _digest_of_rows(content: bytes) -> str:
    digest = hashlib.blake2b(b"rows", digest_size=_DIGEST_BYTES)
    digest.update(content)
    return digest.hexdigest()


def _staged(digest: str, frame: pl.DataFrame, feed: Feed, source: str) -> Staged:
    try:
        validated = validate(frame, feed)
    except InputError as error:
        return _refused_whole(digest, frame.height, error.reason)
    taken = validated.frame
    kept = taken["operation"] == Operation.UPSERT.value
    linkage = taken.select(*TOKEN_COLUMNS, *FILTER_COLUMNS)
    upserts = linkage if kept.all() else linkage.filter(kept)
    first_fault = {refusal.index: refusal.reason for refusal in reversed(validated.refusals)}
    by_reason: dict[str, int] = {}
    for reason in first_fault.values():
        by_reason[reason.value] = by_reason.get(reason.value, 0) + 1
    return Staged(
        digest=digest,
        pieces=pieces_of(taken, feed, source),
        accepted=taken.height,
        refused=len(first_fault),
        refusals=validated.refusals,
        refused_by_reason=by_reason,
        present=upserts.count().row(0, named=True),
        upserts=upserts.height,
        fill=fill_of_filters(upserts),
    )


def _refused_whole(digest: str, rows: int, reason: Reason) -> Staged:
    return Staged(
        digest=digest,
        pieces=[],
        accepted=0,
        refused=rows,
        refusals=[],
        refused_by_reason={reason.value: rows} if rows else {},
        present={},
        upserts=0,
        fill=FillOfFilters({}),
        reason=reason,
    )
