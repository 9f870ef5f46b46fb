"""Columns derived from contracts: every contract survives the wire, and readers accept the previous version."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from schemas.columns import columns, conform
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import FACT_KINDS, FactEnvelope
from schemas.contracts.links import LINK_KINDS
from schemas.contracts.persons import MembershipChange
from schemas.contracts.records import RECORDS
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS, Subject
from schemas.wire import from_ipc, to_ipc

CONTRACTS: dict[str, type[BaseModel]] = {
    contract.__name__: contract
    for contract in (
        *RECORDS.values(),
        Subject,
        FactEnvelope,
        *(contract for kinds in FACT_KINDS.values() for contract in kinds.values()),
        *LINK_KINDS.values(),
        MembershipChange,
    )
}

SCALARS: dict[type[pl.DataType], st.SearchStrategy[Any]] = {
    pl.Binary: st.binary(max_size=64),
    pl.String: st.text(max_size=40),
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.Float64: st.floats(allow_nan=False),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(date(1850, 1, 1), date(2150, 1, 1)),
}


def values(dtype: pl.DataType) -> st.SearchStrategy[Any]:
    """Values of a column of this type, null among them."""
    if isinstance(dtype, pl.List):
        return st.none() | st.lists(values(dtype.inner).filter(lambda value: value is not None), max_size=3)  # type: ignore[arg-type]
    if isinstance(dtype, pl.Struct):
        return st.fixed_dictionaries({field.name: values(field.dtype) for field in dtype.fields})  # type: ignore[arg-type]
    return st.none() | SCALARS[type(dtype)]


def frames(contract: type[BaseModel]) -> st.SearchStrategy[pl.DataFrame]:
    schema = columns(contract)
    row = st.fixed_dictionaries({name: values(dtype) for name, dtype in schema.items()})
    return st.lists(row, max_size=5).map(lambda rows: pl.DataFrame(rows, schema=schema))


@pytest.mark.parametrize("name", CONTRACTS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_contract_survives_the_wire(name: str, data: st.DataObject) -> None:
    frame = data.draw(frames(CONTRACTS[name]))
    read = from_ipc(to_ipc(frame))
    assert read.equals(frame)
    assert read.schema == columns(CONTRACTS[name])


@pytest.mark.parametrize("name", CONTRACTS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_readers_accept_the_previous_and_the_next_version(name: str, data: st.DataObject) -> None:
    """A version before may lack columns, one after may have more; what both have is untouched, in declared order."""
    contract = CONTRACTS[name]
    frame = data.draw(frames(contract))
    kept = data.draw(st.lists(st.sampled_from(list(columns(contract))), min_size=1, unique=True))
    other = frame.select(kept).with_columns(pl.lit("later").alias("added_since"))
    read = conform(from_ipc(to_ipc(other)), contract)
    assert read.schema == columns(contract)
    assert read.height == frame.height
    assert read.select(kept).equals(frame.select(kept))
    assert all(read[column].null_count() == read.height for column in columns(contract) if column not in kept)


@pytest.mark.parametrize("name", CONTRACTS)
def test_conforming_twice_changes_nothing(name: str) -> None:
    empty = pl.DataFrame(schema=columns(CONTRACTS[name]))
    assert conform(empty, CONTRACTS[name]).schema == empty.schema


def test_narrower_types_of_other_writers_are_widened() -> None:
    narrow = pl.DataFrame({"ordinal": [1]}, schema={"ordinal": pl.Int16})
    assert conform(narrow, FactEnvelope)["ordinal"].dtype == pl.Int64


def test_columns_follow_the_declaration() -> None:
    class Inner(Contract):
        day: date

    class Kind(StrEnum):
        A = "a"

    class Outer(Contract):
        text: Annotated[str, Field(max_length=3)]
        kind: Kind | None = None
        amount_pence: int
        share: float
        flag: bool
        raw: bytes | None = None
        inner: Inner
        several: list[Inner]
        names: tuple[str, ...] = ()

    assert columns(Outer) == pl.Schema(
        {
            "text": pl.String(),
            "kind": pl.String(),
            "amount_pence": pl.Int64(),
            "share": pl.Float64(),
            "flag": pl.Boolean(),
            "raw": pl.Binary(),
            "inner": pl.Struct({"day": pl.Date()}),
            "several": pl.List(pl.Struct({"day": pl.Date()})),
            "names": pl.List(pl.String()),
        }
    )


def test_a_type_without_a_column_is_refused() -> None:
    class Strange(Contract):
        anything: complex

    with pytest.raises(KeyError):
        columns(Strange)


def test_tokens_and_filters_are_named_by_what_they_are() -> None:
    assert len(TOKEN_COLUMNS) == 23
    assert len(FILTER_COLUMNS) == 3
    for name in (*TOKEN_COLUMNS, *FILTER_COLUMNS):
        assert columns(Subject)[name] == pl.Binary()


@pytest.mark.parametrize("feed", list(Feed))
def test_a_record_is_its_subject_and_its_facts(feed: Feed) -> None:
    """Ingest splits a record into subjects and facts: neither may need a column that the record lacks."""
    record = set(columns(RECORDS[feed]))
    added_by_ingest = {"source", "content_hash"}
    assert set(columns(Subject)) - record == added_by_ingest
    listed = FACT_KINDS[feed].keys() - {"demographics"}
    assert listed <= record
    assert set(columns(FACT_KINDS[feed]["demographics"])) <= record
    assert set(columns(FactEnvelope)) - record == added_by_ingest | {"ordinal"}


def test_no_contract_repeats_a_column_of_the_envelope() -> None:
    for kinds in FACT_KINDS.values():
        for contract in kinds.values():
            assert not set(columns(contract)) & set(columns(FactEnvelope))


def test_bytes_in_contracts_have_a_fixed_length() -> None:
    """A token or a filter of any other length is no token: the contract says so, and doors check it."""
    for contract in CONTRACTS.values():
        for name, info in contract.model_fields.items():
            annotation = info.annotation
            if annotation is not None and bytes in _leaves(annotation):
                lengths = {getattr(meta, "min_length", None) for meta in _metadata(annotation, info.metadata)}
                assert lengths & {16, 64}, f"{contract.__name__}.{name}"


def _leaves(annotation: Any) -> set[Any]:
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _leaves(arguments[0])
    return {leaf for argument in arguments for leaf in _leaves(argument)} if arguments else {annotation}


def _metadata(annotation: Any, own: list[Any]) -> list[Any]:
    found = list(own)
    for argument in (annotation, *get_args(annotation)):
        if get_origin(argument) is Annotated:
            for meta in argument.__metadata__:
                found += getattr(meta, "metadata", [meta])
    return found
