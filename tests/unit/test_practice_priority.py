"""Priority groups at every threshold, on both sides, with their look-backs, precedence and what is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import pytest

from tests.features.records import (
    LATELY,
    Record,
    before,
    computed,
    diagnosis,
    event,
    issued,
    measured,
    record,
)
from tests.features.three_states import People

Facts = dict[str, list[dict[str, Any]]]
Cases = dict[str, tuple[Record, str | None]]

_YEAR: Final = date(2025, 6, 30)
_HALF: Final = date(2025, 12, 30)
_THREE_YEARS: Final = date(2023, 6, 30)
_FIVE_YEARS: Final = date(2021, 6, 30)


def _after(day: date) -> date:
    return day + timedelta(1)


def _copd(**facts: list[dict[str, Any]]) -> Record:
    return record(diagnoses=[diagnosis("copd")], **facts)


def _m(kind: str, value: float, **more: Any) -> Facts:
    return {"measurements": [measured(kind, value, **more)]}


def _e(code: str, *days: date) -> Facts:
    return {"coded_events": [event(code, on) for on in days or (before(30),)]}


def _d(group: str, on: date = LATELY) -> Facts:
    return {"medications": [issued(group, on)]}


def _copd_cases() -> Iterator[tuple[str, Facts, str]]:
    yield "nothing", {}, "4"
    for value, group in ((29.9, "1"), (30, "2"), (49.9, "2"), (50, "3"), (79.9, "3"), (80, "4")):
        yield f"FEV1 {value}", _m("fev1_percent_predicted", value), group
    for grade, group in ((1, "4"), (2, "3"), (3, "3"), (4, "2"), (5, "1")):
        yield f"MRC {grade}", _m("mrc_dyspnoea_grade", grade), group
    yield "oxygen within a year", _e("home_oxygen", _after(_YEAR)), "1"
    yield "oxygen a year ago", _e("home_oxygen", _YEAR), "4"
    yield "heart within five years", _e("cor_pulmonale", _after(_FIVE_YEARS)), "2"
    yield "heart five years ago", _e("cor_pulmonale", _FIVE_YEARS), "4"
    yield "one exacerbation", _e("copd_exacerbation", _after(_YEAR)), "3"
    yield "one exacerbation coded twice", _e("copd_exacerbation", before(9), before(9)), "3"
    yield "two exacerbations", _e("copd_exacerbation", before(9), before(10)), "2"
    yield "two, one a year ago", _e("copd_exacerbation", before(9), _YEAR), "3"
    yield "exacerbation a year ago", _e("copd_exacerbation", _YEAR), "4"
    for drug in ("oral_steroid", "respiratory_antibiotic"):
        yield f"{drug} within a year", _d(drug, _after(_YEAR)), "3"
        yield f"{drug} a year ago", _d(drug, _YEAR), "4"
    yield "triple within half a year", _d("triple_inhaler", _after(_HALF)), "3"
    yield "triple half a year ago", _d("triple_inhaler", _HALF), "4"
    yield "1 before 2", {**_m("fev1_percent_predicted", 20), **_e("cor_pulmonale")}, "1"
    yield "2 before 3", {**_m("mrc_dyspnoea_grade", 4), **_d("oral_steroid")}, "2"
    yield (
        "the newest lung function",
        {"measurements": [measured("fev1_percent_predicted", 20, before(40)), measured("fev1_percent_predicted", 85)]},
        "4",
    )


def _dm(**facts: list[dict[str, Any]]) -> Record:
    conditions = facts.pop("also", [])
    return record(diagnoses=[diagnosis("dm"), *conditions], **facts)


def _with(*parts: Facts) -> Facts:
    joined: Facts = {}
    for part in parts:
        for kind, rows in part.items():
            joined.setdefault(kind, []).extend(rows)
    return joined


def _also(condition: str) -> Facts:
    return {"also": [diagnosis(condition)]}


def _dm_cases() -> Iterator[tuple[str, Facts, str]]:
    def hba1c(value: float) -> Facts:
        return _m("hba1c_mmol_mol", value)

    def at(systolic: float, diastolic: float, setting: str) -> Facts:
        return {
            "measurements": [
                measured("systolic_mmhg", systolic, setting=setting),
                measured("diastolic_mmhg", diastolic, setting=setting),
            ]
        }

    yield "nothing", {}, "4"
    for value, group in (
        (48, "4"),
        (48.1, "4"),
        (58, "4"),
        (58.1, "3b"),
        (75, "3b"),
        (75.1, "2"),
        (90, "2"),
        (90.1, "1"),
    ):
        yield f"HbA1c {value}", hba1c(value), group
    for value, group in ((14.9, "1"), (15, "2"), (29.9, "2"), (30, "4"), (44.9, "4"), (45, "4")):
        yield f"eGFR {value}", _m("egfr_ml_min", value), group
    for value, group in ((70, "4"), (70.1, "2"), (250, "2"), (250.1, "1")):
        yield f"ACR {value}", _m("acr_mg_mmol", value), group
    yield "ELF 9.8", _m("elf_score", 9.8), "4"
    yield "ELF 9.9", _m("elf_score", 9.9), "1"
    for condition in ("chd", "hf", "af"):
        yield f"HbA1c 75.1 with {condition}", _with(hba1c(75.1), _also(condition)), "1"
    yield "HbA1c 75 with chd", _with(hba1c(75), _also("chd")), "3b"
    yield "HbA1c 75.1 with stroke", _with(hba1c(75.1), _also("stroke")), "2"
    yield "HbA1c 75.1 with an old infarction", _with(hba1c(75.1), _e("myocardial_infarction", _FIVE_YEARS)), "1"
    for drug in ("insulin", "glp1"):
        yield f"HbA1c 75.1 with {drug}", _with(hba1c(75.1), _d(drug, _after(_HALF))), "1"
        yield f"HbA1c 75.1 with {drug} half a year ago", _with(hba1c(75.1), _d(drug, _HALF)), "2"
    yield "foot ulcer within three years", _e("foot_ulcer", _after(_THREE_YEARS)), "2"
    yield "foot ulcer three years ago", _e("foot_ulcer", _THREE_YEARS), "4"
    for code in ("myocardial_infarction", "stroke_event"):
        yield f"{code} within a year", _e(code, _after(_YEAR)), "2"
        yield f"{code} a year ago", _e(code, _YEAR), "4"
    yield "TIA alone", _e("tia"), "4"
    yield "TIA within a year", _with(hba1c(60), _e("tia", _after(_YEAR))), "3a"
    yield "TIA a year ago", _with(hba1c(60), _e("tia", _YEAR)), "3b"
    for value, group in ((29.9, "2"), (30, "3a"), (44.9, "3a"), (45, "3b")):
        yield f"HbA1c 60, eGFR {value}", _with(hba1c(60), _m("egfr_ml_min", value)), group
    for value, group in ((30, "3b"), (30.1, "3a"), (70, "3a"), (70.1, "2")):
        yield f"HbA1c 60, ACR {value}", _with(hba1c(60), _m("acr_mg_mmol", value)), group
    for systolic, diastolic, group in ((139, 89, "3b"), (140, 80, "3a"), (130, 90, "3a")):
        yield f"HbA1c 60, {systolic}/{diastolic}", _with(hba1c(60), at(systolic, diastolic, "ambulatory")), group
    yield "HbA1c 60, 150/95 in clinic", _with(hba1c(60), at(150, 95, "clinic")), "3b"
    yield "HbA1c 60, 150/95 at home", _with(hba1c(60), at(150, 95, "home")), "3b"
    for value, group in ((35, "4"), (35.1, "3b")):
        yield f"HbA1c 50, BMI {value}", _with(hba1c(50), _m("bmi_kg_m2", value)), group
    for value, group in ((44.9, "4"), (45, "3b"), (49.9, "3b"), (50, "4")):
        yield f"HbA1c 50, eGFR {value}", _with(hba1c(50), _m("egfr_ml_min", value)), group
    for value, group in ((2.9, "4"), (3, "3b"), (30, "3b"), (30.1, "4")):
        yield f"HbA1c 50, ACR {value}", _with(hba1c(50), _m("acr_mg_mmol", value)), group
    for value, group in ((48, "4"), (48.1, "3b")):
        yield f"HbA1c {value}, heart failure", _with(hba1c(value), _also("hf")), group
    yield "HbA1c 50, arteries", _with(hba1c(50), _also("pad")), "3b"
    yield "HbA1c 50, insulin", _with(hba1c(50), _d("insulin")), "3b"
    yield "HbA1c 50, 140/80 ambulatory", _with(hba1c(50), at(140, 80, "ambulatory")), "3b"


def _bp(systolic: float, diastolic: float, setting: str | None = "clinic", on: date = LATELY) -> Facts:
    return {
        "measurements": [
            measured("systolic_mmhg", systolic, on, setting),
            measured("diastolic_mmhg", diastolic, on, setting),
        ]
    }


def _htn_cases() -> Iterator[tuple[str, Record, str]]:
    def one(*facts: Facts, also: tuple[str, ...] = (), **who: Any) -> Record:
        return record(**who, diagnoses=[diagnosis(c) for c in ("htn", *also)], **_with(*facts))

    yield "nothing", one(), "4"
    clinic = ((140, 90, "4"), (141, 90, "3b"), (140, 91, "3b"), (160, 100, "3b"), (161, 100, "2"), (160, 101, "2"))
    clinic += ((180, 120, "2"), (181, 80, "1"), (130, 121, "1"))
    away = ((135, 85, "4"), (136, 85, "3b"), (135, 86, "3b"), (150, 95, "3b"), (151, 80, "2"), (130, 96, "2"))
    away += ((170, 115, "2"), (171, 80, "1"), (130, 116, "1"))
    for systolic, diastolic, group in clinic:
        for setting in ("clinic", None):
            yield f"{systolic}/{diastolic} {setting}", one(_bp(systolic, diastolic, setting)), group
    for systolic, diastolic, group in away:
        for setting in ("home", "ambulatory"):
            yield f"{systolic}/{diastolic} {setting}", one(_bp(systolic, diastolic, setting)), group
    yield "a year ago", one(_bp(190, 125, on=_YEAR)), "4"
    yield "within the year", one(_bp(190, 125, on=_after(_YEAR))), "1"
    for condition in ("chd", "stroke", "pad", "ckd", "dm"):
        yield f"145 with {condition}", one(_bp(145, 80), also=(condition,)), "3a"
        yield f"145 with {condition}, listed group", one(_bp(145, 80), also=(condition,), ethnic="M"), "2"
        yield f"140 with {condition}, listed group", one(_bp(140, 80), also=(condition,), ethnic="M"), "4"
    yield "145, listed group", one(_bp(145, 80), ethnic="J"), "3a"
    yield "145, white", one(_bp(145, 80), ethnic="C"), "3b"
    for value, group in ((59.9, "3a"), (60, "3b")):
        yield f"145, eGFR {value}", one(_bp(145, 80), _m("egfr_ml_min", value)), group
    for value, group in ((35, "3b"), (35.1, "3a")):
        yield f"145, BMI {value}", one(_bp(145, 80), _m("bmi_kg_m2", value)), group
    eighty, older = "1945-07", "1945-06"
    for born, systolic, diastolic, setting, group in (
        (eighty, 141, 80, "clinic", "3b"),
        (older, 150, 90, "clinic", "4"),
        (older, 151, 80, "clinic", "3b"),
        (older, 141, 91, "clinic", "3b"),
        (older, 145, 85, "home", "4"),
        (older, 146, 80, "home", "3b"),
        (older, 161, 80, "clinic", "2"),
    ):
        yield f"born {born}, {systolic}/{diastolic} {setting}", one(_bp(systolic, diastolic, setting), born=born), group
    yield "lower since, at home", one(_bp(190, 125, on=before(40)), _bp(130, 80, "home")), "4"
    yield "higher since, at home", one(_bp(130, 80, on=before(40)), _bp(172, 80, "home")), "1"
    yield "both places on one day", one(_bp(130, 80), _bp(172, 80, "home")), "1"
    yield (
        "an older half of a pair does not count",
        one({"measurements": [measured("systolic_mmhg", 190, before(40)), measured("diastolic_mmhg", 80, before(30))]}),
        "4",
    )


def _all() -> Iterator[tuple[str, str, Record, str]]:
    for name, facts, group in _copd_cases():
        yield "copd", name, _copd(**facts), group
    for name, facts, group in _dm_cases():
        yield "dm", name, _dm(**facts), group
    for name, one, group in _htn_cases():
        yield "htn", name, one, group


CASES: Final = {f"{condition}: {name}": (condition, one, group) for condition, name, one, group in _all()}


@pytest.fixture(scope="module")
def people() -> People:
    return computed({name: one for name, (_, one, _) in CASES.items()})


@pytest.mark.parametrize("name", list(CASES))
def test_the_first_rule_that_holds_gives_the_group(people: People, name: str) -> None:
    condition, _, group = CASES[name]
    assert people[name][f"prio_group_{condition}"] == group


def test_nobody_off_the_register_is_in_a_group() -> None:
    facts = {**_m("fev1_percent_predicted", 10), "coded_events": [event("foot_ulcer")]}
    person = computed({"p": record(**facts)})["p"]
    assert [person[f"prio_group_{c}"] for c in ("copd", "dm", "htn")] == ["none"] * 3


def test_a_rule_of_unknown_facts_counts_only_where_it_could_come_first() -> None:
    records = {
        "severe": _copd(**_m("fev1_percent_predicted", 20)),
        "less severe": _copd(**_m("fev1_percent_predicted", 40)),
        "off the register": record(),
    }
    people = computed(records, lacking=("coded_events",))
    # Oxygen at home, of which no source speaks, would put the second into group 1.
    assert [people[who]["prio_group_copd"] for who in records] == ["1", None, "none"]
    known = computed({"p": _copd()}, lacking=("medications",))["p"]
    assert known["prio_group_copd"] is None


def test_an_unknown_ethnic_group_or_age_counts_only_where_it_decides() -> None:
    def one(systolic: float, **who: Any) -> Record:
        return record(**who, diagnoses=[diagnosis("htn")], **_bp(systolic, 80))

    records = {
        "145": one(145, ethnic="Z"),
        "165": one(165, ethnic="Z"),
        "135": one(135, ethnic="Z"),
        "145 of no age": one(145, born=None),
        "155 of no age": one(155, born=None),
        "140 of no age": one(140, born=None),
    }
    people = computed(records)
    assert [people[who]["prio_group_htn"] for who in records] == [None, "2", "4", None, "3b", "4"]
