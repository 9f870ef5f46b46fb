"""`--layout living-standard`: a supplier's categories, as `linkage.layouts.living_standard` has the columns."""

from __future__ import annotations

from functools import partial
from typing import Any

from linkage.layouts import living_standard
from schemas.contracts.base import VersionedName
from services.pseudonymise.layouts.folder import Folder
from services.pseudonymise.layouts.plain import PlainSettings, plain_table
from services.pseudonymise.layouts.settings import checked


class _Settings(PlainSettings):
    """`definition_source` says whose these categories are and in which version, such as `supplier.2026-04`."""

    definition_source: VersionedName


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout, set up; InputError OPTION_INVALID where `unit` or `definition_source` is not given."""
    said = checked(_Settings, settings)
    clear_rows = partial(living_standard.clear_rows, definition_source=said.definition_source)
    return plain_table("living-standard", living_standard.COLUMNS, said, clear_rows)
