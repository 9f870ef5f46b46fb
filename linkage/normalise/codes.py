"""Codes and numbers of a person: `nhs_number/1`, `nino/1`, `sex/1`."""

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


def nhs_number(raw: pl.Expr, *, accept_test: bool) -> tuple[pl.Expr, pl.Expr]:
    """`nhs_number/1`: (ten digits that pass modulus 11 and are in issue, or null; reason or null)."""
    digits = raw.str.replace_all(r"[\s-]", "").str.replace(r"\.0$", "")
    in_use = identifiers.nhs_number_in_issue(digits)
    test = identifiers.nhs_number_in_test_range(digits)
    if accept_test:
        in_use = in_use | test
    reason = (
        pl.when(~digits.str.contains(r"^\d{10}$"))
        .then(pl.lit(FieldReason.SHAPE.value))
        .when(identifiers.nhs_number_is_repeated_digit(digits))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(~identifiers.nhs_check_digit_holds(digits))
        .then(pl.lit(FieldReason.CHECK_DIGIT.value))
        .when(~in_use & test)
        .then(pl.lit(FieldReason.TEST_RANGE.value))
        .when(~in_use)
        .then(pl.lit(FieldReason.NOT_IN_ISSUE.value))
    )
    return pl.when(reason.is_null()).then(digits), reason


def nino(raw: pl.Expr, *, accept_test: bool) -> tuple[pl.Expr, pl.Expr]:
    """`nino/1`: (the first eight characters of a NINO that can have been issued, or null; reason or null)."""
    bare = raw.str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")
    test = bare.str.starts_with(identifiers.TEST_NINO_PREFIX)
    allowed = identifiers.nino_prefix_allowed(bare)
    if accept_test:
        allowed = allowed | test
    reason = (
        pl.when(identifiers.nino_is_dummy(bare))
        .then(pl.lit(FieldReason.PLACEHOLDER.value))
        .when(~bare.str.contains(identifiers.NINO_SHAPE))
        .then(pl.lit(FieldReason.SHAPE.value))
        .when(identifiers.nino_is_administrative(bare))
        .then(pl.lit(FieldReason.ADMINISTRATIVE.value))
        .when(~allowed & test)
        .then(pl.lit(FieldReason.TEST_RANGE.value))
        .when(~allowed)
        .then(pl.lit(FieldReason.NOT_IN_ISSUE.value))
    )
    return pl.when(reason.is_null()).then(bare.str.slice(0, 8)), reason


def sex(raw: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """`sex/1`: (a code of `schemas.codes.Sex` or null, reason or null)."""
    code = (
        raw.str.strip_chars()
        .str.to_uppercase()
        .replace_strict(list(_SEX), [code.value for code in _SEX.values()], default=None, return_dtype=pl.String)
    )
    return code, pl.when(raw.is_not_null() & code.is_null()).then(pl.lit(FieldReason.UNKNOWN_CODE.value))
