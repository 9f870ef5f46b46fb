"""Hospital data sets, written: what `linkage.layouts.sus_apc`, `sus_op` and `ecds` read."""

from __future__ import annotations

import polars as pl

from linkage.layouts import sus_apc
from linkage.layouts.ecds import ATTENDANCE, INTENT
from linkage.layouts.sus_op import ATTENDED
from linkage.synthesise.layouts.flat import KEY, listed, people, pounds, turned
from schemas.codes import EncounterKind

_IDENTITY = ("nhs_number", "pseudonym", "date_of_birth", "sex", "ethnic_category", "lsoa", "practice_code")


def spells(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return admitted care: one row a spell, diagnoses beside, and fit notes with the first spell of whose they are."""
    stays = _of_kind(frame, EncounterKind.ADMISSION).with_row_index("number", offset=1)
    who = "spell_patient_identity_"
    spell = people(
        stays,
        {
            sus_apc.SPELL: "number", f"{who}nhs_number_value_pseudo": "pseudonym",
            f"{who}nhs_number_value": "nhs_number", f"{who}local_patient_identifier_value": KEY,
            f"{who}birth_date": "date_of_birth", f"{who}gender": "sex", f"{who}ethnic_category": "ethnic_category",
            "spell_patient_residence_derived_lsoa_11": "lsoa",
            "spell_patient_registration_general_practice": "practice_code", "spell_admission_date": "started_on",
            "spell_admission_method": "admission_method", "spell_discharge_date": "ended_on",
            "spell_clinical_coding_grouper_derived_primary_diagnosis": "primary_diagnosis",
            "spell_commissioning_tariff_calculation_final_price": "price",
        },
    )  # fmt: skip
    first = stays.group_by(KEY, maintain_order=True).agg(pl.col("number").first().cast(pl.String).alias(sus_apc.SPELL))
    notes = listed(frame, "fit_notes").join(first, on=KEY, how="inner", maintain_order="left")
    return {
        "spell": spell,
        "diagnosis": _diagnoses(stays, sus_apc.SPELL),
        "fit_note": people(notes, {sus_apc.SPELL: sus_apc.SPELL, "start_date": "started_on", "end_date": "ended_on"}),
    }


def appointments(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return outpatients: one row an appointment."""
    seen = _of_kind(frame, EncounterKind.OUTPATIENT)
    who = "appointment_patient_identity_"
    table = people(
        seen,
        {
            f"{who}nhs_number_value_pseudo": "pseudonym", f"{who}nhs_number_value": "nhs_number",
            f"{who}local_patient_identifier_value": KEY, f"{who}birth_date": "date_of_birth", f"{who}gender": "sex",
            f"{who}ethnic_category": "ethnic_category", "appointment_patient_residence_derived_lsoa_11": "lsoa",
            "appointment_patient_registration_general_practice": "practice_code", "appointment_date": "started_on",
            "appointment_attended_or_dna": "attended", "appointment_final_price": "price",
        },
    )  # fmt: skip
    came = pl.col("appointment_attended_or_dna").replace(turned(ATTENDED))
    return {"appointment": table.with_columns(came)}


def attendances(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return emergency care: one row an attendance, diagnoses beside. A person's first accommodation is told with their
    first attendance and so on, as the data set has it only there.
    """
    seen = _of_kind(frame, EncounterKind.AE_ATTENDANCE).with_row_index("number", offset=1)
    turn = pl.int_range(pl.len()).over(KEY).alias("turn")
    homes = listed(frame, "circumstances").filter(pl.col("kind") == "accommodation").select(KEY, turn, "code")
    seen = seen.with_columns(turn).join(homes, on=[KEY, "turn"], how="left", maintain_order="left")
    table = people(
        seen,
        {
            "patient_nhs_number_value_pseudo": "pseudonym", "patient_nhs_number_value": "nhs_number",
            "patient_local_patient_identifier_value": KEY, "patient_birth_date": "date_of_birth",
            "patient_stated_gender": "sex", "patient_ethnic_category": "ethnic_category",
            "patient_usual_address_lsoa_11": "lsoa", "patient_registration_general_practice": "practice_code",
            "patient_accommodation_status_code": "code", "attendance_arrival_date": "started_on",
            "attendance_departure_date": "ended_on", ATTENDANCE: "number",
            "clinical_injury_intent_code": "injury_intent", "attendance_final_price": "price",
        },
    )  # fmt: skip
    intent = pl.col("clinical_injury_intent_code").replace(turned(INTENT))
    return {"attendance": table.with_columns(intent), "diagnosis": _diagnoses(seen, ATTENDANCE)}


def _diagnoses(events: pl.DataFrame, key: str) -> pl.DataFrame:
    """Return the diagnoses of numbered events, one row a code in its place."""
    numbered = events.with_columns(pl.col("number").cast(pl.String).alias(key))
    primary = numbered.select(key, diagnosis_number=pl.lit("1"), code="primary_diagnosis").drop_nulls("code")
    further = numbered.select(key, code=pl.col("secondary_diagnoses").str.split(" ")).explode("code").drop_nulls("code")
    place = (pl.int_range(pl.len()).over(key) + 2).cast(pl.String).alias("diagnosis_number")
    return pl.concat([primary, further.select(key, place, "code")])


def _of_kind(frame: pl.DataFrame, kind: EncounterKind) -> pl.DataFrame:
    """Return encounters of a kind with who had them, and their price in pounds."""
    who = people(frame, {name: name for name in (KEY, *_IDENTITY)})
    found = listed(frame, "encounters").filter(pl.col("kind") == kind.value)
    return found.join(who, on=KEY, how="inner", maintain_order="left").with_columns(price=pounds(pl.col("cost_pence")))
