"""`--layout asc`: see `linkage.layouts.neutral`."""

from __future__ import annotations

from typing import Any

from linkage.layouts import neutral
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from services.pseudonymise.layouts.settings import checked


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout; its settings may rename columns."""
    return Folder(neutral.ASC_TABLES, neutral.asc_rows, checked(FolderSettings, settings), neutral.PERSON)
