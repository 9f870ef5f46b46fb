"""Validation of a batch as columns: which records are taken, and of the others which field was wrong and why.

The usual batch is right, and pays for one pass of column expressions; only values that these mark are looked at alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import polars as pl

from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import LISTED_FACTS
from schemas.contracts.records import RECORDS
from schemas.errors import InputError, Reason
from services.ingest.checks import ColumnCheck, column_checks

_ROW: Final = "_row"
_PLACE: Final = "_place"


@dataclass(frozen=True, order=True)
class Refusal:
    """Why the record at `index` (from 0) of a batch was refused: one field at fault, never its value."""

    index: int
    field: str
    reason: Reason


@dataclass(frozen=True)
class Validated:
    """The records taken, in exactly the columns of the feed's contract, and the refusals in order of index."""

    frame: pl.DataFrame
    refusals: list[Refusal]

    @property
    def refused(self) -> int:
        """How many records were refused, each counted once."""
        return len({refusal.index for refusal in self.refusals})


def validate(frame: pl.DataFrame, feed: Feed) -> Validated:
    """Check a batch against the feed's record contract.

    Columns that are left out count as null, and nulls take the contract's default where there is one. Raises InputError
    COLUMNS_WRONG when a column is of a type that cannot hold the field, is unknown, or must be there and is not.
    """
    contract = RECORDS[feed]
    checks = column_checks(contract)
    _refuse_columns(frame, checks, LISTED_FACTS[feed])
    found = list(_flat_refusals(frame, checks))
    listed = []
    for name in _filled(frame, LISTED_FACTS[feed]):
        checked, more = _checked_list(frame.get_column(name), LISTED_FACTS[feed][name])
        listed.append(checked)
        found.extend(more)
    if found:
        bad = pl.Series([refusal.index for refusal in found], dtype=pl.UInt32).unique()
        kept = ~pl.int_range(frame.height, dtype=pl.UInt32, eager=True).is_in(bad.implode())
        frame, listed = frame.filter(kept), [series.filter(kept) for series in listed]
    taken = _parsed(frame, checks).with_columns(listed)
    return Validated(_in_contract_order(taken, contract), sorted(found))


def _filled(frame: pl.DataFrame, lists: Iterable[str]) -> list[str]:
    """Return which of these list columns hold anything, asked at once: of the many kinds a source has few."""
    arrived = frame.schema
    there = [name for name in lists if isinstance(arrived.get(name), pl.List)]
    counts = frame.select(pl.col(there).list.len().sum()).row(0, named=True) if there else {}
    return [name for name in there if counts[name]]


def _refuse_columns(
    frame: pl.DataFrame, checks: Mapping[str, ColumnCheck], lists: Mapping[str, type[Contract]]
) -> None:
    """Refuse what is wrong with the batch as a whole. Names are ours: a sender's header could be a value."""
    arrived = frame.schema
    unknown = sum(name not in checks and name not in lists for name in arrived)
    if unknown:
        raise _columns_wrong(f"{unknown} columns are none of the contract's")
    missing = [name for name, check in checks.items() if check.required and name not in arrived]
    if missing:
        raise _columns_wrong(f"columns {', '.join(missing)} are missing")
    _refuse_types(arrived, checks)
    for name, element in lists.items():
        dtype = arrived.get(name, pl.Null())
        if dtype == pl.Null():
            continue
        inner = dtype.inner if isinstance(dtype, pl.List) else None
        if not isinstance(inner, pl.Struct):
            raise _columns_wrong(f"column {name} is no list of facts")
        fields = {field.name: field.dtype for field in inner.fields}
        expected = column_checks(element)
        if not fields.keys() <= expected.keys():
            raise _columns_wrong(f"facts in {name} have fields that are none of the contract's")
        absent = [field for field, check in expected.items() if check.required and field not in fields]
        if absent:
            raise _columns_wrong(f"facts in {name} lack {', '.join(absent)}")
        _refuse_types({field: d for field, d in fields.items() if isinstance(d, pl.DataType)}, expected)


def _refuse_types(types: Mapping[str, pl.DataType], checks: Mapping[str, ColumnCheck]) -> None:
    wrong = [n for n, c in checks.items() if n in types and not isinstance(types[n], (*c.accepts, pl.Null))]
    if wrong:
        raise _columns_wrong(f"columns {', '.join(wrong)} are of a type that cannot hold them")


def _columns_wrong(what: str) -> InputError:
    return InputError(
        Reason.COLUMNS_WRONG,
        f"The batch's columns are not those of the feed: {what}. Send what `hwlink pseudonymise` wrote, for this feed.",
    )


def _typed(frame: pl.DataFrame, checks: Mapping[str, ColumnCheck]) -> pl.DataFrame:
    """Bring columns to the type that their check works on: text where bytes belong, and nothing at all, as such."""
    arrived = frame.schema  # made anew whenever it is asked for, and that is not cheap
    casts = [
        pl.col(name).cast(check.dtype)
        for name, check in checks.items()
        if name in arrived
        and (arrived[name] == pl.Null() or (check.dtype == pl.Binary() and arrived[name] == pl.String()))
    ]
    return frame.with_columns(casts) if casts else frame


def _flat_refusals(frame: pl.DataFrame, checks: Mapping[str, ColumnCheck]) -> Iterator[Refusal]:
    for place, field, reason in _faults(frame, checks):
        yield Refusal(place, field, reason)


def _faults(frame: pl.DataFrame, checks: Mapping[str, ColumnCheck]) -> Iterator[tuple[int, str, Reason]]:
    """Yield (row, field, reason) of every field at fault in flat columns."""
    frame = _typed(frame, checks)
    arrived = frame.schema
    nothing = {values.name for values in frame.get_columns() if values.null_count() == frame.height}
    present = [check for name, check in checks.items() if name in arrived and (check.required or name not in nothing)]
    marks = frame.select(
        check.marked if check.marked_text is None or arrived[check.name] != pl.String() else check.marked_text
        for check in present
    )
    suspects = marks.select(pl.all().any()).row(0, named=True) if marks.height else {}
    for check in present:
        if suspects.get(check.name):
            rows = marks.get_column(check.name).arg_true()
            for row, value in zip(rows, frame.get_column(check.name).gather(rows), strict=True):
                reason = Reason.FIELD_INVALID if value is None else check.explain(value)
                if reason is not None:
                    yield row, check.name, reason


def _checked_list(lists: pl.Series, element: type[Contract]) -> tuple[pl.Series, list[Refusal]]:
    """Check the elements of a list column that holds some; return it with parsed elements (wrong ones as they may be)
    and the refusals.

    A null list is an empty one. Works on the elements as one flat frame, and puts them back between the same bounds.
    """
    name, checks = lists.name, column_checks(element)
    wanted = pl.List(pl.Struct(dict(columns(element))))
    lengths = lists.list.len().fill_null(0)
    places = pl.DataFrame({_ROW: pl.int_range(lists.len(), eager=True), _PLACE: pl.int_ranges(0, lengths, eager=True)})
    places = places.filter(lengths > 0).explode(_PLACE)
    flat = lists.filter(lengths > 0).explode()
    elements = flat.struct.unnest()
    refusals = [
        Refusal(row, f"{name}[{place}]", Reason.FIELD_INVALID)
        for row, place in places.filter(flat.is_null()).iter_rows()
    ]
    whole = flat.is_not_null()
    at = places if whole.all() else places.filter(whole)
    for index, field, reason in _faults(elements if whole.all() else elements.filter(whole), checks):
        row, place = at.row(index)
        refusals.append(Refusal(row, f"{name}[{place}].{field}", reason))
    if lists.dtype == wanted and not _defaults_missing(elements, checks):
        return lists.fill_null([]), refusals  # parsed as it is: the usual case of columns from our own encoder
    parsed = _in_contract_order(_parsed(elements, checks), element).to_struct("_element")
    regrouped = places.with_columns(parsed).group_by(_ROW, maintain_order=True).agg("_element")
    empty = pl.DataFrame({_ROW: pl.int_range(lists.len(), eager=True)})
    back = empty.join(regrouped, on=_ROW, how="left", maintain_order="left").get_column("_element")
    filled = back.fill_null(pl.Series([[]], dtype=back.dtype)) if back.null_count() else back
    return filled.alias(name), refusals


def _defaults_missing(elements: pl.DataFrame, checks: Mapping[str, ColumnCheck]) -> bool:
    """Whether a field that has a default is null somewhere."""
    return any(elements.get_column(name).null_count() for name, check in checks.items() if check.default is not None)


def _parsed(frame: pl.DataFrame, checks: Mapping[str, ColumnCheck]) -> pl.DataFrame:
    """Return the flat columns in their contract's types, with defaults in place of nulls."""
    exprs, arrived = [], frame.schema
    for name, check in checks.items():
        if name not in arrived:
            exprs.append(pl.lit(check.default, dtype=check.dtype).alias(name))
        elif arrived[name] == pl.Null():
            exprs.append(pl.col(name).cast(check.dtype).fill_null(check.default).alias(name))
        else:
            text = check.parse_text if arrived[name] == pl.String() else None
            parse = check.parse if text is None else text
            exprs.append(parse.alias(name) if check.default is None else parse.fill_null(check.default).alias(name))
    return frame.select(exprs)


def _in_contract_order(frame: pl.DataFrame, contract: type[Contract]) -> pl.DataFrame:
    held = {values.name: values for values in frame.get_columns()}
    return pl.DataFrame(
        [held[name] if name in held else _empty(contract, name, frame.height) for name in columns(contract)]
    )


@lru_cache(maxsize=100)
def _empty(contract: type[Contract], name: str, rows: int) -> pl.Series:
    """Return a list column of nothing. Kept, since all batches but a stream's last are of one size."""
    return pl.Series(name, [[]], dtype=columns(contract)[name]).new_from_index(0, rows)
