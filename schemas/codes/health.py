"""Codes of health content. Each is the coarsest that the features need; readers of real layouts map to them at source.

Sources: Quality and Outcomes Framework register names, NHS Data Dictionary (admission method, accommodation and
employment status), ECDS injury intent, national screening programmes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Condition(StrEnum):
    """Conditions of GP registers (Quality and Outcomes Framework names) and the further ones of the Cambridge
    Multimorbidity Score.
    """

    AF = "af"
    ALCOHOL = "alcohol"
    ANXIETY = "anxiety"
    ASTHMA = "asthma"
    CANCER = "cancer"
    CHD = "chd"
    CKD = "ckd"
    CONNECTIVE_TISSUE = "connective_tissue"
    CONSTIPATION = "constipation"
    COPD = "copd"
    DEMENTIA = "dementia"
    DEPRESSION = "depression"
    DIABETES = "dm"
    DRUG_DEPENDENCE = "drug_dependence"
    EPILEPSY = "epilepsy"
    HEARING_LOSS = "hearing_loss"
    HEART_FAILURE = "hf"
    HYPERTENSION = "htn"
    IBS = "ibs"
    LEARNING_DISABILITY = "ld"
    NON_DIABETIC_HYPERGLYCAEMIA = "ndh"
    OBESITY = "obesity"
    OSTEOPOROSIS = "osteo"
    PAD = "pad"
    PAINFUL_CONDITION = "painful_condition"
    PALLIATIVE = "palliative"
    RHEUMATOID_ARTHRITIS = "ra"
    SEVERE_MENTAL_ILLNESS = "smi"
    STROKE = "stroke"


class DiagnosisStatus(StrEnum):
    """Whether a coded entry says that the condition is there or that it has resolved."""

    ACTIVE = "active"
    RESOLVED = "resolved"


class EncounterKind(StrEnum):
    """Where care was given: the national data sets ECDS, SUS (admitted care, outpatients), MHSDS and CSDS.

    A detention is under the Mental Health Act.
    """

    AE_ATTENDANCE = "ae_attendance"
    ADMISSION = "admission"
    OUTPATIENT = "outpatient"
    MENTAL_HEALTH_CONTACT = "mental_health_contact"
    MENTAL_HEALTH_DETENTION = "mental_health_detention"
    COMMUNITY_CONTACT = "community_contact"


class InjuryIntent(StrEnum):
    """ECDS injury intent, in groups."""

    ACCIDENT = "accident"
    SELF_INFLICTED = "self_inflicted"
    ASSAULT = "assault"
    OTHER = "other"


class MeasurementKind(StrEnum):
    """What was measured; the unit is part of the name, as values travel without one.

    `bmi_centile_uk90` is the child's centile of the British 1990 growth reference (0-100). `efi` and `efi2` are
    shares (0-1), `supplied_risk_score` whatever the supplier's model gives.
    """

    SYSTOLIC_MMHG = "systolic_mmhg"
    DIASTOLIC_MMHG = "diastolic_mmhg"
    HBA1C_MMOL_MOL = "hba1c_mmol_mol"
    BMI_KG_M2 = "bmi_kg_m2"
    BMI_CENTILE_UK90 = "bmi_centile_uk90"
    CHOLESTEROL_MMOL_L = "cholesterol_mmol_l"
    EGFR_ML_MIN = "egfr_ml_min"
    ACR_MG_MMOL = "acr_mg_mmol"
    ELF_SCORE = "elf_score"
    FEV1_PERCENT_PREDICTED = "fev1_percent_predicted"
    MRC_DYSPNOEA_GRADE = "mrc_dyspnoea_grade"
    ALCOHOL_UNITS_WEEK = "alcohol_units_week"
    QRISK_PERCENT = "qrisk_percent"
    FIT_UG_G = "fit_ug_g"
    EFI = "efi"
    EFI2 = "efi2"
    SUPPLIED_RISK_SCORE = "supplied_risk_score"


class MeasurementSetting(StrEnum):
    """Where a blood pressure was taken: thresholds differ by it."""

    CLINIC = "clinic"
    HOME = "home"
    AMBULATORY = "ambulatory"


class DrugGroup(StrEnum):
    """Groups of drugs that rules ask for. `all` carries a count of distinct drugs in the six months before."""

    ALL = "all"
    SABA = "saba"
    ICS = "ics"
    ORAL_STEROID = "oral_steroid"
    RESPIRATORY_ANTIBIOTIC = "respiratory_antibiotic"
    TRIPLE_INHALER = "triple_inhaler"
    ASTHMA_TREATMENT = "asthma_treatment"
    EPILEPSY_DRUG = "epilepsy_drug"
    LITHIUM = "lithium"
    INSULIN = "insulin"
    GLP1 = "glp1"
    STATIN = "statin"


class EventCode(StrEnum):
    """Single coded GP entries that rules ask for, by what they say and not by their SNOMED codes."""

    SMOKER = "smoker"
    EX_SMOKER = "ex_smoker"
    NEVER_SMOKED = "never_smoked"
    ASTHMA_REVIEW = "asthma_review"
    ASTHMA_PLAN = "asthma_plan"
    COPD_EXACERBATION = "copd_exacerbation"
    COR_PULMONALE = "cor_pulmonale"
    HOME_OXYGEN = "home_oxygen"
    SPIROMETRY = "spirometry"
    FOOT_ULCER = "foot_ulcer"
    MYOCARDIAL_INFARCTION = "myocardial_infarction"
    STROKE_EVENT = "stroke_event"
    TIA = "tia"
    SMI_REMISSION = "smi_remission"
    DIALYSIS_OR_TRANSPLANT = "dialysis_or_transplant"
    CKD_STAGE_1_2 = "ckd_stage_1_2"
    CKD_STAGE_4 = "ckd_stage_4"
    CKD_STAGE_5 = "ckd_stage_5"
    END_OF_LIFE = "end_of_life"
    HOUSEBOUND = "housebound"
    HIP_FRACTURE = "hip_fracture"
    FALL = "fall"
    HAS_CARER = "has_carer"
    IS_CARER = "is_carer"
    SMI_HEALTH_CHECK = "smi_health_check"
    HOMELESS = "homeless"
    IMMUNISATIONS_COMPLETE = "immunisations_complete"
    IMMUNISATIONS_INCOMPLETE = "immunisations_incomplete"
    CANCER_STAGE_EARLY = "cancer_stage_early"
    CANCER_STAGE_LATE = "cancer_stage_late"
    DAMP_OR_DISREPAIR = "damp_or_disrepair"
    EMERGENCY_DENTISTRY = "emergency_dentistry"


class ScreeningProgramme(StrEnum):
    """National cancer screening programmes."""

    BOWEL = "bowel"
    BREAST = "breast"
    CERVICAL = "cervical"


class ScreeningStatus(StrEnum):
    """Where somebody stands in a screening programme."""

    DUE = "due"
    OVERDUE = "overdue"
    COMPLETE = "complete"
    DECLINED = "declined"
    NOT_ELIGIBLE = "not_eligible"


class SearchKind(StrEnum):
    """What a search in the GP system looks for."""

    PRIORITY_GROUP = "priority_group"
    SUSPECTED_UNCODED = "suspected_uncoded"
    HIGHEST_RISK = "highest_risk"


class ReferralService(StrEnum):
    """Where somebody was referred to."""

    MENTAL_HEALTH = "mental_health"
    COMMUNITY = "community"
    SOCIAL_PRESCRIBING = "social_prescribing"
    NON_SPECIFIC_SYMPTOMS = "non_specific_symptoms"
    CHILD_WEIGHT_TIER_3 = "child_weight_tier_3"


class ReferralReason(StrEnum):
    """Why somebody was referred to social prescribing."""

    HOUSING = "housing"
    MONEY = "money"
    WORK = "work"
    LONELINESS = "loneliness"
    MENTAL_WELLBEING = "mental_wellbeing"
    PHYSICAL_ACTIVITY = "physical_activity"
    CARING = "caring"
    OTHER = "other"


class CarePackage(StrEnum):
    """Adult social care that a council arranges."""

    HOME_CARE = "home_care"
    DAY_CARE = "day_care"
    DIRECT_PAYMENT = "direct_payment"
    REABLEMENT = "reablement"
    CARE_HOME_RESIDENTIAL = "care_home_residential"
    CARE_HOME_NURSING = "care_home_nursing"


class CircumstanceKind(StrEnum):
    """Which of the social circumstances a code speaks of (NHS Data Dictionary accommodation and employment status)."""

    ACCOMMODATION = "accommodation"
    EMPLOYMENT = "employment"


class InclusionGroup(StrEnum):
    """Inclusion-health groups that a controller states. None is inferred from other data.

    Those of `NEVER_DERIVED` may enter only so, and are never a dimension of a query.
    """

    DRUG_ALCOHOL = "drug_alcohol"
    GYPSY_ROMA_TRAVELLER = "gypsy_roma_traveller"
    JUSTICE_CONTACT = "justice_contact"
    HOMELESS = "homeless"
    VULNERABLE_MIGRANT = "vulnerable_migrant"
    LOOKED_AFTER_CHILD = "looked_after_child"
    CARE_LEAVER = "care_leaver"
    YOUNG_CARER = "young_carer"
    MULTIPLE_DISADVANTAGE_CASE = "multiple_disadvantage_case"
    LGBTQIA = "lgbtqia"
    SEX_WORKER = "sex_worker"
    MODERN_SLAVERY = "modern_slavery"


NEVER_DERIVED: Final = frozenset(
    {
        InclusionGroup.LGBTQIA,
        InclusionGroup.SEX_WORKER,
        InclusionGroup.MODERN_SLAVERY,
        InclusionGroup.VULNERABLE_MIGRANT,
    }
)
"""Groups that are neither inferred nor shown: very sensitive, and too few people for any count to be safe."""


class PropertyMatch(StrEnum):
    """How well an address was matched to a property (ASSIGN's status): only `residency` makes a household."""

    RESIDENCY = "residency"
    NON_RESIDENTIAL = "non_residential"
    IMPRECISE = "imprecise"
    MULTIPLE = "multiple"
    NO_DATA = "no_data"
    IMPROBABLE = "improbable"
