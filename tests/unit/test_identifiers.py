"""National identifiers: which are real, which are tests, which are fillers."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage import identifiers
from linkage.normalise import FieldReason, Rules, normalise

LATEST = date(2026, 6, 30)


def outcome(rule: str, value: str, *, test: bool = False) -> tuple[str | None, str | None]:
    """Normalise one value and return (value, reason)."""
    table = normalise(pl.Series([value]), rule, Rules(accept_test_identifiers=test, latest=LATEST))
    return table["value"][0], table["reason"][0]


@pytest.mark.parametrize("number", ["9434765919", "4505577104", "9876543210", "9912003888"])
def test_valid_numbers_pass_modulus_11(number: str) -> None:
    """Published and computed examples of the check digit."""
    holds = pl.select(identifiers.nhs_check_digit_holds(pl.lit(number))).item()

    assert holds is True


def test_every_other_check_digit_fails() -> None:
    """Nine of ten last digits are wrong for any first nine, and all ten where the sum's remainder gives 10."""
    candidates = pl.Series([f"943476591{digit}" for digit in range(10)] + [f"123456789{digit}" for digit in range(10)])
    holds = candidates.to_frame("n").select(identifiers.nhs_check_digit_holds(pl.col("n"))).to_series()

    assert candidates.filter(holds).to_list() == ["9434765919"]


@pytest.mark.parametrize(
    ("written", "value", "reason"),
    [
        ("450 557 7104", "4505577104", None),
        ("450-557-7104", "4505577104", None),
        ("4505577104.0", "4505577104", None),
        ("4505577105", None, FieldReason.CHECK_DIGIT),
        ("450557710", None, FieldReason.SHAPE),
        ("none", None, FieldReason.SHAPE),
        ("4444444444", None, FieldReason.PLACEHOLDER),
        ("0000000000", None, FieldReason.PLACEHOLDER),
        ("5990128088", None, FieldReason.NOT_IN_ISSUE),
        ("9434765919", None, FieldReason.TEST_RANGE),
    ],
)
def test_nhs_numbers(written: str, value: str | None, reason: FieldReason | None) -> None:
    """Writing does not matter; the check digit, the ranges in issue and fillers do."""
    assert outcome("nhs_number/1", written) == (value, reason)


def test_only_a_test_agreement_accepts_test_identifiers() -> None:
    """9xx NHS numbers and QQ NINOs are never issued: synthetic people carry them, and real feeds must not."""
    assert outcome("nhs_number/1", "9434765919", test=True) == ("9434765919", None)
    assert outcome("nino/1", "QQ 12 34 57 C", test=True) == ("QQ123457", None)
    assert outcome("nino/1", "QQ123457C") == (None, FieldReason.TEST_RANGE)


@pytest.mark.parametrize(
    ("written", "value", "reason"),
    [
        ("AB 12 34 57 C", "AB123457", None),
        ("ab123457", "AB123457", None),
        ("AB123457D", "AB123457", None),
        ("AB123457E", None, FieldReason.SHAPE),
        ("AB12345", None, FieldReason.SHAPE),
        ("DA123457A", None, FieldReason.NOT_IN_ISSUE),
        ("AO123457A", None, FieldReason.NOT_IN_ISSUE),
        ("GB123457A", None, FieldReason.NOT_IN_ISSUE),
        ("ZZ123457A", None, FieldReason.NOT_IN_ISSUE),
        ("OO123457A", None, FieldReason.ADMINISTRATIVE),
        ("PY123457A", None, FieldReason.ADMINISTRATIVE),
        ("XX999999", None, FieldReason.PLACEHOLDER),
        ("AB000000A", None, FieldReason.PLACEHOLDER),
        ("AB123456C", None, FieldReason.PLACEHOLDER),
    ],
)
def test_ninos(written: str, value: str | None, reason: FieldReason | None) -> None:
    """The first eight characters tell people apart; prefixes never issued, shared or made up tell nobody apart."""
    assert outcome("nino/1", written) == (value, reason)


@pytest.mark.parametrize("letter", list("DFIQUV"))
def test_six_letters_are_in_no_prefix(letter: str) -> None:
    """D F I Q U V stand in neither place of an issued prefix."""
    assert outcome("nino/1", f"{letter}A123457A")[0] is None
    assert outcome("nino/1", f"A{letter}123457A")[0] is None


@pytest.mark.parametrize(
    ("least", "most"),
    [(100_000_000, 3_112_999_999), (3_200_000_000, 4_999_999_999), (6_000_000_000, 7_999_999_999)],
)
def test_ranges_in_issue_end_where_they_are_said_to(least: int, most: int) -> None:
    """Scotland; Northern Ireland, then England, Wales and Man without a gap between; the last again."""
    edges = [least - 1, least, most, most + 1]
    written = pl.Series([f"{number:010d}" for number in edges])

    assert pl.select(identifiers.nhs_number_in_issue(pl.lit(written))).to_series().to_list() == [
        False,
        True,
        True,
        False,
    ]


def test_as_many_prefixes_can_begin_a_nino_as_the_rules_leave() -> None:
    """20 first letters by 19 second ones without 7 unused pairs are 373, of which six are administrative."""
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    numbers = pl.Series([f"{first}{second}123457A" for first in letters for second in letters])
    found = pl.select(
        allowed=identifiers.nino_prefix_allowed(pl.lit(numbers)),
        shared=identifiers.nino_is_administrative(pl.lit(numbers)),
    )

    assert found["allowed"].sum() == 20 * 19 - 7 - 6
    assert found["shared"].sum() == 8
    assert not found.select((pl.col("allowed") & pl.col("shared")).any()).item()


@pytest.mark.parametrize("prefix", ["OO", "CR", "FY", "MW", "NC", "PP", "PY", "PZ", "XX999"])
def test_administrative_and_dummy_ninos_give_nothing(prefix: str) -> None:
    """What a benefits system holds for want of a number makes no token: it would link strangers."""
    for suffix in ("", "A", "D"):
        assert outcome("nino/1", (prefix + "345718"[: 8 - len(prefix)]) + suffix)[0] is None
        assert outcome("nino/1", (prefix + "345718"[: 8 - len(prefix)]) + suffix, test=True)[0] is None
