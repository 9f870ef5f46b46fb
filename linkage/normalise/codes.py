"""Codes and numbers of a person: `nhs_number/1`, `nino/1`, `pseudonym/1`, `sex/1`."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage import identifiers
from linkage.normalise.reasons import FieldReason
from schemas.codes import Sex

_SEX: Final = {
    "1": Sex.MALE, "M": Sex.MALE, "MALE": Sex.MALE, "MAN": Sex.MALE, "BOY": Sex.MALE,
    "2": Sex.FEMALE, "F": Sex.FEMALE, "FEMALE": Sex.FEMALE, "WOMAN": Sex.FEMALE, "GIRL": Sex.FEMALE,
    "9": Sex.INDETERMINATE, "I": Sex.INDETERMINATE, "INDETERMINATE": Sex.INDETERMINATE,
    "X": Sex.NOT_KNOWN, "0": Sex.NOT_KNOWN, "U": Sex.NOT_KNOWN, "UNKNOWN": Sex.NOT_KNOWN, "NOT KNOWN": Sex.NOT_KNOWN,
}  # fmt: skip


def nhs_number(raw: pl.Series, *, accept_test: bool) -> pl.DataFrame:
    """`nhs_number/1`: `value` (ten digits that pass modulus 11 and are in issue), `reason`."""
    digits = pl.col("digits")
    judged = (
        raw.str.replace_all(r"[\s-]", "")
        .str.replace(r"\.0$", "")
        .alias("digits")
        .to_frame()
        .with_columns(test=identifiers.nhs_number_in_test_range(digits), issued=identifiers.nhs_number_in_issue(digits))
    )
    accepted = pl.col("issued") | (pl.col("test") & accept_test)
    return judged.with_columns(
        reason=pl.when(~digits.str.contains(identifiers.NHS_NUMBER_SHAPE))
        .then(pl.lit(FieldReason.SHAPE.value))
        .when(identifiers.nhs_number_is_repeated_digit(digits))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(~identifiers.nhs_check_digit_holds(digits))
        .then(pl.lit(FieldReason.CHECK_DIGIT.value))
        .when(~accepted & pl.col("test"))
        .then(pl.lit(FieldReason.TEST_RANGE.value))
        .when(~accepted)
        .then(pl.lit(FieldReason.NOT_IN_ISSUE.value))
    ).select(pl.when(pl.col("reason").is_null()).then(digits).alias("value"), "reason")


def nino(raw: pl.Series, *, accept_test: bool) -> pl.DataFrame:
    """`nino/1`: `value` (the first eight characters of a NINO that can have been issued), `reason`."""
    bare = pl.col("bare")
    judged = (
        raw.str.to_uppercase()
        .str.replace_all(r"[^A-Z0-9]", "")
        .alias("bare")
        .to_frame()
        .with_columns(
            test=bare.str.starts_with(identifiers.TEST_NINO_PREFIX), allowed=identifiers.nino_prefix_allowed(bare)
        )
    )
    accepted = pl.col("allowed") | (pl.col("test") & accept_test)
    return judged.with_columns(
        reason=pl.when(identifiers.nino_is_dummy(bare))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(~bare.str.contains(identifiers.NINO_SHAPE))
        .then(pl.lit(FieldReason.SHAPE.value))
        .when(identifiers.nino_is_administrative(bare))
        .then(pl.lit(FieldReason.ADMINISTRATIVE.value))
        .when(~accepted & pl.col("test"))
        .then(pl.lit(FieldReason.TEST_RANGE.value))
        .when(~accepted)
        .then(pl.lit(FieldReason.NOT_IN_ISSUE.value))
    ).select(pl.when(pl.col("reason").is_null()).then(bare.str.slice(0, 8)).alias("value"), "reason")


def pseudonym(raw: pl.Series) -> pl.DataFrame:
    """`pseudonym/1`: `value` (a pseudonym as written, digests in upper case), `reason`.

    Printable ASCII without spaces, 6 to 128 characters. Hexadecimal digests of 32 digits or more are the same in either
    case. A number that could be somebody's NHS number or NINO is no pseudonym, and one character repeated is a filler.
    """
    text = pl.col("text")
    number = text.str.contains(identifiers.NHS_NUMBER_SHAPE) & identifiers.nhs_check_digit_holds(text)
    upper = text.str.to_uppercase()
    nino = upper.str.contains(identifiers.NINO_SHAPE) & identifiers.nino_prefix_allowed(upper)
    digest = text.str.contains(r"^[0-9A-Fa-f]{32,}$")
    return (
        raw.alias("text")
        .to_frame()
        .with_columns(
            reason=pl.when(~text.str.contains(r"^[!-~]{6,128}$") | number | nino)
            .then(pl.lit(FieldReason.SHAPE.value))
            .when(text.str.strip_chars(text.str.slice(0, 1)) == "")
            .then(pl.lit(FieldReason.PLACEHOLDER.value))
        )
        .select(
            pl.when(pl.col("reason").is_null()).then(pl.when(digest).then(upper).otherwise(text)).alias("value"),
            "reason",
        )
    )


def sex(raw: pl.Series) -> pl.DataFrame:
    """`sex/1`: `value` (a code of `schemas.codes.Sex`), `reason`."""
    code = (
        pl.col("raw")
        .str.to_uppercase()
        .replace_strict(list(_SEX), [code.value for code in _SEX.values()], default=None, return_dtype=pl.String)
    )
    unknown = pl.when(pl.col("raw").is_not_null() & pl.col("value").is_null())
    return (
        raw.alias("raw")
        .to_frame()
        .with_columns(value=code)
        .select("value", reason=unknown.then(pl.lit(FieldReason.UNKNOWN_CODE.value)))
    )
