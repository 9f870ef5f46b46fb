"""The port of what the feature builder keeps: its position, and the snapshots that it published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import polars as pl


@dataclass(frozen=True)
class Snapshot:
    """A published, immutable state: Delta versions of the products tables, and what they were made from."""

    snapshot_id: str
    published_at_ms: int
    as_of: date
    tables: Mapping[str, int]
    model_id: str | None
    positions: Mapping[str, int]
    summary_json: str


class FeaturesRegistry(Protocol):
    """What the feature builder keeps: its position on the persons topic and the snapshots it published."""

    def features_position(self) -> tuple[dict[str, int], int]:
        """Return the next offset of each persons partition, and the last resolver sequence applied."""
        ...

    def membership(self) -> tuple[int, pl.DataFrame]:
        """Return the last resolver sequence, and who is in which person after it.

        Columns are `person_id, source, subject_ref, link_probability`, as the transactions up to that sequence give.
        """
        ...

    def last_revision(self) -> int:
        """Return the highest revision that may have been given out before a restore, 0 where there was none."""
        ...

    def model_in_force(self) -> str | None:
        """Return the id of the model that persons are linked by, None before the first."""
        ...

    def publish_snapshot(self, snapshot: Snapshot, positions: Mapping[str, int], sequence: int) -> None:
        """Publish a snapshot and move the position and sequence, in one transaction."""
        ...

    def snapshots(self) -> list[Snapshot]:
        """Return snapshots, newest first."""
        ...
