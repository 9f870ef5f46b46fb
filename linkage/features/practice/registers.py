"""The GP registers, the number of long-term conditions, and two conditions at once."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.entry import count, flag
from linkage.features.practice.evidence import diagnosed, event_on, issued_on, measured_on, value
from linkage.features.practice.rules import REGISTERS, Register
from linkage.features.states import every, known, some
from linkage.features.windows import within
from linkage.features.wording import UNLINKED, health
from schemas.codes import Condition, DrugGroup, EventCode, MeasurementKind

OBESE_FROM_KG_M2: Final = 30.0
ASTHMA_DRUGS: Final = (DrugGroup.ASTHMA_TREATMENT, DrugGroup.SABA, DrugGroup.ICS)
"""What counts as treatment of asthma. The rule's cluster of drugs has no groups; these three are our reading."""
_FACTS: Final = {Condition.OBESITY: ("measurements",), Condition.SEVERE_MENTAL_ILLNESS: ("diagnoses", "medications")}
_RISK: Final = tuple(rule.feature for rule in REGISTERS if not rule.risk)

ENTRIES: Final = (
    *(
        flag(
            rule.feature,
            rule.sentence,
            **health(
                _FACTS.get(rule.condition, ("diagnoses",)),
                unknown_when=f"{UNLINKED}, or a part of the rule that matters is unknown",
            ),
        )
        for rule in REGISTERS
    ),
    count(
        "ltc_count",
        (0, 1, 2, 3, 4, 5),
        "Number of long-term-condition registers that the person is on; non-diabetic hyperglycaemia, obesity and "
        "palliative care are none.",
        **health(("diagnoses",), unknown_when=f"{UNLINKED}, or one of the registers is unknown"),
    ),
    flag(
        "dm_and_htn",
        "On both the diabetes and the hypertension register.",
        **health(("diagnoses",)),
    ),
)


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES` in two steps: the registers, then what is counted over them."""
    return [
        [_on_register(rule, as_of).alias(rule.feature) for rule in REGISTERS],
        [
            # A sum over flags of which one is unknown is itself unknown, hence no `sum_horizontal`, which skips nulls.
            sum((pl.col(name).cast(pl.Int32) for name in _RISK), start=pl.lit(0, pl.Int32)).alias("ltc_count"),
            (pl.col(f"reg_{Condition.DIABETES}") & pl.col(f"reg_{Condition.HYPERTENSION}")).alias("dm_and_htn"),
        ],
    ]


def active(condition: Condition) -> pl.Expr:
    """Return whether the latest diagnosis of `condition` is after its latest resolved code, at any age."""
    return known("diagnoses", diagnosed(condition).is_not_null())


def treated(groups: tuple[DrugGroup, ...], as_of: date, months: int) -> pl.Expr:
    """Return whether a drug of one of `groups` was issued in the last `months`."""
    return known("medications", some([within(issued_on(g), as_of, months).fill_null(False) for g in groups]))


def _since(code: EventCode, condition: Condition) -> pl.Expr:
    """Return whether `code` was entered on or after the day of the latest diagnosis: of one day, they cancel."""
    return known("coded_events", event_on(code) >= diagnosed(condition))


def _on_register(rule: Register, as_of: date) -> pl.Expr:
    on = active(rule.condition)
    if rule.condition is Condition.OBESITY:
        bmi = MeasurementKind.BMI_KG_M2
        on = known("measurements", within(measured_on(bmi), as_of, 12) & (value(bmi) >= OBESE_FROM_KG_M2))
    elif rule.condition is Condition.ASTHMA:
        on &= treated(ASTHMA_DRUGS, as_of, 12)
    elif rule.condition is Condition.EPILEPSY:
        on &= treated((DrugGroup.EPILEPSY_DRUG,), as_of, 6)
    elif rule.condition is Condition.CKD:
        on &= ~_since(EventCode.CKD_STAGE_1_2, rule.condition)
    elif rule.condition is Condition.NON_DIABETIC_HYPERGLYCAEMIA:
        on &= ~active(Condition.DIABETES)
    elif rule.condition is Condition.SEVERE_MENTAL_ILLNESS:
        on = (on & ~_since(EventCode.SMI_REMISSION, rule.condition)) | treated((DrugGroup.LITHIUM,), as_of, 6)
    # Kleene's AND: never coded is false at any age; coded at an unknown age is unknown.
    return on if rule.minimum_age is None else every([on, pl.col("age") >= rule.minimum_age])
