"""The port of what query and governance keep: the ledger of releases and the audit chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.registry.features import Snapshot


@dataclass(frozen=True)
class AuditEvent:
    """One audited act: who, for what purpose, did what, and how it ended. Detail holds no record's value.

    `occurred_at_ms` (milliseconds since 1970) is set by the registry where it is None.
    """

    principal: str
    purpose: str
    action: str
    outcome: str
    detail: Mapping[str, str]
    occurred_at_ms: int | None = None


class QueryRegistry(Protocol):
    """What query and governance keep: the release ledger and the audit chain."""

    def latest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot."""
        ...

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """Return one snapshot by id."""
        ...

    def snapshots(self) -> list[Snapshot]:
        """Return every snapshot, newest first."""
        ...

    def released(self, snapshot_id: str) -> Sequence[tuple[str, str]]:
        """Return `(query, members digest)` of what was already released from a snapshot."""
        ...

    def record_release(self, snapshot_id: str, query: str, members_digest: str, event: AuditEvent) -> None:
        """Record a release and its audit event in one transaction."""
        ...

    def audit(self, event: AuditEvent) -> None:
        """Append an event to the hash chain."""
        ...

    def audit_events(self) -> list[tuple[int, AuditEvent, str]]:
        """Return `(serial, event, chain hash)` of every event, oldest first; `chain.first_break` checks them."""
        ...
