"""Rows of persons for one consumer: permitted features, ids of its own, and nobody who stands out."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.cohorts import Selection
from linkage.disclosure import Anonymised, k_anonymise
from linkage.features import FEATURES, feature
from linkage.rekey import rekey
from schemas.errors import InputError, PolicyError, Reason
from schemas.features import FeatureDefinition, FeatureOutput
from schemas.purposes import Purpose
from services.query.states import State

GIVE_UP_FIRST: Final = (
    "n_children_u5",
    "n_nondeps",
    "children_in_household",
    "household_size",
    "uprn_household_size",
    "household_type",
    "ethnic_cat_16",
    "ward",
    "pcn_code",
    "coastal_flag",
    "rural_urban",
    "school_age_band",
    "ethnic_group_5",
    "imd_decile",
    "age_band",
    "core20",
    "authority",
    "sex_code",
    "life_stage",
)
"""Quasi-identifiers in the order in which rows give them up: what stratification needs least goes first."""


@dataclass(frozen=True)
class Members:
    """Rows that may leave (`person_id` re-keyed, then the features), sorted by id; `meant` is how many people were."""

    released: Anonymised
    quasi: tuple[str, ...]
    meant: int


def requested_features(names: list[str], purpose: Purpose, guarded: Container[str] = ()) -> list[FeatureDefinition]:
    """Return the columns asked for, or all that the purpose permits on rows; never one of `guarded`.

    Raises InputError FEATURE_UNKNOWN or OPTION_INVALID, PolicyError PURPOSE_NOT_PERMITTED.
    """
    if len(set(names)) != len(names):
        raise InputError(Reason.OPTION_INVALID, "A feature stands twice in the columns; name each once.")
    if not names:
        offered = [d for d in FEATURES.values() if d.name not in guarded]
        return [d for d in offered if FeatureOutput.MEMBERS in d.outputs and _permits(purpose, d)]
    wanted = [feature(name) for name in names]
    for definition in wanted:
        on_rows = FeatureOutput.MEMBERS in definition.outputs and definition.name not in guarded
        if not on_rows or not _permits(purpose, definition):
            raise PolicyError(
                Reason.PURPOSE_NOT_PERMITTED,
                f"Purpose {purpose.purpose_id} gets no rows with {definition.name}; leave the column out.",
            )
    return wanted


def _permits(purpose: Purpose, definition: FeatureDefinition) -> bool:
    return definition.sensitivity in purpose.sensitivities


def members(state: State, selection: Selection, wanted: list[FeatureDefinition], key: bytes, k: int) -> Members:
    """Return the members of a selection as rows under the consumer's ids.

    Sorted by those ids, so that the order of rows says nothing about the order in which people were found.
    """
    chosen = state.people.filter(selection.rows(state.people).members)
    rows = chosen.select(pl.col("person_id"), *(definition.name for definition in wanted))
    rows = rows.with_columns(rekey(rows["person_id"], key)).sort("person_id")
    quasi = sorted((d.name for d in wanted if d.quasi_identifier), key=GIVE_UP_FIRST.index)
    return Members(k_anonymise(rows, quasi, k), tuple(quasi), len(rows))
