"""Named, versioned code lists that features are computed from or raw layouts read by, each a JSON file beside this one.

A list is never changed in place: a new reading of the codes is a new version under a new id, and the feature names
the id.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from schemas.contracts.base import Contract
from schemas.errors import DefectError, InputError, Reason


class CodePosition(StrEnum):
    """Where among a stay's diagnoses a code counts."""

    PRIMARY = "primary"
    ANY = "any"


class CodePair(Contract):
    """A primary diagnosis that counts only beside a secondary one: patterns of both, each from a code's start."""

    primary: str
    secondary: str


class CodeGroup(Contract):
    """One group of a list: an ICD-10 code belongs to it when `pattern` matches it from its start (`^`).

    `position` says which diagnoses `pattern` looks at. A stay also belongs that has the codes of `pair`, and none that
    has any code of `unless`. `weight` and `supersedes` (a milder group of the list that then counts no more) are of
    scores.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]{1,30}$")]
    title: str
    pattern: str | None = None
    position: CodePosition = CodePosition.PRIMARY
    pair: CodePair | None = None
    unless: str | None = None
    weight: int | None = None
    supersedes: str | None = None


class CodeList(Contract):
    """A named list. `differs` says where our reading is narrower or wider than the source's, and why."""

    list_id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: str
    source: str
    differs: str
    groups: tuple[CodeGroup, ...]


class MappedCode(Contract):
    """What an entry of one code says: an element of the list column `kind`, with `means` as its code and, where it has
    one, a status or setting. `mark` says how the code is known: `read` in a source, `known` in general, or our `own`.
    """

    code: Annotated[str, Field(pattern=r"^[0-9A-Z_]{2,64}$")]
    kind: Literal["diagnoses", "coded_events", "measurements", "screenings", "medications"]
    means: str
    status: str | None = None
    mark: Literal["read", "known", "own"] = "own"


class CodeMap(Contract):
    """A named map of codes that a raw layout is read by. `doubt` says what of it is to be confirmed."""

    list_id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    title: str
    source: str
    doubt: str
    entries: tuple[MappedCode, ...]

    @model_validator(mode="after")
    def _each_code_once(self) -> Self:
        if len({entry.code for entry in self.entries}) < len(self.entries):
            raise ValueError("a code stands twice")
        return self


@cache
def code_map(list_id: str) -> CodeMap:
    """Return a shipped map of codes; DefectError INTERNAL when no such map ships."""
    return CodeMap.model_validate_json(_shipped(list_id))


def parse_code_map(text: str) -> CodeMap:
    """Return the map in a JSON text; InputError FIELD_INVALID names the fields that are wrong, never what they hold."""
    try:
        return CodeMap.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
    wrong = sorted({".".join(str(step) for step in fault["loc"]) or "document" for fault in faults})
    raise InputError(
        Reason.FIELD_INVALID,
        f"This is no map of codes (wrong at {', '.join(wrong[:5])}); compare it with schemas/code_lists.",
    )


@cache
def code_list(list_id: str) -> CodeList:
    """Return a shipped code list; DefectError INTERNAL when no such list ships."""
    return CodeList.model_validate_json(_shipped(list_id))


def _shipped(list_id: str) -> str:
    resource = files("schemas").joinpath("code_lists", f"{list_id}.json")
    if not resource.is_file():
        raise DefectError(Reason.INTERNAL, f"No code list {list_id} ships with hwlink; report this as a defect.")
    return resource.read_text("utf-8")
