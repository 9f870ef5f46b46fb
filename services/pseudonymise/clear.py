"""Clear rows of any file: of a raw layout, or of a clear file with our columns or a map of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from schemas.contracts.base import Feed
from services.pseudonymise.layouts import Layout
from services.pseudonymise.mapping import ColumnMap, select_columns
from services.pseudonymise.reading import Chunk, ClearFile
from services.pseudonymise.report import Report


@dataclass(frozen=True)
class ClearSource:
    """A file to read. With a `layout`, `path` is a file (or folder) of it, and the column map is not used."""

    path: Path
    feed: Feed
    layout: Layout | None = None
    column_map: ColumnMap = field(default_factory=ColumnMap)


def clear_chunks(
    source: ClearSource, extracted_on: date, report: Report, rows_at_once: int, *, pseudonyms: bool = False
) -> tuple[Iterator[Chunk], int | None]:
    """Return chunks of clear rows in our columns, and how many rows there are where that is known beforehand.

    `pseudonyms`: a pseudonym alone is enough to tell people by. Raises InputError as `ClearFile` and `select_columns`
    do.
    """
    if source.layout is not None:
        return source.layout.rows(source.path, extracted_on, report), None
    file = ClearFile(source.path)
    selection = select_columns(file.columns, source.column_map, source.feed, pseudonyms=pseudonyms)
    report.columns_left_out = selection.left_out
    chunks = file.chunks(selection.wanted, rows_at_once)
    return (Chunk(selection.apply(chunk.frame), chunk.rows, chunk.unreadable) for chunk in chunks), file.row_count
