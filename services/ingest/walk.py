"""Protobuf messages of one type as columns, read for all of them at once.

The protobuf library has parsed the messages and writes them again here. So the bytes are well formed, text is UTF-8,
each field stands at most once, fields stand in the order of their numbers, and unknown ones behind all others. One walk
over the fields of the type then serves every message: those whose next bytes are the field's tag step over it.

Formats: https://protobuf.dev/programming-guides/encoding/, and for values the variable-size binary view layout of
https://arrow.apache.org/docs/format/Columnar.html, whose views point into the messages, so that no value is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from numpy.typing import NDArray

from schemas.errors import DefectError, Reason

Places = NDArray[np.int64]
"""Positions in the buffer, one a message."""

Flags = NDArray[np.bool_]
Numbers = NDArray[np.uint64]

_VIEWS: Final = {FieldDescriptor.TYPE_BYTES: pa.binary_view(), FieldDescriptor.TYPE_STRING: pa.string_view()}
_VARINTS: Final = (
    FieldDescriptor.TYPE_ENUM,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_SINT64,
    FieldDescriptor.TYPE_BOOL,
)
_EIGHT_BYTES, _WITH_LENGTH = 1, 2
"""Wire types: of doubles; of bytes, text and messages."""

_DOUBLE_BYTES: Final = 8

_CONTINUES: Final = 0x80
"""The bit of a variable-length number's byte that says that another follows."""

_INLINE_BYTES: Final = 12
"""Values up to this long stand in the view itself; of longer ones the first four bytes."""

_PREFIX_BYTES: Final = 4

_PADDING: Final = bytes(16)
"""Behind the last message: looking for a field and making a view may look a few bytes ahead."""


@dataclass(frozen=True)
class Columns:
    """What messages hold: single fields by name, those of messages within them too; and repeated messages.

    Of these, how many each message has, and all of them one behind the other. What no message has is left out: of the
    many fields of a record, a source has few.
    """

    flat: dict[str, pl.Series] = field(default_factory=dict)
    lists: dict[str, tuple[Places, Columns]] = field(default_factory=dict)


def columns_of(messages: Sequence[Message], kind: Descriptor) -> Columns:
    """Return messages of type `kind` as columns: a field that could be absent and is, is null, or else its zero.

    Fields that the type does not know are passed over. TypeError for a type with fields of a kind that no record has.
    """
    try:
        return _columns(_Messages.of([message.SerializeToString() for message in messages], kind))
    except _UnknownFieldError:
        known = [type(message).FromString(message.SerializeToString()) for message in messages]
        for message in known:
            message.DiscardUnknownFields()
    try:
        return _columns(_Messages.of([message.SerializeToString() for message in known], kind))
    except _UnknownFieldError:
        raise DefectError(
            Reason.INTERNAL, "The protobuf library writes fields in another order; report this."
        ) from None


class _UnknownFieldError(Exception):
    """Something stands behind the last field that the type has."""


@dataclass(frozen=True)
class _Messages:
    """Messages of type `kind` in one buffer, each from `starts` to before `ends`; an absent one is empty."""

    kind: Descriptor
    data: bytes
    starts: Places
    ends: Places

    @classmethod
    def of(cls, written: Sequence[bytes], kind: Descriptor) -> _Messages:
        ends = np.cumsum([0, *map(len, written)], dtype=np.int64)
        return cls(kind, b"".join([*written, _PADDING]), ends[:-1], ends[1:])


def _columns(messages: _Messages) -> Columns:
    found = Columns()
    octets = np.frombuffer(messages.data, np.uint8)
    at, ends = messages.starts, messages.ends
    before, ahead = at, octets[at]
    for one in sorted(messages.kind.fields, key=lambda f: f.number):
        if at is not before:
            before, ahead = at, octets[at]
        if (one.is_repeated or one.has_presence) and not (ahead == _tag(one)[0]).any():
            continue  # the most usual: told by one look at what comes next in each message
        if one.is_repeated:
            counts, elements, at = _elements(messages, one, octets, at)
            if len(elements.starts):
                found.lists[one.name] = counts, _columns(elements)
            continue
        held, at = _past_tag(octets, one, at, ends)
        if one.has_presence and not held.any():
            continue  # what looked like the field stood behind the message's end
        if one.type == FieldDescriptor.TYPE_DOUBLE:
            found.flat[one.name] = _double_series(one, octets, held, at)
            at = at + _DOUBLE_BYTES * held
            continue
        numbers, at = _varints(octets, at, held)
        if one.type in _VARINTS:
            found.flat[one.name] = _number_series(one, held, numbers)
            continue
        starts, at = at, at + numbers.astype(np.int64)
        if one.type in _VIEWS:
            found.flat[one.name] = _bytes_series(one, messages.data, octets, held, starts, at)
        elif one.message_type is not None:
            inner = _columns(_Messages(one.message_type, messages.data, starts, at))
            found.flat.update(inner.flat)
            found.lists.update(inner.lists)
        else:
            raise TypeError(f"field {one.name} is of a kind that no record has")
    if not np.array_equal(at, ends):
        raise _UnknownFieldError
    return found


def _tag(one: Any) -> bytes:
    """Return a field's tag: its number and wire type as a variable-length number."""
    wire_type = 0 if one.type in _VARINTS else _EIGHT_BYTES if one.type == FieldDescriptor.TYPE_DOUBLE else _WITH_LENGTH
    number = one.number << 3 | wire_type
    return bytes([number]) if number < _CONTINUES else bytes([number & 0x7F | _CONTINUES, number >> 7])


def _past_tag(octets: NDArray[np.uint8], one: Any, at: Places, ends: Places) -> tuple[Flags, Places]:
    """Return which messages have a field, and the positions behind its tag where they do."""
    tag = _tag(one)
    held: Flags = at < ends
    for ahead, byte in enumerate(tag):
        held = held & (octets[at + ahead] == byte)
    return held, at + len(tag) * held


def _varints(octets: NDArray[np.uint8], at: Places, held: Flags) -> tuple[Numbers, Places]:
    """Return the variable-length numbers at these positions, 0 where there is none, and the positions behind them."""
    numbers, shift, more = np.zeros(len(at), np.uint64), 0, held
    while more.any():
        octet = octets[at]
        numbers = numbers | np.where(more, octet & 0x7F, 0).astype(np.uint64) << np.uint64(shift)
        at = at + more
        more = more & (octet >= _CONTINUES)
        shift += 7
    return numbers, at


def _elements(messages: _Messages, one: Any, octets: NDArray[np.uint8], at: Places) -> tuple[Places, _Messages, Places]:
    """Return how many elements of a repeated field each message has, the elements, and the positions behind them.

    One by one: each begins where the one before ends. A message may have very many, which stays linear here. Messages
    without any are left aside: of a record's many lists, most are empty.
    """
    data, tag = messages.data, _tag(one)
    first, last, more = tag[0], tag[-1], len(tag) - 1
    starts, ends = list[int](), list[int]()
    counts, behind = np.zeros(len(at), np.int64), at.copy()
    for message in np.flatnonzero(_past_tag(octets, one, at, messages.ends)[0]).tolist():
        place, end, before = int(at[message]), int(messages.ends[message]), len(starts)
        while place < end and data[place] == first and data[place + more] == last:
            place += more + 1
            size, shift, place = data[place], 7, place + 1
            if size >= _CONTINUES:
                size &= 0x7F
                while data[place - 1] >= _CONTINUES:
                    size |= (data[place] & 0x7F) << shift
                    shift, place = shift + 7, place + 1
            starts.append(place)
            place += size
            ends.append(place)
        counts[message], behind[message] = len(starts) - before, place
    found = [np.array(places, np.int64) for places in (starts, ends)]
    return counts, _Messages(one.message_type, data, *found), behind


def _number_series(one: Any, held: Flags, numbers: Numbers) -> pl.Series:
    values: NDArray[Any] = numbers
    if one.type == FieldDescriptor.TYPE_SINT64:  # zigzag: 0, -1, 1, -2, ...
        values = (numbers >> np.uint64(1)).astype(np.int64) ^ -(numbers & np.uint64(1)).astype(np.int64)
    elif one.type == FieldDescriptor.TYPE_ENUM:
        values = numbers.astype(np.int64)
    elif one.type == FieldDescriptor.TYPE_BOOL:
        values = numbers.astype(np.bool_)
    return _series(one.name, pa.array(values, mask=~held if one.has_presence else None))


def _double_series(one: Any, octets: NDArray[np.uint8], held: Flags, at: Places) -> pl.Series:
    """Return doubles, whose eight bytes stand as they are, the lowest first; zero where there is none."""
    found = np.zeros((len(at), _DOUBLE_BYTES), np.uint8)
    found[held] = octets[at[held, None] + np.arange(_DOUBLE_BYTES)]
    values = found.reshape(-1).view("<f8")
    return _series(one.name, pa.array(values, mask=~held if one.has_presence else None))


def _bytes_series(
    one: Any, data: bytes, octets: NDArray[np.uint8], held: Flags, starts: Places, ends: Places
) -> pl.Series:
    """Return values as views: their length; and their bytes, or the first four of them, a buffer and where they are."""
    sizes = ends - starts
    longer = sizes > _INLINE_BYTES
    ahead = np.arange(_PREFIX_BYTES if (longer | (sizes == 0)).all() else _INLINE_BYTES)
    first = np.where(ahead < sizes[:, None], octets[np.minimum(starts[:, None] + ahead, len(octets) - 1)], 0)
    views = np.zeros((len(starts), 4), np.int32)
    views[:, 0] = sizes
    views[:, 1 : 1 + len(ahead) // _PREFIX_BYTES] = first.astype(np.uint8).view(np.int32)
    views[longer, 2] = 0
    views[longer, 3] = starts[longer]
    validity = pa.py_buffer(np.packbits(held, bitorder="little")) if one.has_presence else None
    buffers = [validity, pa.py_buffer(views), pa.py_buffer(data)]
    return _series(one.name, pa.Array.from_buffers(_VIEWS[one.type], len(starts), buffers))


def _series(name: str, values: pa.Array) -> pl.Series:
    made = pl.from_arrow(values)
    assert isinstance(made, pl.Series)  # noqa: S101 - an array always becomes a series
    return made.alias(name)
