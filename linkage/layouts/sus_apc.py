"""SUS admitted patient care: one row a spell, with tables of diagnoses and fit notes beside.

Columns of the spell table as in an ICB's open repository of its warehouse (`spell_...`); the key between the tables and
the columns of the other two are from general knowledge and can be renamed in the settings. A price is in pounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts.diagnoses import diagnosis_table, with_diagnoses
from linkage.layouts.gathering import KEY, facts, gathered, latest, usable
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from linkage.layouts.tables import Table
from schemas.codes import EncounterKind

SPELL: Final = "primarykey_id"
_WHO: Final = "spell_patient_identity_"
_LOCAL: Final = f"{_WHO}local_patient_identifier_value"
_PRIMARY: Final = "spell_clinical_coding_grouper_derived_primary_diagnosis"
_PRICE: Final = "spell_commissioning_tariff_calculation_final_price"
_STARTED, _ENDED = "spell_admission_date", "spell_discharge_date"

TABLES: Final = (
    Table(
        "spell",
        (SPELL, _STARTED),
        (
            f"{_WHO}nhs_number_value_pseudo", f"{_WHO}nhs_number_value", f"{_WHO}nhs_number_status",
            f"{_WHO}nhs_number_is_valid", _LOCAL, f"{_WHO}birth_date", f"{_WHO}gender", f"{_WHO}ethnic_category",
            "spell_patient_residence_derived_lsoa_11", "spell_patient_registration_general_practice",
            "spell_admission_method", _ENDED, _PRIMARY, _PRICE,
        ),
    ),
    diagnosis_table(SPELL),
    Table("fit_note", (SPELL, "start_date", "end_date"), optional=True),
)  # fmt: skip


def clear_rows(tables: Mapping[str, pl.DataFrame], extracted_on: date) -> Mapped:
    """Return one clear row a person: whoever has one NHS number or pseudonym, else one local number of the hospital."""
    spell = tables["spell"]
    status, valid = pl.col(f"{_WHO}nhs_number_status"), pl.col(f"{_WHO}nhs_number_is_valid")
    spell = spell.with_columns(
        pseudonym=usable(pl.col(f"{_WHO}nhs_number_value_pseudo"), status, valid),
        nhs_number=usable(pl.col(f"{_WHO}nhs_number_value"), status, valid),
    ).with_columns(pl.coalesce("pseudonym", "nhs_number", _LOCAL).alias(KEY))
    people = latest(
        spell,
        pl.col(KEY),
        _STARTED,
        {
            "pseudonym": pl.col("pseudonym"),
            "nhs_number": pl.col("nhs_number"),
            "date_of_birth": pl.col(f"{_WHO}birth_date"),
            "sex": pl.col(f"{_WHO}gender"),
            "ethnic_category": pl.col(f"{_WHO}ethnic_category"),
            "lsoa": pl.col("spell_patient_residence_derived_lsoa_11"),
            "practice_code": pl.col("spell_patient_registration_general_practice"),
        },
    )
    coded = with_diagnoses(spell, tables.get("diagnosis"), SPELL)
    encounters = facts(
        coded,
        KEY,
        kind=pl.lit(EncounterKind.ADMISSION.value),
        started_on=pl.col(_STARTED),
        ended_on=pl.col(_ENDED),
        admission_method=pl.col("spell_admission_method").str.to_uppercase(),
        primary_diagnosis=pl.coalesce(_PRIMARY, "first"),
        secondary_diagnoses=pl.col("further"),
        cost_pence=pence(pl.col(_PRICE), Unit.POUNDS),
    )
    lists = {"encounters": [encounters], "fit_notes": _fit_notes(spell, tables.get("fit_note"))}
    nobody = spell.height - spell[KEY].count()
    return gathered(people, lists, {"spells": spell.height, "spells of nobody who can be told": nobody})


def _fit_notes(spell: pl.DataFrame, table: pl.DataFrame | None) -> list[pl.DataFrame]:
    if table is None:
        return []
    owned = table.join(spell.select(SPELL, KEY), on=SPELL, how="left", maintain_order="left")
    return [facts(owned, KEY, started_on=pl.col("start_date"), ended_on=pl.col("end_date"))]
