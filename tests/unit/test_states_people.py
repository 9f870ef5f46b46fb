"""The three states of the features of the person."""

from __future__ import annotations

from typing import Final

import pytest

from tests.features.three_states import (
    DEMOGRAPHICS,
    GEOGRAPHY,
    GP,
    NEVER,
    SHBE,
    Case,
    People,
    people_with,
    three_states,
)

CASES: Final = {
    "age": Case(76, 0, "health"),
    "age_band": Case("75-79", "0-4", "welfare"),
    "life_stage": Case("elderly", "infant", "health"),
    "sex_code": Case("2", "1", "health"),
    "ethnic_cat_16": Case("M", "A", "health"),
    "ethnic_group_5": Case("black", "white", "health"),
    "ethnicity_conflict": Case(True, False, "health"),
    "interpreter_needed": Case(True, False, "health"),
    "school_age_band": Case("after_school", "before_school", "health"),
    "deceased": Case(True, False, "absent"),
    "lsoa": Case("E01000001", "E01000002", "health"),
    "ward": Case("North", "South", "health"),
    "authority": Case("m", "s", "welfare"),
    "imd_decile": Case(1, 9, "health"),
    "core20": Case(True, False, "health"),
    "imd_version": Case("2025", "2019", "health"),
    "rural_urban": Case("urban", "rural", "health"),
    "coastal_flag": Case(True, False, "health"),
    "pm25_band": Case("9_to_11", "7_to_9", "health"),
    "gp_distance_band": Case("under_1", "2_to_4", "health"),
    "practice_code": Case("G82001", "G82999", "health"),
    "pcn_code": Case("U10128", None, "health"),
    "place": Case("medway_swale", None, "health"),
    "in_health": Case(True, True, NEVER),
    "in_welfare": Case(True, True, NEVER),
    "linked": Case(True, True, NEVER),
    "link_probability": Case(0.97, 1.0, "health"),
}


_SAID: Final = {
    ("full", GP): {"death_year_month": "2026-05", "interpreter_needed": True, "practice_code": "G82001"},
    ("full", SHBE): {"ethnic_category": "A"},
    ("plain", GP): {"interpreter_needed": False, "practice_code": "G82999"},
}
_PLACES: Final = [
    {
        **GEOGRAPHY[0],
        "lsoa_version": "2021",
        "imd_version": "2025",
        "rural_urban": "urban",
        "coastal": True,
        "pm25_ug_m3": 9.0,
        "distance_gp_km": 0.9,
    },
    # The older edition of an area that did not change: the newer holds.
    {**GEOGRAPHY[0], "lsoa_version": "2011", "imd_version": "2019", "imd_decile": 5},
    {
        **GEOGRAPHY[1],
        "lsoa_version": "2011",
        "imd_version": "2019",
        "rural_urban": "rural",
        "coastal": False,
        "pm25_ug_m3": 8.9,
        "distance_gp_km": 2.0,
    },
]


@pytest.fixture(scope="module")
def people() -> People:
    rows = [row | _SAID.get((row["subject_ref"], row["source"]), {}) for row in DEMOGRAPHICS]
    practices = [{"practice_code": "G82001", "pcn_code": "U10128", "place": "medway_swale"}]
    return people_with({}, demographics=rows, geography=_PLACES, practices=practices)


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
