"""FHIR UK Core, written: what `linkage.layouts.fhir` reads, one resource a line."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from linkage.layouts.fhir import CONDITIONS, ETHNIC, GENDERS, NHS_NUMBER, ODS, SNOMED
from linkage.synthesise.layouts.flat import KEY, listed, people, turned
from schemas.code_lists import code_map

_NAMES = (
    KEY, "nhs_number", "forename", "middle_names", "surname", "date_of_birth", "sex", "ethnic_category", "postcode",
    "address", "practice_code", "date_of_death",
)  # fmt: skip


def lines(frame: pl.DataFrame) -> list[str]:
    """Return the people as Patients and their diagnoses as Conditions, an entry each."""
    concepts = turned({entry.code: entry.means for entry in code_map(CONDITIONS).entries})
    who = people(frame, {name: name for name in _NAMES})
    resources = [_patient(row) for row in who.iter_rows(named=True)]
    resources += [_condition(row, concepts) for row in listed(frame, "diagnoses").iter_rows(named=True)]
    return [json.dumps(_bare(resource), ensure_ascii=False) for resource in resources]


def _patient(row: dict[str, str | None]) -> dict[str, Any]:
    number, practice, ethnic = row["nhs_number"], row["practice_code"], row["ethnic_category"]
    given = [row["forename"], *(row["middle_names"] or "").split()]
    return {
        "resourceType": "Patient",
        "id": row[KEY],
        "identifier": [{"system": NHS_NUMBER, "value": number}] if number else None,
        "name": [{"use": "official", "family": row["surname"], "given": given}],
        "gender": None if row["sex"] is None else turned(GENDERS).get(row["sex"]),
        "birthDate": row["date_of_birth"],
        "deceasedDateTime": row["date_of_death"],
        "address": [{"use": "home", "line": [row["address"]], "postalCode": row["postcode"]}],
        "extension": [{"url": ETHNIC, "valueCodeableConcept": {"coding": [{"code": ethnic}]}}] if ethnic else None,
        "generalPractitioner": [{"identifier": {"system": ODS, "value": practice}}] if practice else None,
    }


def _condition(row: dict[str, str | None], concepts: dict[str, str]) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "subject": {"reference": f"Patient/{row[KEY]}"},
        "code": {"coding": [{"system": SNOMED, "code": concepts[row["condition"] or ""]}]},
        "clinicalStatus": {"coding": [{"code": row["status"]}]},
        "recordedDate": row["recorded_on"],
    }


def _bare(value: Any) -> Any:
    """Return a resource without what is not said: FHIR has no null and no empty list."""
    if isinstance(value, dict):
        kept = {name: _bare(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, [], {})}
    if isinstance(value, list):
        return [inner for inner in map(_bare, value) if inner not in (None, [], {})]
    return value
