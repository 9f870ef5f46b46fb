"""What the matcher keeps: the models in use, and for each of them every shard's owner epoch and position."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from schemas.errors import Reason, StateError
from services.registry import Shard
from services.registry.adoption import ModelsInUse
from services.registry.sql.database import Database, take_turn, to_json
from services.registry.sql.models import document, in_use, was_in_force
from services.registry.sql.tables import drifts, models, resolver_state, shards


class SqlMatcherRegistry:
    """`MatcherRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def active_model(self) -> tuple[str, str] | None:
        """See `MatcherRegistry.active_model`."""
        with self._database.reading() as connection:
            row = connection.execute(select(models.c.model_id, models.c.document).where(models.c.active)).one_or_none()
            return None if row is None else (row.model_id, row.document)

    def in_use(self) -> ModelsInUse:
        """See `MatcherRegistry.in_use`."""
        with self._database.reading() as connection:
            return in_use(connection)

    def document(self, model_id: str) -> str:
        """See `MatcherRegistry.document`."""
        with self._database.reading() as connection:
            return document(connection, model_id)

    def adopt_first_model(self, model_id: str, document: str) -> None:
        """See `MatcherRegistry.adopt_first_model`."""
        with self._database.writing() as connection:
            take_turn(connection, "models")
            active = connection.execute(select(models.c.model_id).where(models.c.active)).scalar_one_or_none()
            if active is None:
                connection.execute(insert(models).values(model_id=model_id, document=document, active=True))
            elif active != model_id and not was_in_force(connection, model_id):
                raise StateError(
                    Reason.MODEL_MISMATCH,
                    f"Links were made with model {active}, not {model_id}; go on with that one, "
                    "or change models with `hwlink model adopt`.",
                )

    def claim_shard(self, model_id: str, shard: int, owner: str) -> Shard:
        """See `MatcherRegistry.claim_shard`."""
        mine = (shards.c.model_id == model_id) & (shards.c.shard == shard)
        with self._database.writing() as connection:
            take_turn(connection, "models")
            used = in_use(connection)
            if model_id not in (used.active, used.candidate):
                raise StateError(
                    Reason.MODEL_MISMATCH, f"Model {model_id} is neither in force nor being adopted; start again."
                )
            row = connection.execute(select(shards).where(mine).with_for_update()).one_or_none()
            if row is None:
                connection.execute(
                    insert(shards).values(model_id=model_id, shard=shard, epoch=1, owner=owner, position="{}")
                )
                return Shard(shard, 1, {}, owner)
            connection.execute(update(shards).where(mine).values(epoch=row.epoch + 1, owner=owner))
            return Shard(shard, row.epoch + 1, json.loads(row.position), owner)

    def release_shard(self, model_id: str, shard: int, epoch: int) -> None:
        """See `MatcherRegistry.release_shard`."""
        mine = (shards.c.model_id == model_id) & (shards.c.shard == shard) & (shards.c.epoch == epoch)
        with self._database.writing() as connection:
            connection.execute(update(shards).where(mine).values(owner=""))

    def advance_shard(
        self,
        model_id: str,
        shard: int,
        epoch: int,
        expected: Mapping[str, int],
        position: Mapping[str, int],
        drift: Mapping[str, str] | None = None,
    ) -> None:
        """See `MatcherRegistry.advance_shard`."""
        with self._database.writing() as connection:
            moved = connection.execute(
                update(shards)
                .where(
                    shards.c.model_id == model_id,
                    shards.c.shard == shard,
                    shards.c.epoch == epoch,
                    shards.c.position == to_json(expected),
                )
                .values(position=to_json(position))
            )
            if moved.rowcount != 1:
                raise StateError(
                    Reason.OWNERSHIP_LOST,
                    f"Shard {shard} has another owner now, or its position was moved; claim it again to go on.",
                )
            if drift:
                take_turn(connection, "drift")
            for source, text in (drift or {}).items():
                mine = (drifts.c.model_id == model_id) & (drifts.c.source == source)
                if connection.execute(update(drifts).where(mine).values(document=text)).rowcount == 0:
                    connection.execute(insert(drifts).values(model_id=model_id, source=source, document=text))

    def drift(self, model_id: str | None = None) -> dict[str, str]:
        """See `MatcherRegistry.drift`."""
        with self._database.reading() as connection:
            wanted = in_use(connection).active if model_id is None else model_id
            rows = connection.execute(
                select(drifts.c.source, drifts.c.document).where(drifts.c.model_id == wanted).order_by(drifts.c.source)
            )
            return {row.source: row.document for row in rows}

    def shards(self, model_id: str | None = None) -> list[Shard]:
        """See `MatcherRegistry.shards`."""
        with self._database.reading() as connection:
            wanted = in_use(connection).active if model_id is None else model_id
            rows = connection.execute(select(shards).where(shards.c.model_id == wanted).order_by(shards.c.shard))
            return [_shard(row) for row in rows]

    def settle_shards(self, count: int, subjects_end: Mapping[str, int], links_end: Mapping[str, int]) -> None:
        """See `MatcherRegistry.settle_shards`."""
        with self._database.writing() as connection:
            take_turn(connection, "models")
            used = in_use(connection)
            if used.active is None:
                return
            mine = shards.c.model_id == used.active
            held = [_shard(row) for row in connection.execute(select(shards).where(mine).with_for_update())]
            if {shard.shard for shard in held} == set(range(count)):
                return
            resolved = connection.execute(select(resolver_state.c.position)).scalar_one_or_none()
            still = all(_reached(shard.position, subjects_end) for shard in held)
            if used.adoption is not None or not still or not _reached(json.loads(resolved or "{}"), links_end):
                raise StateError(
                    Reason.SETTING_INVALID,
                    f"HWLINK_SHARDS is {count} and was {len(held)}: pairs change their shard with it, so nothing may "
                    f"be on its way. Start with {len(held)}, stop the feeds, wait with `hwlink doctor --wait 600`, let "
                    "no model be adopted meanwhile, and change it then.",
                )
            connection.execute(delete(shards))
            epoch = max((shard.epoch for shard in held), default=0)
            position = to_json(subjects_end if held else {})
            for shard in range(count):
                connection.execute(
                    insert(shards).values(model_id=used.active, shard=shard, epoch=epoch, owner="", position=position)
                )


def _shard(row: Row[Any]) -> Shard:
    return Shard(row.shard, row.epoch, json.loads(row.position), row.owner)


def _reached(position: Mapping[str, int], end: Mapping[str, int]) -> bool:
    return all(position.get(name, 0) >= offset for name, offset in end.items())
