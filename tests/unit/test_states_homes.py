"""The three states of who shares a property, and the rules of when that is told."""

from __future__ import annotations

from typing import Any, Final

import pytest

from linkage.features.homes import LEAST_MEMBERS
from linkage.features.households import MOST_RESIDENTS
from tests.features.three_states import AS_OF, GP, RECENT, Case, People, Rows, people_with, three_states, whose

HOME: Final = {"property_ref": "h1", "property_match": "residency"}
OTHER: Final = {"property_ref": "h2", "property_match": "residency"}

CASES: Final = {
    "puprn_match_status": Case("residency", "residency", "health"),
    "uprn_household_status": Case("household", "household", "welfare"),
    "uprn_household_size": Case(3, 3, "health"),
    "n_members_linked": Case(1, 1, "health"),
    "n_members_ltc": Case(1, 0, "health"),
    "any_child_asthma": Case(True, False, "health"),
    "any_emergency_adm": Case(True, False, "health"),
    "any_smoker": Case(True, False, "health"),
    "max_prio_group": Case("none", "none", "health"),
}


def _patient(who: str, **more: Any) -> dict[str, Any]:
    return {"source": GP, "subject_ref": who, "feed": "health", "birth_year_month": "1980-01", **more}


def _world(extra: Rows) -> People:
    """Two homes: in the first a child with asthma who was admitted, and a smoker; in the second nothing of it."""
    welfare = [{"source": "medway.shbe", "subject_ref": who, "feed": "welfare"} for who in ("full", "plain", "welfare")]
    child = _patient("child", birth_year_month="2015-01", **HOME)
    homes = [_patient("full", **HOME), child, _patient("smoker", **HOME)]
    others = [_patient(who, **OTHER) for who in ("plain", "plain-2", "plain-3")]
    return people_with(
        {
            "diagnoses": [
                whose("child", GP, condition="asthma", status="active", recorded_on=RECENT),
            ],
            "medications": [whose("child", GP, drug_group="saba", issued_on=RECENT, issues=1)],
            "measurements": [whose("plain", GP, kind="bmi_kg_m2", value=22.0, recorded_on=RECENT)],
            "encounters": [whose("child", GP, kind="admission", started_on=RECENT, admission_method="21")],
            "coded_events": [
                whose("smoker", GP, code="smoker", recorded_on=RECENT),
            ],
        },
        demographics=[*homes, *others, _patient("health"), *welfare, *extra],
    )


@pytest.fixture(scope="module")
def people() -> People:
    return _world([])


test_a_feature_tells_value_negative_and_unknown_apart = three_states("homes", CASES)


@pytest.mark.parametrize("residents", [1, LEAST_MEMBERS - 1, LEAST_MEMBERS, MOST_RESIDENTS, MOST_RESIDENTS + 1])
def test_health_of_a_home_is_told_of_three_to_ten_people(residents: int) -> None:
    rows = [_patient(f"r{n}", property_ref="h9", property_match="residency") for n in range(residents)]
    one = _world(rows)["r0"]
    makes_one = residents <= MOST_RESIDENTS
    assert one["uprn_household_size"] == (residents if makes_one else None)
    assert one["uprn_household_status"] == ("household" if makes_one else "too_many_residents")
    assert (one["any_emergency_adm"] is not None) == (LEAST_MEMBERS <= residents <= MOST_RESIDENTS)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"property_match": "non_residential", "property_ref": "h9"}, "institutional"),
        ({"property_match": "improbable", "property_ref": "h9"}, "too_many_residents"),
        ({"property_match": "imprecise", "property_ref": "h9"}, "match_uncertain"),
        ({"property_match": "multiple"}, "match_uncertain"),
        ({"property_match": "no_data"}, "no_property"),
        ({}, "no_property"),
    ],
)
def test_who_is_lost_to_household_features_is_told_with_the_reason(said: dict[str, Any], status: str) -> None:
    one = _world([_patient("lost", **said)])["lost"]
    assert (one["uprn_household_status"], one["uprn_household_size"]) == (status, None)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"circumstances": [whose("r", GP, kind="accommodation", code="HM05", recorded_on=RECENT)]}, "homeless"),
        ({"circumstances": [whose("r", GP, kind="accommodation", code="CH01", recorded_on=RECENT)]}, "institutional"),
        ({"care_arrangements": [whose("r", GP, package="care_home_nursing", started_on=RECENT)]}, "institutional"),
        (
            {"care_arrangements": [whose("r", GP, package="care_home_nursing", started_on=RECENT, ended_on=AS_OF)]},
            "no_property",
        ),
        ({"care_arrangements": [whose("r", GP, package="home_care", started_on=RECENT)]}, "no_property"),
    ],
)
def test_homeless_and_institutional_people_are_told_apart(facts: dict[str, Rows], status: str) -> None:
    people = people_with(facts, demographics=[_patient("r")])
    assert people["r"]["uprn_household_status"] == status
