"""The registry of features: one entry each. Nothing is computed, filtered, tabulated or sent that does not stand here.

To add a feature: write its entry and its expression in a group (`groups.GROUPS`), and its three states in
`tests/unit/test_states_<group>.py`; `tests/unit/test_states.py` fails for an entry without a case.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import polars as pl

from linkage.features.entry import DTYPES
from linkage.features.groups import GROUPS
from schemas.errors import InputError, Reason
from schemas.features import FeatureDefinition

FEATURES: Final[dict[str, FeatureDefinition]] = {d.name: d for group in GROUPS for d in group.entries}
"""Every feature by name, in the order in which catalogues and tables show them."""


def feature_columns() -> pl.Schema:
    """Return the columns of a feature table: `person_id`, then every feature with its Polars type."""
    return pl.Schema({"person_id": pl.String()} | {name: DTYPES[d.type] for name, d in FEATURES.items()})


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
