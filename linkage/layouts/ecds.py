"""ECDS, the Emergency Care Data Set: one row an attendance.

Columns as in an ICB's open repository of its warehouse. The time of arrival is left out, and the day of a
self-inflicted injury leaves as its month. Diagnoses of this data set are SNOMED CT where the record has ICD-10: those
that a controller has mapped are read from a table beside, the others are left out and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.diagnoses import diagnosis_table, with_diagnoses
from linkage.layouts.gathering import KEY, facts, gathered, latest, month_of, usable
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from linkage.layouts.tables import Table
from schemas.codes import CircumstanceKind, EncounterKind, InjuryIntent

_ON, _INTENT, _HOME = "attendance_arrival_date", "clinical_injury_intent_code", "patient_accommodation_status_code"
_PRICE: Final = "attendance_final_price"
_LEFT: Final = "attendance_departure_date"
ATTENDANCE: Final = "primarykey_id"
_ICD10: Final = r"^[A-Za-z][0-9]{2}"

INTENT: Final = {
    "276853009": InjuryIntent.SELF_INFLICTED.value,
    "242056005": InjuryIntent.ACCIDENT.value,
    "443163001": InjuryIntent.ASSAULT.value,
    "269735005": InjuryIntent.OTHER.value,
}
"""SNOMED CT injury intents. Self-inflicted, accidental and undetermined were read in published code; assault is from
general knowledge. Any other code is dropped and reported.
"""
ACCOMMODATION: Final = {"32911000": "HM07"}
"""SNOMED CT accommodation -> NHS Data Dictionary: homeless, of no known kind. Codes of the older list pass as they are;
any other is dropped and reported.
"""

TABLES: Final = (
    Table(
        "attendance",
        (_ON,),
        (
            "patient_nhs_number_value_pseudo", "patient_nhs_number_value", "patient_nhs_number_status",
            "patient_local_patient_identifier_value", "patient_birth_date", "patient_stated_gender",
            "patient_ethnic_category", "patient_usual_address_lsoa_11", "patient_registration_general_practice",
            _HOME, _INTENT, _PRICE, _LEFT, ATTENDANCE,
        ),
    ),
    diagnosis_table(ATTENDANCE),
)  # fmt: skip


def clear_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date) -> Mapped:
    """Return one clear row a person: whoever has one NHS number or pseudonym, else one local number of the hospital."""
    every = tables["attendance"]
    status = pl.col("patient_nhs_number_status")
    every = every.with_columns(
        pseudonym=usable(pl.col("patient_nhs_number_value_pseudo"), status),
        nhs_number=usable(pl.col("patient_nhs_number_value"), status),
        intent=pl.col(_INTENT).replace(INTENT),
        month=month_of(every[_ON]),
    ).with_columns(
        pl.coalesce("pseudonym", "nhs_number", "patient_local_patient_identifier_value").alias(KEY),
        harmed=(pl.col("intent") == InjuryIntent.SELF_INFLICTED.value).fill_null(False),
    )
    people = latest(
        every,
        pl.col(KEY),
        _ON,
        {
            "pseudonym": pl.col("pseudonym"),
            "nhs_number": pl.col("nhs_number"),
            "date_of_birth": pl.col("patient_birth_date"),
            "sex": pl.col("patient_stated_gender"),
            "ethnic_category": pl.col("patient_ethnic_category"),
            "lsoa": pl.col("patient_usual_address_lsoa_11"),
            "practice_code": pl.col("patient_registration_general_practice"),
        },
    )
    mapped, unmapped = _mapped(tables.get("diagnosis"))
    encounters = facts(
        with_diagnoses(every, mapped, ATTENDANCE),
        KEY,
        kind=pl.lit(EncounterKind.AE_ATTENDANCE.value),
        started_on=pl.when("harmed").then("month").otherwise(_ON),
        ended_on=pl.when("harmed").then(None).otherwise(_LEFT),
        primary_diagnosis=pl.col("first"),
        secondary_diagnoses=pl.col("further"),
        injury_intent=pl.col("intent"),
        cost_pence=pence(pl.col(_PRICE), Unit.POUNDS),
    )
    circumstances = facts(
        every.filter(pl.col(_HOME).is_not_null()),
        KEY,
        kind=pl.lit(CircumstanceKind.ACCOMMODATION.value),
        code=pl.col(_HOME).replace(ACCOMMODATION),
        recorded_on=pl.when("harmed").then("month").otherwise(_ON),
    )
    counts = {
        "attendances": every.height,
        "days of self-harm as months": int(every["harmed"].sum()),
        "diagnoses that are not ICD-10: left out": unmapped,
    }
    return gathered(people, {"encounters": [encounters], "circumstances": [circumstances]}, counts)


def _mapped(table: pl.DataFrame | None) -> tuple[pl.DataFrame | None, int]:
    """Return the diagnoses that are ICD-10, and how many are not."""
    if table is None:
        return None, 0
    kept = table.filter(pl.col("code").str.contains(_ICD10))
    return kept, table.height - kept.height
