"""Published states, held in memory: a snapshot's people in a fixed order, and each feature as codes to count by."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from linkage.features import feature_columns
from schemas.errors import InputError, Reason, StateError
from schemas.features import FeatureDefinition, FeatureType
from services.lake import Zone
from services.query.freezes import Freezes
from services.registry import QueryRegistry, Snapshot

FEATURES_TABLE: Final = "features"
HELD: Final = 3
"""Snapshots in memory at once; half a million people with sixty features take about 150 MB each."""

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Dimension:
    """One feature to count by: the labels of its values in order; `codes` number them, the unknown one past the
    last.
    """

    feature: FeatureDefinition
    labels: tuple[str, ...]
    codes: Codes

    @property
    def width(self) -> int:
        """Return how many values there are, the unknown one included."""
        return len(self.labels) + 1


@dataclass
class State:
    """One snapshot and its people, sorted by person id: row numbers mean the same people for as long as it exists."""

    snapshot: Snapshot
    people: pl.DataFrame
    freezes: Freezes
    _dimensions: dict[str, Dimension] = field(default_factory=dict)
    _frozen: dict[str, pl.Series] = field(default_factory=dict)

    @cached_property
    def presence(self) -> Codes:
        """Where each person is known: 2 for a health source plus 1 for a welfare source."""
        health, welfare = (self.people[name].fill_null(False).to_numpy() for name in ("in_health", "in_welfare"))
        return np.asarray(2 * health.astype(np.int32) + welfare, np.int32)

    def frozen(self, freeze_id: str) -> pl.Series:
        """Return of each row whether it is somebody of a frozen cohort; raises as `Freezes.present`."""
        if freeze_id not in self._frozen:
            there = self.freezes.present(freeze_id, self.snapshot)
            self._frozen[freeze_id] = self.people["person_id"].is_in(there.to_list())
        return self._frozen[freeze_id]

    def dimension(self, feature: FeatureDefinition) -> Dimension:
        """Return a feature as codes; worked out once."""
        if feature.name not in self._dimensions:
            self._dimensions[feature.name] = self._coded(feature)
        return self._dimensions[feature.name]

    def values(self, feature: FeatureDefinition) -> tuple[str, ...]:
        """Return every value a category has: its own list, or the places that occur."""
        if feature.values:
            return feature.values
        return tuple(self.people[feature.name].drop_nulls().unique().sort().to_list())

    def _coded(self, feature: FeatureDefinition) -> Dimension:
        column = self.people[feature.name]
        if feature.type is FeatureType.BOOLEAN:
            labels: tuple[str, ...] = ("false", "true")
            codes = column.cast(pl.Int32)
        elif feature.type is FeatureType.INTEGER:
            labels = feature.bands
            edges = pl.Series(feature.band_edges, dtype=pl.Int32)
            codes = edges.search_sorted(column.fill_null(edges[0]), side="right").cast(pl.Int32) - 1
            codes = codes.clip(0).zip_with(column.is_not_null(), pl.Series([None], dtype=pl.Int32))
        else:
            labels = self.values(feature)
            codes = column.replace_strict(
                pl.Series(labels, dtype=pl.String),
                pl.Series(range(len(labels)), dtype=pl.Int32),
                default=None,
                return_dtype=pl.Int32,
            )
        return Dimension(feature, labels, codes.fill_null(len(labels)).to_numpy())


class States:
    """Loads states by snapshot and keeps the last few. Thread-safe."""

    def __init__(self, products: Zone, registry: QueryRegistry) -> None:
        """Read tables from the products zone, snapshots from the registry."""
        self._products = products
        self.freezes = Freezes(products)
        self._registry = registry
        self._held: OrderedDict[str, State] = OrderedDict()
        self._lock = threading.Lock()

    def state(self, snapshot_id: str | None) -> State:
        """Return a snapshot's state, the newest one's by default.

        Raises StateError NO_SNAPSHOT when none was published yet, InputError NOT_FOUND for an id that is none,
        StateError STORE_MISSING when its table is gone from the lake.
        """
        snapshot = self._registry.latest_snapshot() if snapshot_id is None else self._registry.snapshot(snapshot_id)
        if snapshot is None and snapshot_id is None:
            raise StateError(
                Reason.NO_SNAPSHOT, "No snapshot has been published yet; send both feeds, and wait for the features."
            )
        if snapshot is None:
            raise InputError(Reason.NOT_FOUND, "There is no such snapshot; leave it out to ask the newest.")
        with self._lock:
            if snapshot.snapshot_id not in self._held:
                self._held[snapshot.snapshot_id] = State(snapshot, self._load(snapshot), self.freezes)
                while len(self._held) > HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(snapshot.snapshot_id)
            return self._held[snapshot.snapshot_id]

    def _load(self, snapshot: Snapshot) -> pl.DataFrame:
        rows = self._products.scan(FEATURES_TABLE, snapshot.tables[FEATURES_TABLE])
        if rows is None:
            raise StateError(
                Reason.STORE_MISSING, "The snapshot's table is not in the lake; restore it, or ask the newest snapshot."
            )
        have = set(rows.collect_schema().names())
        wanted = feature_columns()
        columns = [
            pl.col(name).cast(dtype) if name in have else pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in wanted.items()
        ]
        return rows.select(columns).sort("person_id").collect()
