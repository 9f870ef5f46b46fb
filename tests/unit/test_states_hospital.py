"""The three states of hospital, mental health and community care."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from schemas.code_lists import code_list
from tests.features.records import computed, record
from tests.features.three_states import GP, RECENT, Case, People, people_with, three_states, whose

_CODES: Final = {
    "angina": "I208",
    "asthma": "J459",
    "copd": "J440",
    "diabetes": "E112",
    "heart_failure": "I500",
    "hypertension": "I10X",
    "iron_deficiency": "D509",
    "nutritional": "E43X",
}
_REASONS: Final = {
    "hip_fracture": "S720",
    "stroke": "I639",
    "fall": "W010",
    "frailty": "R54",
    "mental_health": "F322",
    "alcohol": "F102",
    "drugs": "F112",
    "selfharm": "X600",
    "homelessness": "Z590",
    "dentistry": "K047",
}
_NEEDS_PRIMARY: Final = ("stroke", "mental_health", "dentistry")

CASES: Final = {
    "ae_attendances_12m": Case(4, 0, "welfare"),
    "emergency_admissions_12m": Case(9, 0, "welfare"),
    "elective_admissions_12m": Case(1, 0, "welfare"),
    "outpatient_12m": Case(2, 0, "welfare"),
    "op_att_12m": Case(1, 0, "welfare"),
    "op_dna_12m": Case(1, 0, "welfare"),
    "mh_contacts_12m": Case(1, 0, "welfare"),
    "community_contacts_12m": Case(1, 0, "welfare"),
    "los_emergency_12m": Case(18, 0, "welfare"),
    "readmit_30d_12m": Case(1, 0, "welfare"),
    # Somebody of 76; `test_a_small_child_in_an_emergency_department` has the other state.
    "ed_att_0_4_flag": Case(False, False, "welfare"),
    "mha_detained_24m": Case(True, False, "welfare"),
    "health_cost_12m_band": Case("2000_to_9999", "none", "welfare"),
    "acsc_admissions_12m": Case(8, 0, "welfare"),
    **{f"acsc_{group}_12m": Case(1, 0, "welfare") for group in _CODES},
    "falls_65plus_12m": Case(1, 0, "welfare"),
    "selfharm_event_24m": Case(True, False, "welfare"),
    **{f"hospital_{reason}_12m": Case(True, False, "welfare") for reason in _REASONS},
    "charlson": Case(4, 0, "welfare"),
}


@pytest.fixture(scope="module")
def people() -> People:
    def stay(method: str, primary: str, secondary: str | None = None) -> dict[str, object]:
        ended = date(RECENT.year, RECENT.month, 3)
        return {
            "kind": "admission",
            "admission_method": method,
            "primary_diagnosis": primary,
            "secondary_diagnoses": secondary,
            "started_on": RECENT,
            "ended_on": ended,
            "cost_pence": 50_000,
        }

    others = " ".join(code for reason, code in _REASONS.items() if reason not in _NEEDS_PRIMARY)
    events = [
        *(
            {"kind": "ae_attendance", "primary_diagnosis": _REASONS[reason], "cost_pence": 100}
            for reason in _NEEDS_PRIMARY
        ),
        {"kind": "ae_attendance", "injury_intent": "self_inflicted", "cost_pence": 100},
        {"kind": "outpatient", "attended": True, "cost_pence": 100},
        {"kind": "outpatient", "attended": False, "cost_pence": 0},
        {"kind": "mental_health_contact"},
        {"kind": "mental_health_detention"},
        {"kind": "community_contact"},
        {**stay("11", "K409"), "started_on": date(2026, 2, 1), "ended_on": date(2026, 2, 2)},
        *(stay("21", code) for code in _CODES.values()),
        stay("21", "S525", others),
    ]
    return people_with({"encounters": [whose("full", GP, **{"started_on": RECENT, **event}) for event in events]})


test_a_feature_tells_value_negative_and_unknown_apart = three_states("hospital", CASES)


def test_every_reason_of_the_segmentation_list_is_tried() -> None:
    assert {group.name for group in code_list("snee-hospital-1").groups} == set(_REASONS)


def test_a_small_child_in_an_emergency_department() -> None:
    visit = {"kind": "ae_attendance", "started_on": RECENT}
    born = {"four": "2021-07", "five": "2021-06", "of no age": None}
    people = computed(
        {who: record(born=on, encounters=[visit]) for who, on in born.items()} | {"none": record(born=None)}
    )
    assert {who: people[who]["ed_att_0_4_flag"] for who in people if who != "absent"} | {} == {
        "four": True,
        "five": False,
        "of no age": None,
        "none": False,
        "nobody": False,
    }
