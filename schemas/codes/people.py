"""Who people are: sex and ethnicity. Source: NHS Data Dictionary."""

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
