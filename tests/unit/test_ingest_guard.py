"""What looks like a clear identifier, and what only looks a little like one."""

from __future__ import annotations

import numpy as np
import pytest

from services.ingest.guard import bytes_are_text, nhs_check_digit_holds, reference_is_plain, text_is_identifying


@pytest.mark.parametrize(
    "text",
    [
        "9434765919",
        "943 476 5919",
        "943-476-5919",
        "NHS:9434765919.",
        "９４３４７６５９１９",
        "QQ123456C",
        "qq 12 34 56 c",
        "AB123456",
        "ME7 1AB",
        "me71ab",
        "SW1A 2AA",
        "ann@example.org",
        "07700 900123",
        "+44 7700 900123",
        "01634 123456",
        "1970-03-14",
        "14/03/1970",
        "14.3.70",
        "19700314",
    ],
)
def test_identifiers_are_recognised(text: str) -> None:
    assert text_is_identifying(text)
    assert text_is_identifying(f"value: {text}")


@pytest.mark.parametrize(
    "text", ["", "E01016039", "G82113", "1970-03", "9434765918", "J440", "male", "DSA-2026/7", "12345", "section 251"]
)
def test_codes_and_references_are_left_alone(text: str) -> None:
    assert not text_is_identifying(text)


def test_a_date_is_no_identifier_where_dates_belong() -> None:
    assert not text_is_identifying("14/03/1970", dates_belong=True)
    assert text_is_identifying("9434765919", dates_belong=True)


@pytest.mark.parametrize(
    ("digits", "holds"), [("9434765919", True), ("9434765910", False), ("4010232137", True), ("4010232138", False)]
)
def test_the_check_digit_is_modulus_11(digits: str, holds: bool) -> None:
    assert nhs_check_digit_holds(digits) is holds


@pytest.mark.parametrize(
    "value", [b"SMITH", b"Smith-Jones", b"SMITH\0\0\0\0\0\0\0\0\0\0\0", b"1970-03-14      ", b"a@b.uk"]
)
def test_text_in_bytes_is_recognised(value: bytes) -> None:
    assert bytes_are_text(value)


def test_keyed_hashes_are_never_taken_for_text_or_padded_numbers() -> None:
    """At 10 million tokens in a load, a rule that errs once in a million would refuse people every day."""
    chance = np.random.default_rng(1)
    tokens = [chance.bytes(16) for _ in range(20_000)]
    assert not any(bytes_are_text(token) for token in tokens)
    assert not any(reference_is_plain(token.hex()) for token in tokens)


@pytest.mark.parametrize("ref", [f"{9434765919:032d}", "9434765919" + "0" * 22, b"SMITH JOHN 1970A".hex(), "0" * 32])
def test_a_number_or_a_text_dressed_as_a_reference_is_recognised(ref: str) -> None:
    assert reference_is_plain(ref)
