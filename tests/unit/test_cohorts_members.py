"""Whom each shipped cohort holds: somebody who just belongs, and for each condition somebody who just does not."""

from __future__ import annotations

import polars as pl
import pytest

from linkage.cohorts import select
from linkage.features import feature_columns
from schemas.cohort_documents import cohort, shipped_cohorts

Person = dict[str, object]
LIVES_HERE: Person = {"deceased": False, "authority": "medway", "in_health": True, "in_welfare": True}

# Cohort: who just belongs; then changes, each of which alone takes the person out (no member), and others that do not.
CASES: dict[str, tuple[Person, list[Person], list[Person]]] = {
    "acsc_cvd_copd_hf_welfare": (
        {"age": 18, "reg_copd": True, "living_standard_cat": "at_risk", "fuel_poverty_lilee": False},
        [{"age": 17}, {"living_standard_cat": "struggling"}, {"reg_copd": False}, {"in_welfare": False}],
        [
            {"reg_copd": False, "acsc_admissions_12m": 1},
            {"living_standard_cat": None, "fuel_poverty_lilee": True},
            {"living_standard_cat": "in_crisis"},
        ],
    ),
    "copd_cold_home": (
        {"reg_copd": True, "prio_group_copd": "2", "tenure": "private_rent", "epc_band": "D"},
        [{"reg_copd": False}, {"prio_group_copd": "3"}, {"epc_band": "C"}, {"tenure": "owner"}],
        [{"epc_band": "A", "fuel_poverty_lilee": True}, {"tenure": "owner", "deduction_types_gas_arrears": True}],
    ),
    "diabetes_pg12_unreviewed": (
        {"reg_dm": True, "prio_group_dm": "2", "prio_reviewed_dm": False},
        [{"prio_group_dm": "3a"}, {"prio_reviewed_dm": True}, {"prio_reviewed_dm": None}, {"reg_dm": False}],
        [{"prio_group_dm": "1"}],
    ),
    "htn_uncoded_core20": (
        {"suspected_uncoded_htn": True, "core20": True, "ethnic_group_5": "asian"},
        [{"ethnic_group_5": "white"}, {"ethnic_group_5": None}, {"core20": False}, {"suspected_uncoded_htn": False}],
        [{"ethnic_group_5": "mixed"}],
    ),
    "cancer_screen_overdue_low_income": (
        {"age": 25, "overdue_screen_n": 1, "ctr_in_payment": True, "uc_in_payment": False},
        [{"age": 24}, {"overdue_screen_n": 0}, {"ctr_in_payment": False}],
        [{"ctr_in_payment": None, "uc_in_payment": True}],
    ),
    "selfharm_10_24_household_stress": (
        {"age": 24, "selfharm_event_24m": True, "arrears_band": "under_500"},
        [{"age": 25}, {"age": 9}, {"selfharm_event_24m": False}, {"arrears_band": "none"}],
        [{"age": 10}, {"arrears_band": "none", "workless_household": True}],
    ),
    "frailty_unclaimed_pc": (
        {"efi_cat": "moderate", "unclaimed_pc": False, "unclaimed_aa": True},
        [{"efi_cat": "mild"}, {"unclaimed_aa": False}, {"in_welfare": False}],
        [{"efi_cat": "severe"}, {"unclaimed_pc": True, "unclaimed_aa": None}],
    ),
    "cyp_asthma_highest_risk": (
        {"age": 5, "reg_asthma": True, "ocs_courses_12m": 2, "saba_12m": 0, "acsc_asthma_12m": 0},
        [{"age": 4}, {"age": 18}, {"reg_asthma": False}, {"ocs_courses_12m": 1}],
        [{"age": 17}, {"ocs_courses_12m": 0, "saba_12m": 6}, {"ocs_courses_12m": 0, "acsc_asthma_12m": 1}],
    ),
    "cyp_t3_weight": (
        {"age": 4, "life_stage": "child", "bmi_ge_98": True},
        [{"bmi_ge_98": False}, {"life_stage": "toddler", "age": 3}, {"life_stage": "adolescent", "age": 18}],
        [{"life_stage": "adolescent", "age": 17}],
    ),
    "meam_multiple_disadvantage": (
        {"age": 18, "meam_domain_count": 3},
        [{"meam_domain_count": 2}, {"age": 17}],
        [{"meam_domain_count": 4}],
    ),
    "core20plus5_adult": (
        {"age": 18, "core20": True, "core5_adult_smi": True},
        [{"age": 17}, {"core20": False}, {"core5_adult_smi": False}, {"in_health": False}],
        [{"core20": None, "plus_groups_coastal": True}, {"core5_adult_smi": False, "core5_adult_cancer": True}],
    ),
    "core20plus5_cyp": (
        {"age": 17, "core20": True, "core5_child_oral": True},
        [{"age": 18}, {"core20": False}, {"core5_child_oral": False}],
        [{"core20": False, "plus_groups_young_carer": True}],
    ),
    "workwell": (
        {"age": 64, "uc_lcw_lcwra": False, "fit_note_days_12m": 28, "reg_palliative": False},
        [{"age": 65}, {"age": 17}, {"fit_note_days_12m": 27}, {"reg_palliative": True}],
        [{"fit_note_days_12m": None, "uc_lcw_lcwra": True}, {"reg_palliative": None}],
    ),
    "multimorbid_deprived": (
        {"dm_and_htn": True, "core20": True},
        [{"dm_and_htn": False}, {"core20": False}, {"in_health": False}],
        [],
    ),
    "inclusion_any": ({"inclusion_group_count": 1}, [{"inclusion_group_count": 0}, {"in_health": False}], []),
    "child_u5_ed_frequent_in_crisis": (
        {"age": 4, "ae_attendances_12m": 3, "living_standard_cat": "in_crisis"},
        [{"age": 5}, {"ae_attendances_12m": 2}, {"living_standard_cat": "at_risk"}],
        [],
    ),
    "benefit_cap_temp_accommodation_mh": (
        {"benefit_capped": True, "temp_accommodation": True, "reg_depression": True},
        [{"benefit_capped": False}, {"temp_accommodation": None}, {"reg_depression": False}],
        [{"reg_depression": False, "mh_open_referral": True}],
    ),
}


def test_every_shipped_cohort_has_cases() -> None:
    assert set(CASES) == set(shipped_cohorts())


def _is_member(cohort_id: str, person: Person) -> bool:
    row = pl.DataFrame([person], schema_overrides={n: feature_columns()[n] for n in person})
    missing = [pl.lit(None, dtype).alias(n) for n, dtype in feature_columns().items() if n not in person]
    return bool(select(cohort(cohort_id)).rows(row.with_columns(missing)).members.item())


@pytest.mark.parametrize("cohort_id", list(CASES))
def test_who_just_belongs_and_who_just_does_not(cohort_id: str) -> None:
    person, outside, inside = CASES[cohort_id]
    member = LIVES_HERE | person
    assert _is_member(cohort_id, member)
    for change in (*outside, {"deceased": True}, {"authority": None}):
        assert not _is_member(cohort_id, member | change), change
    for change in inside:
        assert _is_member(cohort_id, member | change), change


@pytest.mark.parametrize("cohort_id", list(CASES))
def test_of_whom_nothing_is_known_nobody_is_a_member(cohort_id: str) -> None:
    assert not _is_member(cohort_id, dict(LIVES_HERE))
