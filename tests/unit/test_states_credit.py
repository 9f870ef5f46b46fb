"""The three states of a person's own Universal Credit and work."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from schemas.codes import DeductionReason
from tests.features.three_states import GP, RECENT, SHBE, Case, People, people_with, three_states, whose

CASES: Final = {
    "uc_conditionality": Case("no_work_requirements", "no_award", "health"),
    "uc_lcw_lcwra": Case(True, False, "health"),
    "sanctioned_12m": Case(True, False, "health"),
    "uc_deductions_total": Case(9_000, 0, "health"),
    **{f"deduction_types_{reason}": Case(True, False, "health") for reason in DeductionReason},
    "in_work": Case(True, False, "health"),
    "hours_band": Case("16_to_29", "none", "welfare"),
    "earnings_below_lw": Case(True, None, "welfare"),
    "carer_any": Case(True, False, "absent"),
}


def _claim(who: str, **more: Any) -> dict[str, Any]:
    held = {"claim_ref": f"claim-{who}", "benefit": "hb", "role": "claimant", "status": "in_payment"}
    return whose(who, SHBE, **held, **more)


def _period(month: int, **more: Any) -> dict[str, Any]:
    return whose(
        "full", SHBE, claim_ref="u1", period_from=date(2026, month, 1), period_to=date(2026, month, 28), **more
    )


@pytest.fixture(scope="module")
def people() -> People:
    working = _claim("full", weekly_earnings_pence=19_000, weekly_work_hours=16.0, carer_premium=False)
    idle = _claim("plain", weekly_earnings_pence=0, weekly_work_hours=0.0, carer_premium=False)
    periods = [
        _period(1, sanctioned=True, conditionality="searching_for_work", work_capability="none"),
        _period(
            6, sanctioned=False, conditionality="no_work_requirements", work_capability="lcwra", carer_element=True
        ),
    ]
    taken = [
        whose("full", SHBE, reason=reason.value, deducted_on=date(2026, 5, 3), monthly_pence=1_000)
        for reason in DeductionReason
    ]
    older = whose("full", SHBE, reason="rent", deducted_on=date(2026, 4, 3), monthly_pence=7_000)
    codes = [whose("plain", GP, code="smoker", recorded_on=RECENT)]
    return people_with(
        {
            "claims": [working, idle],
            "credit_periods": periods,
            "deductions": [*taken, older],
            "coded_events": codes,
        }
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("credit", CASES)


def test_a_period_that_ended_long_ago_holds_no_more() -> None:
    old = _period(1, conditionality="searching_for_work", work_capability="lcw", monthly_earnings_pence=50_000)
    full = people_with({"credit_periods": [old]})["full"]
    assert (full["uc_conditionality"], full["uc_lcw_lcwra"], full["in_work"]) == ("no_award", False, None)


@pytest.mark.parametrize(("pence", "below"), [(12_709, True), (12_710, False)])
def test_the_living_wage_is_an_open_edge(pence: int, below: bool) -> None:
    claim = _claim("full", weekly_earnings_pence=pence, weekly_work_hours=10.0)
    assert people_with({"claims": [claim]})["full"]["earnings_below_lw"] is below
