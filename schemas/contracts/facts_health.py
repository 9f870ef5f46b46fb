"""Content of health feeds: what general practice, hospitals, community, mental health and social care say of people.

A source delivers the kinds that it has and leaves the others out; a missing kind is unknown, never none.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from schemas.codes import (
    CarePackage,
    CircumstanceKind,
    Condition,
    DiagnosisStatus,
    DrugGroup,
    EncounterKind,
    EventCode,
    InclusionGroup,
    InjuryIntent,
    MeasurementKind,
    MeasurementSetting,
    ReferralReason,
    ReferralService,
    ScreeningProgramme,
    ScreeningStatus,
    SearchKind,
)
from schemas.contracts.base import Contract, Pence, VersionedName

AdmissionMethod = Annotated[str, Field(pattern=r"^[0-9A-Z]{2}$")]
_ICD10 = r"[A-Z]\d\d(\d{1,2}[ADX]?|X\d?)?"
Icd10 = Annotated[str, Field(pattern=f"^{_ICD10}$")]
"""Category, subcategory or `X`, fifth character, and a dagger (`D`) or asterisk (`A`): UK coding, without a dot. Two
letters never end a code, so that no postcode is one.
"""
Icd10List = Annotated[str, Field(pattern=f"^{_ICD10}( {_ICD10})*$", max_length=200)]
"""Codes of further diagnoses in their order, a space between two."""
CircumstanceCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,4}$")]


class Diagnosis(Contract):
    """A coded entry on a GP register. The latest entry of a condition decides whether it is active."""

    condition: Condition
    status: DiagnosisStatus
    recorded_on: date


class Encounter(Contract):
    """An attendance, a hospital spell, an appointment, a contact. Emergency admissions have a method that starts
    with 2; `attended` is false for an appointment that was missed; `cost_pence` is the tariff.
    """

    kind: EncounterKind
    started_on: date
    ended_on: date | None = None
    admission_method: AdmissionMethod | None = None
    primary_diagnosis: Icd10 | None = None
    secondary_diagnoses: Icd10List | None = None
    attended: bool | None = None
    injury_intent: InjuryIntent | None = None
    cost_pence: Pence | None = None


class Measurement(Contract):
    """A measured value; its kind names the unit."""

    kind: MeasurementKind
    value: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]
    recorded_on: date
    setting: MeasurementSetting | None = None


class MedicationCount(Contract):
    """Issues of one group of drugs on a day. Of group `all`: `distinct_drugs` in the six months up to `issued_on`."""

    drug_group: DrugGroup
    issued_on: date
    issues: Annotated[int, Field(ge=0, le=10_000)] = 1
    distinct_drugs: Annotated[int, Field(ge=0, le=200)] | None = None


class CodedEvent(Contract):
    """A single coded entry of a GP record other than a diagnosis."""

    code: EventCode
    recorded_on: date


class Screening(Contract):
    """Where somebody stands in a screening programme; the latest entry of a programme holds."""

    programme: ScreeningProgramme
    status: ScreeningStatus
    recorded_on: date


class SearchResult(Contract):
    """That a search of the GP system found somebody. `priority_group` is 1 (highest) to 4, of priority searches only.

    The latest run of a search holds. What a search finds is never merged with a confirmed register.
    """

    search: SearchKind
    search_id: VersionedName
    condition: Condition
    run_on: date
    priority_group: Annotated[int, Field(ge=1, le=4)] | None = None
    reviewed_on: date | None = None


class Referral(Contract):
    """A referral, open until `closed_on`."""

    service: ReferralService
    opened_on: date
    closed_on: date | None = None
    reason: ReferralReason | None = None


class CareArrangement(Contract):
    """A package of adult social care, or a place in a care home."""

    package: CarePackage
    started_on: date
    ended_on: date | None = None
    weekly_hours: Annotated[float, Field(ge=0, le=168, allow_inf_nan=False)] | None = None


class FitNote(Contract):
    """A statement of fitness for work: not fit from `started_on` to `ended_on`, both included."""

    started_on: date
    ended_on: date


class Circumstance(Contract):
    """Accommodation or employment status by the NHS Data Dictionary, as a care contact recorded it."""

    kind: CircumstanceKind
    code: CircumstanceCode
    recorded_on: date


class InclusionFlag(Contract):
    """That a controller states somebody to belong to an inclusion-health group, until `ended_on`."""

    group: InclusionGroup
    stated_on: date
    ended_on: date | None = None
