"""Records written all at once are the records that setting each field gives, whatever they hold."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from schemas.errors import InputError, Reason
from services.pb.hwlink.v1 import ingest_pb2
from services.send.encode import REQUESTS, rows_request

OPERATIONS = {"upsert": ingest_pb2.OPERATION_UPSERT, "withdraw": ingest_pb2.OPERATION_WITHDRAW}
SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    # Sizes around those that take another byte of length.
    pl.Binary(): st.one_of(st.binary(max_size=20), st.sampled_from([b"y" * n for n in (16, 64, 127, 128, 300)])),
    pl.String(): st.one_of(st.text(max_size=20), st.sampled_from(["\u00e9" * 64, "w" * 20_000])),
    pl.Int64(): st.one_of(st.integers(-200, 200), st.integers(-(2**63), 2**63 - 1)),
    pl.Float64(): st.floats(),
    pl.Boolean(): st.booleans(),
    pl.Date(): st.dates(date(1000, 1, 1)),
}


def values(dtype: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Draw a value of a column, or none."""
    if isinstance(dtype, pl.List):
        assert isinstance(dtype.inner, pl.Struct)
        facts = st.fixed_dictionaries({field.name: values(field.dtype) for field in dtype.inner.fields})
        return st.none() | st.lists(facts, max_size=3)
    if name == "operation":
        return st.sampled_from([None, "upsert", "withdraw", "delete"])
    return st.none() | SCALARS[dtype]


@st.composite
def frames(draw: st.DrawFn) -> tuple[Feed, pl.DataFrame]:
    """Draw records of a feed with some of its columns."""
    feed = draw(st.sampled_from(list(Feed)))
    schema = columns(RECORDS[feed])
    extra = draw(st.sets(st.sampled_from(sorted(set(schema) - {"subject_ref", "version"}))))
    chosen = {n: dtype for n, dtype in schema.items() if n in {"subject_ref", "version", *extra}}
    row = st.fixed_dictionaries({n: values(dtype, n) for n, dtype in chosen.items()})
    return feed, pl.DataFrame(draw(st.lists(row, max_size=4)), schema=chosen)


def set_one_by_one(feed: Feed, batch: int, frame: pl.DataFrame) -> Any:
    """Return the request that setting each field of each record makes."""
    request = REQUESTS[feed]()
    request.rows.batch = batch
    for row in frame.rows(named=True):
        row["version"] = 2**64 - 1 if row["version"] is None or row["version"] < 0 else row["version"]
        if row.get("operation") is not None:
            row["operation"] = OPERATIONS.get(row["operation"], 99)
        record = request.rows.records.add()
        for name, value in row.items():
            if name in LISTED_FACTS[feed]:
                for fact in value or []:
                    set_fact(getattr(record, name).add(), fact, LISTED_FACTS[feed][name])
            elif value is not None:
                holders = (record, record.linkage, record.demographics)
                setattr(next(h for h in holders if name in h.DESCRIPTOR.fields_by_name), name, value)
    return request


def set_fact(message: Any, fact: dict[str, Any], contract: type[Contract]) -> None:
    for name, number in (("value", math.inf), *dict.fromkeys(REQUIRED_AMOUNTS, 2**62).items()):
        if name in fact and fact[name] is None and contract.model_fields[name].is_required():
            fact[name] = number
    for name, value in fact.items():
        if value is not None:
            setattr(message, name, value.isoformat() if isinstance(value, date) else value)


REQUIRED_AMOUNTS = ("balance_pence", "monthly_pence", "bedrooms", "bedrooms_needed")


@settings(max_examples=100, deadline=None)
@given(frames(), st.integers(0, 2**64 - 1))
def test_records_written_at_once_are_records_set_one_by_one(made: tuple[Feed, pl.DataFrame], batch: int) -> None:
    feed, frame = made
    written, expected = rows_request(feed, batch, frame), set_one_by_one(feed, batch, frame)
    assert written.SerializeToString() == expected.SerializeToString()  # messages with something not a number differ


def test_a_batch_of_nothing_is_a_batch() -> None:
    request = rows_request(Feed.HEALTH, 7, pl.DataFrame(schema=columns(RECORDS[Feed.HEALTH])))
    assert (request.WhichOneof("part"), request.rows.batch, len(request.rows.records)) == ("rows", 7, 0)


def test_part_of_a_larger_frame_is_written_as_that_part() -> None:
    facts = [[{"kind": "rent_ha", "balance_pence": n, "oldest_debt_on": date(2020, 1, 2)}] * (n % 3) for n in range(9)]
    frame = pl.DataFrame(
        {
            "subject_ref": [f"{n:032x}" for n in range(9)],
            "version": range(9),
            "token_nino": [b"\xf1" * 16, None, b""] * 3,
        }
    ).with_columns(arrears=pl.Series(facts))
    part = frame.slice(3, 4)
    assert rows_request(Feed.WELFARE, 0, part) == set_one_by_one(Feed.WELFARE, 0, part)


@pytest.mark.parametrize(
    "wrong",
    [
        pl.lit(1).alias("sex"),
        pl.lit(b"\xff").alias("sex"),
        pl.lit("x").alias("diagnoses"),
        pl.lit([1]).alias("diagnoses"),
        pl.lit([{"condition": "af", "note": "x"}]).alias("diagnoses"),
    ],
)
def test_columns_that_no_message_takes_are_refused_without_a_value(wrong: pl.Expr) -> None:
    frame = pl.DataFrame({"subject_ref": ["f1" * 16], "version": [1]}).with_columns(wrong)
    with pytest.raises(InputError) as caught:
        rows_request(Feed.HEALTH, 0, frame)
    assert caught.value.reason is Reason.COLUMNS_WRONG
    assert caught.value.__suppress_context__
