"""Clear facts become what their contracts say: what a contract allows passes unchanged, from either kind of file."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode import ProjectKeys, encode
from linkage.encode.content import KEYED_FROM
from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import LISTED_FACTS
from tests.contract_values import allowed

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
FIRST, LAST = date(1901, 1, 1), date(2099, 12, 31)


def coded(row: dict[str, Any], feed: Feed, source: str = "medway.shbe", **types: Any) -> dict[str, Any]:
    """Return the record of one clear row."""
    frame = pl.DataFrame([{"record_id": "1", **row}], schema_overrides=types, infer_schema_length=None)
    return encode(frame, AGREEMENT, KEYS, feed, source=source, latest=LAST).frame.row(0, named=True)


@st.composite
def facts(draw: st.DrawFn) -> tuple[Feed, str, list[dict[str, Any]]]:
    """Draw facts of one kind, fields that are keyed on the way left out."""
    feed = draw(st.sampled_from(list(Feed)))
    kind = draw(st.sampled_from(sorted(LISTED_FACTS[feed])))
    return feed, kind, draw(st.lists(fact(LISTED_FACTS[feed][kind]), min_size=1, max_size=3))


def fact(contract: type[Contract]) -> st.SearchStrategy[dict[str, Any]]:
    def value(name: str) -> st.SearchStrategy[Any]:
        info = contract.model_fields[name]
        given = allowed(contract, name, FIRST, LAST)
        return given if info.is_required() or info.default is not None else st.none() | given

    return st.fixed_dictionaries({name: value(name) for name in contract.model_fields if name not in KEYED_FROM})


@settings(max_examples=80, deadline=None)
@given(facts())
def test_what_a_contract_allows_passes_unchanged(drawn: tuple[Feed, str, list[dict[str, Any]]]) -> None:
    """From structs as from JSON, so that a reader of a real layout need only make the contract's values."""
    feed, kind, made = drawn
    contract = LISTED_FACTS[feed][kind]
    clear = {KEYED_FROM[name]: "7" for name in contract.model_fields if name in KEYED_FROM}
    structs = pl.List(pl.Struct({**dict(columns(contract)), **dict.fromkeys(clear, pl.String())}))
    given_facts = [{**one, **clear} for one in made]

    for row in (
        coded({kind: given_facts}, feed, **{kind: structs}),
        coded({kind: json.dumps(given_facts, default=str)}, feed),
    ):
        assert [{n: v for n, v in one.items() if n not in KEYED_FROM} for one in row[kind]] == made


numbers = st.text("0123456789", min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(numbers)
def test_references_of_one_number_have_nothing_in_common(number: str) -> None:
    """A claim, its council-tax account and a homelessness case; in another source but for the account; in another
    council."""

    def references(source: str) -> dict[str, str]:
        row = coded(
            {
                "claims": [
                    {"claim_reference": number, "account_reference": number, "benefit": "ctr", "role": "claimant",
                     "status": "other"}
                ],
                "homelessness": [{"case_reference": number, "duty": "main", "started_on": "2026-01-01"}],
            },
            Feed.WELFARE,
            source,
        )  # fmt: skip
        (claim,), (case,) = row["claims"], row["homelessness"]
        return {"claim": claim["claim_ref"], "account": claim["account_ref"], "case": case["case_ref"]}

    ours, beside, elsewhere = references("medway.ctr"), references("medway.shbe"), references("swale.ctr")
    assert ours["account"] == beside["account"]
    assert len({*ours.values(), *beside.values(), *elsewhere.values()}) == 8


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 10**12 - 1))
def test_a_home_is_named_alike_everywhere_and_equals_no_token(uprn: int) -> None:
    """Content knows a home under a key of its own: it cannot be looked up among linkage variables, nor these there."""
    health = coded({"uprn": str(uprn)}, Feed.HEALTH, "kmicb.gp")
    welfare = coded({"uprn": f"{uprn:012d}"}, Feed.WELFARE)
    assert health["property_ref"] == welfare["property_ref"] is not None
    assert bytes.fromhex(health["property_ref"]) not in {v for v in health.values() if isinstance(v, bytes)}
    assert health["token_uprn"] == welfare["token_uprn"] is not None
