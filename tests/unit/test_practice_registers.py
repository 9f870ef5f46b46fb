"""Registers, each rule at its boundaries on both sides, and what is unknown where a part of a rule is."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import pytest

from linkage.features.practice.rules import REGISTERS, Register
from tests.features.records import (
    AS_OF,
    LATELY,
    LONG_AGO,
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

DAY: Final = date(2020, 5, 5)
NEXT: Final = DAY + timedelta(1)
YEAR: Final = date(2025, 6, 30)
HALF: Final = date(2025, 12, 30)
"""The days twelve and six months before the as-of date: no longer within the look-back."""

_AFTER: Final[dict[str, tuple[list[tuple[str, str, date]], bool]]] = {
    "diagnosed": ([("copd", "active", DAY)], True),
    "resolved_later": ([("copd", "active", DAY), ("copd", "resolved", NEXT)], False),
    "diagnosed_again": ([("copd", "resolved", DAY), ("copd", "active", NEXT)], True),
    "of_one_day_they_cancel": ([("copd", "active", DAY), ("copd", "resolved", DAY)], False),
    "only_resolved": ([("copd", "resolved", DAY)], False),
    "tomorrow": ([("copd", "active", AS_OF + timedelta(1))], False),
    "today": ([("copd", "active", AS_OF)], True),
    "resolved_tomorrow": ([("copd", "active", DAY), ("copd", "resolved", AS_OF + timedelta(1))], True),
    "another": ([("htn", "active", DAY)], False),
}

_RULES: Final[dict[str, tuple[str, Record, bool | None]]] = {
    "asthma without a drug": ("asthma", record(diagnoses=[diagnosis("asthma")]), False),
    **{
        f"asthma with {drug}": (
            "asthma",
            record(diagnoses=[diagnosis("asthma")], medications=[issued(drug, YEAR + timedelta(1))]),
            True,
        )
        for drug in ("asthma_treatment", "saba", "ics")
    },
    "asthma, drug a year ago": (
        "asthma",
        record(diagnoses=[diagnosis("asthma")], medications=[issued("ics", YEAR)]),
        False,
    ),
    "asthma drug alone": ("asthma", record(medications=[issued("ics")]), False),
    "asthma, another drug": ("asthma", record(diagnoses=[diagnosis("asthma")], medications=[issued("statin")]), False),
    "epilepsy, drug within six months": (
        "epilepsy",
        record(diagnoses=[diagnosis("epilepsy")], medications=[issued("epilepsy_drug", HALF + timedelta(1))]),
        True,
    ),
    "epilepsy, drug six months ago": (
        "epilepsy",
        record(diagnoses=[diagnosis("epilepsy")], medications=[issued("epilepsy_drug", HALF)]),
        False,
    ),
    "kidney disease": ("ckd", record(diagnoses=[diagnosis("ckd", DAY)]), True),
    "kidney disease, stage 1 or 2 before": (
        "ckd",
        record(diagnoses=[diagnosis("ckd", NEXT)], coded_events=[event("ckd_stage_1_2", DAY)]),
        True,
    ),
    "kidney disease, stage 1 or 2 the same day": (
        "ckd",
        record(diagnoses=[diagnosis("ckd", DAY)], coded_events=[event("ckd_stage_1_2", DAY)]),
        False,
    ),
    "kidney disease, stage 1 or 2 since": (
        "ckd",
        record(diagnoses=[diagnosis("ckd", DAY)], coded_events=[event("ckd_stage_1_2", NEXT)]),
        False,
    ),
    "at risk of diabetes": ("ndh", record(diagnoses=[diagnosis("ndh")]), True),
    "at risk, and with diabetes": ("ndh", record(diagnoses=[diagnosis("ndh"), diagnosis("dm")]), False),
    "at risk, diabetes resolved": (
        "ndh",
        record(diagnoses=[diagnosis("ndh"), diagnosis("dm", DAY), diagnosis("dm", NEXT, "resolved")]),
        True,
    ),
    "30 kg/m2": ("obesity", record(measurements=[measured("bmi_kg_m2", 30.0)]), True),
    "29.9 kg/m2": ("obesity", record(measurements=[measured("bmi_kg_m2", 29.9)]), False),
    "30 kg/m2 within the year": (
        "obesity",
        record(measurements=[measured("bmi_kg_m2", 30, YEAR + timedelta(1))]),
        True,
    ),
    "30 kg/m2 a year ago": ("obesity", record(measurements=[measured("bmi_kg_m2", 30, YEAR)]), False),
    "lighter since": (
        "obesity",
        record(measurements=[measured("bmi_kg_m2", 31, before(40)), measured("bmi_kg_m2", 29, before(20))]),
        False,
    ),
    "coded as obese, not measured": ("obesity", record(diagnoses=[diagnosis("obesity")]), False),
    "mental illness": ("smi", record(diagnoses=[diagnosis("smi", DAY)]), True),
    "in remission": (
        "smi",
        record(diagnoses=[diagnosis("smi", DAY)], coded_events=[event("smi_remission", NEXT)]),
        False,
    ),
    "in remission, then ill": (
        "smi",
        record(diagnoses=[diagnosis("smi", NEXT)], coded_events=[event("smi_remission", DAY)]),
        True,
    ),
    "lithium within six months": ("smi", record(medications=[issued("lithium", HALF + timedelta(1))]), True),
    "lithium six months ago": ("smi", record(medications=[issued("lithium", HALF)]), False),
    "lithium in remission": (
        "smi",
        record(
            diagnoses=[diagnosis("smi", DAY)],
            coded_events=[event("smi_remission", NEXT)],
            medications=[issued("lithium", LATELY)],
        ),
        True,
    ),
    "palliative": ("palliative", record(diagnoses=[diagnosis("palliative", DAY)]), True),
    "palliative care revoked": (
        "palliative",
        record(diagnoses=[diagnosis("palliative", DAY), diagnosis("palliative", NEXT, "resolved")]),
        False,
    ),
}


def _coded(rule: Register, on: date = LONG_AGO) -> Record:
    """A record that meets all of a rule but its age and dates."""
    code = rule.condition.value
    return record(
        diagnoses=[] if code == "obesity" else [diagnosis(code, on)],
        medications=[issued(drug) for drug in ("asthma_treatment", "epilepsy_drug")],
        measurements=[measured("bmi_kg_m2", 40)],
    )


@pytest.fixture(scope="module")
def people() -> People:
    records = {
        name: record(diagnoses=[diagnosis(c, on, status) for c, status, on in entries])
        for name, (entries, _) in _AFTER.items()
    }
    records |= {name: one for name, (_, one, _) in _RULES.items()}
    for rule in REGISTERS:
        ended = _coded(rule, DAY)
        ended["facts"]["diagnoses"].append(diagnosis(rule.condition.value, NEXT, "resolved"))
        records[f"{rule.feature} ended"] = ended
        if rule.diagnosed_from is not None:
            records[f"{rule.feature} in time"] = _coded(rule, rule.diagnosed_from)
            records[f"{rule.feature} too early"] = _coded(rule, rule.diagnosed_from - timedelta(1))
        if rule.minimum_age is not None:
            year = AS_OF.year - rule.minimum_age
            for born, which in ((f"{year}-06", "old enough"), (f"{year}-07", "too young"), (None, "of no age")):
                records[f"{rule.feature} {which}"] = {**_coded(rule), "born": born}
    records["of no age, nothing"] = record(born=None)
    return computed(records)


@pytest.mark.parametrize("name", list(_AFTER))
def test_on_the_register_while_the_latest_diagnosis_is_after_the_latest_resolved(people: People, name: str) -> None:
    assert people[name]["reg_copd"] is _AFTER[name][1]


@pytest.mark.parametrize("name", list(_RULES))
def test_what_a_register_asks_for_besides(people: People, name: str) -> None:
    condition, _, on = _RULES[name]
    assert people[name][f"reg_{condition}"] is on


@pytest.mark.parametrize("rule", REGISTERS, ids=lambda rule: rule.feature)
def test_each_registers_age_dates_and_end(people: People, rule: Register) -> None:
    if rule.condition.value != "obesity":
        assert people[f"{rule.feature} ended"][rule.feature] is not rule.resolvable
    if rule.diagnosed_from is not None:
        assert people[f"{rule.feature} in time"][rule.feature] is True
        assert people[f"{rule.feature} too early"][rule.feature] is False
    if rule.minimum_age is not None:
        assert people[f"{rule.feature} old enough"][rule.feature] is True
        assert people[f"{rule.feature} too young"][rule.feature] is False
        assert people[f"{rule.feature} of no age"][rule.feature] is None
        assert people["of no age, nothing"][rule.feature] is False


def test_conditions_are_counted_once_each_and_risks_not_at_all() -> None:
    coded = [diagnosis("dm", DAY), diagnosis("dm", NEXT), diagnosis("htn"), diagnosis("palliative")]
    person = computed({"p": record(diagnoses=coded, measurements=[measured("bmi_kg_m2", 40)])})["p"]
    assert (person["ltc_count"], person["dm_and_htn"], person["reg_obesity"]) == (2, True, True)


def test_the_count_is_unknown_where_one_of_its_parts_is() -> None:
    assert computed({"p": record(born=None, diagnoses=[diagnosis("dm")])})["p"]["ltc_count"] is None


def test_a_part_that_no_source_delivers_counts_only_where_it_matters() -> None:
    records = {
        "asthma": record(diagnoses=[diagnosis("asthma")]),
        "none": record(),
        "ill": record(diagnoses=[diagnosis("smi")]),
        "kidneys": record(diagnoses=[diagnosis("ckd")]),
        "both": record(diagnoses=[diagnosis("ckd"), diagnosis("smi")], medications=[issued("lithium")]),
    }
    bare = computed({**records, "both": record()}, lacking=("medications", "measurements", "coded_events"))
    assert (bare["asthma"]["reg_asthma"], bare["none"]["reg_asthma"]) == (None, False)
    # Somebody never coded may be on lithium.
    assert (bare["ill"]["reg_smi"], bare["none"]["reg_smi"]) == (None, None)
    assert (bare["kidneys"]["reg_ckd"], bare["none"]["reg_ckd"]) == (None, False)
    assert bare["none"]["reg_obesity"] is None
    no_events = computed(records, lacking=("coded_events",))
    assert (no_events["both"]["reg_smi"], no_events["both"]["reg_ckd"]) == (True, None)
    no_drugs = computed({k: r for k, r in records.items() if k != "both"}, lacking=("medications",))
    assert no_drugs["ill"]["reg_smi"] is True
