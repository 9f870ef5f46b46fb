"""The three states of what searches of the GP system found."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from linkage.features.searches import PRIORITY, UNCODED
from tests.features.records import computed, diagnosis, record
from tests.features.three_states import AS_OF, GP, RECENT, Case, People, people_with, three_states, whose

CASES: Final = {
    **{name: Case("2", "none", "welfare") for name in PRIORITY.values()},
    **{f"prio_reviewed_{condition}": Case(True, False, "welfare") for condition in PRIORITY},
    **{f"prio_review_months_{condition}": Case(3, None, "welfare") for condition in PRIORITY},
    **{f"suspected_uncoded_{condition}": Case(True, False, "welfare") for condition in UNCODED},
    "suspected_uncoded_any": Case(True, False, "welfare"),
    "asthma_highest_risk": Case(True, False, "welfare"),
}


def _found(search: str, condition: str, run_on: date = RECENT, **more: Any) -> dict[str, Any]:
    return {"search": search, "search_id": f"{search}.1", "condition": condition, "run_on": run_on, **more}


@pytest.fixture(scope="module")
def people() -> People:
    rows = [
        *(_found("priority_group", c.value, priority_group=2, reviewed_on=date(2026, 3, 30)) for c in PRIORITY),
        *(_found("suspected_uncoded", c.value) for c in UNCODED),
        _found("highest_risk", "asthma"),
    ]
    return people_with({"searches": [whose("full", GP, **row) for row in rows]})


test_a_feature_tells_value_negative_and_unknown_apart = three_states("searches", CASES)


def test_the_latest_run_holds_and_reviews_of_the_future_do_not() -> None:
    early, late = date(2026, 1, 1), date(2026, 2, 1)
    records = {
        "moved down": record(
            searches=[
                _found("priority_group", "dm", early, priority_group=1, reviewed_on=early),
                _found("priority_group", "dm", late, priority_group=3),
            ]
        ),
        "not run yet": record(searches=[_found("priority_group", "dm", date(2026, 7, 1), priority_group=1)]),
        "reviewed tomorrow": record(
            searches=[_found("priority_group", "dm", late, priority_group=1, reviewed_on=date(2026, 7, 1))]
        ),
        "reviewed today": record(searches=[_found("priority_group", "dm", late, priority_group=1, reviewed_on=AS_OF)]),
    }
    people = computed(records)
    assert [people[who]["prio_group_dm_supplied"] for who in records] == ["3", "none", "1", "1"]
    assert [people[who]["prio_reviewed_dm"] for who in records] == [False, False, False, True]
    assert people["reviewed today"]["prio_review_months_dm"] == 0


def test_what_is_supplied_and_what_is_worked_out_are_kept_apart() -> None:
    person = computed(
        {"p": record(diagnoses=[diagnosis("copd")], searches=[_found("priority_group", "copd", priority_group=1)])}
    )["p"]
    assert (person["prio_group_copd"], person["prio_group_copd_supplied"]) == ("4", "1")


def test_a_suspicion_is_no_diagnosis() -> None:
    person = computed({"p": record(searches=[_found("suspected_uncoded", "htn")])})["p"]
    assert (person["suspected_uncoded_htn"], person["suspected_uncoded_any"], person["reg_htn"]) == (True, True, False)


def test_a_condition_without_a_feature_of_its_own_counts_among_any() -> None:
    person = computed({"p": record(searches=[_found("suspected_uncoded", "osteo")])})["p"]
    assert person["suspected_uncoded_any"] is True
