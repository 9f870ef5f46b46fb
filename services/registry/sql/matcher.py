"""What the matcher keeps: the active model, and each shard's owner epoch and position."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import insert, select, update

from schemas.errors import Reason, StateError
from services.registry import Shard
from services.registry.sql.database import Database, to_json
from services.registry.sql.tables import models, shards


class SqlMatcherRegistry:
    """`MatcherRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def active_model(self) -> tuple[str, str] | None:
        """See `MatcherRegistry.active_model`."""
        with self._database.reading() as connection:
            row = connection.execute(select(models.c.model_id, models.c.document).where(models.c.active)).one_or_none()
            return None if row is None else (row.model_id, row.document)

    def adopt_first_model(self, model_id: str, document: str) -> None:
        """See `MatcherRegistry.adopt_first_model`."""
        with self._database.writing() as connection:
            active = connection.execute(select(models.c.model_id).where(models.c.active)).scalar_one_or_none()
            if active is None:
                connection.execute(insert(models).values(model_id=model_id, document=document, active=True))
            elif active != model_id:
                raise StateError(
                    Reason.MODEL_MISMATCH,
                    f"Links were made with model {active}, not {model_id}; go on with that one, "
                    "or change models with `hwlink model adopt`.",
                )

    def claim_shard(self, shard: int, owner: str) -> Shard:
        """See `MatcherRegistry.claim_shard`."""
        with self._database.writing() as connection:
            row = connection.execute(select(shards).where(shards.c.shard == shard).with_for_update()).one_or_none()
            if row is None:
                connection.execute(insert(shards).values(shard=shard, epoch=1, owner=owner, position="{}"))
                return Shard(shard, 1, {})
            connection.execute(update(shards).where(shards.c.shard == shard).values(epoch=row.epoch + 1, owner=owner))
            return Shard(shard, row.epoch + 1, json.loads(row.position))

    def advance_shard(self, shard: int, epoch: int, expected: Mapping[str, int], position: Mapping[str, int]) -> None:
        """See `MatcherRegistry.advance_shard`."""
        with self._database.writing() as connection:
            moved = connection.execute(
                update(shards)
                .where(shards.c.shard == shard, shards.c.epoch == epoch, shards.c.position == to_json(expected))
                .values(position=to_json(position))
            )
            if moved.rowcount != 1:
                raise StateError(
                    Reason.OWNERSHIP_LOST,
                    f"Shard {shard} has another owner now, or its position was moved; claim it again to go on.",
                )

    def shards(self) -> list[Shard]:
        """See `MatcherRegistry.shards`."""
        with self._database.reading() as connection:
            rows = connection.execute(select(shards).order_by(shards.c.shard))
            return [Shard(row.shard, row.epoch, json.loads(row.position)) for row in rows]
