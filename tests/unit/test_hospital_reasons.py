"""Why people came to hospital: lists at their edges, falls, self-harm, readmission, cost, the Charlson index."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import pytest

from linkage.features.hospital.use import READMITTED_WITHIN_DAYS
from schemas.code_lists import code_list
from tests.features.records import computed, record
from tests.features.three_states import AS_OF, RECENT, People

Stay = dict[str, Any]


def _stay(
    primary: str | None = "K409",
    secondary: str | None = None,
    *,
    method: str = "21",
    on: date = RECENT,
    days: int | None = 1,
    kind: str = "admission",
    **more: Any,
) -> Stay:
    return {
        "kind": kind,
        "admission_method": method if kind == "admission" else None,
        "primary_diagnosis": primary,
        "secondary_diagnoses": secondary,
        "started_on": on,
        "ended_on": None if days is None else on + timedelta(days),
        **more,
    }


_LISTED: Final[dict[str, tuple[Stay, str | None]]] = {
    "bronchitis": (_stay("J209"), None),
    "bronchitis beside COPD": (_stay("J209", "I10X J440"), "copd"),
    "COPD beside bronchitis": (_stay("J440", "J209"), "copd"),
    "COPD secondary to a fracture": (_stay("S720", "J440"), None),
    "diabetes further down": (_stay("S720", "I259 E112"), "diabetes"),
    "diabetes without a complication": (_stay("S720", "E119"), None),
    "a code that ends like diabetes": (_stay("S720", "ZE11"), None),
    "asthma planned": (_stay("J459", method="11"), None),
    "asthma secondary": (_stay("S720", "J459"), None),
}
_FALLS: Final[dict[str, tuple[Stay, str | None, int | None]]] = {
    "injury and fall": (_stay("S525", "W010"), "1961-06", 1),
    "at 64": (_stay("S525", "W010"), "1961-07", 0),
    "of no age": (_stay("S525", "W010"), None, None),
    "of no age, no fall": (_stay("J440"), None, 0),
    "injury and assault": (_stay("S010", "Y040"), "1940-01", 0),
    "fall alone": (_stay("J440", "W010"), "1940-01", 0),
    "tendency to fall": (_stay("R296"), "1940-01", 1),
    "tendency, secondary": (_stay("J440", "R296"), "1940-01", 0),
    "hip fracture of no cause": (_stay("S720"), "1940-01", 1),
    "hip fracture, secondary": (_stay("J440", "S720"), "1940-01", 1),
    "hip fracture in traffic": (_stay("S720", "V031"), "1940-01", 0),
    "planned": (_stay("S525", "W010", method="11"), "1940-01", 0),
    "a year ago": (_stay("S525", "W010", on=date(2025, 6, 30)), "1940-01", 0),
}
_TWO_YEARS: Final = date(2024, 6, 30)
_HARMED: Final[dict[str, tuple[Stay, bool]]] = {
    "X60": (_stay("T390", "X600"), True),
    "X84": (_stay("T390", "X84X"), True),
    "X85 is assault": (_stay("T390", "X85X"), False),
    "Y870": (_stay("T390", "Y870"), True),
    "Y871": (_stay("T390", "Y871"), False),
    "planned": (_stay("T390", "X600", method="11"), False),
    "within 24 months": (_stay("T390", "X600", on=_TWO_YEARS + timedelta(1)), True),
    "24 months ago": (_stay("T390", "X600", on=_TWO_YEARS), False),
    "emergency department, by intent": (_stay(None, kind="ae_attendance", injury_intent="self_inflicted"), True),
    "emergency department, accident": (_stay(None, kind="ae_attendance", injury_intent="accident"), False),
    "emergency department, by code": (_stay("X600", kind="ae_attendance"), False),
}
_POINTS: Final[dict[str, tuple[list[Stay], int]]] = {
    "nothing": ([_stay("K409")], 0),
    "one": ([_stay("I219")], 1),
    "one, twice": ([_stay("I219"), _stay("I219", on=date(2026, 2, 1))], 1),
    "in any position": ([_stay("K409", "I219 J440")], 2),
    "mild liver": ([_stay("K703")], 1),
    "severe liver replaces mild": ([_stay("K703", "K704")], 3),
    "complicated diabetes replaces plain": ([_stay("E119"), _stay("E112")], 2),
    "metastasis replaces cancer": ([_stay("C509", "C787")], 6),
    "planned counts too": ([_stay("C509", method="11")], 2),
    "24 months ago": ([_stay("C509", on=_TWO_YEARS)], 0),
    "an attendance does not": ([_stay("C509", kind="ae_attendance")], 0),
}
_FIRST: Final = date(2026, 1, 1)


def _again(after: int, method: str = "21") -> list[Stay]:
    return [_stay(on=_FIRST, days=4, method="11"), _stay(on=_FIRST + timedelta(4 + after), method=method)]


_READMITTED: Final[dict[str, tuple[list[Stay], int]]] = {
    "the same day": (_again(0), 1),
    "on the last day": (_again(READMITTED_WITHIN_DAYS), 1),
    "a day later": (_again(READMITTED_WITHIN_DAYS + 1), 0),
    "planned": (_again(5, "11"), 0),
    "never discharged": ([_stay(on=_FIRST, days=None), _stay(on=RECENT)], 0),
    "once only": ([_stay(on=_FIRST)], 0),
    "three in a row": ([_stay(on=_FIRST + timedelta(10 * n)) for n in range(3)], 2),
    "within a longer stay": ([_stay(on=_FIRST, days=40), _stay(on=_FIRST + timedelta(10))], 0),
    "after a stay before the year": (
        [_stay(on=date(2025, 6, 1), days=29), _stay(on=date(2025, 7, 1))],
        1,
    ),
}
_COST: Final[dict[str, tuple[list[Stay], str | None]]] = {
    "nothing": ([], "none"),
    "a penny": ([_stay(cost_pence=1)], "under_500"),
    "499.99": ([_stay(cost_pence=49_999)], "under_500"),
    "500": ([_stay(cost_pence=20_000), _stay(kind="outpatient", cost_pence=30_000)], "500_to_1999"),
    "2000": ([_stay(cost_pence=200_000)], "2000_to_9999"),
    "10000": ([_stay(cost_pence=1_000_000)], "10000_and_over"),
    "a year ago": ([_stay(cost_pence=200_000, on=date(2025, 6, 30))], "none"),
    "without a tariff": ([_stay(cost_pence=200_000), _stay(kind="ae_attendance")], None),
    "community care has none": ([_stay(kind="community_contact")], "none"),
}
_DAYS: Final[dict[str, tuple[list[Stay], int]]] = {
    "out the same day": ([_stay(days=0)], 0),
    "two stays": ([_stay(days=3), _stay(days=4, on=date(2026, 4, 1))], 7),
    "still in": ([_stay(days=None, on=AS_OF - timedelta(5))], 5),
    "out next week": ([_stay(days=9, on=AS_OF - timedelta(2))], 2),
    "planned": ([_stay(days=3, method="11")], 0),
}


@pytest.fixture(scope="module")
def people() -> People:
    records = {f"listed {name}": record(encounters=[stay]) for name, (stay, _) in _LISTED.items()}
    records |= {f"falls {name}": record(born=born, encounters=[stay]) for name, (stay, born, _) in _FALLS.items()}
    records |= {f"harmed {name}": record(encounters=[stay]) for name, (stay, _) in _HARMED.items()}
    for about, cases in {"points": _POINTS, "readmitted": _READMITTED, "cost": _COST, "days": _DAYS}.items():
        records |= {f"{about} {name}": record(encounters=stays) for name, (stays, _) in cases.items()}
    return computed(records)


@pytest.mark.parametrize("name", list(_LISTED))
def test_avoidable_admissions_with_secondary_diagnoses(people: People, name: str) -> None:
    groups = {group.name for group in code_list("acsc-nhp-2").groups}
    person, group = people[f"listed {name}"], _LISTED[name][1]
    assert {g for g in groups if person[f"acsc_{g}_12m"]} == ({group} if group else set())
    assert person["acsc_admissions_12m"] == bool(group)


def test_a_stay_of_two_groups_counts_once_in_their_total() -> None:
    person = computed({"p": record(encounters=[_stay("J440", "E112")])})["p"]
    assert (person["acsc_copd_12m"], person["acsc_diabetes_12m"], person["acsc_admissions_12m"]) == (1, 1, 1)


@pytest.mark.parametrize("name", list(_FALLS))
def test_falls_of_people_of_65_and_over(people: People, name: str) -> None:
    assert people[f"falls {name}"]["falls_65plus_12m"] == _FALLS[name][2]


@pytest.mark.parametrize("name", list(_HARMED))
def test_self_harm_is_an_emergency_with_a_code_or_an_intent(people: People, name: str) -> None:
    assert people[f"harmed {name}"]["selfharm_event_24m"] is _HARMED[name][1]


@pytest.mark.parametrize("name", list(_POINTS))
def test_charlson_counts_each_disease_once_in_its_severest_form(people: People, name: str) -> None:
    assert people[f"points {name}"]["charlson"] == _POINTS[name][1]


@pytest.mark.parametrize("name", list(_READMITTED))
def test_readmitted_within_thirty_days_of_a_discharge(people: People, name: str) -> None:
    assert people[f"readmitted {name}"]["readmit_30d_12m"] == _READMITTED[name][1]


@pytest.mark.parametrize("name", list(_COST))
def test_cost_is_of_what_has_a_tariff(people: People, name: str) -> None:
    assert people[f"cost {name}"]["health_cost_12m_band"] == _COST[name][1]


@pytest.mark.parametrize("name", list(_DAYS))
def test_days_in_hospital_end_with_the_day(people: People, name: str) -> None:
    assert people[f"days {name}"]["los_emergency_12m"] == _DAYS[name][1]


def test_one_kind_of_care_that_no_source_delivers_leaves_self_harm_open() -> None:
    visit = _stay(None, kind="ae_attendance", injury_intent="self_inflicted")
    people = computed({"harmed": record(encounters=[visit]), "not": record()}, lacking=("encounters",))
    assert (people["harmed"]["selfharm_event_24m"], people["not"]["selfharm_event_24m"]) == (True, None)


def test_the_editions_of_the_avoidable_list_agree_on_primary_codes() -> None:
    first, second = code_list("acsc-nhp-1"), code_list("acsc-nhp-2")
    assert {g.name: g.pattern for g in first.groups} == {g.name: g.pattern for g in second.groups}


def test_charlsons_weights_and_what_replaces_what() -> None:
    groups = code_list("charlson-quan-1").groups
    assert sum(group.weight or 0 for group in groups) == 33
    assert {g.name: g.supersedes for g in groups if g.supersedes} == {
        "diabetes_complicated": "diabetes",
        "liver_severe": "liver_mild",
        "metastatic": "cancer",
    }
