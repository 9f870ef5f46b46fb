"""The three states of housing, homelessness and help with rent."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from tests.features.three_states import GP, RECENT, SHBE, Case, People, people_with, three_states, whose

HOUSING: Final = "medway.housing"

CASES: Final = {
    "temp_accommodation": Case(True, False, "welfare"),
    "supported_accommodation": Case(True, False, "welfare"),
    "homeless_duty_12m": Case(True, False, "health"),
    "rough_sleep_flag": Case(True, False, "absent"),
    "case_household_size": Case(1, 0, "health"),
    "case_temp_accommodation": Case(True, False, "health"),
    "account_household_size": Case(2, None, "welfare"),
    "under_occupied_bedrooms": Case(1, 0, "welfare"),
    "overcrowded": Case(False, True, "welfare"),
    "epc_band": Case("F", None, "welfare"),
    "hsf_award_12m": Case(True, False, "welfare"),
    "dhp_award_12m": Case(True, False, "welfare"),
}


def _claim(who: str, **more: Any) -> dict[str, Any]:
    held = {"claim_ref": f"claim-{who}", "benefit": "hb", "role": "claimant", "status": "in_payment"}
    return whose(who, SHBE, **{**held, **more})


def _bedrooms(who: str, has: int, needs: int, on: date = RECENT) -> dict[str, Any]:
    return whose(who, SHBE, claim_ref=f"claim-{who}", bedrooms=has, bedrooms_needed=needs, recorded_on=on)


@pytest.fixture(scope="module")
def people() -> People:
    claims = [
        _claim("full", tenure="temporary", supported_accommodation=True, account_ref="x1"),
        _claim("child", claim_ref="claim-full", role="child"),
        _claim("plain", tenure="council", supported_accommodation=False),
    ]
    case = {"case_ref": "h1", "duty": "relief", "started_on": RECENT}
    stated = {"temporary_accommodation": True, "rough_sleeping": True}
    return people_with(
        {
            "claims": claims,
            "homelessness": [whose("full", SHBE, **case, **stated)],
            "occupancies": [
                _bedrooms("full", 3, 2),
                _bedrooms("plain", 1, 2),
                _bedrooms("full", 1, 5, date(2020, 1, 1)),
            ],
            "dwellings": [whose("full", SHBE, recorded_on=RECENT, energy_band="F")],
            "awards": [whose("full", SHBE, kind=kind, awarded_on=RECENT) for kind in ("hsf", "dhp")],
            "circumstances": [whose("plain", GP, kind="accommodation", code="MA04", recorded_on=RECENT)],
        }
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("housing", CASES)


def test_a_councils_cases_say_nothing_of_another_councils_people() -> None:
    case = whose("full", SHBE, case_ref="h1", duty="main", started_on=RECENT)
    elsewhere = {"source": "swale.shbe", "subject_ref": "swale", "feed": "welfare"}
    here = {"source": SHBE, "subject_ref": "full", "feed": "welfare"}
    people = people_with({"homelessness": [case]}, demographics=[here, elsewhere])
    assert people["full"]["homeless_duty_12m"] is True
    assert people["swale"]["homeless_duty_12m"] is None


@pytest.mark.parametrize(
    ("started", "ended", "owed"),
    [
        (date(2024, 1, 1), date(2025, 6, 30), False),
        (date(2024, 1, 1), date(2025, 7, 1), True),
        (date(2026, 6, 30), None, True),
        (date(2026, 7, 1), None, False),
    ],
)
def test_a_duty_counts_that_was_owed_within_twelve_months(started: date, ended: date | None, owed: bool) -> None:
    case = whose("full", SHBE, case_ref="h1", duty="prevention", started_on=started, ended_on=ended)
    assert people_with({"homelessness": [case]})["full"]["homeless_duty_12m"] is owed


def test_facts_of_another_file_of_the_council_count_for_everybody_in_the_claim() -> None:
    rows = [{"source": SHBE, "subject_ref": who, "feed": "welfare"} for who in ("mother", "son")] + [
        {"source": HOUSING, "subject_ref": "mother", "feed": "welfare"}
    ]
    claims = [_claim("mother", claim_ref="c1"), _claim("son", claim_ref="c1", role="child")]
    bedrooms = {**_bedrooms("mother", 2, 3), "source": HOUSING}
    people = people_with({"claims": claims, "occupancies": [bedrooms]}, demographics=rows)
    assert people["son"]["overcrowded"] is people["mother"]["overcrowded"] is True
