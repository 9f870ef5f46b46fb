"""A folder of Parquet files and a manifest. A file is written beside its place and moved there; the manifest last.

A table's file is named by its content, and files of earlier imports stay: whoever has just read the manifest finds
what it names.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from linkage.reference import KINDS, Kind, geography, practices, tidy
from linkage.reference.places import EDITIONS, newest_edition
from schemas.errors import InputError, Reason, StateError
from schemas.reference import ReferenceManifest, ReferenceTable, parse_manifest

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Reference:
    """An opened store: its manifest and tables by kind."""

    manifest: ReferenceManifest
    tables: dict[str, pl.DataFrame]

    @property
    def version(self) -> str:
        """Return what features and indicators name as their reference data."""
        return self.manifest.version

    def geography(self, imd_edition: str | None = None) -> pl.DataFrame:
        """Return one row an area; raises InputError OPTION_INVALID for an edition of the index that is not there."""
        there = [edition for edition, kind in EDITIONS.items() if kind in self.tables]
        if imd_edition is not None and imd_edition not in there:
            raise InputError(
                Reason.OPTION_INVALID,
                f"The reference store has no index of that edition; it has: {', '.join(there) or 'none'}.",
            )
        return geography(self.tables, imd_edition or newest_edition(self.tables))

    def practices(self) -> pl.DataFrame:
        """Return one row a practice."""
        return practices(self.tables)

    def table(self, kind: str) -> pl.DataFrame:
        """Return one table; raises StateError STORE_MISSING where it was never imported."""
        found = self.tables.get(kind)
        if found is None:
            raise StateError(
                Reason.STORE_MISSING,
                f"The reference store has no {kind}; import it with `hwlink reference import {kind} FILE`.",
            )
        return found


def import_table(store: Path, kind: Kind, path: Path, vintage: str) -> ReferenceTable:
    """Check a publisher's file and put it into the store, in place of an earlier one of its kind.

    Raises InputError FILE_UNREADABLE, ENCODING_WRONG or as `tidy`; then the store is as it was.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise InputError(Reason.FILE_UNREADABLE, f"The file {path.name} cannot be read; check its place.") from None
    table = tidy(kind, _read(content))
    try:
        entry = ReferenceTable(
            kind=kind.name,
            vintage=vintage,
            publisher=kind.publisher,
            file_name=path.name,
            content_sha256=hashlib.sha256(content).hexdigest(),
            rows=len(table),
        )
    except ValueError:
        raise InputError(
            Reason.OPTION_INVALID, "The vintage is not usable; give the edition's name, such as 2019 or 2022/23."
        ) from None
    manifest = (_manifest(store) if (store / MANIFEST).exists() else ReferenceManifest()).with_table(entry)
    store.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    table.write_parquet(written)
    _put(store / _file(entry), written.getvalue())
    _put(store / MANIFEST, (manifest.model_dump_json(indent=2) + "\n").encode())
    return entry


def open_store(store: Path) -> Reference:
    """Return the store's tables; raises StateError STORE_MISSING where a file is not there or not whole."""
    manifest = _manifest(store)
    return Reference(manifest, {entry.kind: _table(store, entry) for entry in manifest.tables if entry.kind in KINDS})


def _manifest(store: Path) -> ReferenceManifest:
    try:
        return parse_manifest((store / MANIFEST).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise StateError(
            Reason.STORE_MISSING, "There is no reference store in that folder; make one by `hwlink reference import`."
        ) from None


def _table(store: Path, entry: ReferenceTable) -> pl.DataFrame:
    try:
        table = pl.read_parquet(store / _file(entry))
    except (OSError, pl.exceptions.PolarsError):
        table = None
    if table is None or len(table) != entry.rows:
        raise StateError(
            Reason.STORE_MISSING, f"The reference table {entry.kind} is not there whole; import its file again."
        )
    return table


def _file(entry: ReferenceTable) -> str:
    return f"{entry.kind}.{entry.content_sha256[:12]}.parquet"


def _read(content: bytes) -> pl.DataFrame:
    """Return a CSV file as text columns; publishers write UTF-8, and spreadsheets of theirs Windows-1252."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return pl.read_csv(io.StringIO(text), infer_schema=False)
        except pl.exceptions.PolarsError:
            break
    raise InputError(Reason.ENCODING_WRONG, "The file is no CSV with a header in its first line; save it as one.")


def _put(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
