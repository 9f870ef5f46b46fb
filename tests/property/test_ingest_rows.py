"""Columns of typed records are what asking each record for each field gives, whatever the record holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from services.ingest.rows import frame_of_rows
from services.ingest.walk import columns_of
from services.pb.hwlink.v1 import ingest_pb2

KINDS: dict[Feed, type[Message]] = {Feed.HEALTH: ingest_pb2.HealthRecord, Feed.WELFARE: ingest_pb2.WelfareRecord}
OPERATIONS = {0: None, 1: "upsert", 2: "withdraw"}
SCALARS: dict[int, st.SearchStrategy[Any]] = {
    # Sizes around those that take another byte of length, and around what stands in a view itself.
    FieldDescriptor.TYPE_BYTES: st.one_of(
        st.binary(max_size=20), st.sampled_from([b"x" * 127, b"y" * 128, b"z" * 300])
    ),
    FieldDescriptor.TYPE_STRING: st.one_of(st.text(max_size=20), st.sampled_from(["\u00e9" * 64, "w" * 300])),
    FieldDescriptor.TYPE_UINT64: st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 1)),
    FieldDescriptor.TYPE_SINT64: st.one_of(st.integers(-200, 200), st.integers(-(2**63), 2**63 - 1)),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats() | st.sampled_from([0.0, -0.0]),
    FieldDescriptor.TYPE_ENUM: st.one_of(st.sampled_from([0, 1, 2]), st.integers(-(2**31), 2**31 - 1)),
}


@st.composite
def messages(draw: st.DrawFn, kind: Descriptor) -> dict[str, Any]:
    """Draw a message of a type as a dictionary: any of its fields, as often as they may stand."""
    chosen = draw(st.sets(st.sampled_from([one.name for one in kind.fields])))
    made = {}
    for one in kind.fields:
        if one.name in chosen:
            value = SCALARS[one.type] if one.type in SCALARS else messages(one.message_type)
            made[one.name] = draw(st.lists(value, max_size=4) if one.is_repeated else value)
    return made


batches = st.sampled_from(list(Feed)).flatmap(
    lambda feed: st.tuples(st.just(feed), st.lists(messages(KINDS[feed].DESCRIPTOR), max_size=5))
)


def asked(message: Any, name: str) -> Any:
    """Return a field as the library gives it, None where it could be absent and is."""
    present = not message.DESCRIPTOR.fields_by_name[name].has_presence or message.HasField(name)
    return getattr(message, name) if present else None


def one_by_one(records: Sequence[Any], feed: Feed) -> list[dict[str, Any]]:
    """Return records as rows, field by field."""
    rows = []
    for record in records:
        holders = (record, record.linkage, record.demographics)
        row: dict[str, Any] = {}
        for name in columns(RECORDS[feed]):
            holder = next(h for h in holders if name in h.DESCRIPTOR.fields_by_name)
            if name in LISTED_FACTS[feed]:
                fields = columns(LISTED_FACTS[feed][name])
                row[name] = [{field: asked(fact, field) for field in fields} for fact in getattr(record, name)]
            else:
                row[name] = asked(holder, name)
        row["operation"] = OPERATIONS.get(record.operation, "unknown")
        rows.append(row)
    return rows


@settings(max_examples=60, deadline=None)
@given(batches)
def test_records_read_at_once_are_records_read_one_by_one(made: tuple[Feed, list[dict[str, Any]]]) -> None:
    feed, drawn = made
    records = [KINDS[feed](**one) for one in drawn]
    found = frame_of_rows(records, feed)
    expected = pl.DataFrame(one_by_one(records, feed), schema=columns_as_read(feed))
    assert_frame_equal(with_what_is_left_out(found, expected), expected)


def with_what_is_left_out(found: pl.DataFrame, expected: pl.DataFrame) -> pl.DataFrame:
    """Add the columns that no record had anything in, and the fields that no fact had; what is there stays."""
    made = []
    for name, dtype in expected.schema.items():
        inner = dtype.inner if isinstance(dtype, pl.List) else None
        if name not in found.columns:
            made.append(pl.lit([] if inner else None, dtype=dtype).alias(name))
        elif isinstance(inner, pl.Struct):
            (have,) = (f.inner for n, f in found.schema.items() if n == name and isinstance(f, pl.List))
            assert isinstance(have, pl.Struct)
            there = {field.name for field in have.fields}
            fields = [
                pl.element().struct.field(f.name) if f.name in there else pl.lit(None, f.dtype).alias(f.name)
                for f in inner.fields
            ]
            made.append(pl.col(name).list.eval(pl.struct(fields)))
        else:
            made.append(pl.col(name))
    return found.select(made)


def columns_as_read(feed: Feed) -> dict[str, pl.DataType]:
    """Return the types of columns before they are checked: days are text, and versions as protobuf has them."""

    def as_read(dtype: Any) -> pl.DataType:
        if isinstance(dtype, pl.List):
            assert isinstance(dtype.inner, pl.Struct)
            return pl.List(pl.Struct({field.name: as_read(field.dtype) for field in dtype.inner.fields}))
        return pl.String() if dtype == pl.Date() else dtype

    return {n: pl.UInt64() if n == "version" else as_read(d) for n, d in columns(RECORDS[feed]).items()}


def test_fields_of_a_newer_client_are_passed_over() -> None:
    """Wherever they stand: in the record, in a message within it, in a fact. The message itself stays as it is."""
    unknown = bytes([0b1111_1010, 0b0000_0001, 3]) + b"new"  # field 31, three bytes: a number that no message has
    known = ingest_pb2.HealthRecord(subject_ref="f1" * 16, version=1)
    known.diagnoses.add(condition="asthma")
    known.linkage.token_surname = b"\xf1" * 16
    expected = frame_of_rows([known], Feed.HEALTH)
    newer = ingest_pb2.HealthRecord.FromString(known.SerializeToString() + unknown)
    newer.diagnoses[0].MergeFromString(unknown)
    newer.demographics.MergeFromString(unknown)
    before = newer.SerializeToString()
    assert_frame_equal(frame_of_rows([newer], Feed.HEALTH), expected)
    assert newer.SerializeToString() == before


def test_a_record_with_very_many_facts_is_read_in_time_that_grows_with_them() -> None:
    record = ingest_pb2.HealthRecord(version=1)
    record.MergeFromString(bytes([0b0100_0010, 0]) * 300_000)  # diagnoses, of nothing
    assert len(frame_of_rows([record], Feed.HEALTH)["diagnoses"][0]) == 300_000


def test_values_of_any_length_are_whole() -> None:
    texts = ["w" * size for size in (0, 1, 11, 12, 13, 127, 128, 16_383, 16_384, 2_097_152)]
    records = [ingest_pb2.HealthRecord(subject_ref=text, diagnoses=[{"condition": text}]) for text in texts]
    found = frame_of_rows(records, Feed.HEALTH)
    assert found["subject_ref"].to_list() == texts
    assert found["diagnoses"].explode().struct.field("condition").to_list() == texts


def test_a_type_with_fields_of_a_kind_that_no_record_has_is_refused() -> None:
    with pytest.raises(TypeError, match="window"):
        columns_of([], ingest_pb2.StreamOpened.DESCRIPTOR)
