"""Batches as the two entrances take them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS, Demographics
from schemas.contracts.records import RECORDS, FileDeclaration
from schemas.contracts.subject import LinkageVariables
from schemas.errors import InputError, Reason
from schemas.wire import to_ipc
from services.pb.hwlink.v1 import ingest_pb2

Request = ingest_pb2.HealthIngestRequest | ingest_pb2.WelfareIngestRequest

REQUESTS: Final[dict[Feed, type[Request]]] = {
    Feed.HEALTH: ingest_pb2.HealthIngestRequest,
    Feed.WELFARE: ingest_pb2.WelfareIngestRequest,
}
_ROW_BATCHES: Final[dict[Feed, Any]] = {
    Feed.HEALTH: ingest_pb2.HealthRowBatch,
    Feed.WELFARE: ingest_pb2.WelfareRowBatch,
}
_RECORDS: Final[dict[Feed, Any]] = {Feed.HEALTH: ingest_pb2.HealthRecord, Feed.WELFARE: ingest_pb2.WelfareRecord}
_ELEMENTS: Final[dict[str, Any]] = {
    "diagnoses": ingest_pb2.Diagnosis,
    "encounters": ingest_pb2.Encounter,
    "claims": ingest_pb2.ClaimMembership,
    "arrears": ingest_pb2.Arrears,
}
_OPERATIONS: Final = {"upsert": ingest_pb2.OPERATION_UPSERT, "withdraw": ingest_pb2.OPERATION_WITHDRAW}
_UNKNOWN_OPERATION: Final = 99
_NO_VERSION: Final = 2**64 - 1
_NO_PENCE: Final = 2**62
"""Where protobuf cannot say that a required value is missing: out of range, so that the server refuses the record as it
does when a column has a null there."""


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
    """Return a batch as typed records; InputError COLUMNS_WRONG when a column is of a type that no message takes."""
    wanted = columns(RECORDS[feed])
    as_text = [n for n, dtype in frame.schema.items() if dtype == pl.String() and wanted.get(n) == pl.Binary()]
    rows = frame.with_columns(pl.col(as_text).cast(pl.Binary)).iter_rows(named=True)
    try:
        records = [_record(feed, row) for row in rows]
    except (TypeError, ValueError):  # their text repeats the value
        raise InputError(
            Reason.COLUMNS_WRONG,
            "The file has columns of a type that no record has; pseudonymise it again, or send it without --rows.",
        ) from None
    return REQUESTS[feed](rows=_ROW_BATCHES[feed](batch=batch, records=records))


def close_request(feed: Feed, batches: int) -> Request:
    """Return the closing of a stream."""
    return REQUESTS[feed](close=ingest_pb2.StreamClosing(batches=batches))


def _record(feed: Feed, row: Mapping[str, Any]) -> Any:
    operation, version = row.get("operation"), row["version"]
    return _RECORDS[feed](
        subject_ref=row["subject_ref"],
        version=version if version is not None and 0 <= version < _NO_VERSION else _NO_VERSION,
        operation=None if operation is None else _OPERATIONS.get(operation, _UNKNOWN_OPERATION),
        linkage=ingest_pb2.LinkageVariables(**_held(row, LinkageVariables.model_fields)),
        claim_group=row.get("claim_group"),
        claim_role=row.get("claim_role"),
        demographics=ingest_pb2.Demographics(**_held(row, Demographics.model_fields)),
        **{name: [_element(name, fact) for fact in row.get(name) or ()] for name in LISTED_FACTS[feed]},
    )


def _element(name: str, fact: Mapping[str, Any] | None) -> Any:
    held = _held(fact or {}, fact or {})
    return _ELEMENTS[name](**({"balance_pence": _NO_PENCE, **held} if name == "arrears" else held))


def _held(row: Mapping[str, Any], names: Any) -> dict[str, Any]:
    """Return what is there of these fields: a field that is left out is absent, and dates travel as text."""
    return {n: _day(v) if isinstance(v, date) else v for n in names if (v := row.get(n)) is not None}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
