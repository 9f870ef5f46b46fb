"""Columns as protobuf messages of one type, written for all of them at once.

Setting a record's fields one by one takes some 40 calls, most of what a sender spends. Here each field of the type is
written for every record: its tag and length, or its number, with numpy; then Arrow joins what belongs to a record. What
comes out stands in the order of field numbers, as the library would write it, and is parsed by it before it is sent.

Format: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.uint64]

_VARINT, _EIGHT_BYTES, _WITH_LENGTH = 0, 1, 2
"""Wire types: of whole numbers and flags; of doubles; of bytes, text and messages."""

_NUMBERS: Final[dict[int, pl.DataType]] = {
    FieldDescriptor.TYPE_ENUM: pl.UInt64(),
    FieldDescriptor.TYPE_UINT64: pl.UInt64(),
    FieldDescriptor.TYPE_SINT64: pl.Int64(),
    FieldDescriptor.TYPE_BOOL: pl.UInt64(),
}
_VALUES: Final[dict[int, pl.DataType]] = {
    FieldDescriptor.TYPE_STRING: pl.String(),
    FieldDescriptor.TYPE_BYTES: pl.Binary(),
}
_TEXTS: Final = (pl.String, pl.Binary, pl.Categorical, pl.Enum)
_VARINT_BITS: Final = 7
_CONTINUES: Final = 0x80
"""The bit of a variable-length number's byte that says that another follows."""

_PIECES: Final = pa.large_binary()


def repeated(frame: pl.DataFrame, one: FieldDescriptor) -> bytes:
    """Return the rows as elements of `one`, a repeated message: as they stand in the message that holds them."""
    return _data(_elements(frame, one))


def _elements(frame: pl.DataFrame, one: Any) -> pa.Array:
    written = _messages(frame, one.message_type)
    return _joined([_heads(one, _WITH_LENGTH, _sizes(written), np.ones(frame.height, np.bool_)), written])


def _messages(frame: pl.DataFrame, kind: Descriptor) -> pa.Array:
    """Return each row as a message of type `kind`, its bytes. A null is absent, and so is a column that is not there.

    Fields of messages within it are columns of the same frame, but those of repeated ones, which are a column of lists.
    TypeError or a Polars error when a column is of a type that its field does not take.
    """
    # Arrow leaves out a row whose pieces are all null, so that one piece is nothing instead.
    ends = pa.py_buffer(np.zeros(frame.height + 1, np.int64))
    pieces = [pa.Array.from_buffers(_PIECES, frame.height, [None, ends, pa.py_buffer(b"")])]
    said = {values.name: values for values in frame.get_columns() if values.null_count() < frame.height}
    for one in sorted(kind.fields, key=lambda f: f.number):
        if one.message_type is not None and not one.is_repeated:
            written = _messages(frame, one.message_type)
            sizes = _sizes(written)
            pieces += [_heads(one, _WITH_LENGTH, sizes, sizes > 0), written]
        elif one.name not in said:
            continue
        elif one.is_repeated:
            pieces.append(_lists(said[one.name], one))
        elif one.type in _NUMBERS:
            pieces.append(_numbers(said[one.name], one))
        elif one.type == FieldDescriptor.TYPE_DOUBLE:
            pieces.append(_doubles(said[one.name], one))
        else:
            pieces += _values(said[one.name], one)
    return _joined(pieces)


def _lists(lists: pl.Series, one: Any) -> pa.Array:
    """Return each row's elements: all are written one behind the other, so a row's are a stretch of them."""
    if lists.dtype == pl.Null:
        return pa.nulls(len(lists), _PIECES)
    inner = lists.dtype.inner if isinstance(lists.dtype, pl.List) else None
    if not isinstance(inner, pl.Struct) or not {f.name for f in inner.fields} <= set(one.message_type.fields_by_name):
        raise TypeError(f"field {one.name} is a list of messages")
    counts = lists.list.len().fill_null(0).to_numpy()
    written = _elements(lists.filter(counts > 0).explode().struct.unnest(), one)
    ends = _offsets(_sizes(written))[_offsets(counts)]
    return pa.Array.from_buffers(_PIECES, len(lists), [None, pa.py_buffer(ends), pa.py_buffer(_data(written))])


def _numbers(values: pl.Series, one: Any) -> pa.Array:
    right = values.dtype == pl.Boolean if one.type == FieldDescriptor.TYPE_BOOL else values.dtype.is_integer()
    if not (right or values.dtype == pl.Null):
        raise TypeError(f"field {one.name} is a whole number or a flag")
    plain = values.cast(_NUMBERS[one.type]).fill_null(0).to_numpy()
    if one.type == FieldDescriptor.TYPE_SINT64:  # zigzag: 0, -1, 1, -2, ...
        plain = (plain << 1 ^ plain >> 63).view(np.uint64)
    held = values.is_not_null().to_numpy() if one.has_presence else plain > 0
    return _heads(one, _VARINT, plain, held)


def _doubles(values: pl.Series, one: Any) -> pa.Array:
    """Return a field's tag and eight bytes, the lowest first. Zero without a sign is what an absent one counts as."""
    if not (values.dtype.is_numeric() or values.dtype == pl.Null):
        raise TypeError(f"field {one.name} is a number")
    plain = values.cast(pl.Float64).fill_null(0.0).to_numpy()
    held = values.is_not_null().to_numpy() if one.has_presence else plain.view(np.uint64) > 0
    tag = _varint(one.number << 3 | _EIGHT_BYTES)
    octets = np.empty((len(plain), len(tag) + 8), np.uint8)
    octets[:, : len(tag)] = list(tag)
    octets[:, len(tag) :] = plain.astype("<f8").view(np.uint8).reshape(-1, 8)
    return _pieces(octets, np.full(len(plain), octets.shape[1]), held)


def _values(values: pl.Series, one: Any) -> list[pa.Array]:
    if not (isinstance(values.dtype, _TEXTS) or values.dtype == pl.Null):
        raise TypeError(f"field {one.name} is text or bytes")
    plain = values if values.dtype == _VALUES[one.type] else values.cast(_VALUES[one.type])
    written = plain.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(_PIECES)
    sizes = _sizes(written)
    held = written.is_valid().to_numpy(zero_copy_only=False) if one.has_presence else sizes > 0
    return [_heads(one, _WITH_LENGTH, sizes, held), written]


def _heads(one: Any, wire_type: int, numbers: Numbers, held: Flags) -> pa.Array:
    """Return a field's tag and a number as variable-length numbers, seven bits a byte; null where it is not held."""
    tag = _varint(one.number << 3 | wire_type)
    width = max(-(-int(numbers.max(initial=0)).bit_length() // _VARINT_BITS), 1)
    octets = np.empty((len(numbers), len(tag) + width), np.uint8)
    octets[:, : len(tag)] = list(tag)
    sizes = np.full(len(numbers), len(tag) + 1)
    for byte in range(width):
        rest = numbers >> np.uint64(_VARINT_BITS * byte)
        more = rest >= _CONTINUES
        octets[:, len(tag) + byte] = rest & 0x7F | more * np.uint64(_CONTINUES)
        sizes += more
    return _pieces(octets if width == 1 else octets[np.arange(octets.shape[1]) < sizes[:, None]], sizes, held)


def _pieces(data: NDArray[np.uint8], sizes: NDArray[Any], held: Flags) -> pa.Array:
    """Return bytes as one piece a row, each of its size; null where it is not held."""
    buffers = np.packbits(held, bitorder="little"), _offsets(sizes), data
    return pa.Array.from_buffers(_PIECES, len(held), [pa.py_buffer(buffer) for buffer in buffers])


def _varint(number: int) -> bytes:
    """Return a tag, which has at most two bytes, as a variable-length number."""
    return bytes([number]) if number < _CONTINUES else bytes([number & 0x7F | _CONTINUES, number >> _VARINT_BITS])


def _joined(pieces: list[pa.Array]) -> pa.Array:
    """Return what each row's pieces are, one behind the other; a null is none."""
    return pc.binary_join_element_wise(*pieces, pa.scalar(b"", _PIECES), null_handling="skip")


def _sizes(written: pa.Array) -> Numbers:
    bounds = _bounds(written)
    return (bounds[1:] - bounds[:-1]).view(np.uint64)


def _data(written: pa.Array) -> bytes:
    """Return all bytes, one value behind the other."""
    first, end = _bounds(written)[[0, -1]]
    data = written.buffers()[2]
    return data[first:end].to_pybytes() if data is not None else b""


def _bounds(written: pa.Array) -> NDArray[np.int64]:
    """Return where each value begins in the data, and behind them where the last one ends."""
    if not len(written):
        return np.zeros(1, np.int64)
    return np.frombuffer(written.buffers()[1], np.int64)[written.offset : written.offset + len(written) + 1]


def _offsets(sizes: NDArray[Any]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
