"""The three states of cancer screening."""

from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from tests.features.records import computed, record
from tests.features.three_states import AS_OF, GP, RECENT, Case, People, people_with, three_states, whose

CASES: Final = {
    "bowel_screen_status": Case("overdue", "not_recorded", "welfare"),
    "breast_screen_status": Case("overdue", "not_recorded", "welfare"),
    "cervical_screen_status": Case("complete", "not_recorded", "welfare"),
    "overdue_screen_n": Case(2, 0, "welfare"),
}


@pytest.fixture(scope="module")
def people() -> People:
    stands = {"bowel": "overdue", "breast": "overdue", "cervical": "complete"}
    return people_with(
        {"screenings": [whose("full", GP, programme=p, status=s, recorded_on=RECENT) for p, s in stands.items()]}
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("screening", CASES)


def test_the_newest_entry_up_to_the_day_holds() -> None:
    entries = [
        {"programme": "bowel", "status": "overdue", "recorded_on": date(2024, 1, 1)},
        {"programme": "bowel", "status": "complete", "recorded_on": AS_OF},
        {"programme": "bowel", "status": "due", "recorded_on": date(2026, 7, 1)},
    ]
    assert computed({"p": record(screenings=entries)})["p"]["bowel_screen_status"] == "complete"


def test_a_programme_that_no_source_delivers_is_unknown_and_the_others_known() -> None:
    entry = {"programme": "bowel", "status": "overdue", "recorded_on": RECENT}
    person = computed({"p": record(screenings=[entry])}, lacking=("screenings",))["p"]
    assert (person["bowel_screen_status"], person["breast_screen_status"]) == ("overdue", None)
    assert person["overdue_screen_n"] is None
