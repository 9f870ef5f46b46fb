"""Bands, frailty, lifestyle, control and medicines at their edges and look-backs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.features import edges
from linkage.features.practice.multimorbidity import CAMBRIDGE_WEIGHTS
from linkage.features.states import at_least, first_true
from linkage.features.windows import months_before
from schemas.codes import Condition
from tests.features.records import LATELY, Record, before, computed, diagnosis, event, issued, measured, record
from tests.features.three_states import People

_TWO_YEARS: Final = date(2024, 6, 30)
_YEAR: Final = date(2025, 6, 30)
_HALF: Final = date(2025, 12, 30)


def _after(day: date) -> date:
    return day + timedelta(1)


def _m(kind: str, value: float, on: date = LATELY) -> Record:
    return record(measurements=[measured(kind, value, on)])


def _band_cases() -> dict[str, tuple[Record, str, Any]]:
    found: dict[str, tuple[Record, str, Any]] = {}
    for kind, feature, pairs in (
        ("efi", "efi_cat", [(0.0, "fit"), (0.1199, "fit"), (0.12, "mild"), (0.2399, "mild")]),
        ("efi", "efi_cat", [(0.24, "moderate"), (0.3599, "moderate"), (0.36, "severe"), (1.0, "severe")]),
        ("efi2", "efi_cat", [(0.0899, "fit"), (0.09, "mild"), (0.16, "moderate"), (0.2399, "moderate")]),
        ("efi2", "efi_cat", [(0.24, "severe")]),
        ("bmi_kg_m2", "bmi_band", [(18.4, "underweight"), (18.5, "healthy"), (25, "overweight"), (30, "obese")]),
        ("bmi_kg_m2", "bmi_band", [(39.9, "obese"), (40, "severely_obese")]),
        ("hba1c_mmol_mol", "hba1c_band", [(41, "under_42"), (42, "42_to_47"), (48, "48_to_57"), (58, "58_to_74")]),
        ("hba1c_mmol_mol", "hba1c_band", [(75, "75_to_90"), (90, "75_to_90"), (91, "91_and_over")]),
        (
            "cholesterol_mmol_l",
            "chol_band",
            [(3.9, "under_4"), (4, "4_to_4_9"), (5, "5_to_7_4"), (7.5, "7_5_and_over")],
        ),
        ("qrisk_percent", "qrisk_band", [(9.9, "under_10"), (10, "10_to_19"), (20, "20_and_over")]),
        ("fit_ug_g", "fit_12m", [(9.9, "negative"), (10, "positive")]),
        ("alcohol_units_week", "alcohol_risk", [(0, "lower"), (14, "lower"), (14.1, "increasing"), (35, "increasing")]),
        ("alcohol_units_week", "alcohol_risk", [(35.1, "higher")]),
    ):
        found |= {f"{kind} {value}": (_m(kind, value), feature, band) for value, band in pairs}
    for kind, feature, start in (
        ("bmi_kg_m2", "bmi_band", _TWO_YEARS),
        ("hba1c_mmol_mol", "hba1c_band", _TWO_YEARS),
        ("cholesterol_mmol_l", "chol_band", _TWO_YEARS),
        ("alcohol_units_week", "alcohol_risk", _TWO_YEARS),
        ("qrisk_percent", "qrisk_band", date(2021, 6, 30)),
        ("fit_ug_g", "fit_12m", _YEAR),
    ):
        found[f"{kind} too old"] = (_m(kind, 30, start), feature, "not_recorded")
    found["bmi just in time"] = (_m("bmi_kg_m2", 30, _after(_TWO_YEARS)), "bmi_band", "obese")
    for born, band in (("2008-07", "not_recorded"), ("2008-06", "obese"), (None, None)):
        one = record(born=born, measurements=[measured("bmi_kg_m2", 30)])
        found[f"bmi of {born}"] = (one, "bmi_band", band)
    found["bmi of no age, not measured"] = (record(born=None), "bmi_band", "not_recorded")
    for sex, units, risk in (
        ("1", 35.1, "increasing"),
        ("1", 50, "increasing"),
        ("1", 50.1, "higher"),
        ("X", 14, "lower"),
        ("X", 35, "increasing"),
        ("X", 40, None),
        ("X", 51, "higher"),
    ):
        one = record(sex=sex, measurements=[measured("alcohol_units_week", units)])
        found[f"{units} units, sex {sex}"] = (one, "alcohol_risk", risk)
    for codes, status in (
        ([("smoker", before(10)), ("ex_smoker", before(5))], "ex"),
        ([("ex_smoker", before(10)), ("smoker", before(5))], "current"),
        ([("never_smoked", before(5)), ("smoker", before(5))], "current"),
        ([("never_smoked", before(5)), ("ex_smoker", before(5))], "ex"),
        ([("never_smoked", before(5))], "never"),
        ([("smoker", _TWO_YEARS)], "not_recorded"),
        ([("smoker", _TWO_YEARS), ("never_smoked", _after(_TWO_YEARS))], "never"),
    ):
        one = record(coded_events=[event(code, on) for code, on in codes])
        found[f"smoking {codes}"] = (one, "smoking_status", status)
    for systolic, diastolic, born, on, controlled in (
        (140, 90, "1960-01", LATELY, True),
        (141, 90, "1960-01", LATELY, False),
        (140, 91, "1960-01", LATELY, False),
        (150, 90, "1945-06", LATELY, True),
        (150, 90, "1945-07", LATELY, False),
        (150, 80, None, LATELY, None),
        (151, 80, None, LATELY, False),
        (120, 80, "1960-01", _YEAR, None),
        (120, 80, "1960-01", _after(_YEAR), True),
    ):
        readings = [measured("systolic_mmhg", systolic, on), measured("diastolic_mmhg", diastolic, on)]
        found[f"{systolic}/{diastolic} {born} {on}"] = (
            record(born=born, measurements=readings),
            "bp_controlled",
            controlled,
        )
    for feature, group in (("saba_12m", "saba"), ("ics_12m", "ics"), ("ocs_courses_12m", "oral_steroid")):
        issues = [issued(group, _YEAR, 5), issued(group, _after(_YEAR), 2), issued(group, LATELY, 3)]
        found[f"{group} in a year"] = (record(medications=issues), feature, 5)
        again = [issued(group, LATELY, 3), issued(group, LATELY, 2)]
        found[f"{group} told twice"] = (record(medications=again), feature, 3)
    counts = [issued("all", before(60), distinct=9), issued("all", before(30), distinct=7)]
    found["newest count of drugs"] = (record(medications=counts), "polypharmacy_n", 7)
    found["count of drugs half a year ago"] = (
        record(medications=[issued("all", _HALF, distinct=9)]),
        "polypharmacy_n",
        0,
    )
    for feature, code in (
        ("asthma_review_12m", "asthma_review"),
        ("asthma_plan_12m", "asthma_plan"),
        ("spirometry_12m", "spirometry"),
        ("home_oxygen", "home_oxygen"),
        ("smi_health_check_12m", "smi_health_check"),
        ("dental_emergency_12m", "emergency_dentistry"),
    ):
        found[f"{code} a year ago"] = (record(coded_events=[event(code, _YEAR)]), feature, False)
        found[f"{code} within the year"] = (record(coded_events=[event(code, _after(_YEAR))]), feature, True)
    stages = [event("cancer_stage_late", before(50)), event("cancer_stage_early", before(5))]
    found["staged again"] = (record(coded_events=stages), "cancer_stage_early", "early")
    doses = [event("immunisations_incomplete", before(50)), event("immunisations_complete", before(5))]
    found["immunised since"] = (record(coded_events=doses), "immunisations_complete", True)
    found["of one day, incomplete"] = (
        record(coded_events=[event("immunisations_incomplete"), event("immunisations_complete")]),
        "immunisations_complete",
        False,
    )
    for centile, born, high in (
        (97.9, "2015-01", False),
        (98.0, "2015-01", True),
        (98.0, "2008-07", True),
        (98.0, "2008-06", False),
        (97.9, None, False),
        (98.0, None, None),
    ):
        one = record(born=born, measurements=[measured("bmi_centile_uk90", centile)])
        found[f"centile {centile} of {born}"] = (one, "bmi_ge_98", high)
    found["a child never measured"] = (record(born="2015-01"), "bmi_ge_98", None)
    return found


CASES: Final = _band_cases()


@pytest.fixture(scope="module")
def people() -> People:
    return computed({name: one for name, (one, _, _) in CASES.items()})


@pytest.mark.parametrize("name", list(CASES))
def test_a_value_is_in_its_band(people: People, name: str) -> None:
    _, feature, value = CASES[name]
    assert people[name][feature] == value


def test_the_newer_edition_of_the_frailty_index_holds() -> None:
    first, second = measured("efi", 0.3, before(10)), measured("efi2", 0.3, before(20))
    records = {
        "first newer": record(measurements=[first, second]),
        "second newer": record(measurements=[measured("efi", 0.3, before(30)), second]),
        "one day": record(measurements=[measured("efi", 0.3, before(20)), second]),
    }
    people = computed(records)
    assert [(people[w]["efi_algo"], people[w]["efi_cat"]) for w in records] == [
        ("efi", "moderate"),
        ("efi2", "severe"),
        ("efi2", "severe"),
    ]


def test_of_several_values_of_a_day_the_highest_holds() -> None:
    both = [measured("hba1c_mmol_mol", 91), measured("hba1c_mmol_mol", 50)]
    people = computed({"a": record(measurements=both), "b": record(measurements=both[::-1])})
    assert people["a"]["hba1c_band"] == people["b"]["hba1c_band"] == "91_and_over"


def test_a_value_comes_out_as_it_went_in() -> None:
    values = [0.0, 0.074, 0.1, 0.2999, 1.1, 28.9, 47.5, 58.1, 98.6, 120.3, 9_999.9999, 10_000.0]
    # Dates before 1970, such as the dummy of some systems, are counted downwards.
    for on in (date(1900, 1, 1), LATELY):
        people = computed({str(v): _m("supplied_risk_score", v, on) for v in values})
        assert [people[str(v)]["risk_score_supplied"] for v in values] == values


@pytest.mark.parametrize("condition", list(CAMBRIDGE_WEIGHTS))
def test_each_condition_weighs_what_the_score_says(condition: Condition) -> None:
    person = computed({"p": record(diagnoses=[diagnosis(condition.value)])})["p"]
    assert person["cms_score"] == CAMBRIDGE_WEIGHTS[condition]


def test_the_score_adds_up_twenty_conditions() -> None:
    assert len(CAMBRIDGE_WEIGHTS) == 20
    person = computed({"p": record(born=None, diagnoses=[diagnosis(c) for c in ("af", "htn", "ra")])})["p"]
    assert person["cms_score"] == 1.85


@given(
    st.floats(0, 10_000).map(lambda x: round(x, 4)),
    st.sampled_from([edges.EFI, edges.BMI_KG_M2, edges.HBA1C_MMOL_MOL, edges.CHOLESTEROL_MMOL_L]),
)
def test_every_value_has_the_last_band_at_or_below_it(value: float, grades: edges.Grades) -> None:
    [band] = pl.DataFrame({"v": [value]}).select(edges.graded(pl.col("v"), grades)).to_series()
    assert band == [label for low, label in grades if low <= value][-1]


@given(st.floats(0, 500).map(lambda x: round(x, 4)))
def test_half_open_intervals_share_no_value_and_leave_none_out(value: float) -> None:
    over = [edges.Over(48, 58), edges.Over(58, 75), edges.Over(75, 90), edges.Over(90)]
    within = [edges.From(0, 15), edges.From(15, 30), edges.From(30, 45), edges.From(45, 501)]
    row = pl.DataFrame({"v": [value]})
    assert row.select(pl.sum_horizontal(o.holds(pl.col("v")) for o in over)).item() == (value > 48)
    assert row.select(pl.sum_horizontal(w.holds(pl.col("v")) for w in within)).item() == 1


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=5), st.integers(1, 5))
def test_at_least_is_known_when_no_way_of_filling_in_the_unknown_differs(flags: list[bool | None], number: int) -> None:
    row = pl.DataFrame({str(n): pl.Series([flag], dtype=pl.Boolean) for n, flag in enumerate(flags)})
    sure, perhaps = sum(f is True for f in flags), sum(f is not False for f in flags)
    expected = True if sure >= number else False if perhaps < number else None
    assert row.select(at_least([pl.col(name) for name in row.columns], number)).item() is expected


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=4))
def test_a_ladder_is_unknown_from_its_first_unknown_rung(flags: list[bool | None]) -> None:
    row = pl.DataFrame({str(n): pl.Series([flag], dtype=pl.Boolean) for n, flag in enumerate(flags)})
    first = next((n for n, flag in enumerate(flags) if flag is not False), None)
    expected = "rest" if first is None else None if flags[first] is None else str(first)
    assert row.select(first_true([(pl.col(n), n) for n in row.columns], "rest")).item() == expected


@pytest.mark.parametrize(
    ("as_of", "months", "start"),
    [
        (date(2026, 6, 30), 12, date(2025, 6, 30)),
        (date(2024, 2, 29), 12, date(2023, 2, 28)),
        (date(2026, 8, 31), 6, date(2026, 2, 28)),
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
        (date(2026, 12, 31), 24, date(2024, 12, 31)),
    ],
)
def test_months_before_a_day(as_of: date, months: int, start: date) -> None:
    assert months_before(as_of, months) == start
