"""How a registry entry is written: one constructor for each kind of value."""

from __future__ import annotations

from typing import Final

import polars as pl

from schemas.features import FeatureDefinition, FeatureOutput, FeatureType

DTYPES: Final[dict[FeatureType, pl.DataType]] = {
    FeatureType.CATEGORY: pl.String(),
    FeatureType.BOOLEAN: pl.Boolean(),
    FeatureType.INTEGER: pl.Int32(),
    FeatureType.PROBABILITY: pl.Float64(),
    FeatureType.REAL: pl.Float64(),
}
"""How a type of feature is held in a column."""


def category(name: str, values: tuple[str, ...], definition: str, **more: object) -> FeatureDefinition:
    """Return the entry of a category; no values where a geography gives them."""
    return FeatureDefinition(name=name, type=FeatureType.CATEGORY, values=values, definition=definition, **more)


def count(name: str, edges: tuple[int, ...], definition: str, **more: object) -> FeatureDefinition:
    """Return the entry of a whole number with the lowest value of each band."""
    return FeatureDefinition(name=name, type=FeatureType.INTEGER, band_edges=edges, definition=definition, **more)


def flag(name: str, definition: str, **more: object) -> FeatureDefinition:
    """Return the entry of a boolean."""
    return FeatureDefinition(name=name, type=FeatureType.BOOLEAN, definition=definition, **more)


def real(name: str, definition: str, **more: object) -> FeatureDefinition:
    """Return the entry of a score or a measured value, which leaves in rows only."""
    rows = (FeatureOutput.MEMBERS, FeatureOutput.TOPIC)
    fields = {"outputs": rows, **more}
    return FeatureDefinition(name=name, type=FeatureType.REAL, definition=definition, **fields)
