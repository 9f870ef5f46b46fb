"""`--layout sus-apc`: see `linkage.layouts.sus_apc`."""

from __future__ import annotations

from typing import Any

from linkage.layouts import sus_apc
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from services.pseudonymise.layouts.settings import checked


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout; its settings may rename columns."""
    return Folder(sus_apc.TABLES, sus_apc.clear_rows, checked(FolderSettings, settings))
