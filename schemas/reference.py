"""What a reference store holds: published tables (areas, deprivation, practices), each with where it came from.

Features and indicators name the store's `version`, so that a number can be traced to the files behind it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import Field, ValidationError

from schemas.contracts.base import Contract
from schemas.errors import InputError, Reason


class ReferenceTable(Contract):
    """One table. `vintage` is the edition as its publisher names it; `content_sha256` that of the file as it came."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
    vintage: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z ./_-]{0,31}$")]
    publisher: Annotated[str, Field(min_length=2)]
    file_name: Annotated[str, Field(min_length=1)]
    content_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    rows: Annotated[int, Field(ge=1)]


class ReferenceManifest(Contract):
    """The tables of one store, by kind, each kind once."""

    format_version: Annotated[int, Field(ge=1, le=1)] = 1
    tables: tuple[ReferenceTable, ...] = ()

    @property
    def version(self) -> str:
        """Return the name of exactly these tables: `ref-` and twelve hexadecimal digits; the same wherever they are."""
        told = sorted([table.kind, table.vintage, table.content_sha256] for table in self.tables)
        return f"ref-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]}"

    def with_table(self, table: ReferenceTable) -> ReferenceManifest:
        """Return the manifest with this table in place of an earlier one of its kind."""
        others = [held for held in self.tables if held.kind != table.kind]
        return ReferenceManifest(tables=tuple(sorted([*others, table], key=lambda held: held.kind)))


def parse_manifest(text: str) -> ReferenceManifest:
    """Return the manifest of a JSON document; raises InputError FIELD_INVALID naming the fields that are wrong."""
    try:
        return ReferenceManifest.model_validate_json(text)
    except ValidationError as error:
        places = {".".join(map(str, e["loc"])) or "document" for e in error.errors(include_input=False)}
        raise InputError(
            Reason.FIELD_INVALID,
            f"The reference store's manifest is wrong at: {', '.join(sorted(places))}. Import the tables again.",
        ) from None
