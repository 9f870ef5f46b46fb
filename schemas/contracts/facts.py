"""Content: what feeds say about people. No token, filter or clear identifier has a place here.

One record is everything that one source says of one subject at one version; a newer version replaces it whole. On the
way, each kind of fact is a table of its own: `FACT_KINDS` names them, `FactEnvelope` is what each row starts with.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from pydantic import Field

from schemas.codes import (
    ArrearsKind,
    Benefit,
    ClaimStatus,
    Condition,
    DiagnosisStatus,
    EncounterKind,
    EthnicCategory,
    RecoveryStage,
    Sex,
    Tenure,
)
from schemas.contracts.base import (
    ContentRef,
    Contract,
    Feed,
    Operation,
    SourceId,
    SubjectRef,
    Version,
    YearMonth,
)
from schemas.contracts.subject import ClaimRole

Pence = Annotated[int, Field(ge=-(10**9), le=10**9)]
Lsoa = Annotated[str, Field(pattern=r"^[EW]\d{8}$")]
PracticeCode = Annotated[str, Field(pattern=r"^[A-Z]\d{5}$")]
AdmissionMethod = Annotated[str, Field(pattern=r"^[0-9A-Z]{2}$")]
Icd10 = Annotated[str, Field(pattern=r"^[A-Z]\d[0-9A-Z]{0,3}X?$", max_length=6)]


class Demographics(Contract):
    """Who a subject is, as coarsely as the features need it."""

    birth_year_month: YearMonth | None = None
    sex: Sex | None = None
    ethnic_category: EthnicCategory | None = None
    lsoa: Lsoa | None = None
    practice_code: PracticeCode | None = None
    death_year_month: YearMonth | None = None


class Diagnosis(Contract):
    """A coded entry on a GP register. The latest entry of a condition decides whether it is active."""

    condition: Condition
    status: DiagnosisStatus
    recorded_on: date


class Encounter(Contract):
    """An A&E attendance, a hospital spell or an outpatient appointment. Emergency admissions have a method that starts
    with 2.
    """

    kind: EncounterKind
    started_on: date
    ended_on: date | None = None
    admission_method: AdmissionMethod | None = None
    primary_diagnosis: Icd10 | None = None


class ClaimMembership(Contract):
    """A subject's part in one claim. Amounts describe the claim's household and stand on the claimant's row only."""

    claim_ref: ContentRef
    benefit: Benefit
    role: ClaimRole
    status: ClaimStatus
    started_on: date | None = None
    ended_on: date | None = None
    tenure: Tenure | None = None
    weekly_award_pence: Pence | None = None
    weekly_income_pence: Pence | None = None


class Arrears(Contract):
    """A debt to a council or social landlord, on the row of the person who owes it."""

    kind: ArrearsKind
    balance_pence: Pence
    oldest_debt_on: date | None = None
    recovery_stage: RecoveryStage = RecoveryStage.NONE


class FactEnvelope(Contract):
    """What every content row starts with. `ordinal` numbers a record's facts of one kind from 0."""

    source: SourceId
    subject_ref: SubjectRef
    version: Version
    operation: Operation
    content_hash: int = 0
    ordinal: Annotated[int, Field(ge=0)]


LISTED_FACTS: Final[dict[Feed, dict[str, type[Contract]]]] = {
    Feed.HEALTH: {"diagnoses": Diagnosis, "encounters": Encounter},
    Feed.WELFARE: {"claims": ClaimMembership, "arrears": Arrears},
}
"""Facts that a record holds any number of: list column of the feed file -> contract of one element."""

FACT_KINDS: Final[dict[Feed, dict[str, type[Contract]]]] = {
    feed: {"demographics": Demographics, **listed} for feed, listed in LISTED_FACTS.items()
}
"""Every kind of fact of a feed: the name is the lake's table `<feed>_<kind>` and the message's `kind` header.

Each record always gives one `demographics` row, even when empty: it says that the record exists (and, by its operation,
that it was withdrawn), so that `latest` over demographics decides which version's facts count.
"""
