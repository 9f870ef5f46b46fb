"""The feed file and the ingest record: a subject's linkage variables beside its content, before ingest splits them.

A pseudonymised file (Parquet) and a column batch (Arrow IPC stream) have the columns of `HealthRecord` or
`WelfareRecord`, in that order; the file's key-value metadata holds a `FileDeclaration` under `hwlink`.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from schemas.contracts import facts_health as health
from schemas.contracts import facts_welfare as welfare
from schemas.contracts.base import Contract, Feed, Operation, SourceId, SubjectRef, Token, Version
from schemas.contracts.facts import Demographics
from schemas.contracts.subject import ClaimRole, LinkageVariables


class _Record(LinkageVariables, Demographics):
    """What records of both feeds share: identity of the record, linkage variables, demographics."""

    subject_ref: SubjectRef
    version: Version
    operation: Operation = Operation.UPSERT
    claim_group: Token | None = None
    claim_role: ClaimRole | None = None


class HealthRecord(_Record):
    """One subject as a health source knows them."""

    diagnoses: tuple[health.Diagnosis, ...] = ()
    encounters: tuple[health.Encounter, ...] = ()
    measurements: tuple[health.Measurement, ...] = ()
    medications: tuple[health.MedicationCount, ...] = ()
    coded_events: tuple[health.CodedEvent, ...] = ()
    screenings: tuple[health.Screening, ...] = ()
    searches: tuple[health.SearchResult, ...] = ()
    referrals: tuple[health.Referral, ...] = ()
    care_arrangements: tuple[health.CareArrangement, ...] = ()
    fit_notes: tuple[health.FitNote, ...] = ()
    circumstances: tuple[health.Circumstance, ...] = ()
    inclusion_flags: tuple[health.InclusionFlag, ...] = ()


class WelfareRecord(_Record):
    """One subject as a welfare source knows them."""

    claims: tuple[welfare.ClaimMembership, ...] = ()
    arrears: tuple[welfare.Arrears, ...] = ()
    credit_periods: tuple[welfare.CreditPeriod, ...] = ()
    deductions: tuple[welfare.Deduction, ...] = ()
    occupancies: tuple[welfare.Occupancy, ...] = ()
    dwellings: tuple[welfare.Dwelling, ...] = ()
    homelessness: tuple[welfare.HomelessnessCase, ...] = ()
    living_standards: tuple[welfare.LivingStandardResult, ...] = ()
    unclaimed: tuple[welfare.UnclaimedEntitlement, ...] = ()
    awards: tuple[welfare.DiscretionaryAward, ...] = ()
    claim_changes: tuple[welfare.ClaimChange, ...] = ()


RECORDS: Final[dict[Feed, type[_Record]]] = {Feed.HEALTH: HealthRecord, Feed.WELFARE: WelfareRecord}


class FileDeclaration(Contract):
    """What a pseudonymised file says of itself (Parquet key-value metadata, key `hwlink`, JSON)."""

    format_version: int = 1
    feed: Feed
    source: SourceId
    agreement_id: str
    agreement_hash: str
    key_epoch: str
    ids_kept: bool = False
    one_record_per_person: bool = False
    legal_basis: str | None = None
    purpose: str | None = None
    data_sharing_agreement: str | None = None
    extract_date: date | None = None
    opt_outs_applied_on: date | None = None
    full_extract: bool = False
