"""The groups of features in the order of their computation: a later one may read the features of those before.

A group is a module with `ENTRIES`, its registry entries, and `features(context)`, which returns `person_id` and
exactly those columns; a person without a row is unknown in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import polars as pl

from linkage.features import (
    care,
    claims,
    core20plus5,
    credit,
    homes,
    hospital,
    housing,
    inclusion,
    income,
    people,
    practice,
    screening,
    searches,
    segments,
)
from linkage.features.context import Context
from schemas.features import FeatureDefinition


@dataclass(frozen=True)
class Group:
    """One group: its name (that of its module), what the module says of itself, entries and function."""

    name: str
    summary: str
    entries: tuple[FeatureDefinition, ...]
    features: Callable[[Context], pl.DataFrame]


def _group(module: ModuleType) -> Group:
    return Group(module.__name__.rpartition(".")[2], module.__doc__ or "", module.ENTRIES, module.features)


_HEALTH: Final = (practice, hospital, care, screening, searches, core20plus5, segments)
_WELFARE: Final = (claims, credit, housing, income, homes, inclusion)

GROUPS: Final[tuple[Group, ...]] = tuple(map(_group, (people, *_HEALTH, *_WELFARE)))
