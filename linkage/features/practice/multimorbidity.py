"""How many conditions, and how heavy: the Cambridge Multimorbidity Score, and the complexity of the SNEE segments."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import add
from typing import Final

import polars as pl

from linkage.features.entry import category, count, real
from linkage.features.practice.evidence import diagnosed, event_on
from linkage.features.practice.registers import active
from linkage.features.states import at_least, known
from linkage.features.wording import UNLINKED, health
from schemas.codes import Condition, EventCode

CAMBRIDGE_WEIGHTS: Final[dict[Condition, float]] = {
    Condition.ALCOHOL: 0.65,
    Condition.ANXIETY: 0.50,
    Condition.AF: 1.34,
    Condition.CANCER: 1.53,
    Condition.CKD: 0.53,
    Condition.CONNECTIVE_TISSUE: 0.43,
    Condition.COPD: 1.46,
    Condition.CHD: 0.49,
    Condition.DEMENTIA: 2.50,
    Condition.DIABETES: 0.75,
    Condition.EPILEPSY: 0.92,
    Condition.HEARING_LOSS: 0.09,
    Condition.HEART_FAILURE: 1.18,
    Condition.IBS: 0.21,
    Condition.SEVERE_MENTAL_ILLNESS: 0.64,
    Condition.STROKE: 0.80,
    Condition.ASTHMA: 0.19,
    Condition.HYPERTENSION: 0.08,
    Condition.CONSTIPATION: 1.12,
    Condition.PAINFUL_CONDITION: 0.92,
}
"""Weights of the general outcome, as an OpenSAFELY study of 20 conditions used them (psychosis is severe mental
illness here). Rheumatoid arthritis counts among the connective tissue disorders."""

SNEE_CONDITIONS: Final = (
    Condition.ANXIETY,
    Condition.ASTHMA,
    Condition.AF,
    Condition.CKD,
    Condition.COPD,
    Condition.DEPRESSION,
    Condition.DIABETES,
    Condition.EPILEPSY,
    Condition.HEART_FAILURE,
    Condition.HYPERTENSION,
    Condition.LEARNING_DISABILITY,
    Condition.OSTEOPOROSIS,
    Condition.PAD,
    Condition.STROKE,
)
"""Fourteen of the fifteen long-term conditions of the SNEE model (SNEE-ICS/SNEEdocs, MIT); the fifteenth is TIA.

They are diagnoses without a later resolved code, at any age and whatever the treatment: not the registers.
"""
HIGH_FROM: Final = 4
MEDIUM_FROM: Final = 1
COMPLEXITY: Final = ("low", "medium", "high")

ENTRIES: Final = (
    real(
        "cms_score",
        "Cambridge Multimorbidity Score: the sum of 20 conditions' weights for the general outcome, from active "
        "diagnoses at any age.",
        **health(("diagnoses",)),
    ),
    count(
        "snee_ltc_count",
        (0, 1, 2, 3, 4, 5),
        "Number of the 15 long-term conditions of the SNEE segmentation model with a diagnosis after the latest "
        "resolved code.",
        **health(("diagnoses",), unknown_when=f"{UNLINKED}, or no source delivers coded events (for TIA)"),
    ),
    category(
        "segment_complexity",
        COMPLEXITY,
        "Complexity by the SNEE model's long-term conditions: high from four, medium from one, low with none.",
        ordered=True,
        **health(("diagnoses",), unknown_when=f"{UNLINKED}, or an unknown condition would change the level"),
    ),
)


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES`."""
    weighed = [
        pl.when(_scored(condition)).then(weight).otherwise(0.0) for condition, weight in CAMBRIDGE_WEIGHTS.items()
    ]
    flags = [*(active(c) for c in SNEE_CONDITIONS), known("coded_events", event_on(EventCode.TIA).is_not_null())]
    high, medium = at_least(flags, HIGH_FROM), at_least(flags, MEDIUM_FROM)
    return [
        [
            # Weights have two decimals, which binary sums blur.
            pl.when(pl.col("covers_diagnoses")).then(reduce(add, weighed).round(2)).alias("cms_score"),
            reduce(add, [flag.cast(pl.Int32) for flag in flags]).alias("snee_ltc_count"),
            pl.when(high)
            .then(pl.lit("high"))
            .when(~high & medium)
            .then(pl.lit("medium"))
            .when(~medium)
            .then(pl.lit("low"))
            .alias("segment_complexity"),
        ]
    ]


def _scored(condition: Condition) -> pl.Expr:
    coded = diagnosed(condition).is_not_null()
    if condition is Condition.CONNECTIVE_TISSUE:
        coded |= diagnosed(Condition.RHEUMATOID_ARTHRITIS).is_not_null()
    return coded
