"""One clear record of each feed that says everything a record can say, and what the facts in it become.

Nobody is behind them. `CLEAR_FACTS` is what a controller's file holds: list column -> its elements, as JSON would.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from linkage.encode.content import KEYED_FROM
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import LISTED_FACTS

CLEAR_FACTS: Final[dict[Feed, dict[str, list[dict[str, Any]]]]] = {
    Feed.HEALTH: {
        "diagnoses": [{"condition": "copd", "status": "active", "recorded_on": "2020-02-01"}],
        "encounters": [
            {
                "kind": "admission", "started_on": "2026-01-03", "ended_on": "2026-01-09", "admission_method": "21",
                "primary_diagnosis": "J441", "secondary_diagnoses": "I10X E119", "attended": True,
                "injury_intent": "accident", "cost_pence": 312_500,
            },
            {"kind": "outpatient", "started_on": "2026-02-11", "attended": False},
        ],
        "measurements": [
            {"kind": "systolic_mmhg", "value": 151.0, "recorded_on": "2026-03-04", "setting": "home"},
            {"kind": "efi", "value": 0.125, "recorded_on": "2026-03-04"},
        ],
        "medications": [
            {"drug_group": "all", "issued_on": "2026-03-05", "issues": 12, "distinct_drugs": 10},
            {"drug_group": "saba", "issued_on": "2026-03-05"},
        ],
        "coded_events": [{"code": "ex_smoker", "recorded_on": "2019-07-01"}],
        "screenings": [{"programme": "bowel", "status": "overdue", "recorded_on": "2025-10-10"}],
        "searches": [
            {
                "search": "priority_group", "search_id": "ucl-copd.3", "condition": "copd", "run_on": "2026-05-01",
                "priority_group": 2, "reviewed_on": "2026-05-20",
            }
        ],
        "referrals": [
            {
                "service": "social_prescribing", "opened_on": "2026-01-15", "closed_on": "2026-04-15",
                "reason": "housing",
            }
        ],
        "care_arrangements": [
            {"package": "home_care", "started_on": "2025-11-01", "ended_on": "2026-02-01", "weekly_hours": 10.5}
        ],
        "fit_notes": [{"started_on": "2026-02-02", "ended_on": "2026-03-02"}],
        "circumstances": [{"kind": "accommodation", "code": "MA01", "recorded_on": "2026-01-02"}],
        "inclusion_flags": [{"group": "young_carer", "stated_on": "2024-09-01", "ended_on": "2026-08-31"}],
    },
    Feed.WELFARE: {
        "claims": [
            {
                "claim_reference": "1001", "benefit": "hb", "role": "claimant", "status": "in_payment",
                "started_on": "2023-04-03", "ended_on": "2027-04-02", "tenure": "private_rent",
                "weekly_award_pence": 14_250, "weekly_income_pence": 21_000, "account_reference": "1001",
                "passported": "standard", "children_declared": 2, "non_dependants_declared": 0,
                "weekly_eligible_rent_pence": 18_000, "weekly_contractual_rent_pence": 19_500,
                "weekly_lha_pence": 17_260, "weekly_council_tax_pence": 3_150, "weekly_cap_reduction_pence": 500,
                "capital_pence": 90_000, "weekly_earnings_pence": 12_000, "weekly_work_hours": 16.5,
                "disability_premium": False, "carer_premium": True, "supported_accommodation": False,
            }
        ],
        "arrears": [
            {
                "kind": "council_tax", "balance_pence": 45_000, "oldest_debt_on": "2025-04-01",
                "recovery_stage": "summons", "weeks_in_arrears": 30,
            },
            {"kind": "water", "balance_pence": 0},
        ],
        "credit_periods": [
            {
                "claim_reference": "1001", "period_from": "2026-05-12", "period_to": "2026-06-11",
                "conditionality": "no_work_requirements", "work_capability": "lcwra", "carer_element": False,
                "monthly_net_award_pence": 98_000, "monthly_housing_element_pence": 62_000,
                "monthly_earnings_pence": 0, "monthly_cap_reduction_pence": 0, "two_child_limit": True,
                "sanctioned": False,
            }
        ],
        "deductions": [{"reason": "water_arrears", "deducted_on": "2026-06-11", "monthly_pence": 2_000}],
        "occupancies": [
            {"claim_reference": "1001", "bedrooms": 3, "bedrooms_needed": 0, "recorded_on": "2026-04-01"}
        ],
        "dwellings": [{"recorded_on": "2022-08-01", "energy_band": "E", "yearly_energy_pence": 231_000}],
        "homelessness": [
            {
                "case_reference": "1001", "duty": "relief", "started_on": "2026-03-01", "ended_on": "2026-04-26",
                "temporary_accommodation": True, "rough_sleeping": False, "support_needs": "mental_health budgeting",
            }
        ],
        "living_standards": [
            {"category": "at_risk", "assessed_on": "2026-05-01", "definition_source": "supplier.2026-04"}
        ],
        "unclaimed": [{"entitlement": "healthy_start", "assessed_on": "2026-05-01", "yearly_pence": 40_000}],
        "awards": [{"kind": "dhp", "awarded_on": "2026-02-14", "amount_pence": 60_000}],
        "claim_changes": [{"claim_reference": "1001", "changed_on": "2026-06-02"}],
    },
}  # fmt: skip

_DEFAULTS: Final = {"medications": {"issues": 1}, "arrears": {"recovery_stage": "none"}}


def clear_record(feed: Feed, record_id: str = "R1") -> dict[str, Any]:
    """Return a clear record with every list column filled, and everything of demographics said."""
    return {
        "record_id": record_id, "forename": "Ann", "surname": "O'Neill", "date_of_birth": "1980-06-05", "sex": "F",
        "postcode": "ME4 4TZ", "address": "12 High Street", "uprn": "100061234567", "ethnic_category": "A",
        "lsoa": "E01016123", "practice_code": "G82001", "date_of_death": "2026-05-31", "interpreter_needed": "yes",
        "property_match": "residency", **CLEAR_FACTS[feed],
    }  # fmt: skip


def expected_facts(feed: Feed) -> dict[str, list[dict[str, Any]]]:
    """Return what the facts become: each field of its contract, typed, with its default or null where nothing was
    said; fields that are keyed on the way are left out.
    """
    return {kind: [_expected(fact, feed, kind) for fact in facts] for kind, facts in CLEAR_FACTS[feed].items()}


def _expected(fact: dict[str, Any], feed: Feed, kind: str) -> dict[str, Any]:
    types = columns(LISTED_FACTS[feed][kind])
    said = {**_DEFAULTS.get(kind, {}), **fact}
    return {
        name: date.fromisoformat(said[name]) if name in said and str(dtype) == "Date" else said.get(name)
        for name, dtype in types.items()
        if name not in KEYED_FROM
    }
