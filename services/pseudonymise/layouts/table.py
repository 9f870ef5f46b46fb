"""A raw table: CSV as systems export it, with rows cut short and column names that repeat; or Parquet. All as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from linkage.layouts import Mapped
from schemas.errors import InputError, Reason
from services.pseudonymise.reading import Chunk, ClearFile, as_text, empty, unreadable, wrong_encoding
from services.pseudonymise.report import Report

ROW: Final = "row"
"""Column that numbers the rows of a file from 1, the header not counted (Int64)."""
_BEYOND: Final = "\x1fbeyond"
"""What stands in a row after the header's last column."""
_ROWS_AT_ONCE: Final = 50_000
"""Clear rows that one process encodes at once, where a file was read whole."""


@dataclass(frozen=True)
class Read:
    """`frame`: the columns asked for (String, blanks null) and `ROW`. `unreadable`: rows that have more values than the
    header has columns, so that nobody can say which is which. `header` holds all the file's columns.
    """

    frame: pl.DataFrame
    unreadable: tuple[int, ...] = ()
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """The rows of a table that one of `of` parts takes: those whose `column` hashes to `number`, so that tables of one
    key fall apart alike. Part 0 takes rows without a key, and those that cannot be split.
    """

    column: str
    number: int
    of: int

    def holds(self) -> pl.Expr:
        """Return whether a row is of this part."""
        key = pl.col(self.column).cast(pl.String).str.strip_chars()
        nowhere = pl.col(_BEYOND).is_not_null() | (key.fill_null("") == "")
        return pl.when(nowhere).then(self.number == 0).otherwise(key.hash(0) % self.of == self.number)


class RawTable:
    """A table of a raw layout. `columns` are the names in its header; the second `x` is `x (2)`."""

    def __init__(self, path: Path) -> None:
        """Look at the file's beginning; raises as `ClearFile` does, but for repeated names."""
        self._file = ClearFile(path, repeated_names=True)
        self.path = path
        self.columns = _told_apart(tuple(name.strip() for name in self._file.columns))

    @property
    def size_bytes(self) -> int:
        """Return how large the table is as text, or would be: a Parquet file's columns before compression."""
        return self._file.size_bytes

    def read(self, wanted: tuple[str, ...] | None = None, part: Part | None = None) -> Read:
        """Return the wanted columns (all, if None) of all rows but blank ones; raises as `ClearFile.chunks` does.

        A row that ends early has nulls at its end: systems leave out trailing blanks. With a `part`, the rows of it, of
        which there may be none; no more than those are in memory.
        """
        names = self.columns if wanted is None else wanted
        lazy = self._scan().with_row_index(ROW, offset=1)
        if part is not None:
            lazy = lazy.filter(part.holds())
        try:
            found = lazy.select(pl.col(ROW).cast(pl.Int64), *names, _BEYOND).collect(
                engine="auto" if part is None else "streaming"
            )
        except pl.exceptions.PolarsError as error:
            # The library's text may quote the file: it goes no further than here.
            if "utf-8" in str(error).lower():
                raise wrong_encoding(self.path) from None
            raise unreadable(self.path, "cannot be read to its end") from None
        except OSError:
            raise unreadable(self.path, "cannot be read to its end") from None
        text = found.select(ROW, *(as_text(found[name]) for name in (*names, _BEYOND))).with_columns(
            pl.col(pl.String).str.strip_chars().replace("", None)
        )
        too_long = pl.col(_BEYOND).is_not_null()
        frame = text.filter(~too_long, pl.any_horizontal(pl.col(*names).is_not_null())).drop(_BEYOND)
        skipped = tuple(text.filter(too_long)[ROW].to_list())
        if frame.is_empty() and not skipped and part is None:
            raise empty(self.path)
        return Read(frame, skipped, self.columns)

    def _scan(self) -> pl.LazyFrame:
        if self._file.is_parquet:
            lazy = pl.scan_parquet(self.path, glob=False)
            return lazy.rename(dict(zip(self._file.columns, self.columns, strict=True))).with_columns(
                pl.lit(None, dtype=pl.String).alias(_BEYOND)
            )
        return pl.scan_csv(
            self.path,
            has_header=False,
            skip_rows=1,
            separator=self._file.delimiter,
            schema=dict.fromkeys((*self.columns, _BEYOND), pl.String()),
            missing_columns="insert",
            extra_columns="ignore",
            truncate_ragged_lines=True,
            glob=False,
        )


def require(path: Path, names: tuple[str, ...], found: tuple[str, ...]) -> None:
    """Raise InputError COLUMNS_WRONG where a file lacks a column that its layout cannot do without.

    The message never repeats what was found: where a header is missing, its first row holds a person's values.
    """
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(
            Reason.COLUMNS_WRONG,
            f"{path.name} lacks {', '.join(missing)}, which this layout needs; check that it is a file of that layout "
            "and that its first line is the header.",
        )


def chunks(mapped: Mapped, unreadable_rows: tuple[int, ...], report: Report) -> Iterator[Chunk]:
    """Account for a whole file's clear rows in the report, and return them in chunks, to be encoded side by side."""
    for what, number in mapped.counts.items():
        report.count(what, number)
    for column, number in mapped.left_out.items():
        report.leave_out(column, number)
    for first in range(0, max(mapped.frame.height, 1), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        yield Chunk(mapped.frame[part], mapped.rows[part], () if first else unreadable_rows)


def _told_apart(names: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    apart = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        apart.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(apart)
