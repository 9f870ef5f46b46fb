"""`--layout under-occupation`: one file of a council or housing association."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from linkage.layouts import shbe, under_occupation
from schemas.contracts.base import Feed
from services.pseudonymise.layouts.settings import Settings, checked
from services.pseudonymise.layouts.shbe import records
from services.pseudonymise.layouts.table import ROW, RawTable, chunks, require
from services.pseudonymise.reading import Chunk
from services.pseudonymise.report import Report


class _Settings(Settings):
    """`beside` is the council's SHBE extract of the same month, which says who the claimants are."""

    beside: Path | None = None


class UnderOccupation:
    """Bedrooms had and needed, and rent arrears where the file has them."""

    feed = Feed.WELFARE

    def __init__(self, claims: Path | None) -> None:
        self._claims = claims

    def rows(self, path: Path, extracted_on: date, report: Report) -> Iterator[Chunk]:
        """Read one file: a whole one is small (a council's tenancies)."""
        table = RawTable(path)
        ours = under_occupation.names(table.columns)
        require(path, under_occupation.REQUIRED, tuple(ours.values()))
        read = table.read(tuple(ours))
        who = None if self._claims is None else shbe.claimants(records(self._claims).frame)
        mapped = under_occupation.clear_rows(read.frame.rename(ours), read.frame[ROW], extracted_on, who)
        yield from chunks(mapped, read.unreadable, report)


def build(settings: dict[str, Any]) -> UnderOccupation:
    """Return the layout; without a file beside, its records link to nobody."""
    return UnderOccupation(checked(_Settings, settings).beside)
