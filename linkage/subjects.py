"""Subjects as columns for matching: tokens as integers, filters as words, in rows that one gather fetches.

A token is represented by its first 8 bytes, little-endian, as uint64; 0 stands for a missing value. Two different
tokens of a column agree by chance once in 2**64 comparisons. The table is row-major: matching reads all of a subject at
random rows, so that one subject is a few cache lines and not one per column.
"""

from __future__ import annotations

from collections.abc import Mapping
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

_TOKEN_WORDS: Final = 2
BINARY_COLUMNS: Final = (*TOKEN_COLUMNS, *FILTER_COLUMNS, "claim_group")
"""Columns of a subject that are packed as words."""

_LANES: Final = np.uint64(0x00FF00FF00FF00FF)
_ONE_EACH_LANE: Final = np.uint64(0x0001000100010001)

TOKEN_POSITION: Final = {name: position for position, name in enumerate(TOKEN_COLUMNS)}
"""Token column -> its place in a row of `Subjects.table`."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Subject versions in columns; row i of every array is one version. Arrays are not copied and must not be changed.

    `table` (n, tokens) uint64; `filters` (n, filter fields, 8) uint64, zeros = missing;
    `source` (n) uint16 codes into `sources`, `unique` (one per source): whether it declares one record per
    person; `identity` (n) uint64: hash of (source, ref), the same in every process; `version` (n) int64; `withdrawn`
    (n) bool; `content_hash` (n) int64; `claim_group` (n) uint64, 0 = none; `ref` (n) bytes, padded with zeros.
    """

    table: UInt64Array
    filters: npt.NDArray[np.uint64]
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

    def one_record_per_person(self, rows: npt.NDArray[np.integer]) -> BoolArray:
        """Return whether the source of each of these rows holds one record per person."""
        unique: BoolArray = np.asarray(self.unique, dtype=np.bool_)[self.source[rows]]
        return unique

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
        sources that it does not name are taken not to hold one record per person. Raises pa.ArrowInvalid where a token
        or filter is of another length than its contract's.
        """
        frame = conform(frame, Subject)
        binary = {name: frame[name].to_arrow() for name in BINARY_COLUMNS}
        return cls._packed(frame.drop(BINARY_COLUMNS), binary, one_record_per_person or {})

    @classmethod
    def from_batch(cls, batch: pa.RecordBatch, source: str, one_record_per_person: bool) -> Subjects:
        """Return the subjects of one source's batch as `from_frame` does, tokens and filters packed as they are."""
        have = batch.schema.names
        rest = batch.select([name for name in have if name not in BINARY_COLUMNS])
        binary = {name: batch.column(name) for name in BINARY_COLUMNS if name in have}
        frame = pl.DataFrame(pl.from_arrow(rest)).with_columns(source=pl.lit(source))
        return cls._packed(conform(frame, Subject), binary, {source: one_record_per_person})

    @classmethod
    def _packed(cls, rest: pl.DataFrame, binary: Mapping[str, pa.Array], unique: dict[str, bool]) -> Subjects:
        names = rest["source"].unique().sort().to_list()
        codes = rest["source"].cast(pl.Enum(names)).to_physical().to_numpy()
        table = np.zeros((rest.height, len(TOKEN_COLUMNS)), dtype=np.uint64)
        filters = np.zeros((rest.height, len(FILTER_COLUMNS), FILTER_WORDS), dtype=np.uint64)
        for name, column in binary.items():
            if name in TOKEN_POSITION:
                table[:, TOKEN_POSITION[name]] = _words(column, _TOKEN_WORDS)[:, 0]
            elif name in FILTER_COLUMNS:
                filters[:, FILTER_COLUMNS.index(name)] = _words(column, FILTER_WORDS)
        claim = binary.get("claim_group")
        refs = _padded_bytes(rest["subject_ref"])
        return cls(
            table=table,
            filters=filters,
            source=codes.astype(np.uint16),
            sources=tuple(names),
            unique=tuple(unique.get(name, False) for name in names),
            identity=identities(rest["source"], rest["subject_ref"]),
            version=rest["version"].to_numpy().astype(np.int64),
            withdrawn=(rest["operation"] == Operation.WITHDRAW.value).fill_null(False).to_numpy(),
            content_hash=rest["content_hash"].fill_null(0).to_numpy().astype(np.int64),
            claim_group=np.zeros(len(refs), dtype=np.uint64) if claim is None else _words(claim, _TOKEN_WORDS)[:, 0],
            ref=refs.view(f"S{refs.shape[1]}").ravel(),
        )


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


def _words(column: pa.Array, words: int) -> UInt64Array:
    """Return binary values of 8 bytes a word as (n, words) uint64, little-endian; zeros where null."""
    fixed = column.cast(pa.binary(8 * words))
    packed = np.frombuffer(fixed.buffers()[1], dtype="<u8", count=words * len(fixed), offset=8 * words * fixed.offset)
    packed = packed.reshape(len(fixed), words)
    if fixed.null_count:
        # Arrow's own to_numpy would import pandas for this.
        bits = np.unpackbits(np.frombuffer(fixed.buffers()[0], dtype=np.uint8), bitorder="little")
        there = bits[fixed.offset : fixed.offset + len(fixed)] != 0
        packed = np.where(there[:, None], packed, np.uint64(0))
    return packed
