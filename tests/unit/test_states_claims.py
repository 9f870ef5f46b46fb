"""The three states of claims and their households."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from tests.features.three_states import SHBE, Case, People, people_with, three_states, whose

_BENEFITS: Final = ("hb", "ctr", "uc")

CASES: Final = {
    "hb_in_payment": Case(True, False, "health"),
    "ctr_in_payment": Case(True, False, "health"),
    "uc_in_payment": Case(True, False, "health"),
    "tenure": Case("council", None, "welfare"),
    "household_size": Case(2, 1, "welfare"),
    "children_in_household": Case(1, 0, "welfare"),
    "household_type": Case("lone_parent", "single", "health"),
    "arrears_band": Case("500_to_1999", "none", "welfare"),
    "income_band": Case("under_150", "under_150", "welfare"),
}


def _claim(who: str, benefit: str, **more: Any) -> dict[str, Any]:
    held = {"claim_ref": f"claim-{who}", "role": "claimant", "status": "in_payment", "started_on": date(2025, 1, 1)}
    return whose(who, SHBE, benefit=benefit, **{**held, **more})


@pytest.fixture(scope="module")
def people() -> People:
    paid = [_claim("full", benefit, tenure="council", weekly_income_pence=10_000) for benefit in _BENEFITS]
    child = _claim("child", "hb", claim_ref="claim-full", role="child")
    unpaid = [_claim("plain", benefit, status="other", weekly_income_pence=0) for benefit in _BENEFITS]
    debt = whose("full", SHBE, balance_pence=60_000, kind="rent_ha")
    return people_with({"claims": [*paid, child, *unpaid], "arrears": [debt]})


test_a_feature_tells_value_negative_and_unknown_apart = three_states("claims", CASES)
