"""Batches as the two entrances take them."""

from __future__ import annotations

import math
from datetime import date
from functools import cache
from typing import Final

import polars as pl

from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS, FileDeclaration
from schemas.errors import InputError, Reason
from schemas.wire import to_ipc
from services.pb.hwlink.v1 import ingest_pb2
from services.send.write import repeated

Request = ingest_pb2.HealthIngestRequest | ingest_pb2.WelfareIngestRequest

REQUESTS: Final[dict[Feed, type[Request]]] = {
    Feed.HEALTH: ingest_pb2.HealthIngestRequest,
    Feed.WELFARE: ingest_pb2.WelfareIngestRequest,
}
_OPERATIONS: Final = {"upsert": ingest_pb2.OPERATION_UPSERT, "withdraw": ingest_pb2.OPERATION_WITHDRAW}
_UNKNOWN_OPERATION: Final = 99
_NO_VERSION: Final = 2**64 - 1
_NO_NUMBER: Final[dict[pl.DataType, float]] = {pl.Int64(): 2**62, pl.Float64(): math.inf}
"""Where protobuf cannot say that a required value is missing: out of range, so that the server refuses the record as it
does when a column has a null there. A required flag has no such value: no contract may have one."""


@cache
def required_numbers(contract: type[Contract]) -> frozenset[str]:
    """Return the fields of a contract that hold a number and may not be null."""
    types = columns(contract)
    return frozenset(n for n, f in contract.model_fields.items() if f.is_required() and types[n] in _NO_NUMBER)


def open_request(stream_id: str, declared: FileDeclaration) -> Request:
    """Return the opening of a stream."""
    opening = ingest_pb2.StreamOpening(
        stream_id=stream_id,
        controller=declared.source.partition(".")[0],
        source=declared.source,
        agreement_id=declared.agreement_id,
        agreement_hash=declared.agreement_hash,
        key_epoch=declared.key_epoch,
        legal_basis=declared.legal_basis or "",
        purpose=declared.purpose or "",
        data_sharing_agreement=declared.data_sharing_agreement or "",
        extract_date=_day(declared.extract_date) or "",
        opt_outs_applied_on=_day(declared.opt_outs_applied_on) or "",
        full_extract=declared.full_extract,
        one_record_per_person=declared.one_record_per_person,
    )
    return REQUESTS[declared.feed](open=opening)


def columns_request(feed: Feed, batch: int, frame: pl.DataFrame) -> Request:
    """Return a batch as columns."""
    return REQUESTS[feed](columns=ingest_pb2.ColumnBatch(batch=batch, arrow_ipc=to_ipc(frame)))


def rows_request(feed: Feed, batch: int, frame: pl.DataFrame) -> Request:
    """Return a batch as typed records; InputError COLUMNS_WRONG when a column is of a type that no message takes.

    Written for all records at once, then parsed: a third of what setting each field costs, at 2,000 (decision 0001).
    """
    request = REQUESTS[feed]()
    request.rows.batch = batch
    try:
        records = repeated(_as_messages_take_it(frame, feed), request.rows.DESCRIPTOR.fields_by_name["records"])
    except (TypeError, pl.exceptions.PolarsError):  # their text may repeat a value
        raise InputError(
            Reason.COLUMNS_WRONG,
            "The file has columns of a type that no record has; pseudonymise it again, or send it without --rows.",
        ) from None
    request.rows.MergeFromString(records)
    return request


def close_request(feed: Feed, batches: int) -> Request:
    """Return the closing of a stream."""
    return REQUESTS[feed](close=ingest_pb2.StreamClosing(batches=batches))


def _as_messages_take_it(frame: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    """Return the columns with dates as text, operations as numbers, and text where bytes belong as bytes; of lists only
    those that a record has.

    A null where protobuf has no way to say null becomes a number out of range: the server refuses it as it does a null.
    """
    wanted, have = columns(RECORDS[feed]), frame.schema
    lists = [name for name in LISTED_FACTS[feed] if isinstance(have.get(name), pl.List)]
    lengths = frame.select(pl.col(lists).list.len().sum()).row(0, named=True) if lists else {}
    frame = frame.drop(name for name in lists if not lengths[name])
    texts = [n for n, dtype in have.items() if dtype == pl.String() and wanted.get(n) == pl.Binary()]
    version = pl.col("version")
    made = [
        pl.col(texts).cast(pl.Binary),
        pl.when(version >= 0).then(version.cast(pl.UInt64, strict=False)).fill_null(_NO_VERSION).alias("version"),
        *(
            pl.col(name).list.eval(_plain_facts(have[name], contract))
            for name, contract in LISTED_FACTS[feed].items()
            if lengths.get(name)
        ),
    ]
    if "operation" in have:
        number = pl.col("operation").replace_strict(_OPERATIONS, default=_UNKNOWN_OPERATION, return_dtype=pl.Int32)
        made.append(pl.when(pl.col("operation").is_not_null()).then(number).alias("operation"))
    return frame.with_columns(made)


def _plain_facts(lists: pl.DataType, contract: type[Contract]) -> pl.Expr:
    inner = lists.inner if isinstance(lists, pl.List) else None
    if not isinstance(inner, pl.Struct):
        return pl.element()
    fields = []
    for field in inner.fields:
        value = pl.element().struct.field(field.name)
        if field.dtype == pl.Date():
            value = value.dt.strftime("%Y-%m-%d")
        elif field.name in required_numbers(contract):
            value = value.fill_null(_NO_NUMBER[columns(contract)[field.name]])
        fields.append(value.alias(field.name))
    return pl.struct(fields)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
