"""The Charlson comorbidity index from the diagnoses of admissions."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import add
from typing import Final

import polars as pl

from linkage.features.codes import belongs
from linkage.features.entry import count
from linkage.features.hospital.events import LOOK_BACK_MONTHS, of_kind
from linkage.features.wording import EVENTLESS, health
from schemas.code_lists import CodeGroup, code_list
from schemas.codes import EncounterKind

CHARLSON_LIST: Final = "charlson-quan-1"
_GROUPS: Final = code_list(CHARLSON_LIST).groups

ENTRIES: Final = (
    count(
        "charlson",
        (0, 1, 2, 3, 5),
        "Charlson comorbidity index without age, original weights, from all diagnoses of admissions in 24 months; "
        "a severe form of a disease replaces its mild one.",
        **health(
            (EncounterKind.ADMISSION.value,),
            unknown_when=EVENTLESS,
            look_back_months=LOOK_BACK_MONTHS,
            reference=CHARLSON_LIST,
        ),
    ),
)


def per_event(as_of: date) -> dict[str, pl.Expr]:
    """Return what is summed over a person's encounters, by the name of the sum."""
    return {_name(group): of_kind(EncounterKind.ADMISSION) & belongs(group) for group in _GROUPS}


def columns(as_of: date) -> list[pl.Expr]:
    """Return the features of `ENTRIES` over one row a person with the sums of `per_event`."""
    severe = {group.supersedes: group for group in _GROUPS if group.supersedes is not None}

    def points(group: CodeGroup) -> pl.Expr:
        counts = _has(group)
        if group.name in severe:
            counts &= ~_has(severe[group.name])
        return pl.when(counts).then(group.weight or 0).otherwise(0)

    total = reduce(add, map(points, _GROUPS))
    covered = pl.when(pl.col(f"covers_{EncounterKind.ADMISSION}"))
    return [covered.then(total).cast(pl.Int32).alias("charlson")]


def _name(group: CodeGroup) -> str:
    return f"_charlson_{group.name}"


def _has(group: CodeGroup) -> pl.Expr:
    return pl.col(_name(group)).fill_null(0) > 0
