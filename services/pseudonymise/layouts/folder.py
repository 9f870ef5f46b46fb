"""Layouts of several tables: a folder with a file for each, CSV or Parquet; of one table also that file by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
from pydantic import Field

from linkage.layouts.tables import ClearRows, Table, withheld
from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from services.pseudonymise.layouts.settings import Settings
from services.pseudonymise.layouts.table import ROW, Part, RawTable, chunks, require
from services.pseudonymise.reading import Chunk, empty
from services.pseudonymise.report import Report

_ENDINGS: Final = (".csv", ".parquet")
_PART_BYTES: Final = 64 << 20


class FolderSettings(Settings):
    """What every layout of tables leaves open: a source's own names, as `[columns.<table>] our_name = "theirs"`."""

    columns: dict[str, dict[str, str]] = Field(default_factory=dict)


class Folder:
    """A health layout of tables.

    Where all tables name the person in one column (`key`, their first), they are read in parts of the people, each of
    some `part_bytes` of text; otherwise whole. Memory is about ten times what is read at once.
    """

    feed = Feed.HEALTH

    def __init__(
        self,
        tables: tuple[Table, ...],
        clear_rows: ClearRows,
        settings: FolderSettings,
        key: str | None = None,
        part_bytes: int = _PART_BYTES,
    ) -> None:
        """Make the layout; InputError OPTION_INVALID where the settings rename what it does not have."""
        self._tables = tables
        self._clear_rows = clear_rows
        self._theirs = settings.columns
        self._key = key
        self._part_bytes = part_bytes
        known = {table.name: table.columns for table in tables}
        wrong = [name for name, columns in settings.columns.items() if not set(columns) <= set(known.get(name, ()))]
        if wrong:
            raise InputError(
                Reason.OPTION_INVALID,
                f"The settings rename columns that this layout does not have in: {', '.join(sorted(wrong))}. "
                f"Its tables are: {', '.join(known)}.",
            )

    def rows(self, path: Path, extracted_on: date, report: Report) -> Iterator[Chunk]:
        """Read every table that is there, the people part by part."""
        files = {table: RawTable(file) for table in self._tables if (file := self._file(path, table)) is not None}
        size = sum(raw.size_bytes for raw in files.values())
        parts = 1 if self._key is None else max(1, -(-size // self._part_bytes))
        anybody = False
        for number in range(parts):
            found: dict[str, pl.DataFrame] = {}
            unreadable: tuple[int, ...] = ()
            for table, raw in files.items():
                found[table.name], bad = self._read(raw, table, report, None if parts == 1 else (number, parts))
                if table is self._tables[0]:
                    unreadable = bad
                    anybody |= bool(bad) or not found[table.name].is_empty()
                elif bad:
                    report.count(f"rows of {table.name} that cannot be split into columns", len(bad))
            yield from chunks(self._clear_rows(found, extracted_on), unreadable, report)
        if not anybody:
            raise empty(files[self._tables[0]].path)

    def _file(self, path: Path, table: Table) -> Path | None:
        if not path.is_dir():
            return path if len(self._tables) == 1 or table is self._tables[0] else None
        for ending in _ENDINGS:
            if (path / f"{table.name}{ending}").is_file():
                return path / f"{table.name}{ending}"
        if table.optional:
            return None
        raise InputError(
            Reason.FILE_UNREADABLE,
            f"{path.name} has no {table.name}.csv or {table.name}.parquet; this layout is a folder with: "
            f"{', '.join(each.name + ' (optional)' * each.optional for each in self._tables)}.",
        )

    def _read(
        self, raw: RawTable, table: Table, report: Report, part: tuple[int, int] | None
    ) -> tuple[pl.DataFrame, tuple[int, ...]]:
        theirs = {name: self._theirs.get(table.name, {}).get(name, name) for name in table.columns}
        require(raw.path, tuple(theirs[name] for name in table.needed), raw.columns)
        have = {name: source for name, source in theirs.items() if source in raw.columns}
        kept_back = withheld(raw.columns, tuple(have.values()))
        mine = None if part is None else Part(theirs[table.needed[0]], *part)
        try:
            read = raw.read((*dict.fromkeys(have.values()), *kept_back), mine)
        except InputError as error:
            # Nobody on the books is a fault; nothing of a kind is not, and says that the source has the kind.
            if error.reason is not Reason.FILE_EMPTY or table is self._tables[0]:
                raise
            return pl.DataFrame(schema={ROW: pl.Int64, **dict.fromkeys(table.columns, pl.String)}), ()
        for name in kept_back:
            if count := read.frame[name].count():
                report.leave_out(f"{table.name}.{name}", count)
        ours = (
            pl.col(have[name]).alias(name) if name in have else pl.lit(None, dtype=pl.String).alias(name)
            for name in table.columns
        )
        return read.frame.select(ROW, *ours), read.unreadable
