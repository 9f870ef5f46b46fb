"""The three states of segmentation, and the model's rules: each element, the order of segments, what is unknown."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import pytest

from linkage.features.practice.multimorbidity import SNEE_CONDITIONS
from linkage.features.segments import MODEL, SEGMENTS
from tests.features.records import (
    LATELY,
    LONG_AGO,
    Record,
    computed,
    diagnosis,
    event,
    measured,
    record,
)
from tests.features.three_states import AS_OF, GP, Case, People, people_with, three_states, whose

CASES: Final = {
    "segment_code": Case("die_well", "child", "welfare"),
    "segment_model": Case(MODEL, MODEL, "welfare"),
    "segment_prev": Case("age_well", None, "welfare"),
}


@pytest.fixture(scope="module")
def people() -> People:
    return people_with(
        {"diagnoses": [whose("full", GP, **diagnosis("palliative"))]},
        previous=[{"person_id": "full", "segment_code": "age_well", "as_of": date(2026, 6, 29)}],
    )


test_a_feature_tells_value_negative_and_unknown_apart = three_states("segments", CASES)


def _in_hospital(code: str, kind: str = "ae_attendance", on: date = LATELY) -> list[dict[str, Any]]:
    return [{"kind": kind, "started_on": on, "primary_diagnosis": code}]


def _conditions(*names: str) -> list[dict[str, Any]]:
    return [diagnosis(name) for name in names]


_FOUR: Final = ("af", "copd", "dm", "htn")
_YEAR_AGO: Final = date(2025, 6, 30)
_ELEMENTS: Final[dict[str, tuple[Record, str]]] = {
    "nothing": (record(), "live_well"),
    "palliative": (record(diagnoses=_conditions("palliative")), "die_well"),
    "end of life": (record(coded_events=[event("end_of_life", LONG_AGO)]), "die_well"),
    "dialysis": (record(coded_events=[event("dialysis_or_transplant")]), "die_well"),
    "kidney failure": (record(coded_events=[event("ckd_stage_5")]), "die_well"),
    "kidneys nearly": (record(coded_events=[event("ckd_stage_4")]), "live_well"),
    "hip": (record(encounters=_in_hospital("S720")), "age_well"),
    "hip, admitted": (record(encounters=_in_hospital("S720", "admission")), "age_well"),
    "hip, as an outpatient": (record(encounters=_in_hospital("S720", "outpatient")), "live_well"),
    "hip, a year ago": (record(encounters=_in_hospital("S720", on=_YEAR_AGO)), "live_well"),
    "stroke": (record(encounters=_in_hospital("I639")), "age_well"),
    "fall": (record(encounters=_in_hospital("W010")), "age_well"),
    "frail in hospital": (record(encounters=_in_hospital("R54X")), "age_well"),
    "dementia": (record(diagnoses=_conditions("dementia")), "age_well"),
    "four conditions": (record(diagnoses=_conditions(*_FOUR)), "age_well"),
    "three conditions": (record(diagnoses=_conditions(*_FOUR[:3])), "stay_well"),
    "three, and a TIA": (record(diagnoses=_conditions(*_FOUR[:3]), coded_events=[event("tia", LONG_AGO)]), "age_well"),
    "severely frail": (record(measurements=[measured("efi", 0.36)]), "age_well"),
    "moderately frail": (record(measurements=[measured("efi", 0.24)]), "stay_well"),
    "mildly frail": (record(measurements=[measured("efi", 0.12)]), "live_well"),
    "housebound": (record(coded_events=[event("housebound")]), "age_well"),
    "has a carer": (record(coded_events=[event("has_carer")]), "age_well"),
    "is a carer": (record(coded_events=[event("is_carer")]), "live_well"),
    "one condition": (record(diagnoses=_conditions("htn")), "stay_well"),
    "a condition that is none of the fifteen": (record(diagnoses=_conditions("ra")), "live_well"),
    "cancer": (record(diagnoses=_conditions("cancer")), "stay_well"),
    "depressed": (record(diagnoses=_conditions("depression")), "stay_well"),
    "was depressed": (
        record(diagnoses=[diagnosis("depression"), diagnosis("depression", LATELY, "resolved")]),
        "feel_well",
    ),
    "severe mental illness": (record(diagnoses=_conditions("smi")), "feel_well"),
    "in remission": (record(diagnoses=_conditions("smi"), coded_events=[event("smi_remission")]), "feel_well"),
    "mental health contact": (
        record(encounters=[{"kind": "mental_health_contact", "started_on": LATELY}]),
        "feel_well",
    ),
    "missed contact": (
        record(encounters=[{"kind": "mental_health_contact", "started_on": LATELY, "attended": False}]),
        "live_well",
    ),
    "mental health in hospital": (record(encounters=_in_hospital("F322")), "feel_well"),
    "alcohol in hospital": (record(encounters=_in_hospital("F101")), "feel_well"),
    "drugs in hospital": (record(encounters=_in_hospital("T401")), "feel_well"),
    "tobacco in hospital": (record(encounters=_in_hospital("F172")), "live_well"),
    "self-harm in hospital": (record(encounters=_in_hospital("X640")), "feel_well"),
    "homeless in hospital": (record(encounters=_in_hospital("Z590")), "feel_well"),
    "dentistry in hospital": (record(encounters=_in_hospital("K047")), "be_well"),
    "obese": (record(measurements=[measured("bmi_kg_m2", 30)]), "be_well"),
    "smoker": (record(coded_events=[event("smoker")]), "be_well"),
    "ex-smoker": (record(coded_events=[event("ex_smoker")]), "live_well"),
    "drinks more": (record(measurements=[measured("alcohol_units_week", 14.1)]), "be_well"),
    "drinks little": (record(measurements=[measured("alcohol_units_week", 14)]), "live_well"),
    "everything": (
        record(
            diagnoses=_conditions("palliative", "smi", *_FOUR),
            coded_events=[event("smoker"), event("housebound")],
        ),
        "die_well",
    ),
    "old, ill and sad": (record(diagnoses=_conditions("dementia", "htn", "smi")), "age_well"),
    "ill and sad": (record(diagnoses=_conditions("htn", "smi")), "stay_well"),
    "sad and smoking": (record(diagnoses=_conditions("smi"), coded_events=[event("smoker")]), "feel_well"),
    "17, with everything": (record(born="2008-07", diagnoses=_conditions("palliative", *_FOUR)), "child"),
    "18": (record(born="2008-06"), "live_well"),
}


@pytest.fixture(scope="module")
def segmented() -> People:
    return computed({name: one for name, (one, _) in _ELEMENTS.items()})


@pytest.mark.parametrize("name", list(_ELEMENTS))
def test_everybody_is_in_the_first_segment_of_which_an_element_holds(segmented: People, name: str) -> None:
    assert segmented[name]["segment_code"] == _ELEMENTS[name][1]


def test_every_segment_is_reached() -> None:
    assert {segment for _, segment in _ELEMENTS.values()} == set(SEGMENTS)


@pytest.mark.parametrize(("number", "level"), [(0, "low"), (1, "medium"), (3, "medium"), (4, "high"), (14, "high")])
def test_complexity_goes_by_the_number_of_conditions(number: int, level: str) -> None:
    names = [condition.value for condition in SNEE_CONDITIONS[:number]]
    person = computed({"p": record(diagnoses=_conditions(*names))})["p"]
    assert (person["snee_ltc_count"], person["segment_complexity"]) == (number, level)


def test_an_element_that_no_source_delivers_counts_only_where_it_matters() -> None:
    records = {
        "palliative": record(diagnoses=_conditions("palliative")),
        "four": record(diagnoses=_conditions(*_FOUR)),
        "one": record(diagnoses=_conditions("htn")),
    }
    people = computed(records, lacking=("encounters",))
    assert [people[who]["segment_code"] for who in records] == ["die_well", "age_well", None]
    # One more condition could be a transient ischaemic attack, of which only events speak.
    bare = computed({**records, "three": record(diagnoses=_conditions(*_FOUR[:3]))}, lacking=("coded_events",))
    assert [bare[who]["segment_complexity"] for who in ("four", "three", "one", "palliative")] == [
        "high",
        None,
        "medium",
        None,
    ]


def test_an_age_that_is_unknown_leaves_the_segment_unknown() -> None:
    person = computed({"p": record(born=None, diagnoses=_conditions("palliative"))})["p"]
    assert (person["segment_code"], person["segment_model"]) == (None, None)


def test_the_previous_segment_is_of_an_earlier_day() -> None:
    told = [
        {"person_id": "a", "segment_code": "be_well", "as_of": date(2026, 6, 29)},
        {"person_id": "b", "segment_code": "be_well", "as_of": AS_OF},
        {"person_id": "stranger", "segment_code": "be_well", "as_of": LONG_AGO},
    ]
    people = computed({"a": record(), "b": record(), "c": record()}, previous=told)
    assert [people[who]["segment_prev"] for who in "abc"] == ["be_well", None, None]
    assert "stranger" not in people
