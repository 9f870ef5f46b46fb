"""The three states of the clinical areas of Core20PLUS5, and who is meant by each."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.features.records import (
    LATELY,
    Record,
    computed,
    diagnosis,
    event,
    issued,
    measured,
    record,
)
from tests.features.three_states import GP, Case, People, people_with, three_states, whose

_ADULT: Final = ("smi", "respiratory", "cancer", "hypertension", "smoking")
_CHILD: Final = ("asthma", "diabetes", "epilepsy", "oral", "mental_health")

CASES: Final = {
    **{f"core5_adult_{area}": Case(True, False, "welfare") for area in _ADULT},
    # Nobody of 76 is a child: `_MEANT` has their other state.
    **{f"core5_child_{area}": Case(False, False, "welfare") for area in _CHILD},
}


@pytest.fixture(scope="module")
def people() -> People:
    conditions = ("smi", "copd", "htn", "asthma", "epilepsy", "dm")
    return people_with(
        {
            "diagnoses": [whose("full", GP, **diagnosis(c)) for c in conditions],
            "coded_events": [whose("full", GP, **event("smoker"))],
            "medications": [whose("full", GP, **issued("saba", issues=9))],
            "measurements": [whose("full", GP, **measured("systolic_mmhg", 190))],
            "screenings": [
                whose("full", GP, programme=p, status="overdue", recorded_on=LATELY)
                for p in ("bowel", "breast", "cervical")
            ],
            "searches": [
                whose("full", GP, search="suspected_uncoded", search_id="s.1", condition="htn", run_on=LATELY)
            ],
            "encounters": [whose("full", GP, kind=k, started_on=LATELY) for k in ("ae_attendance", "admission")],
            "referrals": [whose("full", GP, service="mental_health", opened_on=LATELY)],
        }
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("core20plus5", CASES)

CHILD: Final = "2010-01"
ADULT: Final = "2008-06"
YOUNG: Final = "2008-07"
_ASTHMA: Final = {"born": CHILD, "diagnoses": [diagnosis("asthma")]}


def _asthma_stay() -> dict[str, Any]:
    return {"kind": "admission", "admission_method": "21", "primary_diagnosis": "J459", "started_on": LATELY}


def _screened(status: str) -> list[dict[str, Any]]:
    return [{"programme": "bowel", "status": status, "recorded_on": LATELY}]


_MEANT: Final[dict[str, tuple[str, Record, bool]]] = {
    "smi without a check": ("adult_smi", record(diagnoses=[diagnosis("smi")]), True),
    "smi with a check": (
        "adult_smi",
        record(diagnoses=[diagnosis("smi")], coded_events=[event("smi_health_check")]),
        False,
    ),
    "smi at 17": ("adult_smi", record(born=YOUNG, diagnoses=[diagnosis("smi")]), False),
    "smi at 18": ("adult_smi", record(born=ADULT, diagnoses=[diagnosis("smi")]), True),
    "no copd": ("adult_respiratory", record(), False),
    "screening overdue": ("adult_cancer", record(screenings=_screened("overdue")), True),
    "screening due": ("adult_cancer", record(screenings=_screened("due")), False),
    "high pressure": (
        "adult_hypertension",
        record(diagnoses=[diagnosis("htn")], measurements=[measured("systolic_mmhg", 150)]),
        True,
    ),
    "pressure controlled": (
        "adult_hypertension",
        record(diagnoses=[diagnosis("htn")], measurements=[measured("systolic_mmhg", 130)]),
        False,
    ),
    "high pressure, not coded": ("adult_hypertension", record(measurements=[measured("systolic_mmhg", 150)]), False),
    "suspected": (
        "adult_hypertension",
        record(searches=[{"search": "suspected_uncoded", "search_id": "s.1", "condition": "htn", "run_on": LATELY}]),
        True,
    ),
    "ex-smoker": ("adult_smoking", record(coded_events=[event("ex_smoker")]), False),
    "six relievers": ("child_asthma", record(**_ASTHMA, medications=[issued("saba", issues=6)]), True),
    "five relievers": ("child_asthma", record(**_ASTHMA, medications=[issued("saba", issues=5)]), False),
    "two courses": (
        "child_asthma",
        record(**_ASTHMA, medications=[issued("ics"), issued("oral_steroid", issues=2)]),
        True,
    ),
    "one course": ("child_asthma", record(**_ASTHMA, medications=[issued("ics"), issued("oral_steroid")]), False),
    "admitted": ("child_asthma", record(**_ASTHMA, medications=[issued("ics")], encounters=[_asthma_stay()]), True),
    "six relievers, grown up": (
        "child_asthma",
        record(born=ADULT, diagnoses=[diagnosis("asthma")], medications=[issued("saba", issues=6)]),
        False,
    ),
    "diabetes": ("child_diabetes", record(born=CHILD, diagnoses=[diagnosis("dm")]), True),
    "epilepsy": (
        "child_epilepsy",
        record(born=CHILD, diagnoses=[diagnosis("epilepsy")], medications=[issued("epilepsy_drug")]),
        True,
    ),
    "teeth, by the GP": ("child_oral", record(born=CHILD, coded_events=[event("emergency_dentistry")]), True),
    "teeth, in hospital": (
        "child_oral",
        record(born=CHILD, encounters=[{"kind": "ae_attendance", "started_on": LATELY, "primary_diagnosis": "K021"}]),
        True,
    ),
    "teeth of an adult": ("child_oral", record(coded_events=[event("emergency_dentistry")]), False),
    "mental health": (
        "child_mental_health",
        record(born=YOUNG, referrals=[{"service": "mental_health", "opened_on": LATELY}]),
        True,
    ),
    "mental health at 18": (
        "child_mental_health",
        record(born=ADULT, referrals=[{"service": "mental_health", "opened_on": LATELY}]),
        False,
    ),
}


@pytest.fixture(scope="module")
def meant() -> People:
    return computed({name: one for name, (_, one, _) in _MEANT.items()})


@pytest.mark.parametrize("name", list(_MEANT))
def test_who_is_meant(meant: People, name: str) -> None:
    area, _, holds = _MEANT[name]
    assert meant[name][f"core5_{area}"] is holds


def test_somebody_of_no_age_is_unknown_only_where_it_matters() -> None:
    person = computed({"p": record(born=None, diagnoses=[diagnosis("copd")])})["p"]
    assert (person["core5_adult_respiratory"], person["core5_adult_smoking"]) == (None, False)
