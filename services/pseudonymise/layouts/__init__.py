"""Raw layouts: files as councils, hospitals and suppliers hold them, read into the clear columns that encoding takes.

`LAYOUTS` names them all; `open_layout` returns one, set up. A layout is a module of this folder with a function
`build(settings)`; the mapping of its columns and codes is `linkage.layouts`, reading its files is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from services.pseudonymise.reading import Chunk
from services.pseudonymise.report import Report

LAYOUTS: Final[dict[str, Feed]] = {
    "shbe": Feed.WELFARE,
    "ctr": Feed.WELFARE,
    "uc": Feed.WELFARE,
    "under-occupation": Feed.WELFARE,
    "arrears": Feed.WELFARE,
    "hclic": Feed.WELFARE,
    "living-standard": Feed.WELFARE,
    "awards": Feed.WELFARE,
    **dict.fromkeys(("gp", "sus-apc", "sus-op", "ecds", "mhsds", "csds", "asc", "ncmp", "joy", "fhir"), Feed.HEALTH),
}
"""Every layout that `--layout` names, and its feed. The module is the name with `_` for `-`."""


class Layout(Protocol):
    """One raw layout, with its settings."""

    @property
    def feed(self) -> Feed:
        """Which kind of records it holds."""

    def rows(self, path: Path, extracted_on: date, report: Report) -> Iterator[Chunk]:
        """Read a file (or a folder of them) as chunks of clear rows: any of `CLEAR_COLUMNS[feed]`, one row a record.

        `extracted_on` dates what the layout gives no date for. `Chunk.rows` names the row of the file that a record
        stands in. What the file held and what of it must not leave is counted in `report` (`count`, `leave_out`).
        Raises InputError as `ClearFile` does.
        """


def open_layout(name: str, settings: dict[str, Any]) -> Layout:
    """Return a layout by name, set up; InputError OPTION_INVALID for an unknown name or settings it does not take.

    `settings` is the TOML document of `--layout-settings`, and under `beside` the path of `--beside`.
    """
    if name not in LAYOUTS:
        raise InputError(Reason.OPTION_INVALID, f"That layout is not known; layouts are: {', '.join(LAYOUTS)}.")
    module = import_module(f"services.pseudonymise.layouts.{name.replace('-', '_')}")
    layout: Layout = module.build(settings)
    return layout
