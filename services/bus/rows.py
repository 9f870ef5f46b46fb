"""A message's rows, checked against their contracts: what every reader of Arrow messages starts with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from schemas.columns import conform
from schemas.contracts.base import Contract
from schemas.errors import InputError, Reason
from schemas.wire import from_ipc
from services.bus import Message

NEVER_NULL: Final = ("source", "subject_ref", "version", "operation")
"""Without these, a record could not be told from another, and no later version could replace it."""


def rows_of(message: Message, contracts: Sequence[type[Contract]], never_null: Sequence[str] = ()) -> pl.DataFrame:
    """Return a message's rows in exactly the columns of `contracts`; ones that its sender did not know yet are null.

    Raises InputError BATCH_UNREADABLE when the bytes are no complete Arrow stream, COLUMNS_WRONG when a column has a
    type that cannot become its contract's, or one of `never_null` is absent or null somewhere. No text quotes a value.
    """
    frame = from_ipc(message.value or b"")
    try:
        frame = pl.concat([conform(frame, contract) for contract in contracts], how="horizontal")
    except pl.exceptions.PolarsError:
        raise _wrong_columns() from None  # Polars quotes the value that it could not cast
    if any(frame[name].null_count() for name in never_null):
        raise _wrong_columns()
    return frame


def record_rows(message: Message, contracts: Sequence[type[Contract]]) -> pl.DataFrame:
    """Return the rows of subjects or facts, and where they came from, as the lake keeps them.

    Adds `_topic, _partition, _offset, _stream, _batch, _one_record_per_person`; raises as `rows_of`.
    """
    return rows_of(message, contracts, NEVER_NULL).with_columns(
        _topic=pl.lit(message.topic, dtype=pl.String),
        _partition=pl.lit(message.partition, dtype=pl.Int64),
        _offset=pl.lit(message.offset, dtype=pl.Int64),
        _stream=pl.lit(message.headers.get("stream_id"), dtype=pl.String),
        _batch=pl.lit(message.headers.get("batch"), dtype=pl.String),
        _one_record_per_person=pl.lit(message.headers.get("one_record_per_person") == "true", dtype=pl.Boolean),
    )


def _wrong_columns() -> InputError:
    return InputError(
        Reason.COLUMNS_WRONG,
        "The columns of a message are not those of its kind; see `hwlink dlq list`, and mend the sender.",
    )
