"""Registers, hospital use and avoidable admissions, each with its boundary cases."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from linkage.features import FeatureTables, compute

AS_OF = date(2026, 6, 30)
GP, TRUST = "kmicb.gp", "medwayft.sus"


def _person(
    diagnoses: list[tuple[str, str, date]] | None = None,
    encounters: list[dict[str, object]] | None = None,
    born: str | None = "1960-01",
    as_of: date = AS_OF,
) -> dict[str, object]:
    """Features of one person, who stands in a GP source and in a hospital's."""
    facts = {
        "demographics": pl.DataFrame(
            [
                {"source": source, "subject_ref": "1", "feed": "health", "version": 1, "birth_year_month": born}
                for source in (GP, TRUST)
            ]
        ),
        "diagnoses": pl.DataFrame(
            [
                {"source": GP, "subject_ref": whose, "condition": c, "status": s, "recorded_on": on}
                for whose, (c, s, on) in (
                    *(("1", entry) for entry in diagnoses or []),
                    ("other", ("chd", "active", AS_OF)),
                )
            ]
        ),
        "encounters": pl.DataFrame(
            [
                {"source": TRUST, "subject_ref": "1", **e}
                for e in (
                    *(encounters or []),
                    *(
                        {"subject_ref": "other", "kind": k, "started_on": AS_OF}
                        for k in ("ae_attendance", "admission", "outpatient")
                    ),
                )
            ],
            infer_schema_length=None,
        ),
    }
    membership = pl.DataFrame(
        {"person_id": ["p", "p"], "source": [GP, TRUST], "subject_ref": ["1", "1"], "link_probability": [1.0, 1.0]}
    )
    tables = FeatureTables.from_facts(facts, pl.DataFrame({"lsoa": [], "ward": [], "authority": [], "imd_decile": []}))
    return compute(tables, membership, as_of).row(0, named=True)


@pytest.mark.parametrize(
    ("started_on", "counted"),
    [(date(2025, 6, 30), 0), (date(2025, 7, 1), 1), (AS_OF, 1), (AS_OF + timedelta(1), 0)],
)
def test_twelve_months_end_on_the_as_of_date_and_leave_out_the_day_a_year_before(
    started_on: date, counted: int
) -> None:
    assert _person(encounters=[{"kind": "ae_attendance", "started_on": started_on}])["ae_attendances_12m"] == counted


def test_the_year_before_a_leap_day_starts_after_the_28th() -> None:
    leap = date(2024, 2, 29)
    visits = [
        {"kind": "outpatient", "started_on": date(2023, 2, 28)},
        {"kind": "outpatient", "started_on": date(2023, 3, 1)},
    ]
    assert _person(encounters=visits, as_of=leap)["outpatient_12m"] == 1


@pytest.mark.parametrize(
    ("method", "emergency", "elective"),
    [("21", 1, 0), ("2A", 1, 0), ("28", 1, 0), ("11", 0, 1), ("31", 0, 0), (None, 0, 0)],
)
def test_an_emergency_has_a_method_that_starts_with_two(method: str | None, emergency: int, elective: int) -> None:
    stay = {"kind": "admission", "started_on": AS_OF, "admission_method": method, "primary_diagnosis": "J440"}
    person = _person(encounters=[stay])
    assert (person["emergency_admissions_12m"], person["elective_admissions_12m"]) == (emergency, elective)
    assert person["acsc_copd_12m"] == emergency


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("I20", "angina"),
        ("I249", "angina"),
        ("I241", None),
        ("J45", "asthma"),
        ("J46X", "asthma"),
        ("J41", "copd"),
        ("J440", "copd"),
        ("J45X", "asthma"),
        ("J47X", "copd"),
        ("J20", None),
        ("E105", "diabetes"),
        ("E149", None),
        ("E150", None),
        ("I500", "heart_failure"),
        ("I110", "heart_failure"),
        ("J81X", "heart_failure"),
        ("I10X", "hypertension"),
        ("I10", "hypertension"),
        ("I119", "hypertension"),
        ("I118", None),
        ("D501", "iron_deficiency"),
        ("D500", None),
        ("E43X", "nutritional"),
        ("E550", "nutritional"),
        ("E643", "nutritional"),
        ("S720", None),
        (None, None),
    ],
)
def test_avoidable_admissions_go_by_the_named_list(code: str | None, group: str | None) -> None:
    stay = {"kind": "admission", "started_on": AS_OF, "admission_method": "21", "primary_diagnosis": code}
    person = _person(encounters=[stay])
    named = {
        name for name, value in person.items() if name.startswith("acsc_") and value and name != "acsc_admissions_12m"
    }
    assert named == ({f"acsc_{group}_12m"} if group else set())
    assert person["acsc_admissions_12m"] == bool(group)


def test_what_two_sources_report_counts_once_and_what_one_reports_twice_counts_twice() -> None:
    stay = {"kind": "ae_attendance", "started_on": AS_OF}
    assert _person(encounters=[stay, {**stay, "source": GP}])["ae_attendances_12m"] == 1
    assert _person(encounters=[stay, stay])["ae_attendances_12m"] == 2
    assert _person(encounters=[stay, stay, {**stay, "source": GP}])["ae_attendances_12m"] == 2


def test_an_attendance_is_no_admission() -> None:
    person = _person(encounters=[{"kind": "ae_attendance", "started_on": AS_OF, "admission_method": "21"}])
    assert (person["ae_attendances_12m"], person["emergency_admissions_12m"]) == (1, 0)


def test_a_spell_that_ends_before_it_begins_takes_no_days_from_another() -> None:
    began = AS_OF - timedelta(days=20)
    spells = [
        {"kind": "admission", "admission_method": "21", "started_on": began, "ended_on": began + timedelta(days=days)}
        for days in (-3, 5)
    ]

    assert _person(encounters=spells)["los_emergency_12m"] == 5
