"""What the feature builder keeps: its position and the snapshots it has published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import polars as pl
from sqlalchemy import Row, insert, select, update

from services.registry import Snapshot
from services.registry.sql.database import Database, take_turn, to_json
from services.registry.sql.resolver import membership
from services.registry.sql.tables import features_state, models, resolver_state, snapshots


class SqlFeaturesRegistry:
    """`FeaturesRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def features_position(self) -> tuple[dict[str, int], int]:
        """See `FeaturesRegistry.features_position`."""
        with self._database.reading() as connection:
            row = connection.execute(select(features_state)).one_or_none()
            return ({}, 0) if row is None else (json.loads(row.position), row.sequence)

    def membership(self) -> tuple[int, pl.DataFrame]:
        """See `FeaturesRegistry.membership`."""
        with self._database.reading() as connection:
            sequence = connection.execute(select(resolver_state.c.sequence)).scalar_one_or_none()
            return sequence or 0, membership(connection)

    def last_revision(self) -> int:
        """See `FeaturesRegistry.last_revision`."""
        with self._database.reading() as connection:
            return connection.execute(select(features_state.c.revision)).scalar_one_or_none() or 0

    def model_in_force(self) -> str | None:
        """See `FeaturesRegistry.model_in_force`."""
        with self._database.reading() as connection:
            found = connection.execute(select(models.c.model_id).where(models.c.active)).scalar_one_or_none()
            return None if found is None else str(found)

    def publish_snapshot(self, snapshot: Snapshot, positions: Mapping[str, int], sequence: int) -> None:
        """See `FeaturesRegistry.publish_snapshot`."""
        with self._database.writing() as connection:
            take_turn(connection, "features")
            connection.execute(
                insert(snapshots).values(
                    snapshot_id=snapshot.snapshot_id,
                    published_at_ms=snapshot.published_at_ms,
                    as_of=snapshot.as_of,
                    tables=to_json(snapshot.tables),
                    model_id=snapshot.model_id,
                    positions=to_json(snapshot.positions),
                    summary=snapshot.summary_json,
                )
            )
            state = {"position": to_json(positions), "sequence": sequence}
            moved = connection.execute(update(features_state).values(state))
            if moved.rowcount == 0:
                connection.execute(insert(features_state).values(id=1, **state))

    def snapshots(self) -> list[Snapshot]:
        """See `FeaturesRegistry.snapshots`."""
        with self._database.reading() as connection:
            rows = connection.execute(select(snapshots).order_by(snapshots.c.serial.desc()))
            return [to_snapshot(row) for row in rows]


def to_snapshot(row: Row[Any]) -> Snapshot:
    """Return a row of `snapshots` as the port's value."""
    return Snapshot(
        snapshot_id=row.snapshot_id,
        published_at_ms=row.published_at_ms,
        as_of=row.as_of,
        tables=json.loads(row.tables),
        model_id=row.model_id,
        positions=json.loads(row.positions),
        summary_json=row.summary,
    )
