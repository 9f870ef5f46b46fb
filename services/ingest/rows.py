"""The rows entrance: protobuf messages to the columns that the columns entrance brings, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from schemas.columns import columns
from schemas.contracts.base import Feed, Operation
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from services.ingest.walk import Columns, Places, columns_of
from services.pb.hwlink.v1 import ingest_pb2

_KINDS: Final[dict[Feed, Descriptor]] = {
    Feed.HEALTH: ingest_pb2.HealthRecord.DESCRIPTOR,
    Feed.WELFARE: ingest_pb2.WelfareRecord.DESCRIPTOR,
}
_OPERATIONS: Final = {
    int(ingest_pb2.OPERATION_UNSPECIFIED): None,
    int(ingest_pb2.OPERATION_UPSERT): Operation.UPSERT.value,
    int(ingest_pb2.OPERATION_WITHDRAW): Operation.WITHDRAW.value,
}
_UNKNOWN_OPERATION: Final = "unknown"  # of a newer client; no code of ours, so the record is refused


def frame_of_rows(records: Sequence[Message], feed: Feed) -> pl.DataFrame:
    """Return the records as columns, unchecked: a field that is not set is null, a date is still text.

    A column that no record has is left out, as a file may leave it out; so is a field of facts.
    """
    found = columns_of(records, _KINDS[feed])
    operations = found.flat["operation"].replace_strict(
        _OPERATIONS, default=_UNKNOWN_OPERATION, return_dtype=pl.String()
    )
    lists = {name: _list_column(name, *held, feed) for name, held in found.lists.items()}
    made = {**found.flat, **lists, "operation": operations}
    return pl.DataFrame([made[name] for name in columns(RECORDS[feed]) if name in made])


def _list_column(name: str, counts: Places, elements: Columns, feed: Feed) -> pl.Series:
    """Return a list column: its elements flat, and where each record's begin."""
    fields = (elements.flat.get(field) for field in columns(LISTED_FACTS[feed][name]))
    flat = pl.DataFrame([field for field in fields if field is not None])
    struct = flat.to_struct().to_arrow(compat_level=pl.CompatLevel.oldest())
    offsets = np.concatenate([[0], np.cumsum(counts)])
    made = pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(offsets), struct))
    assert isinstance(made, pl.Series)  # noqa: S101 - an array always becomes a series
    return made.alias(name)
