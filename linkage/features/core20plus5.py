"""The group of the clinical areas of Core20PLUS5, five of adults and five of children and young people.

Left out are continuity of maternity care, of which no feed speaks, and what the areas ask of services (insulin pumps,
specialist nurses, extractions), which no feed holds either. Each flag says who is meant, by the features before.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import flag
from linkage.features.states import at_least, every, some
from linkage.features.wording import health
from schemas.features import MarmotDomain

ADULT_AGE: Final = 18
UNCONTROLLED_SABA: Final = 6
UNCONTROLLED_OCS: Final = 2
"""Uncontrolled asthma: so many relievers or steroid courses in a year, or an admission (Oxford AHSN)."""

_UNKNOWN: Final = "the age or a feature that would decide is unknown"
_ADULT: Final = {
    "core5_adult_smi": (("diagnoses",), "Adult on the register of severe mental illness without a check in 12 months."),
    "core5_adult_respiratory": (("diagnoses",), "Adult on the register of chronic obstructive pulmonary disease."),
    "core5_adult_cancer": (("bowel", "breast", "cervical"), "Adult who is overdue in a cancer screening programme."),
    "core5_adult_hypertension": (
        ("diagnoses", "suspected_uncoded"),
        "Adult with suspected uncoded hypertension, or on its register with a pressure that is not controlled.",
    ),
    "core5_adult_smoking": (("coded_events",), "Adult who smokes by the newest code of 24 months."),
}
_CHILD: Final = {
    "core5_child_asthma": (
        ("diagnoses", "medications", "admission"),
        "Under 18 on the asthma register with six relievers, two steroid courses or an emergency admission for asthma "
        "in 12 months.",
    ),
    "core5_child_diabetes": (("diagnoses",), "Under 18 with active diabetes; a core area of Core20PLUS5."),
    "core5_child_epilepsy": (("diagnoses",), "Under 18 on the epilepsy register."),
    "core5_child_oral": (
        ("coded_events", "ae_attendance", "admission"),
        "Under 18 with emergency dentistry in 12 months, by the GP's code or a hospital's diagnosis.",
    ),
    "core5_child_mental_health": (("mental_health",), "Under 18 with an open referral to mental health services."),
}

ENTRIES: Final = (
    *(flag(name, sentence, **health(facts, unknown_when=_UNKNOWN)) for name, (facts, sentence) in _ADULT.items()),
    *(
        flag(name, sentence, **health(facts, unknown_when=_UNKNOWN, marmot_domain=MarmotDomain.BEST_START))
        for name, (facts, sentence) in _CHILD.items()
    ),
)


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the features of `ENTRIES`, one row a person."""
    adult, child = pl.col("age") >= ADULT_AGE, pl.col("age") < ADULT_AGE
    overdue = [pl.col(f"{p}_screen_status") == "overdue" for p in ("bowel", "breast", "cervical")]
    uncontrolled = [
        pl.col("saba_12m") >= UNCONTROLLED_SABA,
        pl.col("ocs_courses_12m") >= UNCONTROLLED_OCS,
        pl.col("acsc_asthma_12m") >= 1,
    ]
    areas = {
        "core5_adult_smi": [adult, pl.col("reg_smi"), ~pl.col("smi_health_check_12m")],
        "core5_adult_respiratory": [adult, pl.col("reg_copd")],
        "core5_adult_cancer": [adult, at_least(overdue, 1)],
        "core5_adult_hypertension": [
            adult,
            some([pl.col("suspected_uncoded_htn"), every([pl.col("reg_htn"), ~pl.col("bp_controlled")])]),
        ],
        "core5_adult_smoking": [adult, pl.col("smoking_status") == "current"],
        "core5_child_asthma": [child, pl.col("reg_asthma"), some(uncontrolled)],
        "core5_child_diabetes": [pl.col("diabetes_under_18")],
        "core5_child_epilepsy": [child, pl.col("reg_epilepsy")],
        "core5_child_oral": [child, some([pl.col("dental_emergency_12m"), pl.col("hospital_dentistry_12m")])],
        "core5_child_mental_health": [child, pl.col("mh_open_referral")],
    }
    return context.persons.select("person_id", *(every(parts).alias(name) for name, parts in areas.items()))
