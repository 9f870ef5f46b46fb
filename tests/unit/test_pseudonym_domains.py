"""Pseudonyms of one domain stand for the NHS number; those of any other do so over a bridge, or not at all."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.encode import ProjectKeys, check_agreement, encode
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.normalise import Rules, normalise
from linkage.pseudonyms import openpseudonymiser
from linkage.pseudonyms.bridge import bridge_of, bridged
from linkage.quality.beyond import found_shares
from linkage.subjects import Subjects
from schemas.agreement import Agreement, PseudonymRecipe, parse_agreement, shipped_agreement
from schemas.contracts.base import Feed
from schemas.errors import AgreementError
from schemas.model import default_model

HUB = "nhs.op1.mackerel"
PLAIN = shipped_agreement("test")
AGREEMENT = PLAIN.model_copy(update={"pseudonym": PseudonymRecipe(domain=HUB)})
KEYS = ProjectKeys(bytes(range(32)), PLAIN.key_epoch)
RULES = Rules(accept_test_identifiers=True, latest=date(2026, 6, 30))
RULE = "pseudonym/1"
MODEL = default_model()
NUMBER, OTHER_NUMBER = "9912003888", "9434765919"
ANNA = {
    "forename": "Anna", "surname": "Kovacsik", "date_of_birth": "1980-05-13", "sex": "F",
    "postcode": "ME4 4AB", "address": "12 Medlar Way",
}  # fmt: skip


def op1(number: str) -> str:
    return openpseudonymiser.digest({"NHSNumber": number}, "mackerel")


def coded(source: str, *people: dict[str, str], agreement: Agreement = AGREEMENT) -> pl.DataFrame:
    clear = pl.DataFrame([{"record_id": f"{source}-{n}", "version": "7", **p} for n, p in enumerate(people)])
    return encode(clear, agreement, KEYS, Feed.HEALTH, True, source=source).frame


def subjects(source: str, *people: dict[str, str]) -> Subjects:
    frame = coded(source, *people).with_columns(source=pl.lit(source))
    return Subjects.from_frame(frame, {source: True})


def pairs(*batches: Subjects) -> pl.DataFrame:
    held = HeldSubjects(MODEL)
    rows = np.concatenate([held.upsert(batch) for batch in batches])
    return Matcher(MODEL).match(rows, held)


def test_a_feed_of_digests_links_to_a_practice_with_the_same_digest() -> None:
    """The digest alone finds the pair, through moves and another name, and weighs what the number would."""
    hospital = {"pseudonym": op1(NUMBER).lower(), "date_of_birth": "1980-05-13", "sex": "F"}
    practice = {**ANNA, "pseudonym": op1(NUMBER), "nhs_number": NUMBER}
    by_digest = pairs(subjects("a.gp", practice), subjects("b.sus", hospital))
    by_number = pairs(
        subjects("a.gp", practice),
        subjects("b.sus", {"nhs_number": NUMBER, "date_of_birth": "1980-05-13", "sex": "F"}),
    )

    assert by_digest.select("left_ref", "right_ref").rows() == [("a.gp-0", "b.sus-0")]
    assert by_digest["log2_odds"].to_list() == by_number["log2_odds"].to_list()


def test_two_different_pseudonyms_are_a_veto() -> None:
    left, right = ({**ANNA, "pseudonym": op1(number)} for number in (NUMBER, OTHER_NUMBER))

    assert pairs(subjects("a.gp", left), subjects("b.sus", right)).is_empty()
    assert pairs(subjects("a.gp", left), subjects("b.sus", {**ANNA, "pseudonym": op1(NUMBER)})).height == 1


def test_the_number_speaks_before_its_pseudonym() -> None:
    """Both have both: a bridge that went wrong neither vetoes equal numbers nor joins different ones."""
    left = {**ANNA, "nhs_number": NUMBER, "pseudonym": op1(NUMBER)}

    for number, found in ((NUMBER, 1), (OTHER_NUMBER, 0)):
        for pseudonym in (op1(NUMBER), op1(OTHER_NUMBER)):
            right = {**ANNA, "nhs_number": number, "pseudonym": pseudonym}
            assert pairs(subjects("a.gp", left), subjects("b.sus", right)).height == found


def test_a_pseudonym_beside_a_number_is_no_evidence_either_way() -> None:
    bare = pairs(subjects("a.gp", ANNA), subjects("b.sus", ANNA))
    mixed = pairs(
        subjects("a.gp", {**ANNA, "nhs_number": NUMBER}), subjects("b.sus", {**ANNA, "pseudonym": op1(OTHER_NUMBER)})
    )

    assert mixed["log2_odds"].to_list() == bare["log2_odds"].to_list()


def test_estimates_count_a_pair_that_has_pseudonyms_as_one_that_has_numbers() -> None:
    """What a source lacks says which of its matches can show: a pseudonym that both have is a number that both have."""

    def shares(column: str, of_other: str) -> list[float]:
        held = HeldSubjects(MODEL)
        value = {"nhs_number": NUMBER, "pseudonym": op1(NUMBER)}
        held.upsert(subjects("a.gp", {column: value[column]}))
        held.upsert(subjects("b.sus", {of_other: value[of_other]}))
        return [float(x) for part in found_shares(held, Matcher(MODEL), np.random.default_rng(1)) for x in part]

    assert shares("pseudonym", "pseudonym") == shares("nhs_number", "nhs_number")
    assert max(shares("pseudonym", "nhs_number")) == 0.0


def test_another_hub_makes_other_tokens_and_no_hub_makes_none() -> None:
    """Two domains that happen to share a spelling never agree."""
    person = {**ANNA, "pseudonym": op1(NUMBER)}
    other = PLAIN.model_copy(update={"pseudonym": PseudonymRecipe(domain="mhsds.person_id")})
    one, two, none = (coded("a.gp", person, agreement=a) for a in (AGREEMENT, other, PLAIN))

    assert one["token_pseudonym"][0] != two["token_pseudonym"][0]
    assert none["token_pseudonym"].to_list() == [None]
    rest = pl.exclude("token_pseudonym")
    assert one.select(rest).equals(none.select(rest))


def test_nothing_of_a_pseudonym_passes_unkeyed() -> None:
    row = coded("a.gp", {"pseudonym": op1(NUMBER)}).row(0)

    assert op1(NUMBER)[:16] not in str(row).upper()


@pytest.mark.parametrize(
    ("written", "value", "reason"),
    [
        ("QQ-17/a", "QQ-17/a", None),
        (" 0123456789abcdef0123456789abcdef ", "0123456789ABCDEF0123456789ABCDEF", None),
        ("abcdef", "abcdef", None),
        ("abcde", None, "shape"),
        ("x" * 129, None, "shape"),
        ("Ann Smith", None, "shape"),
        ("Zoë-12345", None, "shape"),
        ("9912003888", None, "shape"),
        ("4505577104", None, "shape"),
        ("ab123457c", None, "shape"),
        ("0000000000000000", None, "placeholder"),
        ("XXXXXXXX", None, "placeholder"),
    ],
)
def test_what_counts_as_a_pseudonym(written: str, value: str | None, reason: str | None) -> None:
    """A clear number in the column of pseudonyms is not keyed as one: it would look linkable and be another's."""
    found = normalise(pl.Series([written]), RULE, RULES)

    assert (found["value"][0], found["reason"][0]) == (value, reason)


def test_agreements_say_their_hub_and_nothing_else_changes() -> None:
    """The shipped ones have none, and their content hash is what it was."""
    check_agreement(AGREEMENT)
    assert parse_agreement(AGREEMENT.model_dump_json()) == AGREEMENT
    assert shipped_agreement("default").content_hash == (
        "b89d3caec26f3c1e5b6eaa39d8fbeeb819e4c261a7bfb77e52721604e27a0578"
    )
    assert AGREEMENT.content_hash != PLAIN.content_hash
    with pytest.raises(AgreementError, match="no rule pseudonym/9"):
        check_agreement(PLAIN.model_copy(update={"pseudonym": PseudonymRecipe(domain=HUB, normaliser="pseudonym/9")}))


def bridge(*rows: tuple[str, str], **columns: Any) -> pl.DataFrame:
    frame = pl.DataFrame(list(rows), schema=["pseudonym", "hub_pseudonym"], orient="row")
    return frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def test_a_bridge_leads_to_the_hub_and_says_where_it_does_not() -> None:
    """Two of ours may be one of the hub's; one of ours that is two of the hub's is nobody's."""
    made = bridge_of(
        bridge(("MH0001", op1(NUMBER)), ("MH0002", op1(NUMBER).lower()), ("MH0003", op1(NUMBER)),
               ("MH0003", op1(OTHER_NUMBER)), ("MH0004", op1(OTHER_NUMBER)), ("MH0004", op1(OTHER_NUMBER)),
               ("MH0005", ""), ("?", op1(NUMBER))),
        "mhsds.person_id", HUB, RULE, RULES,
    )  # fmt: skip
    values, reasons = bridged(
        pl.Series("pseudonym", ["MH0004", "MH0002", None, "MH0003", "MH0009", "a b", " MH0001 "]), made, RULE, RULES
    )

    assert (made.ambiguous, made.unusable) == (1, 2)
    assert values.to_list() == [op1(OTHER_NUMBER), op1(NUMBER), None, None, None, None, op1(NUMBER)]
    assert reasons.to_list() == [None, None, None, "ambiguous", "not_bridged", "shape", None]


def test_only_rows_of_the_two_domains_count() -> None:
    """One table may hold the bridges of many data sets."""
    table = pl.concat(
        [
            bridge(("ID0001", op1(NUMBER)), domain="mhsds.person_id", hub_domain=HUB),
            bridge(("ID0001", op1(OTHER_NUMBER)), domain="csds.person_id", hub_domain=HUB),
            bridge(("ID0001", "ELSEWHERE"), domain="mhsds.person_id", hub_domain="other.hub"),
        ]
    )

    for domain, number in (("mhsds.person_id", NUMBER), ("csds.person_id", OTHER_NUMBER)):
        made = bridge_of(table, domain, HUB, RULE, RULES)
        assert made.table.rows() == [("ID0001", op1(number))]


ids = st.text("ABC123", min_size=6, max_size=7).filter(lambda text: len(set(text)) > 1)


@given(st.dictionaries(ids, ids, max_size=12), st.lists(ids, max_size=12))
def test_crossing_a_bridge_is_a_look_up(ways: dict[str, str], asked: list[str]) -> None:
    made = bridge_of(
        pl.DataFrame(
            {"pseudonym": list(ways), "hub_pseudonym": list(ways.values())},
            schema={"pseudonym": pl.String, "hub_pseudonym": pl.String},
        ),
        "a.b", HUB, RULE, RULES,
    )  # fmt: skip
    values, reasons = bridged(pl.Series("pseudonym", asked, dtype=pl.String), made, RULE, RULES)

    assert values.to_list() == [ways.get(one) for one in asked]
    assert reasons.to_list() == [None if one in ways else "not_bridged" for one in asked]
