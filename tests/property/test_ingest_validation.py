"""The column checks mean what the pydantic contracts say: compared over chance records, field by field."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from schemas.codes import Benefit, ClaimStatus, Condition, DiagnosisStatus, EncounterKind, EthnicCategory, Sex, Tenure
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS, Demographics
from schemas.contracts.records import RECORDS
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS, ClaimRole, LinkageVariables
from schemas.errors import Reason
from services.ingest.checks import EARLIEST, LATEST, column_checks
from services.ingest.rows import frame_of_rows
from services.ingest.split import Origin, split
from services.ingest.validate import validate
from services.pb.hwlink.v1 import ingest_pb2
from services.send.encode import rows_request

few = settings(max_examples=40, deadline=None)


def hexadecimal(size: int) -> st.SearchStrategy[str]:
    # The first digit keeps chance from looking like text in hexadecimal, which is refused on purpose.
    return st.binary(min_size=size, max_size=size).map(lambda b: (b"\xf1" + b[1:-1] + b"\xf1").hex())


def token(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size - 1, max_size=size - 1).map(lambda b: b"\xf1" + b)


def code(codes: Any) -> st.SearchStrategy[str]:
    return st.sampled_from([member.value for member in codes])


days = st.dates(EARLIEST, LATEST)
texts = st.text(max_size=12)
"""Mostly wrong anywhere."""

ints = st.integers(-(2**62), 2**62)
GOOD: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TOKEN_COLUMNS, token(16)),
    **dict.fromkeys(FILTER_COLUMNS, token(64)),
    "claim_group": token(16),
    "subject_ref": hexadecimal(16),
    "claim_ref": hexadecimal(16),
    "version": st.integers(0, 3 * 10**9),
    "operation": st.sampled_from(["upsert", "withdraw"]),
    "birth_year_month": st.from_regex(r"\A(19|20)[0-9]{2}-(0[1-9]|1[0-2])\Z"),
    "death_year_month": st.from_regex(r"\A(19|20)[0-9]{2}-(0[1-9]|1[0-2])\Z"),
    "sex": code(Sex),
    "ethnic_category": code(EthnicCategory),
    "lsoa": st.from_regex(r"\A[EW][0-9]{8}\Z"),
    "practice_code": st.from_regex(r"\A[A-Z][0-9]{5}\Z"),
    "claim_role": code(ClaimRole),
    "role": code(ClaimRole),
    "condition": code(Condition),
    "status": st.one_of(code(DiagnosisStatus), code(ClaimStatus)),
    "kind": st.one_of(code(EncounterKind), st.just("council_tax")),
    "recorded_on": days,
    "started_on": days,
    "ended_on": days,
    "oldest_debt_on": days,
    "admission_method": st.from_regex(r"\A[0-9A-Z]{2}\Z"),
    "primary_diagnosis": st.from_regex(r"\A[A-Z][0-9][0-9A-Z]{0,3}X?\Z"),
    "benefit": code(Benefit),
    "tenure": code(Tenure),
    "weekly_award_pence": st.integers(-(10**9), 10**9),
    "weekly_income_pence": st.integers(-(10**9), 10**9),
    "balance_pence": st.integers(-(10**9), 10**9),
    "recovery_stage": st.sampled_from(["none", "summons"]),
}


def values(name: str, dtype: pl.DataType) -> st.SearchStrategy[Any]:
    """Mostly good values, sometimes none, sometimes of the right type and wrong."""
    wrong: st.SearchStrategy[Any]
    if dtype == pl.Binary():
        wrong = st.binary(max_size=20)
    elif dtype == pl.Int64():
        wrong = ints
    elif dtype == pl.Date():
        wrong = st.dates()
    else:
        wrong = texts
    return st.one_of(*[GOOD[name]] * 12, st.none(), wrong)


def struct(schema: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values(name, dtype) for name, dtype in schema.items()})


def record(feed: Feed) -> st.SearchStrategy[dict[str, Any]]:
    flat = {name: dtype for name, dtype in columns(RECORDS[feed]).items() if name not in LISTED_FACTS[feed]}
    lists = {name: st.lists(struct(columns(contract)), max_size=3) for name, contract in LISTED_FACTS[feed].items()}
    # Few fields differ from a good record at a time, so that good records are met too.
    good = {name: st.one_of(GOOD[name], st.none()) if name not in _REQUIRED else GOOD[name] for name in flat}
    odd = st.sampled_from(sorted(flat)).flatmap(lambda name: st.tuples(st.just(name), values(name, flat[name])))
    base = st.fixed_dictionaries({**good, **lists})
    return st.tuples(base, st.lists(odd, max_size=2)).map(lambda both: both[0] | dict(both[1]))


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
        given[name] = [there(fact) for fact in row[name]]
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
        for place, fact in enumerate(row[name]):
            found |= {f"{name}[{place}].{key}" for key, value in fact.items() if is_blank_or_out_of_time(value)}
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
