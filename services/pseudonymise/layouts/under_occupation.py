"""`--layout under-occupation`: one file of a council or housing association."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from linkage.layouts import under_occupation
from schemas.contracts.base import Feed
from services.pseudonymise.layouts.settings import Settings, checked
from services.pseudonymise.layouts.table import ROW, RawTable, chunks, require
from services.pseudonymise.reading import Chunk
from services.pseudonymise.report import Report


class _Settings(Settings):
    """The layout leaves nothing open."""


class UnderOccupation:
    """Bedrooms had and needed, and rent arrears where the file has them."""

    feed = Feed.WELFARE

    def rows(self, path: Path, extracted_on: date, report: Report) -> Iterator[Chunk]:
        """Read one file: a whole one is small (a council's tenancies)."""
        table = RawTable(path)
        ours = under_occupation.names(table.columns)
        require(path, under_occupation.REQUIRED, tuple(ours.values()))
        read = table.read(tuple(ours))
        mapped = under_occupation.clear_rows(read.frame.rename(ours), read.frame[ROW], extracted_on)
        yield from chunks(mapped, read.unreadable, report)


def build(settings: dict[str, Any]) -> UnderOccupation:
    """Return the layout; it takes no settings."""
    checked(_Settings, settings)
    return UnderOccupation()
