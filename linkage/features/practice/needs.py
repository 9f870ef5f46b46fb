"""Further things that a GP record says: needs, cancer tests, children's growth and immunisations, a supplied score."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.edges import FIT_UG_G, NOT_RECORDED, graded, labels
from linkage.features.entry import category, flag, real
from linkage.features.practice.evidence import MENTAL_EVER, event_on, measured_on, value
from linkage.features.practice.registers import active
from linkage.features.states import every, known, some
from linkage.features.windows import within
from linkage.features.wording import UNLINKED, health
from schemas.codes import Condition, EventCode, MeasurementKind
from schemas.features import FeatureDefinition, MarmotDomain

ADULT_AGE: Final = 18
CENTILE_HIGH: Final = 98.0
"""The centile of the British 1990 reference from which tier 3 weight management takes children."""

_EVER: Final[dict[str, tuple[tuple[EventCode, ...], str]]] = {
    "end_of_life": ((EventCode.END_OF_LIFE,), "Coded by the GP as being in the last year of life, ever."),
    "end_stage_kidney": (
        (EventCode.DIALYSIS_OR_TRANSPLANT, EventCode.CKD_STAGE_5),
        "Dialysis, a kidney transplant or stage 5 kidney disease coded by the GP, ever.",
    ),
    "housebound": ((EventCode.HOUSEBOUND,), "Coded by the GP as housebound, ever."),
    "has_carer": ((EventCode.HAS_CARER,), "Coded by the GP as having a carer, ever."),
    "is_carer": ((EventCode.IS_CARER,), "Coded by the GP as caring for somebody, ever."),
}
_LATELY: Final[dict[str, tuple[EventCode, int, str]]] = {
    "smi_health_check_12m": (
        EventCode.SMI_HEALTH_CHECK,
        12,
        "The yearly physical health check of severe mental illness in the last 12 months.",
    ),
    "damp_or_disrepair": (EventCode.DAMP_OR_DISREPAIR, 24, "Damp or disrepair of the home coded in 24 months."),
    "dental_emergency_12m": (EventCode.EMERGENCY_DENTISTRY, 12, "Emergency dentistry coded by the GP in 12 months."),
}
_DOMAINS: Final = {
    "damp_or_disrepair": MarmotDomain.PLACES,
}


def _entries() -> list[FeatureDefinition]:
    child = {"marmot_domain": MarmotDomain.BEST_START}
    return [
        *(flag(name, sentence, **health(("coded_events",))) for name, (_, sentence) in _EVER.items()),
        *(
            flag(
                name,
                sentence,
                **health(
                    ("coded_events",),
                    look_back_months=months,
                    marmot_domain=_DOMAINS.get(name, MarmotDomain.PREVENTION),
                ),
            )
            for name, (_, months, sentence) in _LATELY.items()
        ),
        category(
            "fit_12m",
            labels(FIT_UG_G),
            "The newest faecal immunochemical test of the last 12 months; positive from 10 micrograms a gram.",
            **health(("measurements",), look_back_months=12),
        ),
        category(
            "cancer_stage_early",
            (NOT_RECORDED, "early", "late"),
            "Stage of the newest staged cancer: early is 1 or 2, late is 3 or 4; of one day, the late one.",
            **health(("coded_events",)),
        ),
        flag(
            "immunisations_complete",
            "By the newest code, the immunisations of the person's age are complete.",
            **health(("coded_events",), unknown_when=f"{UNLINKED}, or neither code is recorded", **child),
        ),
        real(
            "ncmp_bmi_centile",
            "The newest centile of body mass index (British 1990 reference) of somebody under 18.",
            **health(("measurements",), unknown_when=f"{UNLINKED}, none is recorded, or the age is not under 18"),
        ),
        flag(
            "bmi_ge_98",
            "Under 18 with a newest centile of body mass index of 98 or above.",
            **health(
                ("measurements",),
                unknown_when=f"{UNLINKED}, somebody under 18 was never measured, or the age is unknown",
                **child,
            ),
        ),
        flag(
            "diabetes_under_18",
            "Under 18 with active diabetes, whom the diabetes register (from 17) does not hold.",
            **health(("diagnoses",), unknown_when=f"{UNLINKED}, or the age of somebody with diabetes is unknown"),
        ),
        flag(
            "mental_health_coded_ever",
            "Severe mental illness, depression or anxiety coded at any time, resolved since or not.",
            outputs=(),
            **health(("diagnoses",)),
        ),
        real(
            "risk_score_supplied",
            "The newest risk score that an outside model supplied, on that model's own scale.",
            **health(("measurements",), unknown_when=f"{UNLINKED}, or none was supplied"),
        ),
    ]


ENTRIES: Final = tuple(_entries())


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES`."""
    early, late = event_on(EventCode.CANCER_STAGE_EARLY), event_on(EventCode.CANCER_STAGE_LATE)
    whole, part = event_on(EventCode.IMMUNISATIONS_COMPLETE), event_on(EventCode.IMMUNISATIONS_INCOMPLETE)
    child = pl.col("age") < ADULT_AGE
    centile = value(MeasurementKind.BMI_CENTILE_UK90)
    fit = pl.when(within(measured_on(MeasurementKind.FIT_UG_G), as_of, 12)).then(value(MeasurementKind.FIT_UG_G))
    stage = (
        pl.when(late.is_not_null() & (early.is_null() | (late >= early)))
        .then(pl.lit("late"))
        .when(early.is_not_null())
        .then(pl.lit("early"))
        .otherwise(pl.lit(NOT_RECORDED))
    )
    return [
        [
            *(
                known("coded_events", some([event_on(code).is_not_null() for code in codes])).alias(name)
                for name, (codes, _) in _EVER.items()
            ),
            *(
                known("coded_events", within(event_on(code), as_of, months)).alias(name)
                for name, (code, months, _) in _LATELY.items()
            ),
            pl.when(pl.col("covers_measurements")).then(graded(fit, FIT_UG_G)).alias("fit_12m"),
            pl.when(pl.col("covers_coded_events")).then(stage).alias("cancer_stage_early"),
            # Of one day, incomplete: the code that asks for something to be done.
            pl.when(whole.is_not_null() | part.is_not_null())
            .then(part.is_null() | (whole > part).fill_null(False))
            .alias("immunisations_complete"),
            pl.when(child).then(centile).alias("ncmp_bmi_centile"),
            every([child, pl.when(pl.col("covers_measurements")).then(centile >= CENTILE_HIGH)]).alias("bmi_ge_98"),
            every([active(Condition.DIABETES), child]).alias("diabetes_under_18"),
            known("diagnoses", MENTAL_EVER).alias("mental_health_coded_ever"),
            value(MeasurementKind.SUPPLIED_RISK_SCORE).alias("risk_score_supplied"),
        ]
    ]
