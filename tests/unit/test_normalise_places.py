"""Places and codes: postcodes, addresses, property numbers, sex."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage.normalise import NORMALISERS, FieldReason, Rules, normalise

RULES = Rules(accept_test_identifiers=False, latest=date(2026, 6, 30))


def one(rule: str, written: str) -> dict[str, str | None]:
    """Normalise one value."""
    return normalise(pl.Series([written]), rule, RULES).row(0, named=True)


@pytest.mark.parametrize(
    ("written", "value", "district"),
    [
        ("ME4 4TZ", "ME44TZ", "ME4"),
        ("me44tz", "ME44TZ", "ME4"),
        ("ME10 1AA", "ME101AA", "ME10"),
        ("SW1A 1AA", "SW1A1AA", "SW1A"),
        ("M1 1AE", "M11AE", "M1"),
        ("ME4 OTZ", "ME40TZ", "ME4"),
        ("ME4 ITZ", "ME41TZ", "ME4"),
        ("2119", "2119", "21"),
        ("90210", "90210", "902"),
    ],
)
def test_postcodes(written: str, value: str, district: str) -> None:
    """British ones by their shape, with O and I mended where only a digit can stand; others as they are."""
    assert one("postcode/1", written) == {"value": value, "reason": None, "value_district": district}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("ZZ99 3VZ", FieldReason.PLACEHOLDER),
        ("ZZ99 3WZ", FieldReason.PLACEHOLDER),
        ("AA1 1AA", FieldReason.PLACEHOLDER),
        ("0000", FieldReason.PLACEHOLDER),
        ("CHATHAM", FieldReason.SHAPE),
        ("12", FieldReason.SHAPE),
        ("ME4 4TZ ME4", FieldReason.SHAPE),
        ("???", FieldReason.SHAPE),
    ],
)
def test_what_is_no_place_is_missing(written: str, reason: FieldReason) -> None:
    """No fixed abode is not an address that two people share."""
    row = one("postcode/1", written)

    assert (row["value"], row["value_district"], row["reason"]) == (None, None, reason)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("12 High Street", "12 HIGH ST."),
        ("12, St. John's Road", "12 Saint Johns Rd"),
        ("Flat 3, 12 High Street, Chatham", "12 High Street, Flat 3, Chatham"),
        ("Apartment 3, Keats House, Gordon Avenue", "FLAT 3 KEATS HOUSE GORDON AVE"),
        ("Flat C, 43 Richmond Grove", "43C Richmond Grove"),
        ("7 Lime Close, Rochester, Kent", "7 LIME CLOSE ROCHESTER"),
        ("7 Lime Close, Rochester, Kent, ME1 2AB, UK", "7 Lime Cl, Rochester"),
        ("The Old House, Church Lane", "Old House, Church Lane"),
    ],
)
def test_ways_of_writing_one_address(left: str, right: str) -> None:
    """Abbreviations, the order of flat and house, and what stands behind the town do not matter."""
    assert one("address/1", left)["value"] == one("address/1", right)["value"] is not None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("12 High Street", "21 High Street"),
        ("Flat 1, 12 High Street", "Flat 12, 1 High Street"),
        ("12 High Street", "12 High Road"),
    ],
)
def test_different_addresses_stay_different(left: str, right: str) -> None:
    """Neighbours must not become one home."""
    assert one("address/1", left)["value"] != one("address/1", right)["value"]


@pytest.mark.parametrize("written", ["NFA", "No fixed abode", "unknown", "N/K", "--", "x" * 401])
def test_what_is_no_address_is_missing(written: str) -> None:
    """As with postcodes."""
    assert one("address/1", written)["value"] is None


@pytest.mark.parametrize(
    ("written", "value"),
    [("100061234567", "100061234567"), ("000012345", "12345"), ("12345.0", "12345"), ("1.0E+11", None), ("0", None)],
)
def test_property_numbers(written: str, value: str | None) -> None:
    """Leading zeros and a spreadsheet's fraction go; a rounded number is lost."""
    assert one("uprn/1", written)["value"] == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", "1"),
        ("M", "1"),
        ("male", "1"),
        ("F", "2"),
        ("Female", "2"),
        ("9", "9"),
        ("X", "X"),
        ("0", "X"),
        ("?", None),
    ],
)
def test_sex_codes(written: str, value: str | None) -> None:
    """Letters, words and codes become the NHS Data Dictionary's."""
    assert one("sex/1", written)["value"] == value


@pytest.mark.parametrize("rule", sorted(NORMALISERS))
def test_every_rule_takes_an_empty_and_a_missing_column(rule: str) -> None:
    """A chunk may hold no value of a field at all."""
    empty = normalise(pl.Series([], dtype=pl.String), rule, RULES)
    missing = normalise(pl.Series([None, ""], dtype=pl.String), rule, RULES)

    assert empty.height == 0
    assert set(missing.row(0)) | set(missing.row(1)) == {None}
