"""Comparison levels: what each pair of values says, alike from either side, and nothing where a value is missing."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from linkage.compare import LEVEL, PATTERNS, PLACE, compare, dice, levels_of, patterns
from linkage.subjects import FILTER_WORDS, TOKEN_POSITION, Subjects, UInt64Array
from schemas.contracts.subject import FILTER_COLUMNS
from schemas.model import COMPARISONS, RADICES, DiceCuts

CUTS = DiceCuts()


def word(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def grams(text: str) -> UInt64Array:
    """A filter of single-hash bigrams: the more bigrams two texts share, the more bits their filters do."""
    bits = np.zeros(FILTER_WORDS * 64, dtype=np.uint8)
    padded = f" {text} "
    for at in range(len(padded) - 1):
        bits[word("gram" + padded[at : at + 2]) % len(bits)] = 1
    return np.packbits(bits, bitorder="little").view(np.uint64)


def subjects(*people: dict[str, str]) -> Subjects:
    """Subjects whose tokens are hashes of the given words; names and address get filters of their bigrams too."""
    table = np.zeros((len(people), len(TOKEN_POSITION)), dtype=np.uint64)
    filters = np.zeros((len(people), len(FILTER_COLUMNS), FILTER_WORDS), dtype=np.uint64)
    for row, person in enumerate(people):
        for name, value in person.items():
            column = name if name.startswith("key_") else f"token_{name}"
            domain = {"surname": "name", "forename": "name", "middle_names": "name"}.get(name, name)
            domain = "date" if name.startswith("date_of_birth") else domain
            table[row, TOKEN_POSITION[column]] = word(domain + value)
            if f"filter_{name}" in FILTER_COLUMNS:
                filters[row, FILTER_COLUMNS.index(f"filter_{name}")] = grams(value)
    count = len(people)
    return Subjects(
        table=table,
        filters=filters,
        source=np.zeros(count, dtype=np.uint16),
        sources=("a.b",),
        unique=(False,),
        identity=np.arange(count, dtype=np.uint64),
        version=np.zeros(count, dtype=np.int64),
        withdrawn=np.zeros(count, dtype=np.bool_),
        content_hash=np.zeros(count, dtype=np.int64),
        claim_group=np.zeros(count, dtype=np.uint64),
        ref=np.array([str(n) for n in range(count)], dtype="S8"),
    )


def level(comparison: str, one: dict[str, str], other: dict[str, str]) -> str:
    """The level of a comparison by name, asserted to be the same from either side."""
    both = subjects(one, other)
    _, pattern = compare(both, both, np.array([0, 1]), np.array([1, 0]), CUTS)
    names = ["missing", *COMPARISONS[comparison]]
    there, back = levels_of(pattern)[PLACE[comparison]].tolist()
    assert there == back, "a comparison must not depend on which side is which"
    return str(names[there])


def person(forename: str | None = None, surname: str | None = None, **more: str) -> dict[str, str]:
    values = dict(more)
    for name, value in (("forename", forename), ("surname", surname)):
        if value is not None:
            values |= {name: value, f"{name}_phonetic": value[:2]}
    return values


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (person("ANNA"), person("ANNA"), "exact"),
        (person("BOB", nickname="ROBERT"), person("ROBERT", nickname="ROBERT"), "nickname"),
        (person("CHRISTOPHERSON"), person("CHRISTOPHERSONN"), "close"),
        (person("ANNABELLA"), person("ANXQZWK"), "phonetic"),
        (person("MARGARETHA"), person("XARGARETHA"), "similar"),
        (person("ANNA"), person("ZOLTAN"), "different"),
        (person("ANNA", "SMITH"), person("SMITH", "ANNA"), "swapped"),
        (person("ANNA", "SMITH"), person("SMITH", "ZOLTAN"), "half_swapped"),
        (person("SUSAN"), person("NATALIE", middle_names="SUSAN"), "middle"),
        (person(), person("ANNA"), "missing"),
    ],
)
def test_forename(one: dict[str, str], other: dict[str, str], expected: str) -> None:
    assert level("forename", one, other) == expected


def test_swapped_names_count_once() -> None:
    one, other = person("ANNA", "SMITH"), person("SMITH", "ANNA")

    assert level("forename", one, other) == "swapped"
    assert level("surname", one, other) == "missing"


def test_a_surname_that_is_also_the_forename_is_not_swapped() -> None:
    one, other = person("JAMES", "JAMES"), person("JAMES", "JAMES")

    assert level("forename", one, other) == "exact"
    assert level("surname", one, other) == "exact"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (
            {"date_of_birth": "0102", "key_birth_sex": "f"},
            {"date_of_birth": "0102", "key_birth_sex": "f"},
            "exact_same_sex",
        ),
        (
            {"date_of_birth": "0102", "key_birth_sex": "f"},
            {"date_of_birth": "0102", "key_birth_sex": "m"},
            "exact_other_sex",
        ),
        ({"date_of_birth": "0102", "key_birth_sex": "f"}, {"date_of_birth": "0102"}, "exact"),
        (
            {"date_of_birth": "0102", "date_of_birth_swapped": "0201"},
            {"date_of_birth": "0201", "date_of_birth_swapped": "0102"},
            "swapped",
        ),
        ({"date_of_birth": "0102"}, {"date_of_birth": "0509"}, "unseen"),
        ({"date_of_birth": "0102"}, {}, "missing"),
    ],
)
def test_date_of_birth(one: dict[str, str], other: dict[str, str], expected: str) -> None:
    assert level("date_of_birth", one, other) == expected


@pytest.mark.parametrize("part", ["year_month", "year_day", "month_day"])
@pytest.mark.parametrize("name", ["forename", "surname"])
def test_parts_of_a_date_show_through_either_name(part: str, name: str) -> None:
    one = {"date_of_birth": "a", f"{name}_phonetic": "p", f"key_{part}_{name}": "k"}
    other = {"date_of_birth": "b", f"{name}_phonetic": "p", f"key_{part}_{name}": "k"}

    assert level("date_of_birth", one, other) == part


def test_dates_that_could_have_shown_an_equal_part_and_do_not_are_different() -> None:
    one = {"date_of_birth": "a", "surname_phonetic": "p", "key_year_day_surname": "k"}
    other = {"date_of_birth": "b", "surname_phonetic": "p", "key_year_day_surname": "l"}

    assert level("date_of_birth", one, other) == "different"


HERE = {"address": "FLAT1 22 HIGH STREET", "postcode": "A", "outcode": "O"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"uprn": "1", "postcode": "A"}, {"uprn": "1", "postcode": "B"}, "address_same_postcode_same"),
        (HERE, HERE, "address_same_postcode_same"),
        (HERE, {**HERE, "postcode": "B"}, "address_same_postcode_outcode"),
        (HERE, {**HERE, "address": "FLAT1 22 HIGHH STREET"}, "address_close_postcode_same"),
        (HERE, {"address": "77 QUEXOR MEWS", "postcode": "B"}, "address_different_postcode_different"),
        ({"postcode": "A"}, {"postcode": "A"}, "address_unknown_postcode_same"),
        ({"address": "1 HIGH ST"}, {"address": "1 HIGH ST"}, "address_same_postcode_unknown"),
        ({"uprn": "1"}, {"uprn": "2"}, "address_different_postcode_unknown"),
        ({"uprn": "1"}, {"postcode": "A"}, "missing"),
    ],
)
def test_home_is_one_joint_comparison(one: dict[str, str], other: dict[str, str], expected: str) -> None:
    assert level("home", one, other) == expected


@pytest.mark.parametrize("name", ["nhs_number", "nino"])
def test_identifiers_agree_or_conflict(name: str) -> None:
    assert level(name, {name: "1"}, {name: "1"}) == "exact"
    assert level(name, {name: "1"}, {name: "2"}) == "different"
    assert level(name, {name: "1"}, {}) == "missing"


def test_nothing_known_is_the_pattern_of_no_evidence() -> None:
    both = subjects({}, {})

    assert compare(both, both, np.array([0]), np.array([1]), CUTS)[1].tolist() == [0]


def test_patterns_number_levels_without_loss() -> None:
    numbers = np.arange(PATTERNS, dtype=np.int32)
    levels = levels_of(numbers)

    assert (patterns(levels) == numbers).all()
    assert levels.max(axis=1).tolist() == [radix - 1 for radix in RADICES]
    assert set(LEVEL) == set(COMPARISONS)


def test_dice_is_twice_the_common_bits_over_both_counts() -> None:
    both = subjects(person("ANNABEL"), person("ANNABELLE"), person())
    one, other = (both.filters[row, 0] for row in (0, 1))
    common = int(np.bitwise_count(one & other).sum())
    total = int(np.bitwise_count(one).sum() + np.bitwise_count(other).sum())
    found = dice(both, both, np.array([0, 0, 2]), np.array([1, 2, 2]), 0)

    assert found[0] == pytest.approx(2 * common / total)
    assert found[1:].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("DEVINDER", "DEV", "faint"),  # a short form: all that it has stands in the other
        ("ERIC", "ERIK", "faint"),  # a slip
        ("MUHAMMADALI", "MUHAMMADREZA", "different"),  # alike in what many names share
        ("TARIQ", "NADEEM", "different"),
    ],
)
def test_a_faint_likeness_is_a_short_form_or_a_slip(one: str, other: str, level: str) -> None:
    both = subjects({"forename": one}, {"forename": other})
    cuts = DiceCuts(name_similar=0.8, name_contained=0.6, name_unshared_bits=2)  # one bit for each pair of letters here
    pattern = compare(both, both, np.array([0]), np.array([1]), cuts)[1]

    assert levels_of(pattern)[PLACE["forename"], 0] == LEVEL["forename"][level]


def test_pairs_that_promise_nothing_are_left_out_before_their_filters_are_read() -> None:
    both = subjects(person("ANNA", "SMITH"), person("ANNA", "SMITH"), person("ZOLTAN", "KOVACS"))
    left, right = np.array([0, 0]), np.array([1, 2])
    _, full = compare(both, both, left, right, CUTS)
    promising = np.zeros(PATTERNS, dtype=np.bool_)
    promising[full[0]] = True
    at, pattern = compare(both, both, left, right, CUTS, promising)

    assert at.tolist() == [0]
    assert pattern.tolist() == [full[0]]


def test_no_pairs_are_no_patterns() -> None:
    both = subjects(person("ANNA"))
    none = np.zeros(0, dtype=np.int64)

    assert [len(part) for part in compare(both, both, none, none, CUTS)] == [0, 0]
