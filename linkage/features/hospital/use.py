"""How often hospitals, mental health and community services are used, for how long and at what cost."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.edges import Grades, graded
from linkage.features.entry import category, count, flag
from linkage.features.hospital.events import EMERGENCY, PLANNED, THIS_YEAR, of_kind
from linkage.features.states import known
from linkage.features.wording import EVENTLESS, health
from schemas.codes import EncounterKind
from schemas.features import FeatureDefinition, MarmotDomain

COST_PENCE: Final[Grades] = (
    (0, "none"),
    (1, "under_500"),
    (50_000, "500_to_1999"),
    (200_000, "2000_to_9999"),
    (1_000_000, "10000_and_over"),
)
"""Lowest cost in pence of each band; labels are pounds. Ours, not a published standard."""
CHILD_AGE: Final = 5
READMITTED_WITHIN_DAYS: Final = 30
_PRICED: Final = (EncounterKind.AE_ATTENDANCE, EncounterKind.ADMISSION, EncounterKind.OUTPATIENT)
"""Kinds with a national tariff."""
_ATTENDED: Final = pl.col("attended").fill_null(True)
"""A contact counts as attended unless it says that it was missed."""

_COUNTS: Final[dict[str, tuple[pl.Expr, EncounterKind, tuple[int, ...], str]]] = {
    "ae_attendances_12m": (
        of_kind(EncounterKind.AE_ATTENDANCE),
        EncounterKind.AE_ATTENDANCE,
        (0, 1, 2, 3, 5, 10),
        "Accident and emergency attendances in the 12 months up to the as-of date.",
    ),
    "emergency_admissions_12m": (
        EMERGENCY,
        EncounterKind.ADMISSION,
        (0, 1, 2, 3, 5),
        "Hospital admissions in 12 months whose admission method starts with 2.",
    ),
    "elective_admissions_12m": (
        PLANNED,
        EncounterKind.ADMISSION,
        (0, 1, 2, 3, 5),
        "Hospital admissions in 12 months whose admission method starts with 1.",
    ),
    "outpatient_12m": (
        of_kind(EncounterKind.OUTPATIENT),
        EncounterKind.OUTPATIENT,
        (0, 1, 2, 3, 5, 10),
        "Outpatient appointments in the 12 months up to the as-of date, attended or not.",
    ),
    "op_att_12m": (
        of_kind(EncounterKind.OUTPATIENT) & _ATTENDED,
        EncounterKind.OUTPATIENT,
        (0, 1, 2, 3, 5, 10),
        "Outpatient appointments in 12 months that are not said to have been missed.",
    ),
    "op_dna_12m": (
        of_kind(EncounterKind.OUTPATIENT) & ~_ATTENDED,
        EncounterKind.OUTPATIENT,
        (0, 1, 2, 3),
        "Outpatient appointments in 12 months that were missed.",
    ),
    "mh_contacts_12m": (
        of_kind(EncounterKind.MENTAL_HEALTH_CONTACT) & _ATTENDED,
        EncounterKind.MENTAL_HEALTH_CONTACT,
        (0, 1, 2, 5, 10, 20),
        "Contacts with mental health services in 12 months that were not missed.",
    ),
    "community_contacts_12m": (
        of_kind(EncounterKind.COMMUNITY_CONTACT) & _ATTENDED,
        EncounterKind.COMMUNITY_CONTACT,
        (0, 1, 2, 5, 10, 20),
        "Contacts with community health services in 12 months that were not missed.",
    ),
}


def _entries() -> list[FeatureDefinition]:
    def year(*kinds: EncounterKind, **more: object) -> dict[str, object]:
        return health(tuple(map(str, kinds)), **{"unknown_when": EVENTLESS, "look_back_months": 12, **more})

    return [
        *(count(name, edges, sentence, **year(kind)) for name, (_, kind, edges, sentence) in _COUNTS.items()),
        count(
            "los_emergency_12m",
            (0, 1, 3, 7, 14, 28),
            "Days in hospital, up to the as-of date, of emergency admissions that began in the last 12 months.",
            **year(EncounterKind.ADMISSION),
        ),
        count(
            "readmit_30d_12m",
            (0, 1, 2),
            "Emergency admissions in 12 months that began within 30 days of the end of an earlier stay.",
            **year(EncounterKind.ADMISSION),
        ),
        flag(
            "ed_att_0_4_flag",
            "Under five years old with an accident and emergency attendance in the last 12 months.",
            **year(
                EncounterKind.AE_ATTENDANCE,
                marmot_domain=MarmotDomain.BEST_START,
                unknown_when=f"{EVENTLESS}, or the age of somebody who attended is unknown",
            ),
        ),
        flag(
            "mha_detained_24m",
            "Detained under the Mental Health Act in the last 24 months.",
            **year(EncounterKind.MENTAL_HEALTH_DETENTION, look_back_months=24),
        ),
        category(
            "health_cost_12m_band",
            tuple(label for _, label in COST_PENCE),
            "Tariff of accident and emergency, admitted and outpatient care in 12 months, in bands of pounds.",
            ordered=True,
            **year(
                *_PRICED,
                unknown_when="a source of one of the three kinds of care is missing, or an event has no tariff",
            ),
        ),
    ]


ENTRIES: Final = tuple(_entries())


def per_event(as_of: date) -> dict[str, pl.Expr]:
    """Return what is summed over a person's encounters, by the name of the sum."""
    priced = of_kind(*_PRICED) & THIS_YEAR
    days = (
        pl.min_horizontal(pl.col("ended_on").fill_null(as_of), pl.lit(as_of)) - pl.col("started_on")
    ).dt.total_days()
    return {
        **{name: condition & THIS_YEAR for name, (condition, *_) in _COUNTS.items()},
        # A spell that is said to end before it began has no days, and must not take any from another.
        "_days": pl.when(EMERGENCY & THIS_YEAR).then(days.clip(0)),
        "_detained": of_kind(EncounterKind.MENTAL_HEALTH_DETENTION),
        "_cost": pl.when(priced).then(pl.col("cost_pence")),
        "_without_cost": priced & pl.col("cost_pence").is_null(),
    }


def readmissions(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return `person_id` and `_readmitted`: emergency admissions of the year within 30 days of an earlier discharge."""
    discharged = pl.col("ended_on").cum_max().forward_fill().shift(1).over("person_id")
    gap = (pl.col("started_on") - pl.col("_discharged")).dt.total_days()
    return (
        events.filter(of_kind(EncounterKind.ADMISSION))
        .select("person_id", "started_on", "ended_on", "_emergency", "_this_year")
        .sort("person_id", "started_on", "ended_on", "_emergency", nulls_last=True)
        .with_columns(discharged.alias("_discharged"))
        .filter(EMERGENCY & THIS_YEAR & gap.is_between(0, READMITTED_WITHIN_DAYS))
        .group_by("person_id")
        .agg(pl.len().alias("_readmitted"))
    )


def columns(as_of: date) -> list[pl.Expr]:
    """Return the features of `ENTRIES` over one row a person with the sums of `per_event`."""

    def number(name: str, kind: EncounterKind) -> pl.Expr:
        return pl.when(pl.col(f"covers_{kind}")).then(pl.col(name).fill_null(0)).cast(pl.Int32)

    priced = pl.all_horizontal(pl.col(f"covers_{kind}") for kind in _PRICED)
    return [
        *(number(name, kind).alias(name) for name, (_, kind, *_rest) in _COUNTS.items()),
        number("_days", EncounterKind.ADMISSION).alias("los_emergency_12m"),
        number("_readmitted", EncounterKind.ADMISSION).alias("readmit_30d_12m"),
        (known(EncounterKind.AE_ATTENDANCE, pl.col("ae_attendances_12m") > 0) & (pl.col("age") < CHILD_AGE)).alias(
            "ed_att_0_4_flag"
        ),
        known(EncounterKind.MENTAL_HEALTH_DETENTION, pl.col("_detained") > 0).alias("mha_detained_24m"),
        pl.when(priced & (pl.col("_without_cost").fill_null(0) == 0))
        .then(graded(pl.col("_cost").fill_null(0), COST_PENCE))
        .alias("health_cost_12m_band"),
    ]
