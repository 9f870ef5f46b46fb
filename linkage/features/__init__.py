"""Features: what is said of each linked person on a date, with three states, each traced to one registry entry.

`registry.FEATURES` says what there is; `compute.compute` works it out for everybody or for some; `change` says who
must be worked out again when facts, membership or the date change. Pure: frames in, frames out.
"""

from __future__ import annotations

from linkage.features.change import affected_persons, changed_rows
from linkage.features.compute import compute
from linkage.features.registry import FEATURES, feature, feature_columns
from linkage.features.tables import FeatureTables, coverage_of

__all__ = [
    "FEATURES",
    "FeatureTables",
    "affected_persons",
    "changed_rows",
    "compute",
    "coverage_of",
    "feature",
    "feature_columns",
]
