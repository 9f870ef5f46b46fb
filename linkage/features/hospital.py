"""The group of hospital use in the twelve months up to the as-of date."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import count
from schemas.code_lists import code_list
from schemas.codes import EncounterKind
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, MarmotDomain, Sensitivity

ACSC_LIST: Final = "acsc-nhp-1"
_EVENT: Final = ("kind", "started_on", "ended_on", "admission_method", "primary_diagnosis")


def _entries() -> list[FeatureDefinition]:
    year = {
        "sources": (Feed.HEALTH,),
        "sensitivity": Sensitivity.SPECIAL_CATEGORY,
        "unknown_when": "the person is in no health source, or no source delivers this kind of encounter",
        "marmot_domain": MarmotDomain.PREVENTION,
        "look_back_months": 12,
    }
    acsc = [
        count(
            f"acsc_{group.name}_12m",
            (0, 1, 2),
            f"Emergency admissions in 12 months with a primary diagnosis of the list's group: {group.title}.",
            covered_by=("admission",),
            reference=ACSC_LIST,
            **year,
        )
        for group in code_list(ACSC_LIST).groups
    ]
    return [
        count(
            "ae_attendances_12m",
            (0, 1, 2, 3, 5, 10),
            "Accident and emergency attendances in the 12 months up to the as-of date.",
            covered_by=("ae_attendance",),
            **year,
        ),
        count(
            "emergency_admissions_12m",
            (0, 1, 2, 3, 5),
            "Hospital admissions in 12 months whose admission method starts with 2.",
            covered_by=("admission",),
            **year,
        ),
        count(
            "elective_admissions_12m",
            (0, 1, 2, 3, 5),
            "Hospital admissions in 12 months whose admission method starts with 1.",
            covered_by=("admission",),
            **year,
        ),
        count(
            "outpatient_12m",
            (0, 1, 2, 3, 5, 10),
            "Outpatient appointments in the 12 months up to the as-of date.",
            covered_by=("outpatient",),
            **year,
        ),
        count(
            "acsc_admissions_12m",
            (0, 1, 2, 3),
            "Emergency admissions in 12 months for a condition of the named list, all groups together.",
            covered_by=("admission",),
            reference=ACSC_LIST,
            **year,
        ),
        *acsc,
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the counts of the twelve months up to and including the as-of date.

    What two sources both report (same kind, dates, method, diagnosis) counts once; what one source reports twice
    counts twice.
    """
    as_of = context.as_of
    kind, method, code = pl.col("kind"), pl.col("admission_method"), pl.col("primary_diagnosis")
    admission = kind == EncounterKind.ADMISSION.value
    emergency = admission & method.str.starts_with("2").fill_null(False)
    groups = code_list(ACSC_LIST).groups
    sensitive = {f"acsc_{g.name}_12m": emergency & code.str.contains(g.pattern).fill_null(False) for g in groups}
    conditions = {
        "ae_attendances_12m": kind == EncounterKind.AE_ATTENDANCE.value,
        "emergency_admissions_12m": emergency,
        "elective_admissions_12m": admission & method.str.starts_with("1").fill_null(False),
        "outpatient_12m": kind == EncounterKind.OUTPATIENT.value,
        "acsc_admissions_12m": pl.any_horizontal(sensitive.values()),
        **sensitive,
    }
    counts = (
        context.facts("encounters")
        .lazy()
        .filter((pl.col("started_on") > _year_before(as_of)) & (pl.col("started_on") <= as_of))
        .group_by("person_id", *_EVENT, "source")
        .len()
        .group_by("person_id", *_EVENT)
        .agg(pl.col("len").max().cast(pl.Int32))
        .group_by("person_id")
        .agg(pl.col("len").filter(condition).sum().alias(name) for name, condition in conditions.items())
        .collect()
    )
    covered = {
        name: {"ae_attendances_12m": "covers_ae_attendance", "outpatient_12m": "covers_outpatient"}.get(
            name, "covers_admission"
        )
        for name in conditions
    }
    return context.persons.join(counts, on="person_id", how="left").select(
        "person_id",
        *(
            pl.when(pl.col(cover)).then(pl.col(name).fill_null(0)).cast(pl.Int32).alias(name)
            for name, cover in covered.items()
        ),
    )


def _year_before(as_of: date) -> date:
    last_of_february = as_of.month == 2 and as_of.day == 29
    return as_of.replace(year=as_of.year - 1, day=28 if last_of_february else as_of.day)
