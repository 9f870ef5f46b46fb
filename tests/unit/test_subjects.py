"""Subjects as columns: tokens as integers, filters as words, identities that never depend on company."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from linkage.subjects import (
    FILTER_WORDS,
    TOKEN_POSITION,
    Subjects,
    bits_set,
    identities,
    mix,
    prefix_word,
    token_prefix,
)
from schemas.columns import columns
from schemas.contracts.subject import Subject


def frame(rows: int = 2, **values: Sequence[object]) -> pl.DataFrame:
    base = {
        "source": ["a.b"] * rows,
        "subject_ref": [f"{n:032x}" for n in range(rows)],
        "version": [1] * rows,
        "operation": ["upsert"] * rows,
    }
    schema = columns(Subject)
    return pl.DataFrame({**base, **values}, schema_overrides={n: schema[n] for n in values})


def test_a_token_is_its_first_eight_bytes_and_missing_is_zero() -> None:
    token = bytes(range(1, 17))
    subjects = Subjects.from_frame(frame(token_forename=[token, None]))

    assert subjects.tokens["token_forename"].tolist() == [int.from_bytes(token[:8], "little"), 0]
    assert not subjects.tokens["token_surname"].any()


def test_a_filter_keeps_every_bit_and_counts_them() -> None:
    packed = bytes([0b00000101]) + bytes(62) + bytes([0x80])
    subjects = Subjects.from_frame(frame(filter_surname=[None, packed]))
    position = 1  # forename, surname, address

    assert subjects.filters.shape == (2, 3, FILTER_WORDS)
    assert bits_set(subjects.filters[:, position]).tolist() == [0, 3]
    assert subjects.filters[1, position].tobytes() == packed


def test_columns_that_a_file_lacks_are_missing_values() -> None:
    subjects = Subjects.from_frame(frame())

    assert not subjects.table.any()
    assert not subjects.withdrawn.any()
    assert subjects.claim_group.tolist() == [0, 0]


def test_uniqueness_is_said_by_source_and_assumed_of_none() -> None:
    rows = frame(2, source=["a.one", "a.two"])
    subjects = Subjects.from_frame(rows, {"a.two": True})

    assert dict(zip(subjects.sources, subjects.unique, strict=True)) == {"a.one": False, "a.two": True}
    assert subjects.one_record_per_person(np.array([0, 1])).tolist() == [False, True]


def test_an_identity_is_the_same_whatever_stands_beside_it() -> None:
    short = pl.Series(["r1", "a-much-longer-reference-than-the-other", "r2"])
    together = identities(pl.Series(["s"] * 3), short)
    alone = identities(pl.Series(["s"]), pl.Series(["r1"]))

    assert together[0] == alone[0]
    assert len(set(together.tolist())) == 3


def test_an_identity_tells_where_the_source_ends() -> None:
    one = identities(pl.Series(["ab"]), pl.Series(["c"]))
    other = identities(pl.Series(["a"]), pl.Series(["bc"]))

    assert one[0] != other[0]


def test_identities_do_not_change_between_releases() -> None:
    # Shards are made of identities: another hash would move pairs between owners during an upgrade.
    assert identities(pl.Series(["medway.shbe"]), pl.Series(["0" * 32])).tolist() == [GOLDEN]


GOLDEN = 2256446980161452455


def test_refs_come_back_as_text_whatever_their_length() -> None:
    refs = ["x", "ünïcode-ref", "r" * 45]
    subjects = Subjects.from_frame(frame(3, subject_ref=refs))

    assert subjects.ref_column(np.array([2, 0, 1])).to_list() == [refs[2], refs[0], refs[1]]


def test_take_keeps_rows_together() -> None:
    subjects = Subjects.from_frame(frame(3, version=[1, 2, 3], token_nino=[None, bytes(15) + b"x", bytes([9]) * 16]))
    taken = subjects.take(np.array([2, 0]))

    assert taken.version.tolist() == [3, 1]
    assert taken.table[0, TOKEN_POSITION["token_nino"]] == int.from_bytes(bytes([9]) * 8, "little")


@pytest.mark.parametrize("word", [0, 1, 2**63, 2**64 - 1])
def test_a_prefix_names_a_token(word: int) -> None:
    assert prefix_word(token_prefix(word)) == word


def test_mixing_loses_nothing() -> None:
    words = np.arange(10_000, dtype=np.uint64)

    assert len(np.unique(mix(words))) == len(words)
