"""Rules of the GP registers: who is on one, given coded diagnoses.

Read from the open documentation of the East London database (`qmul-ceg/eldbdocs`, after the Quality and Outcomes
Framework). What a register asks for besides diagnoses (a treatment, a measurement, a later code) stands in `registers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.codes import Condition


@dataclass(frozen=True)
class Register:
    """One register. A diagnosis counts from `diagnosed_from`; `resolvable` says whether a resolved code ends it.

    `besides` is the rest of the rule in words; `risk` marks registers of a risk or of a phase of care, which are no
    long-term conditions.
    """

    condition: Condition
    title: str
    minimum_age: int | None = None
    diagnosed_from: date | None = None
    resolvable: bool = True
    besides: str = ""
    risk: bool = False

    @property
    def feature(self) -> str:
        """Return the feature's name, `reg_<condition>`."""
        return f"reg_{self.condition}"

    @property
    def sentence(self) -> str:
        """Return the definition in words."""
        basis = "the latest diagnosis is after the latest resolved code" if self.resolvable else "diagnosed ever"
        if self.condition is Condition.OBESITY:
            basis = "a body mass index of 30 kg/m2 or more, the newest of the last 12 months"
        since = f", diagnoses from {self.diagnosed_from.isoformat()}" if self.diagnosed_from else ""
        age = f", aged {self.minimum_age} or over" if self.minimum_age else ""
        return f"On the register of {self.title}: {basis}{since}{age}{self.besides}."


_QOF_START: Final = date(2006, 4, 1)
_CANCER_START: Final = date(2003, 4, 1)

REGISTERS: Final[tuple[Register, ...]] = (
    Register(Condition.AF, "atrial fibrillation"),
    Register(Condition.ASTHMA, "asthma", besides=", with an asthma drug in the last 12 months"),
    Register(Condition.CANCER, "cancer", diagnosed_from=_CANCER_START, resolvable=False),
    Register(Condition.CHD, "coronary heart disease", resolvable=False),
    Register(Condition.CKD, "chronic kidney disease", minimum_age=18, besides=", with no stage 1 or 2 since"),
    Register(Condition.COPD, "chronic obstructive pulmonary disease"),
    Register(Condition.DEMENTIA, "dementia", resolvable=False),
    Register(Condition.DEPRESSION, "depression", minimum_age=18, diagnosed_from=_QOF_START),
    Register(Condition.DIABETES, "diabetes mellitus", minimum_age=17),
    Register(Condition.EPILEPSY, "epilepsy", besides=", with an epilepsy drug in the last 6 months"),
    Register(Condition.HEART_FAILURE, "heart failure"),
    Register(Condition.HYPERTENSION, "hypertension"),
    Register(Condition.LEARNING_DISABILITY, "learning disability", resolvable=False),
    Register(
        Condition.NON_DIABETIC_HYPERGLYCAEMIA,
        "non-diabetic hyperglycaemia",
        minimum_age=18,
        besides=", without active diabetes",
        risk=True,
    ),
    Register(Condition.OBESITY, "obesity", minimum_age=18, risk=True),
    Register(Condition.OSTEOPOROSIS, "osteoporosis", resolvable=False),
    Register(Condition.PAD, "peripheral arterial disease", resolvable=False),
    Register(Condition.PALLIATIVE, "palliative care", risk=True),
    Register(Condition.RHEUMATOID_ARTHRITIS, "rheumatoid arthritis", minimum_age=16, resolvable=False),
    Register(
        Condition.SEVERE_MENTAL_ILLNESS,
        "severe mental illness",
        besides=", with no remission since; or lithium in the last 6 months",
    ),
    Register(Condition.STROKE, "stroke or transient ischaemic attack", resolvable=False),
)

DIAGNOSED_FROM: Final = {r.condition: r.diagnosed_from for r in REGISTERS if r.diagnosed_from is not None}
NEVER_RESOLVED: Final = tuple(r.condition for r in REGISTERS if not r.resolvable)
