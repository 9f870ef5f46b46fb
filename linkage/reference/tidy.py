"""A published file into our columns, every cell checked. What is wrong is said by column and count, never by value."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from linkage.reference.kinds import POPULATION, Column, Kind
from schemas.errors import InputError, Reason

_CHANGES_IN_ONE: Final = {"U": ("lsoa_2011", "lsoa_2021"), "S": ("lsoa_2021",), "M": ("lsoa_2011",)}
"""ONS's change indicator -> columns in which such a row's code stands once: unchanged, split, merged."""


def tidy(kind: Kind, raw: pl.DataFrame) -> pl.DataFrame:
    """Return the kind's columns of a file that was read as text, typed, sorted by its key.

    Rows of a practice that has left its network (with an end date) are dropped. Raises InputError COLUMNS_WRONG where
    a column is missing or found twice, FILE_EMPTY without rows, FIELD_INVALID naming columns and how many cells are
    wrong.
    """
    frame = raw.select(_found(kind, raw.columns))
    if frame.is_empty():
        raise InputError(Reason.FILE_EMPTY, "The file has no rows under its header; download it again.")
    frame = frame.with_columns(pl.all().str.strip_chars().replace("", None))
    if "ended_on" in frame.columns:
        frame = frame.filter(pl.col("ended_on").is_null()).drop("ended_on")
    columns = [column for column in kind.columns if column.name in frame.columns]
    typed = frame.select(_typed(column) for column in columns)
    wrong = {
        column.name: count
        for column in columns
        if (count := _wrong(column, frame[column.name], typed[column.name])) > 0
    }
    if wrong:
        told = ", ".join(f"{name} ({count} cells)" for name, count in wrong.items())
        raise InputError(Reason.FIELD_INVALID, f"The file is no usable {kind.name}: {told}. Mend or replace it.")
    _refuse_contradictions(kind, typed)
    return typed.sort(kind.key)


def _found(kind: Kind, headers: list[str]) -> list[pl.Expr]:
    """Return the kind's columns by our names, from the headers that match."""
    found = []
    for column in kind.columns:
        matching = [h for h in headers if re.fullmatch(column.header, h.strip().lstrip("\ufeff"), re.IGNORECASE)]
        if not matching and column.optional:
            continue
        if len(matching) != 1:
            raise InputError(
                Reason.COLUMNS_WRONG,
                f"The file has {len(matching)} columns for {column.name} of {kind.name}, and needs one; "
                "`hwlink reference kinds` shows their headers.",
            )
        found.append(pl.col(matching[0]).alias(column.name))
    return found


def _typed(column: Column) -> pl.Expr:
    cell = pl.col(column.name)
    if column.name == "pcn_code":
        return pl.when(cell.str.len_chars() == 6).then(cell).alias(column.name)
    if column.dtype == pl.String():
        return cell
    number = cell.str.replace_all(",", "", literal=True)
    if column.dtype.is_integer():
        # Spreadsheets save whole numbers as 3.0.
        number = number.str.replace(r"\.0+$", "")
    return number.cast(column.dtype, strict=False)


def _wrong(column: Column, raw: pl.Series, typed: pl.Series) -> int:
    """Return how many cells are not what the column may hold."""
    given = raw.drop_nulls()
    blank = 0 if column.blank else raw.null_count()
    if column.dtype == pl.String():
        return blank + int((~given.str.contains(f"^(?:{column.pattern})$")).sum())
    lost = typed.null_count() - raw.null_count()
    numbers = typed.drop_nulls()
    if column.dtype == POPULATION:
        numbers = numbers.cast(pl.Float64)
    return blank + lost + int((~numbers.is_between(column.least, column.most)).sum())


def _refuse_contradictions(kind: Kind, frame: pl.DataFrame) -> None:
    """Raise InputError FIELD_INVALID for rows that cannot all be true."""
    repeated = int(frame.select(pl.struct(kind.key).is_duplicated()).to_series().sum())
    if repeated:
        raise InputError(
            Reason.FIELD_INVALID,
            f"{repeated} rows of the {kind.name} file share their {' and '.join(kind.key)}, of which there may be one.",
        )
    wrong = 0
    if "imd_rank" in frame.columns:
        # A decile is a tenth of the ranks, so that deciles never fall while ranks rise.
        wrong = int((frame.sort("imd_rank")["imd_decile"].diff() < 0).sum())
        wrong += int(frame["imd_rank"].is_duplicated().sum())
    if kind.name == "lsoa-2011-2021":
        wrong = sum(
            int(frame.select(((pl.col("change") == change) & pl.col(name).is_duplicated()).sum()).item())
            for change, names in _CHANGES_IN_ONE.items()
            for name in names
        )
        wrong += frame.filter((pl.col("change") == "U") & (pl.col("lsoa_2011") != pl.col("lsoa_2021"))).height
    if wrong:
        raise InputError(
            Reason.FIELD_INVALID,
            f"{wrong} rows of the {kind.name} file contradict others of it; download it again.",
        )
