"""`--layout gp`: see `linkage.layouts.gp`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from linkage.layouts import gp
from schemas.code_lists import code_map
from services.pseudonymise.layouts.code_maps import read_code_map
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from services.pseudonymise.layouts.settings import checked


class _Settings(FolderSettings):
    """`code_list` names a file that is read instead of the shipped map of clusters."""

    code_list: Path | None = None


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout; its settings may rename columns and name another map of clusters."""
    given = checked(_Settings, settings)
    clusters = code_map(gp.CLUSTERS) if given.code_list is None else read_code_map(given.code_list)
    return Folder(gp.TABLES, partial(gp.clear_rows, clusters=clusters), given, gp.PATIENT)
