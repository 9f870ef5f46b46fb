"""`--layout hclic`: a folder with H-CLIC's sections, as `linkage.layouts.hclic` has them."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from linkage.layouts import hclic
from schemas.contracts.base import Feed
from services.pseudonymise.layouts.folder import Folder, FolderSettings
from services.pseudonymise.layouts.settings import checked


class _Settings(FolderSettings):
    """`values` maps a council's own labels of `support_need` and `accommodation_at_application` to ours."""

    values: dict[str, dict[str, str]] = Field(default_factory=dict)


def build(settings: dict[str, Any]) -> Folder:
    """Return the layout, set up; without settings it takes our names and the labels of the homelessness statistics."""
    said = checked(_Settings, settings)
    return Folder(hclic.TABLES, partial(hclic.clear_rows, values=said.values), said, Feed.WELFARE)
