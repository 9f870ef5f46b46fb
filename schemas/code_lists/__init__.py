"""Named, versioned code lists that features are computed from, each a JSON file beside this one.

A list is never changed in place: a new reading of the codes is a new version under a new id, and the feature names
the id.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from schemas.contracts.base import Contract
from schemas.errors import DefectError, Reason


class CodeGroup(Contract):
    """One group of a list: an ICD-10 code belongs to it when the pattern matches it from its start."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,30}$")]
    title: str
    pattern: str


class CodeList(Contract):
    """A named list. `differs` says where our reading is narrower or wider than the source's, and why."""

    list_id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: str
    source: str
    differs: str
    groups: tuple[CodeGroup, ...]


@cache
def code_list(list_id: str) -> CodeList:
    """Return a shipped code list; DefectError INTERNAL when no such list ships."""
    resource = files("schemas").joinpath("code_lists", f"{list_id}.json")
    if not resource.is_file():
        raise DefectError(Reason.INTERNAL, f"No code list {list_id} ships with hwlink; report this as a defect.")
    return CodeList.model_validate_json(resource.read_text("utf-8"))
