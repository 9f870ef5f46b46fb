"""Entries from health facts: registers, multimorbidity, hospital use."""

from __future__ import annotations

from typing import Final

from linkage.features.entry import count, flag
from linkage.features.registers import REGISTERS
from schemas.code_lists import code_list
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, MarmotDomain, Sensitivity

ACSC_LIST: Final = "acsc-nhp-1"
_UNLINKED: Final = "no subject of the person is in a health source that delivers these facts"


def health_entries() -> list[FeatureDefinition]:
    """Return the entries in the order of the catalogue."""
    shared = {"sources": (Feed.HEALTH,), "sensitivity": Sensitivity.SPECIAL_CATEGORY, "unknown_when": _UNLINKED}
    prevention = {**shared, "marmot_domain": MarmotDomain.PREVENTION}
    year = {**prevention, "look_back_months": 12}
    registers = [
        flag(
            rule.feature,
            rule.sentence,
            covered_by=("diagnoses",),
            **{**prevention, "unknown_when": f"{_UNLINKED}{', or the age is unknown' * bool(rule.minimum_age)}"},
        )
        for rule in REGISTERS
    ]
    acsc = code_list(ACSC_LIST)
    kinds = [
        count(
            f"acsc_{group.name}_12m",
            (0, 1, 2),
            f"Emergency admissions in 12 months with a primary diagnosis of the list's group: {group.title}.",
            covered_by=("admission",),
            reference=ACSC_LIST,
            **year,
        )
        for group in acsc.groups
    ]
    return [
        *registers,
        count(
            "ltc_count",
            (0, 1, 2, 3, 4, 5),
            "Number of long-term-condition registers that the person is on.",
            covered_by=("diagnoses",),
            **prevention,
        ),
        flag(
            "dm_and_htn",
            "On both the diabetes and the hypertension register.",
            covered_by=("diagnoses",),
            **prevention,
        ),
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
        *kinds,
    ]
