"""Layouts that are one plain welfare table: `ctr`, `uc`, `arrears`, `living-standard` and `awards`.

Settings: `unit` of money (`pence` or `pounds`; must be said), `[columns.<layout>]` (ours = "theirs") and
`[values.<column>]` (theirs = "ours").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
from pydantic import Field

from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit
from linkage.layouts.plain import Column, Terms, table
from linkage.layouts.tables import Table
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
    return plain_tables({table(name, columns): columns}, settings, lambda found, terms: clear_rows(found[name], terms))


def plain_tables(
    tables: Mapping[Table, tuple[Column, ...]],
    settings: PlainSettings,
    clear_rows: Callable[[Mapping[str, pl.DataFrame], Terms], Mapped],
) -> Folder:
    """Return the layout of several tables, the first of people; raises as `plain_table`."""
    columns = [column for named in tables.values() for column in named]
    unknown = sorted(set(settings.values) - {column.name for column in columns})
    if unknown:
        raise InputError(
            Reason.OPTION_INVALID,
            f"The settings give values of {', '.join(unknown)}, which this layout has not; its coded columns are: "
            f"{', '.join(column.name for column in columns)}.",
        )
    terms = Terms(settings.unit, settings.values)
    return Folder(tuple(tables), lambda found, _day: clear_rows(found, terms), settings, Feed.WELFARE)
