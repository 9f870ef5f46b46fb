"""Other schemes' pseudonyms come out as those schemes make them: published vectors, and computed ones."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.pseudonyms import ndrs, openpseudonymiser
from schemas.errors import AgreementError, InputError, Reason

ID1 = "1d96aff9c43370fb681ce9c992bcd90d0b15a9cec1c0dc76697d2c866199e6bb"
ID2 = "3827edc633eb6d308c196831ece782e3065b2f74a4a43879934771333ccaccf7"
ID1_AGAIN = "75abdfc53883d5bed9d39e85c9ebf692b9d9783e1f6a367a4ef33c4b77a3ffbf"


@pytest.mark.parametrize(
    ("fields", "salt", "expected"),
    [
        (
            {"NHSNumber": "943 476 5919", "DOB": "29.11.1973"},
            "mackerel",
            "ED72F814B7905F3D3958749FA90FE657C101EC657402783DB68CBE3513E76087",  # published
        ),
        (
            {"NHSNumber": "9434765919"},
            "mackerel",
            "643574A0AEFDA8DAC01EEBE45F7E8CFE814B15BBC3F654AC934518A34A53D575",  # computed
        ),
        (
            {"NHSNumber": "123456789"},
            "hello",
            "A4455E6581B78D69E569895C2B615DFA90A6CD56938E40CA91EDD26E44DEEDFE",  # published, in lower case
        ),
    ],
)
def test_digests_are_those_published(fields: dict[str, str], salt: str, expected: str) -> None:
    assert openpseudonymiser.digest(fields, salt) == expected


def test_the_published_digest_without_a_salt_shows_what_the_salt_is_for() -> None:
    """The published example has none; without one, anybody computes it, so that we refuse to."""
    published = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"

    assert hashlib.sha256(b"123456789").hexdigest() == published
    with pytest.raises(AgreementError) as raised:
        openpseudonymiser.digest({"NHSNumber": "123456789"}, "")
    assert raised.value.reason is Reason.KEY_INVALID


def test_only_four_kinds_of_white_space_are_taken_out_and_none_of_the_salt() -> None:
    plain = openpseudonymiser.digest({"a": "12.3-4"}, "s a")

    assert openpseudonymiser.digest({"a": " 1\t2.\r\n3-4 "}, "s a") == plain
    assert openpseudonymiser.digest({"a": "1234"}, "s a") != plain
    assert openpseudonymiser.digest({"a": "12.3-4"}, "sa") != plain


@given(st.permutations(["DOB", "NHSNumber", "Postcode", "a1"]))
def test_the_order_in_which_fields_are_given_does_not_matter(names: list[str]) -> None:
    values = {"DOB": "1", "NHSNumber": "2", "Postcode": "3", "a1": "0"}

    expected = hashlib.sha256(b"0123salt").hexdigest().upper()
    assert openpseudonymiser.digest({name: values[name] for name in names}, "salt") == expected


@pytest.mark.parametrize("name", ["", "Größe", "a-b", "a b"])
def test_field_names_that_do_not_sort_alike_everywhere_are_refused(name: str) -> None:
    with pytest.raises(InputError) as raised:
        openpseudonymiser.digest({name: "1"}, "salt")
    assert raised.value.reason is Reason.COLUMNS_WRONG


@pytest.mark.parametrize(
    ("written", "rounded"),
    [
        ("19731129", "19730101"),
        ("29/11/1973", "19730101"),
        ("29/11/73", "19730101"),
        ("29.11.1973", "19730101"),
        ("29.11.73", "19730101"),
        ("01/01/29", "20290101"),
        ("01/01/30", "19300101"),
        ("29/02/2000", "20000101"),
        ("29/02/1900", "29/02/1900"),
        ("31.04.1980", "31.04.1980"),
        ("1973-11-29", "1973-11-29"),
        ("29/11.1973", "29/11.1973"),
        ("19731329", "19731329"),
        ("", ""),
    ],
)
def test_dates_are_rounded_down_to_their_year(written: str, rounded: str) -> None:
    assert openpseudonymiser.round_down_date(written) == rounded


def test_an_nhs_number_enters_a_digest_as_its_digits() -> None:
    assert openpseudonymiser.nhs_number_digits("943-476 5919") == "9434765919"


def test_registration_service_ids_are_those_of_its_algorithm() -> None:
    assert ndrs.nhs_number_id("9434765919", "mackerel") == ID1
    assert ndrs.birth_postcode_id("1973-11-29", "ME4 4TZ", "mackerel") == ID2
    assert ndrs.birth_postcode_id("1973-11-29", "ME44TZ", "mackerel") == ID2
    assert ndrs.again(ID1, "trout") == ID1_AGAIN


@pytest.mark.parametrize("written", ["943 476 5919", "943476591", "94347659190", "943476591a"])
def test_registration_service_ids_are_made_of_clean_values_only(written: str) -> None:
    for make in (
        lambda: ndrs.nhs_number_id(written, "mackerel"),
        lambda: ndrs.birth_postcode_id(written, "ME44TZ", "mackerel"),
        lambda: ndrs.birth_postcode_id("1973-11-29", written + "-", "mackerel"),
        lambda: ndrs.again(written, "trout"),
    ):
        with pytest.raises(InputError) as raised:
            make()
        assert raised.value.reason is Reason.FIELD_INVALID
        assert written not in str(raised.value)


def test_registration_service_ids_need_a_salt() -> None:
    with pytest.raises(AgreementError):
        ndrs.nhs_number_id("9434765919", "")
