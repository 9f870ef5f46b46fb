"""Models as artefacts of the linkage zone, each named by its id. They hold token prefixes, so they never leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.model import MatchModel, parse_model
from services.lake import Zone

TABLE: Final = "models"
"""A table of the zone, a row a model: a commit is atomic with every adapter, and forgetting goes as with any table."""

_COLUMNS: Final = pl.Schema(
    {"model_id": pl.String(), "title": pl.String(), "lake_version": pl.Int64(), "document": pl.String()}
)


@dataclass(frozen=True)
class StoredModel:
    """What the list of models says of one. `lake_version` is that of the subjects it was fitted on, if it was."""

    model_id: str
    title: str
    lake_version: int | None


class ModelStore:
    """The models in one zone."""

    def __init__(self, zone: Zone) -> None:
        """Use this zone; the table is made with the first model."""
        self._zone = zone

    def save(self, model: MatchModel, lake_version: int | None = None) -> None:
        """Store a model under its id. Idempotent: the same id has the same content."""
        row = (model.model_id, model.title, lake_version, model.model_dump_json())
        self._zone.merge(TABLE, pl.DataFrame([row], _COLUMNS, orient="row"), "model_id", {})

    def load(self, model_id: str) -> MatchModel | None:
        """Return a stored model, None where there is none of that id; InputError FIELD_INVALID as `parse_model`."""
        rows = self._zone.scan(TABLE)
        found = (
            [] if rows is None else rows.filter(model_id=model_id).select("document").collect().to_series().to_list()
        )
        return parse_model(found[0]) if found else None

    def stored(self) -> list[StoredModel]:
        """Return what there is, by id."""
        rows = self._zone.scan(TABLE)
        if rows is None:
            return []
        return [StoredModel(*row) for row in rows.select(_COLUMNS.names()[:3]).sort("model_id").collect().rows()]
