"""How systems write clear facts, beyond what contracts say: flags, numbers and lists of codes."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from linkage.encode import CLEAR_COLUMNS, EncodedBatch, ProjectKeys, encode
from linkage.encode.content import KEYED_FROM
from linkage.encode.derive import IDENTITY_FIELDS
from linkage.normalise import FieldReason
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS
from tests.every_fact import CLEAR_FACTS, clear_record, expected_facts

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


def coded(row: dict[str, Any], feed: Feed) -> EncodedBatch:
    frame = pl.DataFrame([{"record_id": "1", **row}], infer_schema_length=None)
    return encode(frame, AGREEMENT, KEYS, feed, source="medway.a1")


@pytest.mark.parametrize("feed", Feed)
def test_the_record_that_says_everything_says_everything(feed: Feed) -> None:
    """Every kind, every field of each and every clear column: what tests of the line send is whole."""
    assert set(CLEAR_FACTS[feed]) == set(LISTED_FACTS[feed])
    for kind, contract in LISTED_FACTS[feed].items():
        said = {name for fact in CLEAR_FACTS[feed][kind] for name in fact}
        assert said == {KEYED_FROM.get(name, name) for name in contract.model_fields}, kind
    claim = {"claim_reference", "claim_role"} if feed is Feed.WELFARE else set()
    linkage_alone = {*IDENTITY_FIELDS, *claim, "version", "operation", "pseudonym"}
    assert set(CLEAR_COLUMNS[feed]) - set(clear_record(feed)) <= linkage_alone


@pytest.mark.parametrize("feed", Feed)
def test_every_kind_of_fact_is_encoded_from_lists_and_from_json(feed: Feed) -> None:
    clear = clear_record(feed)
    as_json = {**clear, **{kind: json.dumps(facts) for kind, facts in CLEAR_FACTS[feed].items()}}
    for row in (clear, as_json):
        batch = coded(row, feed)
        assert batch.dropped.is_empty()
        record = batch.frame.row(0, named=True)
        for kind, facts in expected_facts(feed).items():
            assert [{n: v for n, v in fact.items() if n not in KEYED_FROM} for fact in record[kind]] == facts
        assert (record["interpreter_needed"], record["property_match"]) == (True, "residency")
        assert len(record["property_ref"]) == 32


@pytest.mark.parametrize(
    ("written", "flag"),
    [("true", True), ("Y", True), ("1", True), ("No", False), ("0", False), (True, True), (False, False), (None, None)],
)
def test_flags_are_read_as_systems_write_them(written: object, flag: bool | None) -> None:
    batch = coded({"interpreter_needed": written}, Feed.HEALTH)
    assert batch.frame["interpreter_needed"].to_list() == [flag]
    assert batch.dropped.is_empty()


def test_a_flag_that_says_something_else_is_dropped() -> None:
    """A language is more than whether an interpreter is needed."""
    batch = coded({"interpreter_needed": "Romanian"}, Feed.HEALTH)
    assert batch.frame["interpreter_needed"].to_list() == [None]
    assert batch.dropped.rows() == [(1, "interpreter_needed", FieldReason.UNKNOWN_CODE)]


@pytest.mark.parametrize("value", ["nan", "inf", "-0.1", "10000.1", "high"])
def test_a_measurement_out_of_range_is_left_out(value: str) -> None:
    batch = coded({"measurements": [{"kind": "efi", "value": value, "recorded_on": "2026-01-01"}]}, Feed.HEALTH)
    assert batch.frame["measurements"].to_list() == [[]]
    assert batch.dropped.rows() == [(1, "measurements.value", FieldReason.OUT_OF_RANGE)]


@pytest.mark.parametrize("written", ["I10X E119", "i10x, e11.9", "I10X;E11.9", "I10X|E119 "])
def test_lists_of_codes_are_read_however_they_are_separated(written: str) -> None:
    encounter = {"kind": "admission", "started_on": "2026-01-01", "secondary_diagnoses": written}
    (fact,) = coded({"encounters": [encounter]}, Feed.HEALTH).frame["encounters"][0]
    assert fact["secondary_diagnoses"] == "I10X E119"


def test_names_of_searches_keep_their_dots_and_lose_their_capitals() -> None:
    (clear,) = CLEAR_FACTS[Feed.HEALTH]["searches"]
    (fact,) = coded({"searches": [{**clear, "search_id": "UCL-COPD.3"}]}, Feed.HEALTH).frame["searches"][0]
    assert fact["search_id"] == "ucl-copd.3"
