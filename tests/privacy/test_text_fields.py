"""No text of a fact can hold an identifier of a person, however it is written: not at the source, not at the door."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from linkage.encode import ProjectKeys, encode
from linkage.encode.content import KEYED_FROM
from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from services.ingest.rows import frame_of_rows
from services.ingest.validate import validate
from services.send.encode import rows_request
from tests.every_fact import CLEAR_FACTS, clear_record

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)

WRITINGS = {
    "NHS number": ("9434765919", "943 476 5919", "943-476-5919", "943.476.5919", "94347659.19", "9434.76.59.19"),
    "NINO": ("QQ123456C", "QQ 12 34 56 C", "qq-12-34-56-c", "qq1-2.34-56", "QQ123456", "q.q12.34.56"),
    "postcode": ("ME4 4TZ", "ME44TZ", "me4-4tz", "M4 4TZ", "M44TZ", "e1.7xa", "E17XA", "ME14 4AD", "E17AD"),
    "date of birth": ("1980-06-05", "19800605", "1980.06.05", "05/06/1980", "05.06.80", "5-6-1980", "1980-06.05"),
    "e-mail": ("ann@example.org",),
    "telephone": ("07700 900123", "07700900123", "01634-960123"),
}
AROUND = ("{}", "x{}", "x.{}", "x-{}", "{}x", "I10 {}", "ucl-copd.{}", "supplier.{}", "budgeting {}")
TEXTS = [
    (feed, kind, name)
    for feed, kinds in LISTED_FACTS.items()
    for kind, contract in kinds.items()
    for name, dtype in columns(contract).items()
    if dtype == pl.String()
]
CANARIES = [
    written
    for plain in (text for texts in WRITINGS.values() for text in texts)
    for case in {plain, plain.lower()}
    for written in (around.format(case) for around in AROUND)
]


def record_of(feed: Feed) -> pl.DataFrame:
    return encode(
        pl.DataFrame([clear_record(feed)], infer_schema_length=None), AGREEMENT, KEYS, feed, source="medway.a1"
    ).frame


@pytest.mark.parametrize(("feed", "kind", "name"), TEXTS)
def test_the_door_refuses_an_identifier_in_any_text_of_a_fact(feed: Feed, kind: str, name: str) -> None:
    """By rows as by columns: one batch with one canary a record, of which none is taken."""
    good = record_of(feed)
    assert validate(good, feed).refusals == []
    (fact, *_) = good[kind][0].to_list()
    lists = pl.Series(kind, [[{**fact, name: canary}] for canary in CANARIES], dtype=columns(RECORDS[feed])[kind])
    batch = pl.concat([good] * len(CANARIES)).with_columns(lists)
    for frame in (batch, frame_of_rows(rows_request(feed, 0, batch).rows.records, feed)):
        found = validate(frame, feed)
        taken = sorted(set(range(len(CANARIES))) - {refusal.index for refusal in found.refusals})
        assert [CANARIES[place] for place in taken] == []


@pytest.mark.parametrize(("feed", "kind", "name"), TEXTS)
def test_the_source_lets_no_identifier_out_in_any_text_of_a_fact(feed: Feed, kind: str, name: str) -> None:
    """The value is dropped, or the fact that cannot be without it, and the report says so without the value."""
    (fact, *_), member = CLEAR_FACTS[feed][kind], KEYED_FROM.get(name, name)
    rows: list[dict[str, Any]] = [
        {"record_id": str(place), kind: [{**fact, member: canary}]} for place, canary in enumerate(CANARIES)
    ]
    batch = encode(pl.DataFrame(rows, infer_schema_length=None), AGREEMENT, KEYS, feed, source="medway.a1")
    values = set(batch.frame[kind].explode().struct.field(name).drop_nulls())
    if name in KEYED_FROM:
        assert {len(value) for value in values} == {32}
        return
    assert values <= {LISTED_FACTS[feed][kind].model_fields[name].default}
    assert set(batch.dropped["field"]) == {f"{kind}.{name}"}
