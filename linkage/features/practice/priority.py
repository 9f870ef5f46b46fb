"""Priority groups worked out from the record: COPD, diabetes and hypertension; 1 is the highest.

The rules are those of an open implementation by an integrated care board (`ncl-icb-analytics/dbt-ncl-analytics`). A
person is in the first group whose rule holds; who is on the register and in none is in group 4. Asthma has no open
rules: its groups come from the GP system's search (`searches`), as do the supplied groups of the other three, which
are never mixed with these.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.edges import From, Over
from linkage.features.entry import category
from linkage.features.practice import pressure
from linkage.features.practice.evidence import EXACERBATIONS_12M, event_on, pressure_on, value
from linkage.features.practice.evidence import pressure as reading
from linkage.features.practice.registers import treated
from linkage.features.states import every, first_true, known, some
from linkage.features.windows import within
from linkage.features.wording import UNLINKED, health
from schemas.codes import ETHNIC_GROUP_5, DrugGroup, EventCode, MeasurementKind

NONE: Final = "none"
"""Not on the register, so in no group."""

FEV1_VERY_SEVERE: Final = From(0, 30)
FEV1_SEVERE: Final = From(30, 50)
FEV1_MODERATE: Final = From(50, 80)
"""Percent of the predicted forced expiratory volume in one second."""
MRC_HOUSEBOUND: Final = From(5, 6)
MRC_SEVERE: Final = From(4, 5)
MRC_MODERATE: Final = From(2, 4)
"""Medical Research Council grades of breathlessness, 1 to 5."""
FREQUENT_EXACERBATIONS: Final = 2

HBA1C_VERY_HIGH: Final = Over(90)
HBA1C_HIGH: Final = Over(75, 90)
HBA1C_RAISED: Final = Over(58, 75)
HBA1C_BORDERLINE: Final = Over(48, 58)
HBA1C_WITH_CONDITION: Final = Over(75)
EGFR_FAILURE: Final = From(0, 15)
EGFR_SEVERE: Final = From(15, 30)
EGFR_MODERATE: Final = From(30, 45)
EGFR_MILD: Final = From(45, 50)
EGFR_KIDNEY_DISEASE: Final = From(0, 60)
ACR_VERY_HIGH: Final = Over(250)
ACR_HIGH: Final = Over(70)
ACR_RAISED: Final = Over(30)
ACR_BORDERLINE: Final = From(3, 30, closed=True)
ELF_HIGH: Final = Over(9.8)
BMI_HIGH: Final = Over(35)
AMBULATORY_FROM_MMHG: Final = (140, 90)
"""Diabetes: an ambulatory pressure from 140 systolic or 90 diastolic on."""

LISTED_ETHNIC_GROUPS: Final = frozenset(ETHNIC_GROUP_5.values()) - {"white"}
"""Whom the hypertension rules mean by ethnicity. The source's value set is not open; this is our reading of it."""

_HIGH_TO_LOW: Final = ("1", "2", "3a", "3b", "4", NONE)
_WHOLE: Final = ("1", "2", "3", "4", NONE)


def _entry(condition: str, title: str, values: tuple[str, ...], look_back: str) -> object:
    return category(
        f"prio_group_{condition}",
        values,
        f"Priority group of {title} worked out from the record, 1 highest, 4 the rest of the register, none off it; "
        f"{look_back}.",
        ordered=True,
        **health(
            ("diagnoses",),
            unknown_when=f"{UNLINKED}, or a rule that would decide needs facts that no source of the person delivers",
        ),
    )


ENTRIES: Final = (
    _entry("copd", "COPD", _WHOLE, "events of 6 to 12 months, right heart failure of 5 years, newest lung function"),
    _entry("dm", "diabetes", _HIGH_TO_LOW, "newest measurements, events of 12 months, foot ulcers of 3 years"),
    _entry("htn", "hypertension", _HIGH_TO_LOW, "the newest blood pressure of 12 months"),
)


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES`."""
    return [
        [
            _group("reg_copd", _copd(as_of), "4").alias("prio_group_copd"),
            _group("reg_dm", _diabetes(as_of), "4").alias("prio_group_dm"),
            _group("reg_htn", _hypertension(as_of), "4").alias("prio_group_htn"),
        ]
    ]


def _group(register: str, rules: list[tuple[pl.Expr, str]], rest: str) -> pl.Expr:
    return first_true([(~pl.col(register), NONE), *rules], rest)


def _measured(kind: MeasurementKind, interval: From | Over) -> pl.Expr:
    return known("measurements", interval.holds(value(kind)))


def _happened(code: EventCode, as_of: date, months: int) -> pl.Expr:
    return known("coded_events", within(event_on(code), as_of, months))


def _copd(as_of: date) -> list[tuple[pl.Expr, str]]:
    fev1, mrc = MeasurementKind.FEV1_PERCENT_PREDICTED, MeasurementKind.MRC_DYSPNOEA_GRADE
    drugs = (DrugGroup.ORAL_STEROID, DrugGroup.RESPIRATORY_ANTIBIOTIC)
    exacerbations = EXACERBATIONS_12M.fill_null(0)
    first = [
        _measured(fev1, FEV1_VERY_SEVERE),
        _measured(mrc, MRC_HOUSEBOUND),
        _happened(EventCode.HOME_OXYGEN, as_of, 12),
    ]
    second = [
        _measured(fev1, FEV1_SEVERE),
        _happened(EventCode.COR_PULMONALE, as_of, 60),
        _measured(mrc, MRC_SEVERE),
        known("coded_events", exacerbations >= FREQUENT_EXACERBATIONS),
    ]
    third = [
        _measured(fev1, FEV1_MODERATE),
        _measured(mrc, MRC_MODERATE),
        known("coded_events", exacerbations >= 1),
        treated(drugs, as_of, 12),
        treated((DrugGroup.TRIPLE_INHALER,), as_of, 6),
    ]
    return [(some(first), "1"), (some(second), "2"), (some(third), "3")]


def _ambulatory_raised() -> pl.Expr:
    systolic, diastolic = AMBULATORY_FROM_MMHG
    return known(
        "measurements",
        pressure_on("ambulatory").is_not_null()
        & (
            (reading(MeasurementKind.SYSTOLIC_MMHG, "ambulatory") >= systolic).fill_null(False)
            | (reading(MeasurementKind.DIASTOLIC_MMHG, "ambulatory") >= diastolic).fill_null(False)
        ),
    )


def _diabetes(as_of: date) -> list[tuple[pl.Expr, str]]:
    hba1c, egfr, acr = MeasurementKind.HBA1C_MMOL_MOL, MeasurementKind.EGFR_ML_MIN, MeasurementKind.ACR_MG_MMOL
    injected = treated((DrugGroup.GLP1, DrugGroup.INSULIN), as_of, 6)
    cardiac = [
        pl.col("reg_chd"),
        pl.col("reg_hf"),
        pl.col("reg_af"),
        known("coded_events", event_on(EventCode.MYOCARDIAL_INFARCTION).is_not_null()),
    ]
    infarction = _happened(EventCode.MYOCARDIAL_INFARCTION, as_of, 12)
    first = [
        _measured(hba1c, HBA1C_VERY_HIGH),
        _measured(egfr, EGFR_FAILURE),
        _measured(acr, ACR_VERY_HIGH),
        _measured(MeasurementKind.ELF_SCORE, ELF_HIGH),
        _measured(hba1c, HBA1C_WITH_CONDITION) & some([*cardiac, injected]),
    ]
    second = [
        _measured(hba1c, HBA1C_HIGH),
        _happened(EventCode.FOOT_ULCER, as_of, 36),
        infarction,
        _happened(EventCode.STROKE_EVENT, as_of, 12),
        _measured(egfr, EGFR_SEVERE),
        _measured(acr, ACR_HIGH),
    ]
    third = [
        infarction,
        _happened(EventCode.TIA, as_of, 12),
        _measured(egfr, EGFR_MODERATE),
        _measured(acr, ACR_RAISED),
        _ambulatory_raised(),
    ]
    modifiers = [
        _measured(MeasurementKind.BMI_KG_M2, BMI_HIGH),
        pl.col("reg_hf"),
        pl.col("reg_pad"),
        injected,
        _measured(egfr, EGFR_MILD),
        _measured(acr, ACR_BORDERLINE),
        _ambulatory_raised(),
    ]
    raised = _measured(hba1c, HBA1C_RAISED)
    return [
        (some(first), "1"),
        (some(second), "2"),
        (every([raised, some(third)]), "3a"),
        (some([raised, every([_measured(hba1c, HBA1C_BORDERLINE), some(modifiers)])]), "3b"),
    ]


def _hypertension(as_of: date) -> list[tuple[pl.Expr, str]]:
    listed = pl.col("ethnic_group_5").is_in(sorted(LISTED_ETHNIC_GROUPS))
    comorbid = some(
        [
            *(pl.col(f"reg_{name}") for name in ("chd", "stroke", "pad", "ckd", "dm")),
            _measured(MeasurementKind.EGFR_ML_MIN, EGFR_KIDNEY_DISEASE),
            _measured(MeasurementKind.BMI_KG_M2, BMI_HIGH),
        ]
    )
    stage_1 = pressure.above(pressure.STAGE_1, as_of)
    return [
        (pressure.above(pressure.SEVERE, as_of), "1"),
        (some([pressure.above(pressure.STAGE_2, as_of), every([stage_1, listed, comorbid])]), "2"),
        (every([stage_1, some([comorbid, listed])]), "3a"),
        (pressure.above_for_age(as_of), "3b"),
    ]
