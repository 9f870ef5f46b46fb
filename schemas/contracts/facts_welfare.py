"""Content of welfare feeds: what councils, DWP and their suppliers say of people and their households.

What describes a household stands once: on the claimant's row, or on the row of the person whose it is.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from schemas.codes import (
    ArrearsKind,
    AwardKind,
    Benefit,
    ClaimStatus,
    ConditionalityRegime,
    DeductionReason,
    EnergyBand,
    Entitlement,
    HomelessnessDuty,
    LivingStandard,
    Passported,
    RecoveryStage,
    SupportNeed,
    Tenure,
    WorkCapability,
)
from schemas.contracts.base import ContentRef, Contract, Pence, VersionedName
from schemas.contracts.subject import ClaimRole

Few = Annotated[int, Field(ge=0, le=30)]
_SUPPORT_NEED = f"({'|'.join(SupportNeed)})"
SupportNeeds = Annotated[str, Field(pattern=f"^{_SUPPORT_NEED}( {_SUPPORT_NEED})*$", max_length=400)]
"""Codes of `SupportNeed`, a space between two."""


class ClaimMembership(Contract):
    """A subject's part in one claim. Amounts describe the claim's household and stand on the claimant's row only,
    but for `weekly_earnings_pence`, `weekly_work_hours`, `disability_premium` and `carer_premium`, which are the
    person's own. `account_ref` names the council-tax account.
    """

    claim_ref: ContentRef
    benefit: Benefit
    role: ClaimRole
    status: ClaimStatus
    started_on: date | None = None
    ended_on: date | None = None
    tenure: Tenure | None = None
    weekly_award_pence: Pence | None = None
    weekly_income_pence: Pence | None = None
    account_ref: ContentRef | None = None
    passported: Passported | None = None
    children_declared: Few | None = None
    non_dependants_declared: Few | None = None
    weekly_eligible_rent_pence: Pence | None = None
    weekly_contractual_rent_pence: Pence | None = None
    weekly_lha_pence: Pence | None = None
    weekly_council_tax_pence: Pence | None = None
    weekly_cap_reduction_pence: Pence | None = None
    capital_pence: Pence | None = None
    weekly_earnings_pence: Pence | None = None
    weekly_work_hours: Annotated[float, Field(ge=0, le=168, allow_inf_nan=False)] | None = None
    disability_premium: bool | None = None
    carer_premium: bool | None = None
    supported_accommodation: bool | None = None


class CreditPeriod(Contract):
    """One assessment period of a Universal Credit award, as it holds for the person. Amounts are a month's."""

    claim_ref: ContentRef
    period_from: date
    period_to: date
    conditionality: ConditionalityRegime | None = None
    work_capability: WorkCapability | None = None
    carer_element: bool | None = None
    monthly_net_award_pence: Pence | None = None
    monthly_housing_element_pence: Pence | None = None
    monthly_earnings_pence: Pence | None = None
    monthly_cap_reduction_pence: Pence | None = None
    two_child_limit: bool | None = None
    sanctioned: bool | None = None


class Deduction(Contract):
    """Money taken from an award for a debt or a third party, in one month."""

    reason: DeductionReason
    deducted_on: date
    monthly_pence: Pence


class Occupancy(Contract):
    """Bedrooms that a social tenancy has and that the household needs (under-occupation extract)."""

    claim_ref: ContentRef
    bedrooms: Few
    bedrooms_needed: Few
    recorded_on: date


class Dwelling(Contract):
    """What is known of a home's energy: certificate band and the modelled cost of enough warmth."""

    recorded_on: date
    energy_band: EnergyBand | None = None
    yearly_energy_pence: Pence | None = None


class Arrears(Contract):
    """A debt to a council, landlord or utility, on the row of the person who owes it."""

    kind: ArrearsKind
    balance_pence: Pence
    oldest_debt_on: date | None = None
    recovery_stage: RecoveryStage = RecoveryStage.NONE
    weeks_in_arrears: Annotated[int, Field(ge=0, le=5_000)] | None = None


class HomelessnessCase(Contract):
    """A person's part in a homelessness application (H-CLIC). `support_needs` are codes of `SupportNeed`."""

    case_ref: ContentRef
    duty: HomelessnessDuty
    started_on: date
    ended_on: date | None = None
    temporary_accommodation: bool | None = None
    rough_sleeping: bool | None = None
    support_needs: SupportNeeds | None = None


class LivingStandardResult(Contract):
    """A household's living standard as a supplier worked it out; opaque but for `definition_source`, which names who
    defined the category in which version. Ours start with `hwlink.`.
    """

    category: LivingStandard
    assessed_on: date
    definition_source: VersionedName


class UnclaimedEntitlement(Contract):
    """A benefit that a household seems to miss, with the estimate of a year's worth."""

    entitlement: Entitlement
    assessed_on: date
    yearly_pence: Pence | None = None


class DiscretionaryAward(Contract):
    """Discretionary help that was granted."""

    kind: AwardKind
    awarded_on: date
    amount_pence: Pence | None = None


class ClaimChange(Contract):
    """A change of circumstances on a claim (SHBE record type T)."""

    claim_ref: ContentRef
    changed_on: date
