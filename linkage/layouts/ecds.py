"""ECDS, the Emergency Care Data Set: one row an attendance.

Columns as in an ICB's open repository of its warehouse. The time of arrival is left out, and the day of a
self-inflicted injury leaves as its month. Diagnoses of this data set are SNOMED CT where the record has ICD-10: they
are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.gathering import KEY, facts, gathered, latest, month_of, usable
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from linkage.layouts.tables import Table
from schemas.codes import CircumstanceKind, EncounterKind, InjuryIntent

_ON, _INTENT, _HOME = "attendance_arrival_date", "clinical_injury_intent_code", "patient_accommodation_status_code"
_PRICE: Final = "attendance_final_price"

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
            _HOME, _INTENT, _PRICE,
        ),
    ),
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
    encounters = facts(
        every,
        KEY,
        kind=pl.lit(EncounterKind.AE_ATTENDANCE.value),
        started_on=pl.when("harmed").then("month").otherwise(_ON),
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
    counts = {"attendances": every.height, "days of self-harm as months": int(every["harmed"].sum())}
    return gathered(people, {"encounters": [encounters], "circumstances": [circumstances]}, counts)
