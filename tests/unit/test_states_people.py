"""The three states of the features of the person."""

from __future__ import annotations

from typing import Final

import pytest

from tests.features.three_states import DEMOGRAPHICS, NEVER, SHBE, Case, People, people_with, three_states

_DEAD: Final = {"death_year_month": "2026-05"}

CASES: Final = {
    "age": Case(76, 0, "health"),
    "age_band": Case("75-79", "0-4", "welfare"),
    "life_stage": Case("elderly", "infant", "health"),
    "sex_code": Case("2", "1", "health"),
    "ethnic_group_5": Case("black", "white", "health"),
    "ethnicity_conflict": Case(True, False, "health"),
    "deceased": Case(True, False, "absent"),
    "lsoa": Case("E01000001", "E01000002", "health"),
    "ward": Case("North", "South", "health"),
    "authority": Case("m", "s", "welfare"),
    "imd_decile": Case(1, 9, "health"),
    "core20": Case(True, False, "health"),
    "in_health": Case(True, True, NEVER),
    "in_welfare": Case(True, True, NEVER),
    "linked": Case(True, True, NEVER),
    "link_probability": Case(0.97, 1.0, "health"),
}


@pytest.fixture(scope="module")
def people() -> People:
    other = {("full", SHBE): {"ethnic_category": "A"}}
    rows = [
        row | (_DEAD if row["subject_ref"] == "full" else {}) | other.get((row["subject_ref"], row["source"]), {})
        for row in DEMOGRAPHICS
    ]
    return people_with({}, demographics=rows)


test_a_feature_tells_value_negative_and_unknown_apart = three_states("people", CASES)


def test_presence_is_told_of_each_feed(people: People) -> None:
    held = {who: (p["in_health"], p["in_welfare"], p["linked"]) for who, p in people.items()}
    assert held == {
        "full": (True, True, True),
        "plain": (True, True, True),
        "health": (True, False, False),
        "welfare": (False, True, False),
        "absent": (False, False, False),
    }
