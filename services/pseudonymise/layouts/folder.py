"""Layouts of several tables: a folder with a file for each, CSV or Parquet; of one table also that file by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
from pydantic import Field

from linkage.layouts.tables import ClearRows, Table, withheld
from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from services.pseudonymise.layouts.settings import Settings
from services.pseudonymise.layouts.table import ROW, RawTable, chunks, require
from services.pseudonymise.reading import Chunk
from services.pseudonymise.report import Report

_ENDINGS = (".csv", ".parquet")


class FolderSettings(Settings):
    """What every layout of tables leaves open: a source's own names, as `[columns.<table>] our_name = "theirs"`."""

    columns: dict[str, dict[str, str]] = Field(default_factory=dict)


class Folder:
    """A layout of tables. Each table is read whole: a pseudonymising machine needs some three times the size of
    its largest CSV.
    """

    def __init__(
        self,
        tables: tuple[Table, ...],
        clear_rows: ClearRows,
        settings: FolderSettings,
        feed: Feed = Feed.HEALTH,
    ) -> None:
        """Make the layout; InputError OPTION_INVALID where the settings rename what it does not have."""
        self.feed = feed
        self._tables = tables
        self._clear_rows = clear_rows
        self._theirs = settings.columns
        known = {table.name: table.columns for table in tables}
        wrong = [name for name, columns in settings.columns.items() if not set(columns) <= set(known.get(name, ()))]
        if wrong:
            raise InputError(
                Reason.OPTION_INVALID,
                f"The settings rename columns that this layout does not have in: {', '.join(sorted(wrong))}. "
                f"Its tables are: {', '.join(known)}.",
            )

    def rows(self, path: Path, extracted_on: date, report: Report) -> Iterator[Chunk]:
        """Read every table that is there."""
        found: dict[str, pl.DataFrame] = {}
        unreadable: tuple[int, ...] = ()
        for table in self._tables:
            file = self._file(path, table)
            if file is None:
                continue
            found[table.name], bad = self._read(file, table, report)
            if table is self._tables[0]:
                unreadable = bad
            elif bad:
                report.count(f"rows of {table.name} that cannot be split into columns", len(bad))
        yield from chunks(self._clear_rows(found, extracted_on), unreadable, report)

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

    def _read(self, file: Path, table: Table, report: Report) -> tuple[pl.DataFrame, tuple[int, ...]]:
        raw = RawTable(file)
        theirs = {name: self._theirs.get(table.name, {}).get(name, name) for name in table.columns}
        require(file, tuple(theirs[name] for name in table.needed), raw.columns)
        have = {name: source for name, source in theirs.items() if source in raw.columns}
        kept_back = withheld(raw.columns, tuple(have.values()))
        try:
            read = raw.read((*dict.fromkeys(have.values()), *kept_back))
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
