"""The three states of the claim household's income, poverty, living standard, help not claimed, and debts."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from schemas.working_definitions import LIVING_STANDARD
from tests.features.three_states import (
    DEMOGRAPHICS,
    RECENT,
    SHBE,
    Case,
    People,
    people_with,
    three_states,
    whose,
)

CASES: Final = {
    "lha_shortfall_pm": Case(8_667, 0, "welfare"),
    "benefit_capped": Case(True, False, "welfare"),
    "cap_weekly": Case(1_000, 0, "welfare"),
    "two_child_limit_affected": Case(True, None, "welfare"),
    "net_income_eq_band": Case("under_200", "750_and_over", "welfare"),
    "relative_poverty_ahc": Case(True, False, "welfare"),
    "fuel_poverty_lilee": Case(True, False, "welfare"),
    "living_standard_cat": Case("at_risk", "coping", "welfare"),
    "cat_source": Case("supplier.2026-04", LIVING_STANDARD, "welfare"),
    "cat_change_3m": Case(1, None, "welfare"),
    "workless_household": Case(True, False, "welfare"),
    "child_in_poverty_household": Case(True, False, "welfare"),
    **{f"unclaimed_{name}": Case(True, False, "welfare") for name in ("pc", "ctr", "fsm", "healthystart", "aa", "ca")},
    "unclaimed_total_pa": Case(60_000, 0, "welfare"),
    "ct_arrears_band": Case("under_500", "none", "welfare"),
    "rent_arrears_band": Case("500_to_1999", "none", "welfare"),
    "recovery_stage": Case("summons", "none", "welfare"),
}


def _claim(who: str, **more: Any) -> dict[str, Any]:
    held = {"claim_ref": f"claim-{who}", "benefit": "hb", "role": "claimant", "status": "in_payment"}
    return whose(who, SHBE, **{**held, **more})


def _standard(category: str, on: date, by: str = "supplier.2026-04") -> dict[str, Any]:
    return whose("full", SHBE, category=category, assessed_on=on, definition_source=by)


@pytest.fixture(scope="module")
def people() -> People:
    # `full` is the child of this population's poor household: everybody in it has what the claim says.
    young = [row | ({"birth_year_month": "2012-01"} if row["subject_ref"] == "full" else {}) for row in DEMOGRAPHICS]
    mother = {"source": SHBE, "subject_ref": "mother", "feed": "welfare", "birth_year_month": "1990-01"}
    worker = {"source": SHBE, "subject_ref": "worker", "feed": "welfare", "birth_year_month": "1990-01"}
    poor = {"weekly_income_pence": 12_000, "weekly_contractual_rent_pence": 15_000, "weekly_lha_pence": 13_000}
    rich = {"weekly_income_pence": 150_000, "weekly_contractual_rent_pence": 15_000, "weekly_lha_pence": 16_000}
    claims = [
        _claim("mother", claim_ref="c1", **poor, weekly_cap_reduction_pence=1_000, weekly_work_hours=0.0),
        _claim("full", claim_ref="c1", role="child"),
        _claim("worker", claim_ref="c2", **rich, weekly_cap_reduction_pence=0, weekly_work_hours=35.0),
        _claim("plain", claim_ref="c2", role="child"),
    ]
    period = {"claim_ref": "u1", "period_from": date(2026, 6, 1), "period_to": date(2026, 6, 30)}
    missed = ("pension_credit", "council_tax_reduction", "free_school_meals", "healthy_start")
    missed += ("attendance_allowance", "carers_allowance")
    return people_with(
        {
            "claims": claims,
            "credit_periods": [whose("mother", SHBE, **period, two_child_limit=True)],
            "dwellings": [
                whose("mother", SHBE, recorded_on=RECENT, energy_band="E", yearly_energy_pence=260_000),
                whose("worker", SHBE, recorded_on=RECENT, energy_band="B"),
            ],
            "living_standards": [
                _standard("at_risk", date(2026, 6, 1)),
                _standard("struggling", date(2026, 3, 1)),
                _standard("in_crisis", date(2026, 3, 20), "another.1"),
            ],
            "unclaimed": [
                whose("mother", SHBE, entitlement=one, assessed_on=RECENT, yearly_pence=10_000) for one in missed
            ],
            "arrears": [
                whose("mother", SHBE, kind="council_tax", balance_pence=49_999, recovery_stage="summons"),
                whose("mother", SHBE, kind="rent_ha", balance_pence=50_000, recovery_stage="reminder"),
            ],
        },
        demographics=[*young, mother, worker],
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("income", CASES)


@pytest.mark.parametrize(
    ("income_pence", "standard"),
    [
        # One adult without rent: priority 3,300 + 900 + 4,000 pence a week, other things 4,500, buffer 2,300.
        (8_199, "in_crisis"),
        (8_200, "at_risk"),
        (12_699, "at_risk"),
        (12_700, "struggling"),
        (14_999, "struggling"),
        (15_000, "coping"),
    ],
)
def test_our_own_living_standard_is_cut_where_the_working_definition_says(income_pence: int, standard: str) -> None:
    claim = _claim("full", weekly_income_pence=income_pence, tenure="owner")
    full = people_with({"claims": [claim]})["full"]
    assert (full["living_standard_cat"], full["cat_source"]) == (standard, LIVING_STANDARD)


def test_a_supplied_category_that_is_too_old_gives_way_to_ours() -> None:
    claim = _claim("full", weekly_income_pence=100_000, tenure="owner")
    old = _standard("in_crisis", date(2025, 12, 30))
    full = people_with({"claims": [claim], "living_standards": [old]})["full"]
    assert (full["living_standard_cat"], full["cat_source"]) == ("coping", LIVING_STANDARD)


def test_a_tenant_of_unknown_rent_has_no_income_after_housing() -> None:
    full = people_with({"claims": [_claim("full", weekly_income_pence=5_000, tenure="council")]})["full"]
    assert full["net_income_eq_band"] == "under_200"
    assert full["relative_poverty_ahc"] is full["living_standard_cat"] is full["fuel_poverty_lilee"] is None


@pytest.mark.parametrize(("income_pence", "poor"), [(19_139, True), (19_140, False)])
def test_the_poverty_line_is_of_equivalised_income(income_pence: int, poor: bool) -> None:
    """A single adult's share of a couple's line of 330 pounds a week after housing is 0.58."""
    claim = _claim("full", weekly_income_pence=income_pence, tenure="owner")
    assert people_with({"claims": [claim]})["full"]["relative_poverty_ahc"] is poor


def test_universal_credit_counts_once_for_a_couple() -> None:
    period = {"claim_ref": "u1", "period_from": date(2026, 6, 1), "period_to": date(2026, 6, 30)}
    paid = {**period, "monthly_net_award_pence": 26_000}
    claims = [_claim("full", tenure="owner"), _claim("plain", claim_ref="claim-full", role="partner")]
    people = people_with({"claims": claims, "credit_periods": [whose(who, SHBE, **paid) for who in ("full", "plain")]})
    assert people["full"]["living_standard_cat"] == "in_crisis"
    assert people["full"]["net_income_eq_band"] == "under_200"
