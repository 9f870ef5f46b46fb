"""The port of what review keeps: the pairs that wait for a reviewer, and the overrides that reviewers made."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from services.registry.query import AuditEvent


class ReviewRegistry(Protocol):
    """What review keeps: the pairs that wait for a reviewer, and the overrides that reviewers made."""

    def reviews(self, after: tuple[int, int], limit: int) -> pl.DataFrame:
        """Return pairs in review (PAIR_COLUMNS) above `after` (left_serial, right_serial), in that order."""
        ...

    def override(self, left_serial: int, right_serial: int, kind: str, event: AuditEvent) -> int:
        """Record an override and its audit event in one transaction; a pair's last one holds. Returns its serial."""
        ...
