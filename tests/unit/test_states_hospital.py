"""The three states of hospital use."""

from __future__ import annotations

from typing import Final

import pytest

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

CASES: Final = {
    "ae_attendances_12m": Case(1, 0, "welfare"),
    "emergency_admissions_12m": Case(8, 0, "welfare"),
    "elective_admissions_12m": Case(1, 0, "welfare"),
    "outpatient_12m": Case(1, 0, "welfare"),
    "acsc_admissions_12m": Case(8, 0, "welfare"),
    **{f"acsc_{group}_12m": Case(1, 0, "welfare") for group in _CODES},
}


@pytest.fixture(scope="module")
def people() -> People:
    emergency = [{"kind": "admission", "admission_method": "21", "primary_diagnosis": code} for code in _CODES.values()]
    planned = {"kind": "admission", "admission_method": "11", "primary_diagnosis": "K409"}
    events = [{"kind": "ae_attendance"}, {"kind": "outpatient"}, planned, *emergency]
    return people_with({"encounters": [whose("full", GP, started_on=RECENT, **event) for event in events]})


test_a_feature_tells_value_negative_and_unknown_apart = three_states("hospital", CASES)
