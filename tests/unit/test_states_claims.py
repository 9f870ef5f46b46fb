"""The three states of claims and their households."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from tests.features.three_states import DEMOGRAPHICS, SHBE, Case, People, people_with, three_states, whose

_BENEFITS: Final = ("hb", "ctr", "uc")

CASES: Final = {
    "hb_in_payment": Case(True, False, "health"),
    "ctr_in_payment": Case(True, False, "health"),
    "uc_in_payment": Case(True, False, "health"),
    "tenure": Case("council", None, "welfare"),
    "household_size": Case(3, 1, "welfare"),
    "children_in_household": Case(1, 0, "welfare"),
    "n_children_u5": Case(1, 0, "welfare"),
    "n_nondeps": Case(1, 0, "welfare"),
    "household_type": Case("lone_parent", "single", "health"),
    "passported": Case("pension_credit", None, "welfare"),
    "disability_benefit_any": Case(True, False, "welfare"),
    "months_on_benefit": Case(17, 0, "welfare"),
    "hb_change_events_12m": Case(2, 0, "welfare"),
    "arrears_band": Case("500_to_1999", "none", "welfare"),
    "income_band": Case("under_150", "under_150", "welfare"),
}


def _claim(who: str, benefit: str, **more: Any) -> dict[str, Any]:
    held = {"claim_ref": f"claim-{who}", "role": "claimant", "status": "in_payment", "started_on": date(2025, 1, 1)}
    return whose(who, SHBE, benefit=benefit, **{**held, **more})


@pytest.fixture(scope="module")
def people() -> People:
    stated = {"tenure": "council", "weekly_income_pence": 10_000, "passported": "pension_credit"}
    declared = {"children_declared": 1, "non_dependants_declared": 1, "disability_premium": True}
    paid = [_claim("full", benefit, **stated, **declared) for benefit in _BENEFITS]
    child = _claim("child", "hb", claim_ref="claim-full", role="child")
    unpaid = [
        _claim("plain", benefit, status="other", weekly_income_pence=0, disability_premium=False)
        for benefit in _BENEFITS
    ]
    debt = whose("full", SHBE, balance_pence=60_000, kind="rent_ha")
    changes = [whose("full", SHBE, claim_ref="claim-full", changed_on=date(2026, month, 1)) for month in (2, 3, 3)]
    born = {"source": SHBE, "subject_ref": "child", "feed": "welfare", "birth_year_month": "2022-01"}
    return people_with(
        {"claims": [*paid, child, *unpaid], "arrears": [debt], "claim_changes": changes},
        demographics=[*DEMOGRAPHICS, born],
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("claims", CASES)
