"""Why a field was dropped or a row refused. Reports name row, field and one of these, never the value."""

from __future__ import annotations

from enum import StrEnum


class FieldReason(StrEnum):
    """Machine-readable cause of a dropped field or a refused row; `EXPLAINED` says each in words."""

    MISSING = "missing"
    REPEATED = "repeated"
    UNREADABLE = "unreadable"
    UNKNOWN_CODE = "unknown_code"
    TOO_LONG = "too_long"
    SHAPE = "shape"
    NO_LETTERS = "no_letters"
    INITIAL_ONLY = "initial_only"
    PLACEHOLDER = "placeholder"
    NOT_A_DATE = "not_a_date"
    OUT_OF_RANGE = "out_of_range"
    CHECK_DIGIT = "check_digit"
    NOT_IN_ISSUE = "not_in_issue"
    TEST_RANGE = "test_range"
    ADMINISTRATIVE = "administrative"
    NOT_BRIDGED = "not_bridged"
    AMBIGUOUS = "ambiguous"


EXPLAINED: dict[FieldReason, str] = {
    FieldReason.MISSING: "the field must be there and is not",
    FieldReason.REPEATED: "an earlier row has the same record_id and version",
    FieldReason.UNREADABLE: "the row or the list in this field cannot be read",
    FieldReason.UNKNOWN_CODE: "not in the field's code list",
    FieldReason.TOO_LONG: "longer than the field can be",
    FieldReason.SHAPE: "not written as such a value is",
    FieldReason.NO_LETTERS: "no letter is left after cleaning",
    FieldReason.INITIAL_ONLY: "an initial tells too little, and gives too much away, alone",
    FieldReason.PLACEHOLDER: "a filler (baby, unknown, 1900-01-01, a made-up number), not a value",
    FieldReason.NOT_A_DATE: "no calendar date; its usable parts still count",
    FieldReason.OUT_OF_RANGE: "outside the range that is possible",
    FieldReason.CHECK_DIGIT: "the check digit is wrong",
    FieldReason.NOT_IN_ISSUE: "of a kind that is never issued",
    FieldReason.TEST_RANGE: "a test identifier, which only the test agreement accepts",
    FieldReason.ADMINISTRATIVE: "an administrative number that many people share",
    FieldReason.NOT_BRIDGED: "a pseudonym that the bridge does not have",
    FieldReason.AMBIGUOUS: "the bridge leads from this pseudonym to several",
}
