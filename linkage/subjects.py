"""Subjects as columns for matching: tokens as integers, filters as words, in rows that one gather fetches.

A token is represented by its first 8 bytes, little-endian, as uint64; 0 stands for a missing value. Two different
tokens of a column agree by chance once in 2**64 comparisons. The table is row-major: matching reads all of a subject at
random rows, so that one subject is a few cache lines and not one per column.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from schemas.columns import conform
from schemas.contracts.base import Operation
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS, Subject

UInt64Array = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

FILTER_WORDS: Final = 8
"""Words of 64 bits in a filter of 512 bits."""

_LANES: Final = np.uint64(0x00FF00FF00FF00FF)
_ONE_EACH_LANE: Final = np.uint64(0x0001000100010001)

TOKEN_POSITION: Final = {name: position for position, name in enumerate(TOKEN_COLUMNS)}
"""Token column -> its place in a row of `Subjects.table`."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Subject versions in columns; row i of every array is one version. Arrays are not copied and must not be changed.

    `table` (n, tokens) uint64; `filters` (n, filter fields, 8) uint64; `popcounts` (n, filter fields) uint16, 0 =
    missing; `source` (n) uint16 codes into `sources`, `unique` (one per source): whether it declares one record per
    person; `identity` (n) uint64: hash of (source, ref), the same in every process; `version` (n) int64; `withdrawn`
    (n) bool; `content_hash` (n) int64; `claim_group` (n) uint64, 0 = none; `ref` (n) bytes, padded with zeros.
    """

    table: UInt64Array
    filters: npt.NDArray[np.uint64]
    popcounts: npt.NDArray[np.uint16]
    source: npt.NDArray[np.uint16]
    sources: tuple[str, ...]
    unique: tuple[bool, ...]
    identity: UInt64Array
    version: IntArray
    withdrawn: BoolArray
    content_hash: IntArray
    claim_group: UInt64Array
    ref: npt.NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.version)

    @property
    def tokens(self) -> dict[str, UInt64Array]:
        """Views of the token columns by name (strided: whole-column work should copy them first)."""
        return {name: self.table[:, position] for name, position in TOKEN_POSITION.items()}

    @property
    def one_record_per_person(self) -> BoolArray:
        """Whether each row's source holds one record per person, (n) bool."""
        return np.asarray(self.unique, dtype=np.bool_)[self.source]

    @property
    def rank(self) -> npt.NDArray[np.int64]:
        """(n, 3) int64 in falling importance: version, withdraw over upsert, content hash. The highest row holds."""
        return np.column_stack([self.version, self.withdrawn.astype(np.int64), self.content_hash])

    def ref_column(self, rows: npt.NDArray[np.integer]) -> pl.Series:
        """Return the subject refs of the given rows as a String column."""
        refs = self.ref[rows]
        octets = refs.view(np.uint8).reshape(len(refs), refs.dtype.itemsize)
        lengths = np.strings.str_len(refs)
        offsets = np.append(0, np.cumsum(lengths))
        text = octets[np.arange(octets.shape[1]) < lengths[:, None]]
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
        return pl.Series("subject_ref", pa.Array.from_buffers(pa.large_string(), len(refs), buffers))

    def take(self, rows: npt.NDArray[np.integer] | slice) -> Subjects:
        """Return the given rows, in that order."""
        arrays = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in {"sources", "unique"}}
        return replace(self, **arrays)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame, one_record_per_person: dict[str, bool] | None = None) -> Subjects:
        """Return the subjects of a frame with the columns of `schemas.contracts.subject.Subject`; rows keep their
        order.

        Token and filter columns that are absent count as missing throughout. `one_record_per_person` says it by source;
        sources that it does not name are taken not to hold one record per person.
        """
        frame, unique = conform(frame, Subject), one_record_per_person or {}
        names = frame["source"].unique().sort().to_list()
        codes = frame["source"].cast(pl.Enum(names)).to_physical().to_numpy()
        table = np.zeros((frame.height, len(TOKEN_COLUMNS)), dtype=np.uint64)
        for name in TOKEN_COLUMNS:
            table[:, TOKEN_POSITION[name]] = token_words(frame[name])
        filters = np.zeros((frame.height, len(FILTER_COLUMNS), FILTER_WORDS), dtype=np.uint64)
        for position, name in enumerate(FILTER_COLUMNS):
            filters[:, position] = _filter_words(frame[name])
        refs = _padded_bytes(frame["subject_ref"])
        return cls(
            table=table,
            filters=filters,
            popcounts=bits_set(filters).astype(np.uint16),
            source=codes.astype(np.uint16),
            sources=tuple(names),
            unique=tuple(unique.get(name, False) for name in names),
            identity=identities(frame["source"], frame["subject_ref"]),
            version=frame["version"].to_numpy().astype(np.int64),
            withdrawn=(frame["operation"] == Operation.WITHDRAW.value).fill_null(False).to_numpy(),
            content_hash=frame["content_hash"].fill_null(0).to_numpy().astype(np.int64),
            claim_group=token_words(frame["claim_group"]),
            ref=refs.view(f"S{refs.shape[1]}").ravel(),
        )


def token_words(column: pl.Series) -> UInt64Array:
    """Return the first 8 bytes of each binary token as uint64, little-endian; 0 where null."""
    words = column.bin.head(8).bin.reinterpret(dtype=pl.UInt64, endianness="little")
    return words.fill_null(0).to_numpy().astype(np.uint64, copy=False)


def token_prefix(word: int) -> str:
    """Return how a model names a token: its first 8 bytes as 16 hexadecimal digits, in the token's byte order."""
    return int(word).to_bytes(8, "little").hex()


def prefix_word(prefix: str) -> int:
    """Return the integer of `token_prefix`."""
    return int.from_bytes(bytes.fromhex(prefix), "little")


def identities(source: pl.Series, ref: pl.Series) -> UInt64Array:
    """Return a 64-bit hash of (source, subject_ref) for each row: the same on every machine and in every release.

    Polars' own hash may change between releases, so the text's bytes are folded here, eight at a time.
    """
    text = _padded_bytes(source.cast(pl.String) + pl.Series(["\x1f"]) + ref.cast(pl.String))
    folded = np.full(len(text), 0xCBF29CE484222325, dtype=np.uint64)
    for word in np.ascontiguousarray(text.view("<u8").T):
        # Padding leaves a hash alone, so that it does not depend on the longest text beside it.
        folded = np.where(word != 0, mix(folded ^ word), folded)
    return folded


def _padded_bytes(column: pl.Series) -> npt.NDArray[np.uint8]:
    """Return a String column's bytes, (n, width) with the width a multiple of 8, padded with zeros."""
    text = column.cast(pl.Binary).to_arrow()
    _, offset_buffer, byte_buffer = text.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[text.offset : text.offset + len(column) + 1]
    lengths = np.diff(offsets)
    width = max(8, -(-int(lengths.max(initial=0)) // 8) * 8)
    content = np.frombuffer(byte_buffer, dtype=np.uint8) if byte_buffer else np.zeros(0, dtype=np.uint8)
    padded = np.concatenate([content, np.zeros(width, dtype=np.uint8)])
    rows = np.lib.stride_tricks.sliding_window_view(padded, width)[offsets[:-1]]
    rows[np.arange(width) >= lengths[:, None]] = 0
    return rows


def mix(words: UInt64Array) -> UInt64Array:
    """Return a bijective scrambling of 64-bit words (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def bits_set(words: UInt64Array) -> UInt64Array:
    """Return the number of bits set in each filter, (..., 8) words in.

    The eight counts of a filter (64 at most each) are the bytes of one word, added up in lanes of 16 bits by a
    multiplication: a sum along so short an axis takes NumPy five times as long.
    """
    counts = np.bitwise_count(words).view(np.uint64)[..., 0]
    pairs = (counts & _LANES) + ((counts >> np.uint64(8)) & _LANES)
    return (pairs * _ONE_EACH_LANE) >> np.uint64(48)


def _filter_words(column: pl.Series) -> npt.NDArray[np.uint64]:
    """Return 64-byte filters as (n, 8) uint64, zeros where null."""
    blank = bytes(FILTER_WORDS * 8)
    packed = column.fill_null(blank).bin.reinterpret(dtype=pl.Array(pl.UInt64, FILTER_WORDS), endianness="little")
    return packed.to_numpy().reshape(len(column), FILTER_WORDS)
