"""Filters: their size, their bits, their fill, their hardening."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.encode.filters import filter_words, gram_mask, keyed_filters
from linkage.encode.recipes import expected_fill
from schemas.agreement import FilterRecipe, Hardening

KEY = bytes(range(32))
PLAIN = FilterRecipe(field="surname", hashes=24)


def bits(words: np.ndarray) -> np.ndarray:
    """Unpack a filter matrix into bits."""
    return np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little")


def test_a_filter_is_the_union_of_its_padded_bigrams() -> None:
    """Each value's own bigrams and no neighbour's, in a column of several."""
    words = filter_words(["AB", "C", "XYZ"], PLAIN, KEY)
    expected = [["_A", "AB", "B_"], ["_C", "C_"], ["_X", "XY", "YZ", "Z_"]]

    for row, grams in zip(words, expected, strict=True):
        union = np.bitwise_or.reduce([gram_mask(gram, KEY, PLAIN.hashes, 512) for gram in grams])
        assert (row == union).all()


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_grams_of_every_length(length: int) -> None:
    """A value shorter than a gram still sets bits."""
    recipe = FilterRecipe(field="surname", hashes=10, gram_length=length)
    words = filter_words(["A", "SMITH"], recipe, KEY)
    pad = "_" * (length - 1)
    padded = f"{pad}SMITH{pad}"
    grams = [padded[start : start + length] for start in range(len(padded) - length + 1)]

    assert np.bitwise_count(words[0]).sum() > 0
    assert (words[1] == np.bitwise_or.reduce([gram_mask(gram, KEY, 10, 512) for gram in grams])).all()


def test_positions_are_many_independent_and_keyed() -> None:
    """A gram sets about as many bits as it has hashes, elsewhere for another key."""
    mask, other = gram_mask("AB", KEY, 40, 512), gram_mask("AB", KEY[::-1], 40, 512)
    shared = int(np.bitwise_count(mask & other).sum())

    assert 33 <= np.bitwise_count(mask).sum() <= 40
    assert shared < 10


def test_a_column_keeps_its_order_and_its_gaps() -> None:
    """Missing is absent, never an encoded blank; equal values give equal filters."""
    column = keyed_filters(pl.Series("filter_surname", ["SMITH", None, "JONES", "SMITH"]), PLAIN, KEY)

    assert column.name == "filter_surname"
    assert column[1] is None
    assert column[0] == column[3] != column[2]
    assert {len(value) for value in column.drop_nulls()} == {64}


def test_bit_order_is_little_endian_within_the_byte() -> None:
    """The contract's bit i is byte i // 8, bit i % 8."""
    packed = keyed_filters(pl.Series(["SMITH"]), PLAIN, KEY)[0]
    expected = bits(filter_words(["SMITH"], PLAIN, KEY))[0]

    assert [packed[i // 8] >> (i % 8) & 1 for i in range(512)] == expected.tolist()


def test_a_column_without_values_gives_a_column_of_gaps() -> None:
    """A chunk may hold no surname at all."""
    column = keyed_filters(pl.Series([None, None], dtype=pl.String), PLAIN, KEY)

    assert column.dtype == pl.Binary
    assert column.null_count() == 2


def test_letters_of_other_scripts_and_a_large_alphabet() -> None:
    """Bigrams are counted in a table for few letters and sorted for many, with one result."""
    many = ["".join(chr(0x4E00 + start + step) for step in range(3)) for start in range(0, 3000, 3)]
    together = filter_words(["SMITH", *many], PLAIN, KEY)

    assert (together[0] == filter_words(["SMITH"], PLAIN, KEY)[0]).all()
    assert (together[500] == filter_words([many[499]], PLAIN, KEY)[0]).all()


def test_xor_fold_halves_a_filter_of_twice_the_size() -> None:
    """So that a hardened filter is as long as a plain one."""
    folded = bits(filter_words(["SMITH"], PLAIN.model_copy(update={"hardening": Hardening.XOR_FOLD}), KEY))[0]
    masks = [gram_mask(gram, KEY, 24, 1024) for gram in ("_S", "SM", "MI", "IT", "TH", "H_")]
    whole = bits(np.bitwise_or.reduce(masks)[None, :])[0]

    assert (folded == whole[:512] ^ whole[512:]).all()


def test_rule_90_adds_the_two_neighbours_of_each_bit() -> None:
    """Round the ends as well."""
    plain = bits(filter_words(["SMITH", "NG"], PLAIN, KEY))
    hardened = bits(filter_words(["SMITH", "NG"], PLAIN.model_copy(update={"hardening": Hardening.RULE_90}), KEY))

    assert (hardened == np.roll(plain, 1, axis=1) ^ np.roll(plain, -1, axis=1)).all()


@pytest.mark.parametrize("hardening", list(Hardening))
def test_fill_is_what_the_agreement_check_expects(hardening: Hardening) -> None:
    """The check of an agreement judges filters that it has not seen: its formula must hold."""
    recipe = PLAIN.model_copy(update={"hardening": hardening})
    values = ["".join(chr(65 + (start * 7 + step * 5) % 26) for step in range(7)) for start in range(300)]
    fill = float(bits(filter_words(values, recipe, KEY)).mean())

    assert fill == pytest.approx(expected_fill(recipe, grams=8), abs=0.02)
