"""Agreements: the shipped ones hold, and each rule refuses what breaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from linkage.encode import check_agreement
from linkage.encode.derive import IDENTITY_FIELDS, PARTS
from schemas.agreement import SHIPPED, Agreement, parse_agreement, shipped_agreement
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.errors import AgreementError, Reason


def document(**changes: Any) -> dict[str, Any]:
    """Return the default agreement as JSON values, changed."""
    return {**shipped_agreement("default").model_dump(mode="json"), **changes}


def recipe(of: str, **changes: Any) -> dict[str, Any]:
    """Return the default agreement with one token recipe changed."""
    tokens = [{**made, **(changes if made["column"] == of else {})} for made in document()["tokens"]]
    return document(tokens=tokens)


def refusal(values: dict[str, Any]) -> str:
    """Return why an agreement is refused, by its shape or by its rules."""
    with pytest.raises(AgreementError) as caught:
        check_agreement(parse_agreement(json.dumps(values)))
    assert caught.value.reason is Reason.AGREEMENT_INVALID
    return caught.value.message


@pytest.mark.parametrize("name", [*SHIPPED, *SHIPPED.values()])
def test_shipped_agreements_can_be_used(name: str) -> None:
    """By id and by short name, covering every column of the contract."""
    agreement = shipped_agreement(name)

    check_agreement(agreement)
    assert [made.column for made in agreement.tokens] == [name for name in TOKEN_COLUMNS if name != "token_pseudonym"]
    assert [f"filter_{made.field}" for made in agreement.filters] == list(FILTER_COLUMNS)
    assert set(agreement.normalisers) == {*IDENTITY_FIELDS, "phonetic", "nickname"}


def test_the_test_agreement_differs_only_in_what_it_accepts() -> None:
    """Accuracy measured with it holds for the default; values of the two can never meet (another epoch)."""
    default, test = (shipped_agreement(name).model_dump() for name in ("default", "test"))
    own = {"agreement_id", "title", "key_epoch", "accept_test_identifiers", "assume_opt_outs_applied", "sharing"}

    assert {name for name in default if default[name] != test[name]} == own
    assert default["accept_test_identifiers"] is default["assume_opt_outs_applied"] is False


def test_an_unknown_name_says_which_there_are() -> None:
    """The message ends with what to do."""
    with pytest.raises(AgreementError, match="default, test") as caught:
        shipped_agreement("other")

    assert caught.value.reason is Reason.AGREEMENT_UNKNOWN


def test_the_content_hash_follows_the_content_and_not_its_order() -> None:
    """Two controllers may write one agreement's fields in another order."""
    values = document()
    turned = dict(reversed(values.items())) | {"normalisers": dict(reversed(values["normalisers"].items()))}
    changed = document(title="another")

    first, second, third = (Agreement.model_validate(v).content_hash for v in (values, turned, changed))
    assert first == second != third


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (document(tokens=document()["tokens"][1:]), "token_forename needs exactly one recipe and has 0"),
        (document(tokens=document()["tokens"] * 2), "token_forename needs exactly one recipe and has 2"),
        (document(filters=[]), "filter_forename needs exactly one recipe"),
        (recipe("token_nino", column="token_shoe_size"), "token_nino needs exactly one recipe"),
        (document(key_epoch="2", revoked_key_epochs=["2"]), "revoked"),
        (document(colour="blue"), "colour"),
        (document(agreement_id="Über"), "agreement_id"),
        (recipe("token_nino", parts=[]), "tokens.13.parts"),
        (recipe("token_nino", domain="NI number"), "tokens.13.domain"),
    ],
)
def test_a_document_of_another_shape_is_refused(values: dict[str, Any], what: str) -> None:
    """The message names the place."""
    assert what in refusal(values)


def test_text_that_is_no_json_is_refused() -> None:
    """A truncated file, for instance."""
    with pytest.raises(AgreementError, match="JSON"):
        parse_agreement(json.dumps(document())[:100])


@pytest.mark.parametrize(
    "parts",
    [["sex"], ["sex_stated"], ["birth_month"], ["birth_year"], ["birth_year", "birth_month"],
     ["birth_month", "birth_day"], ["birth_year", "birth_month", "sex"], ["birth_year", "birth_year"]],
)  # fmt: skip
def test_tokens_that_counting_decodes_are_refused(parts: list[str]) -> None:
    """A stand-alone sex, month or year, or two of them, is a cipher with few letters."""
    assert "counting decodes it" in refusal(recipe("token_outcode", parts=parts))


@pytest.mark.parametrize(
    "parts", [["birth_year", "birth_month", "birth_day"], ["sex", "surname"], ["birth_year", "nickname"]]
)
def test_tokens_of_many_values_are_accepted(parts: list[str]) -> None:
    """A whole date has as many values as a date of birth; with a name there are enough."""
    check_agreement(parse_agreement(json.dumps(recipe("token_outcode", parts=parts))))


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (recipe("token_uprn", parts=["shoe_size"]), "shoe_size"),
        (document(normalisers={**document()["normalisers"], "surname": "surname/9"}), "surname/9"),
        (document(normalisers={**document()["normalisers"], "shoe": "date/1"}), "shoe"),
        (document(normalisers={"surname": "surname/1"}), "lacks forename"),
        (document(normalisers={**document()["normalisers"], "phonetic": "metaphone/7"}), "metaphone/7"),
    ],
)
def test_rules_and_parts_that_do_not_exist_are_refused(values: dict[str, Any], what: str) -> None:
    """An agreement may be newer than the software that reads it."""
    assert what in refusal(values)


@pytest.mark.parametrize(("hashes", "refused"), [(8, True), (24, False), (60, True)])
def test_filters_must_be_neither_thin_nor_full(hashes: int, refused: bool) -> None:
    """Thin filters blur similarity; beyond half full they give more away."""
    first, *others = document()["filters"]
    values = document(filters=[{**first, "hashes": hashes}, *others])

    if refused:
        assert "filter_forename would have" in refusal(values)
    else:
        check_agreement(parse_agreement(json.dumps(values)))


def test_every_part_can_be_made() -> None:
    """What a recipe may name is what encoding derives."""
    import polars as pl

    from linkage.encode.batch import FAR
    from linkage.encode.derive import derive_parts
    from linkage.normalise import Rules

    made = derive_parts(
        pl.DataFrame({"record_id": ["1"]}), pl.Series([1]), shipped_agreement("test"), Rules(False, FAR)
    )

    assert set(made.parts.columns) == PARTS
