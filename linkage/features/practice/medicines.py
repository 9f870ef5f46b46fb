"""Medicines and respiratory care: how much is taken, reviewed, planned and measured."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.entry import count, flag
from linkage.features.practice.evidence import DISTINCT_DRUGS, event_on, issues_12m
from linkage.features.states import known
from linkage.features.windows import within
from linkage.features.wording import health
from schemas.codes import DrugGroup, EventCode
from schemas.features import FeatureDefinition

_ISSUED: Final[dict[str, tuple[DrugGroup, tuple[int, ...], str]]] = {
    "saba_12m": (
        DrugGroup.SABA,
        (0, 1, 3, 6, 12),
        "Issues of short-acting beta agonist (reliever) inhalers in 12 months.",
    ),
    "ics_12m": (DrugGroup.ICS, (0, 1, 3, 6, 12), "Issues of inhaled corticosteroids (preventers) in 12 months."),
    "ocs_courses_12m": (DrugGroup.ORAL_STEROID, (0, 1, 2, 3), "Courses of oral corticosteroids issued in 12 months."),
}
_DONE: Final[dict[str, tuple[EventCode, str]]] = {
    "asthma_review_12m": (EventCode.ASTHMA_REVIEW, "An asthma review in the last 12 months."),
    "asthma_plan_12m": (EventCode.ASTHMA_PLAN, "A personal asthma action plan in the last 12 months."),
    "spirometry_12m": (EventCode.SPIROMETRY, "A spirometry in the last 12 months."),
    "home_oxygen": (EventCode.HOME_OXYGEN, "Oxygen supplied at home in the last 12 months."),
}


def _entries() -> list[FeatureDefinition]:
    return [
        count(
            "polypharmacy_n",
            (0, 1, 5, 10, 15),
            "Distinct drugs in six months, as counted by the GP system's newest count of the last six months.",
            **health(("medications",), look_back_months=6),
        ),
        *(
            count(name, edges, sentence, **health(("medications",), look_back_months=12))
            for name, (_, edges, sentence) in _ISSUED.items()
        ),
        *(
            flag(name, sentence, **health(("coded_events",), look_back_months=12))
            for name, (_, sentence) in _DONE.items()
        ),
    ]


ENTRIES: Final = tuple(_entries())


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES`."""
    covered = pl.when(pl.col("covers_medications"))
    return [
        [
            covered.then(DISTINCT_DRUGS.fill_null(0)).cast(pl.Int32).alias("polypharmacy_n"),
            *(
                covered.then(issues_12m(group).fill_null(0)).cast(pl.Int32).alias(name)
                for name, (group, _, _) in _ISSUED.items()
            ),
            *(
                known("coded_events", within(event_on(code), as_of, 12)).alias(name)
                for name, (code, _) in _DONE.items()
            ),
        ]
    ]
