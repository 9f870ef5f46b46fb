"""What query and governance keep: snapshots to read, the ledger of what was released, and the audit chain."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, insert, select

from services.registry import AuditEvent, Snapshot
from services.registry.chain import GENESIS, chain_hash
from services.registry.sql.database import Database, take_turn, to_json
from services.registry.sql.features import to_snapshot
from services.registry.sql.tables import audit, releases, snapshots


class SqlQueryRegistry:
    """`QueryRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest_snapshot(self) -> Snapshot | None:
        """See `QueryRegistry.latest_snapshot`."""
        with self._database.reading() as connection:
            row = connection.execute(select(snapshots).order_by(snapshots.c.serial.desc()).limit(1)).one_or_none()
            return None if row is None else to_snapshot(row)

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """See `QueryRegistry.snapshot`."""
        with self._database.reading() as connection:
            row = connection.execute(select(snapshots).where(snapshots.c.snapshot_id == snapshot_id)).one_or_none()
            return None if row is None else to_snapshot(row)

    def snapshots(self) -> list[Snapshot]:
        """See `QueryRegistry.snapshots`."""
        with self._database.reading() as connection:
            rows = connection.execute(select(snapshots).order_by(snapshots.c.serial.desc()))
            return [to_snapshot(row) for row in rows]

    def released(self, snapshot_id: str) -> Sequence[tuple[str, str]]:
        """See `QueryRegistry.released`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(releases.c.query, releases.c.members_digest)
                .where(releases.c.snapshot_id == snapshot_id)
                .order_by(releases.c.serial)
            )
            return [(row.query, row.members_digest) for row in rows]

    def record_release(self, snapshot_id: str, query: str, members_digest: str, event: AuditEvent) -> None:
        """See `QueryRegistry.record_release`."""
        with self._database.writing() as connection:
            connection.execute(
                insert(releases).values(snapshot_id=snapshot_id, query=query, members_digest=members_digest)
            )
            append_audit(connection, event)

    def audit(self, event: AuditEvent) -> None:
        """See `QueryRegistry.audit`."""
        with self._database.writing() as connection:
            append_audit(connection, event)

    def audit_events(self) -> list[tuple[int, AuditEvent, str]]:
        """See `QueryRegistry.audit_events`."""
        with self._database.reading() as connection:
            return [
                (
                    row.serial,
                    AuditEvent(
                        principal=row.principal,
                        purpose=row.purpose,
                        action=row.action,
                        outcome=row.outcome,
                        detail=json.loads(row.detail),
                        occurred_at_ms=row.occurred_at_ms,
                    ),
                    row.hash,
                )
                for row in connection.execute(select(audit).order_by(audit.c.serial))
            ]


def append_audit(connection: Connection, event: AuditEvent) -> None:
    """Append an event to the hash chain, within the caller's transaction."""
    take_turn(connection, "audit")
    newest = select(audit.c.serial, audit.c.hash).order_by(audit.c.serial.desc()).limit(1)
    last = connection.execute(newest).one_or_none()
    serial, previous = (1, GENESIS) if last is None else (last.serial + 1, last.hash)
    if event.occurred_at_ms is None:
        event = replace(event, occurred_at_ms=time.time_ns() // 1_000_000)
    connection.execute(
        insert(audit).values(
            serial=serial,
            occurred_at_ms=event.occurred_at_ms,
            principal=event.principal,
            purpose=event.purpose,
            action=event.action,
            outcome=event.outcome,
            detail=to_json(event.detail),
            hash=chain_hash(previous, serial, event),
        )
    )
