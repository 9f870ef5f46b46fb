"""The group of segmentation: one segment a person, by the model of Suffolk and North East Essex (SNEE).

The model puts an adult into the first segment of which one element holds. Its documentation is for adults and leaves
children to a later edition: people under 18 are a segment of their own here. End-stage disease of the liver, heart and
lungs has no codes there or in any feed and is left out; obesity is from 30 kg/m2 on, as on the register.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import category
from linkage.features.states import first_true, some
from linkage.features.wording import health

MODEL: Final = "snee-1"
CHILD: Final = "child"
ADULT_AGE: Final = 18
SEGMENTS: Final = ("die_well", "age_well", "stay_well", "feel_well", "be_well", "live_well", CHILD)
"""In the order of priority; `live_well` is everybody else."""
_FACTS: Final = ("diagnoses",)

ENTRIES: Final = (
    category(
        "segment_code",
        SEGMENTS,
        "Segment by the model that segment_model names: the first in its order of which one element holds; people "
        "under 18 are outside the model and a segment of their own.",
        **health(_FACTS, unknown_when="the age is unknown, or an element that would decide is unknown"),
    ),
    category(
        "segment_model",
        (MODEL,),
        "Name and edition of the segmentation model that gave segment_code.",
        **health(_FACTS, unknown_when="segment_code is unknown"),
    ),
    category(
        "segment_prev",
        SEGMENTS,
        "Segment on the day of the newest snapshot published before the as-of date.",
        **health(_FACTS, unknown_when="no earlier snapshot holds the person with a segment"),
    ),
)


def _is(name: str, *values: str) -> pl.Expr:
    return pl.col(name).is_in(values)


def elements() -> dict[str, list[pl.Expr]]:
    """Return the elements of each segment of the model, in the order of priority."""

    def hospital(*reasons: str) -> list[pl.Expr]:
        return [pl.col(f"hospital_{reason}_12m") for reason in reasons]

    return {
        "die_well": [pl.col(name) for name in ("reg_palliative", "end_of_life", "end_stage_kidney")],
        "age_well": [
            *hospital("hip_fracture", "stroke", "fall", "frailty"),
            pl.col("reg_dementia"),
            _is("segment_complexity", "high"),
            _is("efi_cat", "severe"),
            pl.col("housebound"),
            pl.col("has_carer"),
        ],
        "stay_well": [_is("segment_complexity", "medium"), pl.col("reg_cancer"), _is("efi_cat", "moderate")],
        "feel_well": [
            # Of these three the model asks for any code, resolved or not.
            pl.col("mental_health_coded_ever"),
            pl.col("mh_contacts_12m") > 0,
            *hospital("mental_health", "alcohol", "drugs", "selfharm", "homelessness"),
        ],
        "be_well": [
            *hospital("dentistry"),
            pl.col("reg_obesity"),
            _is("smoking_status", "current"),
            _is("alcohol_risk", "increasing", "higher"),
        ],
    }


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the features of `ENTRIES`, one row a person."""
    rungs = [(pl.col("age") < ADULT_AGE, CHILD), *((some(parts), name) for name, parts in elements().items())]
    before = context.previous.select("person_id", pl.col("segment_code").alias("segment_prev"))
    return (
        context.persons.lazy()
        .with_columns(first_true(rungs, "live_well").alias("segment_code"))
        .join(before.lazy(), on="person_id", how="left", maintain_order="left")
        .select(
            "person_id",
            "segment_code",
            pl.when(pl.col("segment_code").is_not_null()).then(pl.lit(MODEL)).alias("segment_model"),
            "segment_prev",
        )
        .collect()
    )
