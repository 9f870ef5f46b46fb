"""Column checks derived from the pydantic contracts, so that each rule is written once and both entrances share it.

For every field of a contract there is one Polars expression that marks values which may break it. It errs on the side
of marking: the few marked values are looked at one by one, and only then is one refused, and why.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, Union, get_args, get_origin

import polars as pl
from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas.columns import columns
from schemas.errors import Reason
from services.ingest.guard import (
    bytes_are_text,
    bytes_are_words,
    nhs_check_digit_holds,
    reference_is_plain,
    text_is_identifying,
)

EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2100, 12, 31)
"""Dates outside are typing errors; the contracts leave the calendar open, since only the door has to judge."""

_WORD_BYTES: Final = 8
_HIGH_BITS: Final = 0x8080_8080_8080_8080
_ISO_DATE: Final = r"^\d{4}-\d{2}-\d{2}$"
_REFERENCE: Final = r"^[0-9a-f]{32}$"
_LONGEST_TEXT: Final = 512

Explain = Callable[[Any], Reason | None]


@dataclass(frozen=True)
class ColumnCheck:
    """How one column is checked.

    `accepts` are the types it may arrive in and `dtype` the one it leaves in; `marked` is true where a value must be
    looked at and `explain` then says why it is refused, or None if it is not. `required` values may not be null, and
    are marked where they are; `default` stands in for null where there is one. `parse` turns an arrived column into
    `dtype`. Dates that arrive as text are marked and parsed by `marked_text` and `parse_text`.
    """

    name: str
    dtype: pl.DataType
    accepts: tuple[type[pl.DataType], ...]
    marked: pl.Expr
    explain: Explain
    required: bool
    default: str | int | None
    parse: pl.Expr
    marked_text: pl.Expr | None = None
    parse_text: pl.Expr | None = None


@cache
def column_checks(contract: type[BaseModel]) -> dict[str, ColumnCheck]:
    """Return the check of each flat field of a contract, by name; lists of facts are checked as contracts of their own.

    Raises TypeError for a constraint that has no column form yet, when the first batch would meet it: a test calls this
    for every contract.
    """
    schema = columns(contract)
    return {
        name: _check(name, info, schema[name])
        for name, info in contract.model_fields.items()
        if not isinstance(schema[name], pl.List)
    }


def _check(name: str, info: FieldInfo, dtype: pl.DataType) -> ColumnCheck:
    kind, metadata = _unwrapped(info.annotation, list(info.metadata))
    rule = _rule(kind, metadata, name)
    default = info.default.value if isinstance(info.default, StrEnum) else info.default

    def or_null(marked: pl.Expr) -> pl.Expr:
        return pl.when(pl.col(name).is_null()).then(info.is_required()).otherwise(marked).alias(name)

    return ColumnCheck(
        name=name,
        dtype=dtype,
        accepts=rule.accepts,
        marked=or_null(rule.marked),
        explain=rule.explain,
        required=info.is_required(),
        default=None if info.is_required() else default,
        parse=rule.parse,
        marked_text=None if rule.marked_text is None else or_null(rule.marked_text),
        parse_text=rule.parse_text,
    )


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """Return the type beneath Optional and Annotated, and every constraint on the way to it."""
    if get_origin(annotation) is Annotated:
        inner, *found = get_args(annotation)
        for item in found:
            metadata.extend(item.metadata if isinstance(item, FieldInfo) else [item])
        return _unwrapped(inner, metadata)
    if get_origin(annotation) in (Union, types.UnionType):
        (inner,) = (a for a in get_args(annotation) if a is not types.NoneType)
        return _unwrapped(inner, metadata)
    return annotation, metadata


@dataclass(frozen=True)
class _Rule:
    accepts: tuple[type[pl.DataType], ...]
    marked: pl.Expr
    explain: Explain
    parse: pl.Expr
    marked_text: pl.Expr | None = None
    parse_text: pl.Expr | None = None


_INTEGERS: Final = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def _rule(kind: Any, metadata: list[Any], name: str) -> _Rule:
    if kind is bytes:
        return _bytes_rule(name, _only(metadata, MinLen).min_length, _only(metadata, MaxLen).max_length)
    if kind in (int, float):
        return _number_rule(name, _only(metadata, Ge).ge, _only(metadata, Le).le, whole=kind is int)
    if kind is bool and not metadata:
        return _Rule((pl.Boolean,), pl.lit(False), lambda flag: None, pl.col(name))
    if kind is date and not metadata:
        return _date_rule(name)
    if isinstance(kind, type) and issubclass(kind, StrEnum) and not metadata:
        values = [member.value for member in kind]
        return _text_rule(name, ~pl.col(name).is_in(values), lambda text: text not in values)
    if kind is str:
        return _pattern_rule(name, metadata)
    raise TypeError(f"field {name} of type {kind} has constraints without a column form")


def _only(metadata: list[Any], kind: type[Any]) -> Any:
    (found,) = (item for item in metadata if isinstance(item, kind))
    return found


def _bytes_rule(name: str, shortest: int, longest: int) -> _Rule:
    """A token or filter: of one length, neither blank nor text. Strings arrive too: a clear value says so itself."""
    if shortest != longest or longest % _WORD_BYTES:
        raise TypeError(f"field {name} is no run of whole words")
    words = pl.col(name).bin.reinterpret(dtype=pl.Array(pl.UInt64, longest // _WORD_BYTES), endianness="little")
    folded = words.arr.get(0)
    for word in range(1, longest // _WORD_BYTES):
        folded = folded | words.arr.get(word)
    # Of another length: no words, so null. All zero or ASCII: no high bit anywhere; by chance once in 65,536 tokens.
    marked = (folded & _HIGH_BITS).fill_null(0) == 0

    def explain(value: bytes) -> Reason | None:
        if bytes_are_text(value) or (len(value) != longest and bytes_are_words(value)):
            return Reason.CLEAR_IDENTIFIER
        return Reason.FIELD_INVALID if len(value) != longest or not any(value) else None

    return _Rule((pl.Binary, pl.String), marked, explain, pl.col(name).cast(pl.Binary))


def _number_rule(name: str, lowest: float, highest: float, *, whole: bool) -> _Rule:
    """A number in its range, where what is not a number never is. One that an NHS number could be is looked at even
    inside it.
    """
    column = pl.col(name)
    marked = ~column.is_between(lowest, highest)
    if highest >= 10**9:
        marked |= column.is_between(3_200_000_000, 9_999_999_999)

    def explain(value: float) -> Reason | None:
        if math.isfinite(value) and _is_nhs_number(int(value)):
            return Reason.CLEAR_IDENTIFIER
        return None if lowest <= value <= highest else Reason.FIELD_INVALID

    accepts = _INTEGERS if whole else (*_INTEGERS, pl.Float32, pl.Float64)
    return _Rule(accepts, marked, explain, column.cast(pl.Int64 if whole else pl.Float64, strict=False))


def _is_nhs_number(value: int) -> bool:
    """Whether a whole number is an NHS number of a range in issue or in test.

    Not Scotland's range, whose numbers begin with a date: versions made of seconds since 1970, or of a date and a
    serial number, fall into it.
    """
    digits = str(value)
    issued = digits[0] in "4679" or digits[:2] in {f"{n}" for n in range(32, 40)}
    return len(digits) == 10 and issued and nhs_check_digit_holds(digits)


def _date_rule(name: str) -> _Rule:
    """A date between `EARLIEST` and `LATEST`, as a date or as text, YYYY-MM-DD."""
    column = pl.col(name)
    parsed = pl.when(column.str.contains(_ISO_DATE)).then(column.str.to_date("%Y-%m-%d", strict=False))

    def explain(value: str | date) -> Reason | None:
        identifying = isinstance(value, str) and text_is_identifying(value, dates_belong=True)
        return Reason.CLEAR_IDENTIFIER if identifying else Reason.FIELD_INVALID

    return _Rule(
        accepts=(pl.Date, pl.String),
        marked=~column.is_between(EARLIEST, LATEST),
        explain=explain,
        parse=column,
        marked_text=~parsed.is_between(EARLIEST, LATEST).fill_null(False),
        parse_text=parsed,
    )


def _pattern_rule(name: str, metadata: list[Any]) -> _Rule:
    pattern, longest = "", _LONGEST_TEXT
    for item in metadata:
        if isinstance(item, MaxLen):
            longest = item.max_length
        elif isinstance(getattr(item, "pattern", None), str):
            pattern = item.pattern
        else:
            raise TypeError(f"field {name} has a constraint without a column form")
    if not pattern:
        raise TypeError(f"field {name} takes any text, and so could hold an identifier")
    column = pl.col(name)
    marked = ~column.str.contains(pattern) | (column.str.len_chars() > longest)
    if pattern == _REFERENCE:
        # A padded number, or text in hexadecimal: every byte below 0x80, by chance once in 65,536 references. Apart,
        # as one expression with the alternatives takes seven times as long.
        marked |= column.str.starts_with("0" * 8) | column.str.ends_with("0" * 8)
        marked |= column.str.contains("^(?:[0-7][0-9a-f]){16}$")

    def wrong(text: str) -> bool:
        if pattern == _REFERENCE and reference_is_plain(text):
            return True
        return not _matches(pattern, longest, text)

    return _text_rule(name, marked, wrong, references=pattern == _REFERENCE)


def _matches(pattern: str, longest: int, text: str) -> bool:
    """Whether one text matches, by the engine that marked it: Python's own differs in what `$` and `\\d` mean."""
    return len(text) <= longest and bool(pl.Series([text]).str.contains(pattern).item())


def _text_rule(name: str, marked: pl.Expr, wrong: Callable[[str], bool], *, references: bool = False) -> _Rule:
    def explain(text: str) -> Reason | None:
        if references and reference_is_plain(text):
            return Reason.CLEAR_IDENTIFIER
        if not wrong(text):
            return None
        return Reason.CLEAR_IDENTIFIER if text_is_identifying(text) else Reason.FIELD_INVALID

    return _Rule((pl.String,), marked, explain, pl.col(name))
