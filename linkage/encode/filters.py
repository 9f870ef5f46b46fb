"""Filters: a keyed Bloom filter of one field's padded character n-grams, 512 bits.

Each distinct n-gram gets `hashes` independent positions from keyed BLAKE2b slices (not double hashing, whose
structure is attackable), once; a value's filter is the OR of its n-grams' masks. Bit i is byte i//8, bit i%8
(little-endian).
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.agreement import FilterRecipe, Hardening

Words = npt.NDArray[np.uint64]

PAD: Final = "_"
"""Before and after a value, so that its first and last letters count as n-grams of their own."""

_VALUES_AT_ONCE: Final = 4096
_TABLE_SIZE: Final = 1 << 20
_DIGEST_BYTES: Final = 64
_SLICES_PER_DIGEST: Final = _DIGEST_BYTES // 2


def gram_mask(gram: str, key: bytes, hashes: int, bits: int) -> Words:
    """Return the (bits // 64,) uint64 mask of one n-gram: `hashes` keyed independent positions, which may coincide.

    Each position is a 16-bit slice of keyed BLAKE2b digests; `bits` is a power of two, so every position is as likely.
    """
    data = b"".join(
        hashlib.blake2b(gram.encode(), key=key, digest_size=_DIGEST_BYTES, salt=bytes([counter])).digest()
        for counter in range(-(-hashes // _SLICES_PER_DIGEST))
    )
    positions = np.frombuffer(data, dtype="<u2")[:hashes] & (bits - 1)
    mask = np.zeros(bits, dtype=np.uint8)
    mask[positions] = 1
    words: Words = np.packbits(mask, bitorder="little").view("<u8").astype(np.uint64)
    return words


def filter_words(values: list[str], recipe: FilterRecipe, key: bytes) -> Words:
    """Return the filters of non-empty values as a (values, bits // 64) uint64 matrix."""
    # A folded filter starts at twice its size, so that every hardening ends at `bits`.
    bits = recipe.bits * 2 if recipe.hardening is Hardening.XOR_FOLD else recipe.bits
    words = np.zeros((len(values), bits // 64), dtype=np.uint64)
    if not values:
        return words
    which, masks, starts = _grams(values, recipe, key, bits)
    ends = np.append(starts[1:], len(which))
    for first in range(0, len(values), _VALUES_AT_ONCE):
        last = min(first + _VALUES_AT_ONCE, len(values))
        block = masks[which[starts[first] : ends[last - 1]]]
        words[first:last] = np.bitwise_or.reduceat(block, starts[first:last] - starts[first], axis=0)
    return _harden(words, recipe.hardening)


def _grams(
    values: list[str], recipe: FilterRecipe, key: bytes, bits: int
) -> tuple[npt.NDArray[np.int64], Words, npt.NDArray[np.int64]]:
    """Return, for all values' n-grams in a row: which mask each has, the masks, and where each value's run starts."""
    length = recipe.gram_length
    # One text with `length - 1` pads between neighbours: each run of `length` characters belongs to exactly one value.
    pad = PAD * (length - 1)
    text = pad + "".join([value + pad for value in values])
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    present = np.zeros(int(points.max()) + 1, dtype=bool)
    present[points] = True
    alphabet = np.flatnonzero(present)
    letters = (np.cumsum(present) - 1)[points]
    codes = np.zeros(len(points) - length + 1, dtype=np.int64)
    for offset in range(length):
        codes = codes * len(alphabet) + letters[offset : offset + len(codes)]
    distinct, which = _distinct(codes, len(alphabet) ** length)
    masks = np.stack(
        [gram_mask(_spell(code, alphabet, length), key, recipe.hashes, bits) for code in distinct.tolist()]
    )
    lengths = np.fromiter((len(value) + len(pad) for value in values), dtype=np.int64, count=len(values))
    return which, masks, np.cumsum(lengths) - lengths


def _distinct(codes: npt.NDArray[np.int64], size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return (distinct codes, which of them each is) of codes below `size`."""
    if size > _TABLE_SIZE:
        distinct, which = np.unique(codes, return_inverse=True)
        return distinct, which
    # Counting instead of sorting: four times faster for the letters that names and addresses have.
    present = np.zeros(size, dtype=bool)
    present[codes] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[codes]


def _spell(code: int, alphabet: npt.NDArray[np.int64], length: int) -> str:
    letters = []
    for _ in range(length):
        code, letter = divmod(code, len(alphabet))
        letters.append(chr(alphabet[letter]))
    return "".join(reversed(letters))


def _harden(words: Words, hardening: Hardening) -> Words:
    if hardening is Hardening.XOR_FOLD:
        half = words.shape[1] // 2
        folded: Words = words[:, :half] ^ words[:, half:]
        return folded
    if hardening is Hardening.RULE_90:
        up = (words << np.uint64(1)) | (np.roll(words, 1, axis=1) >> np.uint64(63))
        down = (words >> np.uint64(1)) | (np.roll(words, -1, axis=1) << np.uint64(63))
        mixed: Words = np.bitwise_xor(up, down)
        return mixed
    return words


def keyed_filters(values: pl.Series, recipe: FilterRecipe, key: bytes) -> pl.Series:
    """Return the filter of each String value (Binary of 64 bytes, null for null); each distinct value built once."""
    distinct = values.alias("value").drop_nulls().unique()
    packed = filter_words(distinct.to_list(), recipe, key).astype("<u8").tobytes()
    size = recipe.bits // 8
    column = [packed[start : start + size] for start in range(0, len(packed), size)]
    table = pl.DataFrame([distinct, pl.Series("filter", column, dtype=pl.Binary)])
    joined = values.alias("value").to_frame().join(table, on="value", how="left", maintain_order="left")
    return joined["filter"].alias(values.name)
