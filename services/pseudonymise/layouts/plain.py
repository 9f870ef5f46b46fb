"""Layouts that are one plain welfare table: `ctr`, `uc`, `arrears`, `living-standard` and `awards`.

Settings: `unit` of money (`pence` or `pounds`; must be said), `[columns.<layout>]` (ours = "theirs") and
`[values.<column>]` (theirs = "ours").
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from pydantic import Field

from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit
from linkage.layouts.plain import Column, Terms, table
from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from services.pseudonymise.layouts.folder import Folder, FolderSettings


class PlainSettings(FolderSettings):
    """What a source's table leaves open beside its columns' names."""

    unit: Unit
    values: dict[str, dict[str, str]] = Field(default_factory=dict)


def plain_table(
    name: str,
    columns: tuple[Column, ...],
    settings: PlainSettings,
    clear_rows: Callable[[pl.DataFrame, Terms], Mapped],
) -> Folder:
    """Return the layout of one table; InputError OPTION_INVALID where the settings name a column that it has not."""
    unknown = sorted(set(settings.values) - {column.name for column in columns})
    if unknown:
        raise InputError(
            Reason.OPTION_INVALID,
            f"The settings give values of {', '.join(unknown)}, which this layout has not; its coded columns are: "
            f"{', '.join(column.name for column in columns)}.",
        )
    terms = Terms(settings.unit, settings.values)
    return Folder((table(name, columns),), lambda tables, _day: clear_rows(tables[name], terms), settings, Feed.WELFARE)
