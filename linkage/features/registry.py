"""The registry of features: one entry each. Nothing is computed, filtered, tabulated or sent that does not stand here.

To add a feature: write its entry in `entries_people`, `entries_health` or `entries_welfare`, its expression in
`people`,
`health` or `welfare`, and its three states in `tests/unit/test_features_states.py`, which fails for an entry
without a case.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import polars as pl

from linkage.features.entries_health import health_entries
from linkage.features.entries_people import people_entries
from linkage.features.entries_welfare import welfare_entries
from schemas.errors import InputError, Reason
from schemas.features import FeatureDefinition, FeatureType

FEATURES: Final[dict[str, FeatureDefinition]] = {
    d.name: d for d in (*people_entries(), *health_entries(), *welfare_entries())
}
"""Every feature by name, in the order in which catalogues and tables show them."""

_DTYPES: Final[dict[FeatureType, pl.DataType]] = {
    FeatureType.CATEGORY: pl.String(),
    FeatureType.BOOLEAN: pl.Boolean(),
    FeatureType.INTEGER: pl.Int32(),
    FeatureType.PROBABILITY: pl.Float64(),
}


def feature_columns() -> pl.Schema:
    """Return the columns of a feature table: `person_id`, then every feature with its Polars type."""
    return pl.Schema({"person_id": pl.String()} | {name: _DTYPES[d.type] for name, d in FEATURES.items()})


def feature(name: str) -> FeatureDefinition:
    """Return one feature that may leave; InputError FEATURE_UNKNOWN names the nearest ones.

    An internal feature is answered like one that does not exist.
    """
    found = FEATURES.get(name)
    if found is not None and found.leaves:
        return found
    offered = [d.name for d in FEATURES.values() if d.leaves]
    near = get_close_matches(name, offered, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise InputError(
        Reason.FEATURE_UNKNOWN,
        f"There is no feature of that name.{hint} `hwlink query features` lists them all.",
    )
