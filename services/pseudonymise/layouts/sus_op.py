"""`--layout sus-op`: see `linkage.layouts.sus_op`."""

from __future__ import annotations

from typing import Any

from linkage.layouts import sus_op
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from services.pseudonymise.layouts.settings import checked


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout; its settings may rename columns."""
    return Folder(sus_op.TABLES, sus_op.clear_rows, checked(FolderSettings, settings))
