"""SUS outpatients: one row an appointment.

What an appointment is known by ([V]: date, attended or not, first attendance, outcome, treatment function, specialty,
price) is from an ICB's open repository; the columns' names follow those of its admitted-care table and can be renamed
in the settings. ATTENDED OR DID NOT ATTEND is from general knowledge. A price is in pounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.gathering import KEY, facts, gathered, latest, usable
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from linkage.layouts.tables import Table
from schemas.codes import EncounterKind

_WHO: Final = "appointment_patient_identity_"
_LOCAL: Final = f"{_WHO}local_patient_identifier_value"
_ON, _CAME, _PRICE = "appointment_date", "appointment_attended_or_dna", "appointment_final_price"

ATTENDED: Final = {"5": "true", "6": "true", "3": "false", "7": "false"}
"""On time; late but seen; did not attend; too late to be seen."""
NEVER_DUE: Final = ("0", "2", "4")
"""Not yet due; cancelled by the patient, by the provider: no appointment was missed."""

TABLES: Final = (
    Table(
        "appointment",
        (_ON, _CAME),
        (
            f"{_WHO}nhs_number_value_pseudo", f"{_WHO}nhs_number_value", f"{_WHO}nhs_number_status",
            f"{_WHO}nhs_number_is_valid", _LOCAL, f"{_WHO}birth_date", f"{_WHO}gender", f"{_WHO}ethnic_category",
            "appointment_patient_residence_derived_lsoa_11", "appointment_patient_registration_general_practice",
            _PRICE,
        ),
    ),
)  # fmt: skip


def clear_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date) -> Mapped:
    """Return one clear row a person: whoever has one NHS number or pseudonym, else one local number of the hospital."""
    every = tables["appointment"]
    status, valid = pl.col(f"{_WHO}nhs_number_status"), pl.col(f"{_WHO}nhs_number_is_valid")
    every = every.with_columns(
        pseudonym=usable(pl.col(f"{_WHO}nhs_number_value_pseudo"), status, valid),
        nhs_number=usable(pl.col(f"{_WHO}nhs_number_value"), status, valid),
    ).with_columns(pl.coalesce("pseudonym", "nhs_number", _LOCAL).alias(KEY))
    people = latest(
        every,
        pl.col(KEY),
        _ON,
        {
            "pseudonym": pl.col("pseudonym"),
            "nhs_number": pl.col("nhs_number"),
            "date_of_birth": pl.col(f"{_WHO}birth_date"),
            "sex": pl.col(f"{_WHO}gender"),
            "ethnic_category": pl.col(f"{_WHO}ethnic_category"),
            "lsoa": pl.col("appointment_patient_residence_derived_lsoa_11"),
            "practice_code": pl.col("appointment_patient_registration_general_practice"),
        },
    )
    due = every.filter(~pl.col(_CAME).is_in(NEVER_DUE).fill_null(False))
    encounters = facts(
        due,
        KEY,
        kind=pl.lit(EncounterKind.OUTPATIENT.value),
        started_on=pl.col(_ON),
        attended=pl.col(_CAME).replace(ATTENDED),
        cost_pence=pence(pl.col(_PRICE), Unit.POUNDS),
    )
    counts = {
        "appointments": every.height,
        "appointments cancelled or still to come: left out": every.height - due.height,
    }
    return gathered(people, {"encounters": [encounters]}, counts)
