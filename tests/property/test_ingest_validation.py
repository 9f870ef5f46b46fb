"""The column checks mean what the pydantic contracts say: compared over chance records, field by field."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import LISTED_FACTS, Demographics
from schemas.contracts.records import RECORDS
from schemas.contracts.subject import LinkageVariables
from schemas.errors import Reason
from services.ingest.checks import EARLIEST, LATEST, column_checks
from services.ingest.rows import frame_of_rows
from services.ingest.split import Origin, split
from services.ingest.validate import validate
from services.pb.hwlink.v1 import ingest_pb2
from services.send.encode import rows_request
from tests.contract_values import allowed

few = settings(max_examples=40, deadline=None)


texts = st.text(max_size=12)
"""Mostly wrong anywhere."""


def good(contract: type[Contract], name: str) -> st.SearchStrategy[Any]:
    """Return what a field's own constraints allow."""
    return allowed(contract, name, EARLIEST, LATEST)


WRONG: dict[pl.DataType, st.SearchStrategy[Any]] = {
    pl.Binary(): st.binary(max_size=20),
    pl.Int64(): st.integers(-(2**62), 2**62),
    pl.Float64(): st.floats(),
    pl.Date(): st.dates(),
    pl.Boolean(): st.booleans(),
    pl.String(): texts,
}


def values(contract: type[Contract], name: str) -> st.SearchStrategy[Any]:
    """Mostly good values, sometimes none, sometimes of the right type and wrong."""
    return st.one_of(*[good(contract, name)] * 12, st.none(), WRONG[columns(contract)[name]])


@cache
def fact(contract: type[Contract]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values(contract, name) for name in columns(contract)})


@st.composite
def record(draw: st.DrawFn, feed: Feed) -> dict[str, Any]:
    """Draw a good record with few fields that may be wrong, so that good ones are met too, and facts of few kinds."""
    contract = RECORDS[feed]
    flat = [name for name in columns(contract) if name not in LISTED_FACTS[feed]]
    made = {n: draw(good(contract, n) if n in _REQUIRED else st.one_of(good(contract, n), st.none())) for n in flat}
    for name in draw(st.lists(st.sampled_from(flat), max_size=2)):
        made[name] = draw(values(contract, name))
    kinds = draw(st.sets(st.sampled_from(sorted(LISTED_FACTS[feed])), max_size=3))
    for name, element in LISTED_FACTS[feed].items():
        made[name] = draw(st.lists(fact(element), max_size=3)) if name in kinds else []
    return made


_REQUIRED = {"subject_ref", "version"}
records = st.sampled_from(list(Feed)).flatmap(
    lambda feed: st.tuples(st.just(feed), st.lists(record(feed), min_size=1, max_size=6))
)


def faults_by_pydantic(feed: Feed, row: dict[str, Any]) -> set[str]:
    """Return the fields that the contract itself finds fault with, named as the door names them."""

    def there(part: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in part.items() if value is not None}

    given = there(row)
    for name in LISTED_FACTS[feed]:
        given[name] = [there(one) for one in row[name]]
    try:
        RECORDS[feed].model_validate(given)
    except ValidationError as error:
        return {
            "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in fault["loc"])[1:]
            for fault in error.errors(include_input=False)
        }
    return set()


def is_blank_or_out_of_time(value: Any) -> bool:
    """What the door refuses beyond the contract: an encoded blank, and a day that no feed can speak of."""
    if isinstance(value, bytes):
        return len(value) in {16, 64} and not any(value)
    return isinstance(value, date) and not EARLIEST <= value <= LATEST


def beyond_the_contract(feed: Feed, row: dict[str, Any]) -> set[str]:
    found = {name for name, value in row.items() if is_blank_or_out_of_time(value)}
    for name in LISTED_FACTS[feed]:
        for place, one in enumerate(row[name]):
            found |= {f"{name}[{place}].{key}" for key, value in one.items() if is_blank_or_out_of_time(value)}
    return found


@few
@given(records)
def test_columns_are_refused_exactly_where_the_contract_refuses(made: tuple[Feed, list[dict[str, Any]]]) -> None:
    """Beyond the contract, only blanks, days out of time, and what looks like a clear identifier."""
    feed, rows = made
    result = validate(pl.DataFrame(rows, schema=columns(RECORDS[feed])), feed)
    for index, row in enumerate(rows):
        found = {refusal.field for refusal in result.refusals if refusal.index == index}
        identifying = {r.field for r in result.refusals if r.index == index and r.reason is Reason.CLEAR_IDENTIFIER}
        expected = faults_by_pydantic(feed, row) | beyond_the_contract(feed, row)
        assert expected <= found
        assert found - expected <= identifying
    refused = {refusal.index for refusal in result.refusals}
    assert result.frame["subject_ref"].to_list() == [
        row["subject_ref"] for index, row in enumerate(rows) if index not in refused
    ]


@few
@given(records)
def test_both_entrances_refuse_and_take_the_same(made: tuple[Feed, list[dict[str, Any]]]) -> None:
    feed, rows = made
    frame = pl.DataFrame(rows, schema=columns(RECORDS[feed]))
    batch = rows_request(feed, 0, frame).rows
    by_rows = validate(frame_of_rows(batch.records, feed), feed)
    by_columns = validate(frame, feed)
    assert by_rows.refusals == by_columns.refusals
    assert_frame_equal(by_rows.frame, by_columns.frame)


@few
@given(records)
def test_what_is_taken_has_the_contracts_columns_and_splits_without_remainder(
    made: tuple[Feed, list[dict[str, Any]]],
) -> None:
    feed, rows = made
    taken = validate(pl.DataFrame(rows, schema=columns(RECORDS[feed])), feed).frame
    assert taken.schema == columns(RECORDS[feed])
    messages = split(taken, feed, Origin("x.a1", "stream-1", "a", "1", True, 0))
    for kind in ("subjects", "demographics"):
        assert sum(int(m.headers["rows"]) for m in messages if m.headers["kind"] == kind) == taken.height
    for kind in LISTED_FACTS[feed]:
        kept = taken.filter(pl.col("operation") == "upsert")[kind].list.len().sum()
        assert sum(int(m.headers["rows"]) for m in messages if m.headers["kind"] == kind) == kept


def test_every_contract_has_column_checks() -> None:
    """A constraint that columns could not check would make the door more lenient than the contract, in silence."""
    for feed in Feed:
        for contract in (RECORDS[feed], *LISTED_FACTS[feed].values()):
            checks = column_checks(contract)
            assert set(checks) == set(columns(contract)) - set(LISTED_FACTS[feed])


def test_no_text_field_takes_any_text() -> None:
    """No type on the server can hold a clear identifier: each text is a code or matches a pattern."""
    for feed in Feed:
        for contract in (RECORDS[feed], *LISTED_FACTS[feed].values(), Demographics, LinkageVariables):
            for name, check in column_checks(contract).items():
                if check.dtype == pl.String():
                    assert check.explain("any text, of anybody") is not None, name


def test_an_empty_batch_is_taken_and_gives_nothing() -> None:
    for feed in Feed:
        assert validate(pl.DataFrame(schema=columns(RECORDS[feed])), feed).frame.is_empty()
        assert validate(frame_of_rows([], feed), feed).frame.is_empty()
        assert split(pl.DataFrame(schema=columns(RECORDS[feed])), feed, Origin("x.a1", "s", "a", "1", True, 0)) == []


def test_an_operation_that_this_server_does_not_know_refuses_the_record() -> None:
    record = ingest_pb2.HealthRecord(subject_ref="f1" * 16, version=1, operation=7)  # type: ignore[arg-type]
    (refusal,) = validate(frame_of_rows([record], Feed.HEALTH), Feed.HEALTH).refusals
    assert (refusal.field, refusal.reason) == ("operation", Reason.FIELD_INVALID)
