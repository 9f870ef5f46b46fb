"""The lake: Delta tables, the source of truth for what was ingested and computed. The port; adapters stand beside it.

Zones are separate roots under separate principals: `linkage` (subjects, models), `content` (facts), `products`
(features, snapshots). A role opens only the zones it may. One contract suite, `tests/contract/test_lake.py`, runs over
all adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

import polars as pl

ZoneName = Literal["linkage", "content", "products"]


class Zone(Protocol):
    """One zone of the lake."""

    def append(self, table: str, frame: pl.DataFrame, offsets: Mapping[str, int]) -> bool:
        """Append rows and move the table's offsets in one commit; create the table if there is none.

        `offsets` maps an application id (such as `hwlink.subjects.v1-0`) to the last offset in `frame`. Rows carry
        columns `_topic`, `_partition`, `_offset`. Nothing is written, and False returned, when no offset is higher than
        the table's: a replay. The check and the append use one fresh handle, so a concurrent writer makes the commit
        fail and retry (Delta itself does not refuse a lower application version). Only rows above the held offsets are
        appended.
        """
        ...

    def replace(self, table: str, frame: pl.DataFrame, offsets: Mapping[str, int]) -> int:
        """Replace the whole table and set its offsets, in one commit; return the new Delta version."""
        ...

    def merge(self, table: str, frame: pl.DataFrame, key: str | Sequence[str], offsets: Mapping[str, int]) -> int:
        """Upsert rows by `key`, one column or several (a row whose `_deleted` is true removes its key).

        Sets the table's offsets in the same commit; returns the new Delta version. No key stands twice in `frame`.
        """
        ...

    def offsets(self, table: str) -> dict[str, int]:
        """Return the last offset held of each application id; empty when there is no table."""
        ...

    def version(self, table: str) -> int | None:
        """Return the table's current Delta version, None when there is no table."""
        ...

    def scan(self, table: str, version: int | None = None) -> pl.LazyFrame | None:
        """Return a lazy scan of the table (at a version if given), None when there is no table."""
        ...

    def tables(self) -> list[str]:
        """Return the names of the tables there are."""
        ...

    def compact(self, table: str) -> None:
        """Rewrite many small files as few large ones. Changes no row; writers and readers may go on meanwhile."""
        ...

    def vacuum(self, table: str, keep_versions: Sequence[int], older_than_h: int) -> int:
        """Delete every file that neither the current version nor one of `keep_versions` needs; return how many went.

        Files that were needed less than `older_than_h` hours ago stay, however old they are: who opened a version
        before it was replaced has so long to read it. So do younger ones that no version names, since a writer may be
        about to commit them; 0 is only for tables that nobody writes.
        """
        ...

    def expire_log(self, table: str) -> None:
        """Sum the table's log up in a checkpoint, and delete entries past their time (30 days)."""
        ...

    def size_bytes(self, table: str) -> int:
        """Return the room that the table takes, files of former versions and the log too."""
        ...

    def copy(self, table: str, versions: Sequence[int], into: Path) -> int:
        """Copy the table to the folder `into`, at its current version and those of `versions` that still are; return
        the current one. Writers and readers may go on meanwhile.
        """
        ...

    def put(self, table: str, source: Path) -> None:
        """Put a table here that `copy` has written; InputError OPTION_INVALID where there is one of that name."""
        ...

    def drop(self, table: str) -> None:
        """Delete a table with all that it holds, for a restore that failed half-way."""
        ...
