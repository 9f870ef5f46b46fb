"""The three states of what a GP record says."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from linkage.features.practice.rules import REGISTERS
from schemas.codes import Condition, DrugGroup, EventCode
from tests.features.records import computed, diagnosis, record
from tests.features.three_states import GP, RECENT, Case, People, people_with, three_states, whose

_MEASURED: Final = {
    "systolic_mmhg": 185,
    "diastolic_mmhg": 80,
    "hba1c_mmol_mol": 95,
    "bmi_kg_m2": 31,
    "cholesterol_mmol_l": 5.2,
    "fev1_percent_predicted": 20,
    "alcohol_units_week": 40,
    "qrisk_percent": 12,
    "fit_ug_g": 10,
    "efi": 0.3,
    "supplied_risk_score": 7.5,
}
_EARLIER: Final = {EventCode.SMI_REMISSION, EventCode.CKD_STAGE_1_2}
_NOT: Final = {
    EventCode.EX_SMOKER,
    EventCode.NEVER_SMOKED,
    EventCode.CANCER_STAGE_EARLY,
    EventCode.IMMUNISATIONS_INCOMPLETE,
}

_YES: Final = (
    "end_of_life",
    "end_stage_kidney",
    "housebound",
    "has_carer",
    "is_carer",
    "smi_health_check_12m",
    "damp_or_disrepair",
    "dental_emergency_12m",
    "asthma_review_12m",
    "asthma_plan_12m",
    "spirometry_12m",
    "home_oxygen",
    "mental_health_coded_ever",
)
CASES: Final = {
    **{rule.feature: Case(True, False, "welfare") for rule in REGISTERS},
    # Nobody with diabetes is on it; `test_somebody_without_diabetes` has the other state.
    "reg_ndh": Case(False, False, "welfare"),
    "ltc_count": Case(18, 0, "welfare"),
    "dm_and_htn": Case(True, False, "welfare"),
    "cms_score": Case(16.33, 0.0, "welfare"),
    "snee_ltc_count": Case(15, 0, "welfare"),
    "segment_complexity": Case("high", "low", "welfare"),
    "efi_score": Case(0.3, None, "welfare"),
    "efi_cat": Case("moderate", "not_recorded", "welfare"),
    "efi_algo": Case("efi", "not_recorded", "welfare"),
    "prio_group_copd": Case("1", "none", "welfare"),
    "prio_group_dm": Case("1", "none", "welfare"),
    "prio_group_htn": Case("1", "none", "welfare"),
    "smoking_status": Case("current", "not_recorded", "welfare"),
    "bmi_band": Case("obese", "not_recorded", "welfare"),
    "alcohol_risk": Case("higher", "not_recorded", "welfare"),
    "bp_controlled": Case(False, None, "welfare"),
    "hba1c_band": Case("91_and_over", "not_recorded", "welfare"),
    "chol_band": Case("5_to_7_4", "not_recorded", "welfare"),
    "qrisk_band": Case("10_to_19", "not_recorded", "welfare"),
    "polypharmacy_n": Case(9, 0, "welfare"),
    "saba_12m": Case(2, 0, "welfare"),
    "ics_12m": Case(2, 0, "welfare"),
    "ocs_courses_12m": Case(2, 0, "welfare"),
    **{name: Case(True, False, "welfare") for name in _YES},
    "fit_12m": Case("positive", "not_recorded", "welfare"),
    "cancer_stage_early": Case("late", "not_recorded", "welfare"),
    "immunisations_complete": Case(True, False, "welfare"),
    "ncmp_bmi_centile": Case(None, 98.0, "welfare"),
    "bmi_ge_98": Case(False, True, "health"),
    # Nobody of 76; `test_a_child_with_diabetes` has the other state.
    "diabetes_under_18": Case(False, False, "welfare"),
    "risk_score_supplied": Case(7.5, None, "welfare"),
}


def _facts() -> dict[str, list[dict[str, Any]]]:
    full = [whose("full", GP, condition=c.value, status="active", recorded_on=date(2020, 1, 1)) for c in Condition]
    return {
        "diagnoses": full,
        "measurements": [
            *(whose("full", GP, kind=kind, value=float(n), recorded_on=RECENT) for kind, n in _MEASURED.items()),
            whose("plain", GP, kind="bmi_centile_uk90", value=98.0, recorded_on=RECENT),
        ],
        "medications": [
            whose("full", GP, drug_group=g.value, issued_on=RECENT, issues=2, distinct_drugs=9) for g in DrugGroup
        ],
        "coded_events": [
            *(
                whose("full", GP, code=c.value, recorded_on=date(2019, 1, 1) if c in _EARLIER else RECENT)
                for c in EventCode
                if c not in _NOT
            ),
            whose("plain", GP, code="immunisations_incomplete", recorded_on=RECENT),
        ],
    }


@pytest.fixture(scope="module")
def people() -> People:
    return people_with(_facts())


test_a_feature_tells_value_negative_and_unknown_apart = three_states("practice", CASES)


def test_somebody_without_diabetes_is_on_the_register_of_those_at_risk_of_it() -> None:
    assert computed({"p": record(diagnoses=[diagnosis("ndh")])})["p"]["reg_ndh"] is True


def test_a_child_with_diabetes() -> None:
    child = computed({"p": record(born="2012-01", diagnoses=[diagnosis("dm")])})["p"]
    assert (child["diabetes_under_18"], child["reg_dm"]) == (True, False)
