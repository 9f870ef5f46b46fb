"""Content: what feeds say about people. No token, filter or clear identifier has a place here.

One record is everything that one source says of one subject at one version; a newer version replaces it whole. On the
way, each kind of fact is a table of its own: `FACT_KINDS` names them, `FactEnvelope` is what each row starts with.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from schemas.codes import EthnicCategory, PropertyMatch, Sex
from schemas.contracts import facts_health as health
from schemas.contracts import facts_welfare as welfare
from schemas.contracts.base import ContentRef, Contract, Feed, Operation, SourceId, SubjectRef, Version, YearMonth

Lsoa = Annotated[str, Field(pattern=r"^[EW]\d{8}$")]
PracticeCode = Annotated[str, Field(pattern=r"^[A-Z]\d{5}$")]


class Demographics(Contract):
    """Who a subject is, as coarsely as the features need it.

    `property_ref` names the home under a key of its own, so that it equals no token; `property_match` says how well
    the address was matched to it.
    """

    birth_year_month: YearMonth | None = None
    sex: Sex | None = None
    ethnic_category: EthnicCategory | None = None
    lsoa: Lsoa | None = None
    practice_code: PracticeCode | None = None
    death_year_month: YearMonth | None = None
    interpreter_needed: bool | None = None
    property_ref: ContentRef | None = None
    property_match: PropertyMatch | None = None


class FactEnvelope(Contract):
    """What every content row starts with. `ordinal` numbers a record's facts of one kind from 0."""

    source: SourceId
    subject_ref: SubjectRef
    version: Version
    operation: Operation
    content_hash: int = 0
    ordinal: Annotated[int, Field(ge=0)]


LISTED_FACTS: Final[dict[Feed, dict[str, type[Contract]]]] = {
    Feed.HEALTH: {
        "diagnoses": health.Diagnosis,
        "encounters": health.Encounter,
        "measurements": health.Measurement,
        "medications": health.MedicationCount,
        "coded_events": health.CodedEvent,
        "screenings": health.Screening,
        "searches": health.SearchResult,
        "referrals": health.Referral,
        "care_arrangements": health.CareArrangement,
        "fit_notes": health.FitNote,
        "circumstances": health.Circumstance,
        "inclusion_flags": health.InclusionFlag,
    },
    Feed.WELFARE: {
        "claims": welfare.ClaimMembership,
        "arrears": welfare.Arrears,
        "credit_periods": welfare.CreditPeriod,
        "deductions": welfare.Deduction,
        "occupancies": welfare.Occupancy,
        "dwellings": welfare.Dwelling,
        "homelessness": welfare.HomelessnessCase,
        "living_standards": welfare.LivingStandardResult,
        "unclaimed": welfare.UnclaimedEntitlement,
        "awards": welfare.DiscretionaryAward,
        "claim_changes": welfare.ClaimChange,
    },
}
"""Facts that a record holds any number of: list column of the feed file -> contract of one element."""

FACT_KINDS: Final[dict[Feed, dict[str, type[Contract]]]] = {
    feed: {"demographics": Demographics, **listed} for feed, listed in LISTED_FACTS.items()
}
"""Every kind of fact of a feed: the name is the lake's table `<feed>_<kind>` and the message's `kind` header.

Each record always gives one `demographics` row, even when empty: it says that the record exists (and, by its operation,
that it was withdrawn), so that `latest` over demographics decides which version's facts count.
"""
