"""A Delta table's files as they are needed for a copy of it: nothing in them ever changes, so copying is enough."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from schemas.errors import Reason, TransientError

_ATTEMPTS: Final = 3
"""A vacuum may take a file between the listing and the copy; the next listing is without it."""

_LOG: Final = "_delta_log"
_LAST: Final = "_last_checkpoint"


def copy_table(source: Path, versions: Sequence[int], into: Path) -> int:
    """Copy a table at its current version, and at those of `versions` that still are, to `into`; return the current
    one.

    Raises TransientError BUSY when files keep vanishing meanwhile; an OSError of writing is the caller's.
    """
    for _ in range(_ATTEMPTS):
        try:
            return _copy(source, versions, into)
        except FileNotFoundError:
            shutil.rmtree(into, ignore_errors=True)
    raise TransientError(Reason.BUSY, f"Table {source.name} is being vacuumed; try again when that has ended.")


def _copy(source: Path, versions: Sequence[int], into: Path) -> int:
    log = source / _LOG
    # Before the table is opened: a checkpoint that is made afterwards is of a later version, and is left out.
    last = (log / _LAST).read_bytes() if (log / _LAST).exists() else None
    handle = DeltaTable(source)
    current = handle.version()
    names = _names(handle)
    for version in set(versions) - {current}:
        try:
            former = _names(DeltaTable(source, version=version))
        except (DeltaError, OSError):
            continue  # its log has expired
        if all((source / name).exists() for name in former):
            names |= former
    (into / _LOG).mkdir(parents=True, mode=0o700)
    for entry in sorted(log.iterdir()):
        number = entry.name.partition(".")[0]
        if number.isdigit() and int(number) <= current:
            shutil.copyfile(entry, into / _LOG / entry.name)
    if last is not None and json.loads(last)["version"] <= current:
        (into / _LOG / _LAST).write_bytes(last)
    for name in sorted(names):
        shutil.copyfile(source / name, into / name)
    return current


def _names(handle: DeltaTable) -> set[str]:
    """Return the names of the files of a version; tables are not partitioned, so they stand side by side."""
    return {uri.rpartition("/")[2] for uri in handle.file_uris()}


def tree_bytes(folder: Path) -> int:
    """Return what all files in a folder and its sub-folders take, whatever goes and comes meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
