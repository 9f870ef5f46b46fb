"""Whom a model's adoption would touch, by subgroup: linkage error falls on the groups that the linkage is there for.

The linkage side says which subjects would move and reads no content; subgroups stand in the feature table, on the
cohort side. The two are joined here, by person id alone, and only protected counts leave (`decisions/0001`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.disclosure import release_table
from linkage.features import feature
from schemas.disclosure import DisclosurePolicy
from schemas.features import Sensitivity

SUBGROUPS: Final = ("age_band", "sex_code", "ethnic_group_5", "imd_decile", "authority")
"""Those by which snapshots count how many are linked."""

UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class Touched:
    """One group of persons and how many of them would change; None where a count is withheld."""

    feature: str
    value: str
    persons: int | None
    changing: int | None


def touched_by_subgroup(moves: pl.DataFrame, people: pl.DataFrame, policy: DisclosurePolicy) -> list[Touched]:
    """Return how many persons of each subgroup would gain or lose a subject.

    `moves` is `AdoptionRegistry.would_move()`, `people` the feature table of a snapshot: persons that came into being
    after it are in no group. Counts are protected as a table of the subgroup by changing or not, under the strictest
    rule of the feature and of welfare data, since a person changes by what welfare and health know of it together.
    """
    changing = pl.concat([moves["person_id"], moves["person_id_then"].alias("person_id")]).drop_nulls().unique()
    marked = people.with_columns(changes=pl.col("person_id").is_in(changing.implode()))
    return [row for name in SUBGROUPS if name in people.columns for row in _of_feature(name, marked, policy)]


def _of_feature(name: str, marked: pl.DataFrame, policy: DisclosurePolicy) -> list[Touched]:
    counted = (
        marked.group_by(pl.col(name).cast(pl.String).fill_null(UNKNOWN).alias("value"))
        .agg(stays=(~pl.col("changes")).sum().cast(pl.Int64), changes=pl.col("changes").sum().cast(pl.Int64))
        .sort("value")
    )
    if counted.is_empty():
        return []
    rule = policy.rule([feature(name).sensitivity, Sensitivity.WELFARE])
    table = release_table(counted.select("stays", "changes").to_numpy().astype(np.int64), rule, (False, True))
    told = np.where(table.suppressed, -1, table.values)
    return [
        Touched(name, value, *(None if count < 0 else int(count) for count in (told[row, 2], told[row, 1])))
        for row, value in enumerate(counted["value"])
    ]
