"""Checks of national identifiers, whole columns at a time: the NHS number and the National Insurance number (NINO).

Sources: NHS Data Dictionary, NHS NUMBER (modulus 11 and the ranges in issue); HMRC manual NIM39110 (prefixes of a
NINO). Both checks run where the clear values are, at the controller: nothing downstream can repeat them on a token.
"""

from __future__ import annotations

from typing import Final

import polars as pl

NHS_NUMBER_SHAPE: Final = r"^[0-9]{10}$"
_WEIGHTS: Final = tuple(range(10, 1, -1))

NINO_SHAPE: Final = r"^[A-Z]{2}[0-9]{6}[A-D]?$"
"""Two letters, six digits, and a suffix that may be absent and tells nobody apart."""

_FIRST_LETTERS: Final = r"^[A-CEGHJ-PR-TW-Z]"
_SECOND_LETTERS: Final = r"^.[A-CEGHJ-NPR-TW-Z]"
_UNUSED_PREFIXES: Final = ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
_ADMINISTRATIVE_PREFIXES: Final = ("OO", "CR", "FY", "MW", "NC", "PP", "PY", "PZ")
TEST_NINO_PREFIX: Final = "QQ"
"""Never issued (Q is not used in a prefix): synthetic people carry it."""

_ONE_DIGIT_REPEATED: Final = "|".join(f"{digit}{{6}}" for digit in range(10))


def nhs_check_digit_holds(digits: pl.Expr) -> pl.Expr:
    """Whether a string of ten digits satisfies modulus 11 (Boolean; null where the input is null).

    Each of the first nine digits is weighted 10 down to 2; eleven less the sum's remainder must equal the tenth
    digit, 11 counting as 0 and 10 as never valid.
    """
    values = [digits.str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(10)]
    total = pl.sum_horizontal(value * weight for value, weight in zip(values, _WEIGHTS, strict=False))
    expected = (11 - total % 11) % 11
    return digits.str.contains(NHS_NUMBER_SHAPE) & (expected == values[-1]).fill_null(False)


def nhs_number_is_repeated_digit(digits: pl.Expr) -> pl.Expr:
    """Whether all ten digits are the same: such numbers pass modulus 11 and are typed to get past a form."""
    return digits.str.contains("^(" + "|".join(f"{digit}{{10}}" for digit in range(10)) + ")$")


def nhs_number_in_issue(digits: pl.Expr) -> pl.Expr:
    """Whether ten digits lie in a range that is issued: England, Wales, Man; Scotland (CHI); Northern Ireland (H&C)."""
    number = digits.cast(pl.Int64, strict=False)
    return (
        number.is_between(4_000_000_000, 4_999_999_999)
        | number.is_between(6_000_000_000, 7_999_999_999)
        | number.is_between(100_000_000, 3_112_999_999)
        | number.is_between(3_200_000_000, 3_999_999_999)
    )


def nhs_number_in_test_range(digits: pl.Expr) -> pl.Expr:
    """Whether ten digits start with 9: never issued, so synthetic people carry them."""
    return digits.str.starts_with("9")


def nino_prefix_allowed(nino: pl.Expr) -> pl.Expr:
    """Whether the first two letters can begin an issued NINO (no D F I Q U V, no second O, none of the unused
    pairs)."""
    prefix = nino.str.slice(0, 2)
    return (
        nino.str.contains(_FIRST_LETTERS)
        & nino.str.contains(_SECOND_LETTERS)
        & ~prefix.is_in(_UNUSED_PREFIXES)
        & ~nino_is_administrative(nino)
    )


def nino_is_administrative(nino: pl.Expr) -> pl.Expr:
    """Whether the prefix marks a temporary or administrative number, given to many people while a real one is
    awaited."""
    return nino.str.slice(0, 2).is_in(_ADMINISTRATIVE_PREFIXES)


def nino_is_dummy(nino: pl.Expr) -> pl.Expr:
    """Whether the number is a filler: XX999..., one digit six times, or 123456."""
    return nino.str.starts_with("XX999") | nino.str.contains(f"^..({_ONE_DIGIT_REPEATED}|123456)")
