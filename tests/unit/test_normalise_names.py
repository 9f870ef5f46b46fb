"""Names: what is one name in two spellings, and what is no name at all."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage.nicknames import nickname, nickname_groups
from linkage.normalise import FieldReason, Rules, normalise
from linkage.phonetics import PHONETICS, phonetic

RULES = Rules(accept_test_identifiers=False, latest=date(2026, 6, 30))


def names(rule: str, *values: str | None) -> pl.DataFrame:
    """Normalise names by a rule."""
    return normalise(pl.Series(values, dtype=pl.String), rule, RULES)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë", "ZOE"),
        ("O'Neill", "ONEILL"),
        ("O’Neill", "o'neill"),
        ("Anne-Marie", "Anne Marie"),
        ("Anne Marie", "ANNEMARIE"),
        ("Søren", "Soren"),
        ("  José ", "jose"),
        ("Weiß", "WEISS"),
        ("de Souza", "DeSouza"),
        ("Łukasz", "lukasz"),
    ],
)
def test_spellings_of_one_name_are_one(one: str, other: str) -> None:
    """Case, accents, marks and spaces carry nothing that two systems agree on."""
    for rule in ("forename/1", "surname/1"):
        values = names(rule, one, other)["value"]

        assert values[0] is not None
        assert values[0] == values[1]


def test_titles_and_suffixes_are_dropped() -> None:
    """A title before, and a generation after, are not part of a name."""
    assert names("forename/1", "Mr John", "Mrs  Ann", "Dr Rev. Paul")["value"].to_list() == ["JOHN", "ANN", "PAUL"]
    assert names("surname/1", "Smith Jr", "Jones III", "Brown Snr")["value"].to_list() == ["SMITH", "JONES", "BROWN"]


@pytest.mark.parametrize(
    "filler",
    ["Baby", "BABY SMITH", "Twin One", "Twin 2", "twin b", "Baby of Ann", "unknown", "N/K", "NK", "Mr", "xxx", "Test",
     "Not known", "(unknown)", "Infant", "son of Ann", "none", "DO NOT USE"],
)  # fmt: skip
def test_fillers_are_no_forename(filler: str) -> None:
    """What a form was filled with for want of a name would make strangers agree."""
    table = names("forename/1", filler)

    assert table["value"].to_list() == [None]
    assert table["reason"][0] in (FieldReason.PLACEHOLDER, FieldReason.NO_LETTERS)


def test_surnames_that_only_look_like_fillers_are_kept() -> None:
    """Boy, Na and Child are surnames; as forenames they are fillers."""
    assert names("surname/1", "Boy", "Na", "Child")["value"].to_list() == ["BOY", "NA", "CHILD"]
    assert names("forename/1", "Boy", "Na", "Child")["value"].to_list() == [None, None, None]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("J", FieldReason.INITIAL_ONLY),
        ("J.", FieldReason.INITIAL_ONLY),
        ("-", FieldReason.NO_LETTERS),
        ("123", FieldReason.NO_LETTERS),
        ("A" * 101, FieldReason.TOO_LONG),
    ],
)
def test_what_is_too_little_or_too_much_says_why(written: str, reason: FieldReason) -> None:
    """An initial alone would be a token with 26 values."""
    table = names("forename/1", written)

    assert (table["value"][0], table["reason"][0]) == (None, reason)


def test_blank_and_absent_are_missing_without_a_reason() -> None:
    """An empty field is no fault of the file."""
    table = names("surname/1", "", "   ", None)

    assert table["value"].to_list() == [None] * 3
    assert table["reason"].to_list() == [None] * 3


def test_names_of_other_scripts_are_kept() -> None:
    """Two files that both write a name in another script can still agree on it."""
    table = names("forename/1", "Ольга", "فاطمة")

    assert table["value"].null_count() == 0
    assert phonetic(table["value"], "soundex/1").to_list() == [None, None]


@pytest.mark.parametrize("rule", sorted(PHONETICS))
def test_phonetic_rules_give_a_code_or_nothing(rule: str) -> None:
    """Every rule takes any normalised name, and missing stays missing."""
    codes = phonetic(pl.Series(["SMITH", "NG", None]), rule)

    assert all(codes[:2])
    assert codes[2] is None


@pytest.mark.parametrize("rule", ["metaphone/1", "soundex/1"])
def test_names_said_alike_share_a_code(rule: str) -> None:
    """That is what a phonetic code is for."""
    codes = phonetic(pl.Series(["SMITH", "SMYTH", "STEVEN", "STEPHEN"]), rule)

    assert codes[0] == codes[1]
    assert codes[2] == codes[3]


def test_short_forms_share_a_canonical_name() -> None:
    """Liz and Elizabeth, Mo and Muhammad agree; a name without a group stands for itself; a first word counts alone."""
    words = pl.DataFrame({"w": ["LIZ", "ELIZABETH", "MO", "MUHAMMAD", "ZEBEDEE", "LIZ ANN", None]})
    canonical = words.select(nickname(pl.col("w"))).to_series().to_list()

    assert canonical[0] == canonical[1] == canonical[5] == "ELIZABETH"
    assert canonical[2] == canonical[3]
    assert canonical[4:7:2] == ["ZEBEDEE", None]


def test_the_nickname_table_is_a_partition_of_normalised_names() -> None:
    """A name in two groups would have two tokens; one that normalising changes would never be found."""
    groups = nickname_groups()
    listed = pl.Series(list(groups))

    assert len(groups) > 1500
    assert all(groups[canonical] == canonical for canonical in set(groups.values()))
    assert names("forename/1", *groups)["value"].equals(listed.alias("value"))


def test_no_name_stands_in_two_nickname_groups() -> None:
    """Read from the table itself, since a dictionary would hide it."""
    from importlib.resources import files

    lines = files("linkage").joinpath("nicknames.csv").read_text("utf-8").splitlines()
    listed = [name for line in lines if not line.startswith("#") for name in line.split(",")]

    assert len(listed) == len(set(listed))
