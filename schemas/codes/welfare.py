"""Codes of welfare content.

Sources: DWP Single Housing Benefit Extract (claim status, tenancy type, passporting), DWP Stat-Xplore (conditionality
regime), LA Welfare Direct lite 10/2023 (reasons of deductions), MHCLG H-CLIC (duties).
"""

from __future__ import annotations

from enum import StrEnum


class Benefit(StrEnum):
    """A means-tested benefit that councils hold or receive."""

    HOUSING_BENEFIT = "hb"
    COUNCIL_TAX_REDUCTION = "ctr"
    UNIVERSAL_CREDIT = "uc"


class ClaimStatus(StrEnum):
    """SHBE claim status at extract (fields 33 and 34): 1 in payment, 2 suspended, 0 other."""

    IN_PAYMENT = "in_payment"
    SUSPENDED = "suspended"
    OTHER = "other"


class Tenure(StrEnum):
    """Tenure, from SHBE tenancy type (field 9) or the council-tax account."""

    COUNCIL = "council"
    HOUSING_ASSOCIATION = "housing_association"
    PRIVATE_RENT = "private_rent"
    OWNER = "owner"
    TEMPORARY = "temporary"
    OTHER = "other"


class ArrearsKind(StrEnum):
    """What is owed."""

    COUNCIL_TAX = "council_tax"
    RENT_COUNCIL = "rent_council"
    RENT_HOUSING_ASSOCIATION = "rent_ha"
    HB_OVERPAYMENT = "hb_overpayment"
    WATER = "water"
    ENERGY = "energy"


class RecoveryStage(StrEnum):
    """How far the recovery of a debt has gone."""

    NONE = "none"
    REMINDER = "reminder"
    SUMMONS = "summons"
    LIABILITY_ORDER = "liability_order"
    ENFORCEMENT = "enforcement"
    ATTACHMENT = "attachment"


class Passported(StrEnum):
    """By which benefit a claim is passported; the numbers behind SHBE field 12 are a councils' matter of mapping."""

    STANDARD = "standard"
    INCOME_SUPPORT = "income_support"
    JSA_INCOME_BASED = "jsa_income_based"
    ESA_INCOME_RELATED = "esa_income_related"
    PENSION_CREDIT = "pension_credit"
    UNIVERSAL_CREDIT = "universal_credit"
    NOT_KNOWN = "not_known"


class ConditionalityRegime(StrEnum):
    """What Universal Credit asks of somebody (Stat-Xplore)."""

    SEARCHING_FOR_WORK = "searching_for_work"
    WORKING_WITH_REQUIREMENTS = "working_with_requirements"
    NO_WORK_REQUIREMENTS = "no_work_requirements"
    WORKING_NO_REQUIREMENTS = "working_no_requirements"
    PLANNING_FOR_WORK = "planning_for_work"
    PREPARING_FOR_WORK = "preparing_for_work"


class WorkCapability(StrEnum):
    """Outcome of the work capability assessment."""

    NONE = "none"
    LIMITED = "lcw"
    LIMITED_FOR_WORK_RELATED_ACTIVITY = "lcwra"


class DeductionReason(StrEnum):
    """Why money is taken from an award (nine reasons of the change notifications since 26 October 2023)."""

    MORTGAGE_INTEREST = "mortgage_interest"
    SERVICE_CHARGES = "service_charges"
    RENT = "rent"
    GAS_ARREARS = "gas_arrears"
    ELECTRICITY_ARREARS = "electricity_arrears"
    COUNCIL_TAX = "council_tax"
    FINES = "fines"
    WATER_ARREARS = "water_arrears"
    CHILD_MAINTENANCE = "child_maintenance"


class HomelessnessDuty(StrEnum):
    """Which duty a council owes to a homeless household (H-CLIC)."""

    PREVENTION = "prevention"
    RELIEF = "relief"
    MAIN = "main"


class SupportNeed(StrEnum):
    """What makes it harder for a homeless person to find or keep a home (H-CLIC support needs, shortened).

    Being a victim of modern slavery is left out: it may enter only as a stated inclusion group.
    """

    MENTAL_HEALTH = "mental_health"
    PHYSICAL_HEALTH = "physical_health"
    LEARNING_DISABILITY = "learning_disability"
    DOMESTIC_ABUSE = "domestic_abuse"
    SEXUAL_ABUSE = "sexual_abuse"
    OTHER_ABUSE = "other_abuse"
    OFFENDING_HISTORY = "offending_history"
    REPEAT_HOMELESSNESS = "repeat_homelessness"
    ROUGH_SLEEPING = "rough_sleeping"
    DRUG_DEPENDENCY = "drug_dependency"
    ALCOHOL_DEPENDENCY = "alcohol_dependency"
    YOUNG_PERSON = "young_person"
    YOUNG_PARENT = "young_parent"
    CARE_LEAVER = "care_leaver"
    OLD_AGE = "old_age"
    FORMER_ASYLUM_SEEKER = "former_asylum_seeker"
    ARMED_FORCES = "armed_forces"
    EDUCATION_EMPLOYMENT_TRAINING = "education_employment_training"
    BUDGETING = "budgeting"


class LivingStandard(StrEnum):
    """How far a household's income reaches, best first. Categories as a supplier names them, or by our own working
    definition: `source` of the fact says which, and the two are never mixed.
    """

    COPING = "coping"
    STRUGGLING = "struggling"
    AT_RISK = "at_risk"
    IN_CRISIS = "in_crisis"


class Entitlement(StrEnum):
    """A benefit or help that a household seems to be entitled to and does not claim."""

    PENSION_CREDIT = "pension_credit"
    COUNCIL_TAX_REDUCTION = "council_tax_reduction"
    FREE_SCHOOL_MEALS = "free_school_meals"
    HEALTHY_START = "healthy_start"
    ATTENDANCE_ALLOWANCE = "attendance_allowance"
    CARERS_ALLOWANCE = "carers_allowance"


class AwardKind(StrEnum):
    """Discretionary help."""

    DISCRETIONARY_HOUSING_PAYMENT = "dhp"
    HOUSEHOLD_SUPPORT_FUND = "hsf"
    COUNCIL_TAX_HARDSHIP = "council_tax_hardship"


class EnergyBand(StrEnum):
    """Energy efficiency band of a dwelling's certificate."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
