"""`--layout csds`: see `linkage.layouts.csds`."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from linkage.layouts import csds
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from services.pseudonymise.layouts.settings import checked


class _Settings(FolderSettings):
    """Which of the two pseudonyms of the people's table `--domain` speaks of."""

    pseudonym: Literal["person_id", "nhs_number_pseudo"] = "person_id"


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout; its settings may rename columns and say which pseudonym counts."""
    given = checked(_Settings, settings)
    return Folder(csds.TABLES, partial(csds.clear_rows, pseudonym=given.pseudonym), given, csds.PERSON)
