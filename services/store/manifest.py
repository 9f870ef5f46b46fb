"""What a backup holds, and the check that all of it is there and unchanged. Written last: without it there is none."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from schemas.errors import InputError, Reason, StateError

FORMAT: Final = 1
NAME: Final = "manifest.json"
REGISTRY: Final = "registry"
LAKE: Final = "lake"
KEYS: Final = "keys"
BUS: Final = "bus.db"
PERSONS: Final = "persons.parquet"
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """A backup: when its registry was read, that one's revision and rows, versions of the lake's tables by zone.

    `bus` has the groups' positions and the topics' ends when it was taken, for people to compare; `bus_file` says
    whether the embedded bus is in it. `files` are sizes in bytes and SHA-256 by path.
    """

    taken_at_ms: int
    revision: str
    rows: dict[str, int]
    lake: dict[str, dict[str, int]]
    bus: dict[str, dict[str, int]]
    bus_file: bool
    files: dict[str, tuple[int, str]]
    format: int = FORMAT


def fingerprints(folder: Path) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 of every file in a folder, and see to it that they are on the disk."""
    found = {}
    for path in sorted(_files(folder)):
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
            os.fsync(file.fileno())
        found[str(path.relative_to(folder))] = (size, digest.hexdigest())
    return found


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest at once or not at all."""
    draft = folder / f".{NAME}"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(asdict(manifest), file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / NAME)


def read(folder: Path) -> Manifest:
    """Return a backup's manifest after comparing every file with it.

    Raises StateError STORE_MISSING when there is none, STORE_VERSION for one of a later version, InputError
    FILE_UNREADABLE when a file is missing, too many, or not what was written.
    """
    try:
        document: dict[str, Any] = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise StateError(
            Reason.STORE_MISSING, "There is no backup in that folder, or it was never finished; give another one."
        ) from None
    except ValueError:
        raise _damaged(NAME) from None
    if document.get("format") != FORMAT:
        raise StateError(
            Reason.STORE_VERSION, "The backup was taken by another version of hwlink; restore it with that version."
        )
    try:
        manifest = Manifest(**{**document, "files": {name: tuple(f) for name, f in document["files"].items()}})
    except (TypeError, KeyError, AttributeError):
        raise _damaged(NAME) from None
    try:
        held = fingerprints(folder)
    except OSError:
        raise _damaged("a file") from None
    held.pop(NAME, None)
    for name in sorted(held.keys() | manifest.files.keys()):
        if held.get(name) != manifest.files.get(name):
            raise _damaged(name)
    return manifest


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _damaged(name: str) -> InputError:
    return InputError(
        Reason.FILE_UNREADABLE,
        f"The backup is damaged: {name} is not what was written. Nothing was restored; give another backup.",
    )
