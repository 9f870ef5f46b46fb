"""Models, and which of them is in force or being adopted; used within the transactions of several parts."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from schemas.errors import Reason, StateError
from services.registry.adoption import OPEN, Adoption, AdoptionState, ModelsInUse
from services.registry.sql.tables import (
    adoptions,
    candidate_moves,
    candidate_pairs,
    candidate_roster,
    drifts,
    models,
    shards,
)


def in_use(connection: Connection) -> ModelsInUse:
    """Return which model is in force and which is being adopted."""
    active = connection.execute(select(models.c.model_id).where(models.c.active)).scalar_one_or_none()
    return ModelsInUse(active, open_adoption(connection))


def open_adoption(connection: Connection, *, lock: bool = False) -> Adoption | None:
    """Return the adoption that is open; with `lock`, nobody else changes it within this transaction."""
    statement = select(adoptions).where(adoptions.c.state.in_(list(OPEN)))
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    return None if row is None else to_adoption(row)


def to_adoption(row: Row[Any]) -> Adoption:
    """Return a row of `adoptions` as the port's value."""
    return Adoption(row.serial, row.model_id, AdoptionState(row.state), json.loads(row.target), json.loads(row.preview))


def document(connection: Connection, model_id: str) -> str:
    """Return a known model's document; StateError STORE_MISSING for one that is not known."""
    found = connection.execute(select(models.c.document).where(models.c.model_id == model_id)).scalar_one_or_none()
    if found is None:
        raise StateError(
            Reason.STORE_MISSING, "The registry does not hold that model; see `hwlink model list` for those there are."
        )
    return str(found)


def was_in_force(connection: Connection, model_id: str) -> bool:
    """Return whether a model that is not in force was so before another was adopted."""
    known = connection.execute(select(models.c.active).where(models.c.model_id == model_id)).scalar_one_or_none()
    states = connection.execute(select(adoptions.c.state).where(adoptions.c.model_id == model_id)).scalars().all()
    return known is False and (not states or AdoptionState.SWITCHED in states)


def forget_candidate(connection: Connection) -> None:
    """Drop what was kept for the adoption that is ending."""
    for table in (candidate_moves, candidate_pairs, candidate_roster):
        connection.execute(delete(table))


def forget_shards(connection: Connection, model_id: str) -> None:
    """Drop a model's vectors: whoever still works on its shards has lost them, also to who may adopt it again."""
    mine = update(shards).where(shards.c.model_id == model_id)
    connection.execute(mine.values(epoch=shards.c.epoch + 1, owner="", position="{}"))
    connection.execute(delete(drifts).where(drifts.c.model_id == model_id))
