"""`--layout ecds`: see `linkage.layouts.ecds`."""

from __future__ import annotations

from typing import Any

from linkage.layouts import ecds
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from services.pseudonymise.layouts.settings import checked


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout; its settings may rename columns."""
    return Folder(ecds.TABLES, ecds.clear_rows, checked(FolderSettings, settings))
