"""Rules of the GP registers: who is on one, given coded diagnoses.

Read from the open documentation of the East London database (`qmul-ceg/eldbdocs`, after the Quality and Outcomes
Framework); conditions of those rules that need medication, measurements or remission codes are left out, since the
feed has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.codes import Condition


@dataclass(frozen=True)
class Register:
    """One register. A diagnosis counts from `diagnosed_from`; `resolvable` says whether a resolved code ends it."""

    condition: Condition
    title: str
    minimum_age: int | None = None
    diagnosed_from: date | None = None
    resolvable: bool = True

    @property
    def feature(self) -> str:
        """Return the feature's name, `reg_<condition>`."""
        return f"reg_{self.condition}"

    @property
    def sentence(self) -> str:
        """Return the definition in words."""
        basis = "the latest diagnosis is after the latest resolved code" if self.resolvable else "diagnosed ever"
        since = f", diagnoses from {self.diagnosed_from.isoformat()}" if self.diagnosed_from else ""
        age = f", aged {self.minimum_age} or over" if self.minimum_age else ""
        return f"On the register of {self.title}: {basis}{since}{age}."


_QOF_START: Final = date(2006, 4, 1)
_CANCER_START: Final = date(2003, 4, 1)

REGISTERS: Final[tuple[Register, ...]] = (
    Register(Condition.AF, "atrial fibrillation"),
    Register(Condition.ASTHMA, "asthma"),
    Register(Condition.CANCER, "cancer", diagnosed_from=_CANCER_START, resolvable=False),
    Register(Condition.CHD, "coronary heart disease", resolvable=False),
    Register(Condition.CKD, "chronic kidney disease", minimum_age=18),
    Register(Condition.COPD, "chronic obstructive pulmonary disease"),
    Register(Condition.DEMENTIA, "dementia", resolvable=False),
    Register(Condition.DEPRESSION, "depression", minimum_age=18, diagnosed_from=_QOF_START),
    Register(Condition.DIABETES, "diabetes mellitus", minimum_age=17),
    Register(Condition.EPILEPSY, "epilepsy"),
    Register(Condition.HEART_FAILURE, "heart failure"),
    Register(Condition.HYPERTENSION, "hypertension"),
    Register(Condition.LEARNING_DISABILITY, "learning disability", resolvable=False),
    Register(Condition.OBESITY, "obesity", minimum_age=18),
    Register(Condition.OSTEOPOROSIS, "osteoporosis", resolvable=False),
    Register(Condition.PAD, "peripheral arterial disease", resolvable=False),
    Register(Condition.RHEUMATOID_ARTHRITIS, "rheumatoid arthritis", minimum_age=16, resolvable=False),
    Register(Condition.SEVERE_MENTAL_ILLNESS, "severe mental illness"),
    Register(Condition.STROKE, "stroke or transient ischaemic attack", resolvable=False),
)
