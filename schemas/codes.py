"""Code lists, each with its source. Codes travel; labels are for people.

Sources: NHS Data Dictionary (ethnic category 2001, person stated gender, admission method), DWP Single Housing Benefit
Extract (claim status, tenancy type), QOF register names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Sex(StrEnum):
    """NHS Data Dictionary PERSON STATED GENDER CODE."""

    MALE = "1"
    FEMALE = "2"
    INDETERMINATE = "9"
    NOT_KNOWN = "X"


class EthnicCategory(StrEnum):
    """NHS Data Dictionary ETHNIC CATEGORY 2001."""

    WHITE_BRITISH = "A"
    WHITE_IRISH = "B"
    WHITE_OTHER = "C"
    MIXED_WHITE_BLACK_CARIBBEAN = "D"
    MIXED_WHITE_BLACK_AFRICAN = "E"
    MIXED_WHITE_ASIAN = "F"
    MIXED_OTHER = "G"
    ASIAN_INDIAN = "H"
    ASIAN_PAKISTANI = "J"
    ASIAN_BANGLADESHI = "K"
    ASIAN_OTHER = "L"
    BLACK_CARIBBEAN = "M"
    BLACK_AFRICAN = "N"
    BLACK_OTHER = "P"
    CHINESE = "R"
    OTHER = "S"
    NOT_STATED = "Z"
    NOT_KNOWN = "99"


ETHNIC_GROUP_5: Final[dict[str, str]] = {
    **dict.fromkeys("ABC", "white"),
    **dict.fromkeys("DEFG", "mixed"),
    **dict.fromkeys("HJKL", "asian"),
    **dict.fromkeys("MNP", "black"),
    **dict.fromkeys("RS", "chinese_or_other"),
}
"""Five-group ethnicity; `Z` and `99` have none."""


class Condition(StrEnum):
    """Long-term conditions by their GP register (Quality and Outcomes Framework names)."""

    AF = "af"
    ASTHMA = "asthma"
    CANCER = "cancer"
    CHD = "chd"
    CKD = "ckd"
    COPD = "copd"
    DEMENTIA = "dementia"
    DEPRESSION = "depression"
    DIABETES = "dm"
    EPILEPSY = "epilepsy"
    HEART_FAILURE = "hf"
    HYPERTENSION = "htn"
    LEARNING_DISABILITY = "ld"
    OBESITY = "obesity"
    OSTEOPOROSIS = "osteo"
    PAD = "pad"
    RHEUMATOID_ARTHRITIS = "ra"
    SEVERE_MENTAL_ILLNESS = "smi"
    STROKE = "stroke"


class DiagnosisStatus(StrEnum):
    """Whether a coded entry says that the condition is there or that it has resolved."""

    ACTIVE = "active"
    RESOLVED = "resolved"


class EncounterKind(StrEnum):
    """Where care was given."""

    AE_ATTENDANCE = "ae_attendance"
    ADMISSION = "admission"
    OUTPATIENT = "outpatient"


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


class RecoveryStage(StrEnum):
    """How far the recovery of a debt has gone."""

    NONE = "none"
    REMINDER = "reminder"
    SUMMONS = "summons"
    LIABILITY_ORDER = "liability_order"
    ENFORCEMENT = "enforcement"
    ATTACHMENT = "attachment"
