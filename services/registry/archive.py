"""The port of backups: the whole registry in files that no database is needed to read, and back from them.

One file (Parquet) a table, so that a backup of an embedded registry can be restored into PostgreSQL and the other way
round, whatever the server's version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from services.registry.resolver import PublishedTransaction


@dataclass(frozen=True)
class Archived:
    """What was written of a registry: its schema's revision, and how many rows of each table."""

    revision: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Aftermath:
    """What a restored registry is told of the time since its backup.

    `jump` is what epochs and revisions are raised by, above any that may have been given out since. `persons_end` is
    where the persons topic ends now (`topic-partition` -> offset): what stands before is of the time that is lost.
    `unread` are the transactions up to the backup that the feature builder had not taken in.
    """

    jump: int
    persons_end: Mapping[str, int]
    unread: tuple[PublishedTransaction, ...]


class RegistryArchive(Protocol):
    """A registry as backups see it. Runs as the owner of the tables."""

    def dump(self, folder: Path) -> Archived:
        """Write every table as it stands at one moment to `folder/TABLE.parquet`; the roles go on meanwhile."""
        ...

    def refuse_unless_empty(self) -> None:
        """Raise InputError OPTION_INVALID when anything is stored here already."""
        ...

    def refuse_later(self, revision: str) -> None:
        """Raise StateError STORE_VERSION for a revision that this version of hwlink does not know."""
        ...

    def load(self, folder: Path, archived: Archived, aftermath: Aftermath) -> None:
        """Fill an empty registry from `folder` and bring it to this version of hwlink, all of it or nothing."""
        ...

    def clear(self) -> None:
        """Drop every table, for a restore that failed half-way."""
        ...

    def positions(self) -> dict[str, int]:
        """Return the furthest position of any role in each partition: `topic-partition` -> next offset.

        Raises StateError STORE_VERSION where there is no registry of this version.
        """
        ...

    def receipts(self) -> pl.DataFrame:
        """Return every batch that has a receipt: `stream_id, feed, batch, accepted`."""
        ...

    def leave_bus(self, receipts: pl.DataFrame) -> None:
        """Forget what held on a lost bus only: receipts of these batches (`stream_id, batch`), and that consumers were
        told, so that the feature builder tells them of everybody.

        Streams go on at the first of their batches, and have still to end. How often a field, or a reason to refuse,
        was seen counts twice for batches that come again.
        """
        ...

    def size_bytes(self) -> int:
        """Return the room that the registry takes."""
        ...

    def vacuum(self) -> None:
        """Give back the room of what was deleted. Readers go on; SQLite's writers wait for it."""
        ...
