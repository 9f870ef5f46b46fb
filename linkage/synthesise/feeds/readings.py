"""What general practice measured: blood pressure, HbA1c, weight, lungs, kidneys, risk scores.

Everybody has values of their own, which follow from age, sex, registers and what nobody has coded yet; readings scatter
around them. Means and shares are [assumption], set so that control is about that of the National Diabetes Audit and of
CVDPREVENT (a third of people with diabetes above 58 mmol/mol, two thirds of blood pressures under control).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage.synthesise.chance import Flags, Floats, Ints
from linkage.synthesise.feeds.drawing import Rates, ago, events, flags, logistic, one_of, who
from linkage.synthesise.feeds.facts import Facts, codes
from linkage.synthesise.feeds.lives import Lives
from schemas.codes import Condition, MeasurementKind, MeasurementSetting
from schemas.contracts.facts_health import Measurement

_YEARS: Final = 3
"""How far back readings go."""
_SETTINGS: Final = (MeasurementSetting.CLINIC, MeasurementSetting.HOME, MeasurementSetting.AMBULATORY)


@dataclass(frozen=True)
class Values:
    """Everybody's own level of what is measured, by position among those registered."""

    systolic: Floats
    hba1c: Floats
    bmi: Floats
    egfr: Floats
    acr: Floats
    fev1: Floats
    breathlessness: Ints
    units: Floats
    oxygen: Flags
    exacerbations: Ints


def values(lives: Lives) -> Values:
    """Return everybody's own level of what is measured."""
    age, has, hidden, strain = lives.patients.age, lives.has, lives.hidden, lives.patients.strain
    n = len(age)

    def normal(name: str) -> Floats:
        return lives.chance.stream(f"feeds.value.{name}").normal(size=n)

    bmi = 25.6 + 1.2 * strain + 0.02 * np.minimum(age - 40.0, 25.0) + 4.2 * normal("bmi")
    bmi = np.where(has[Condition.OBESITY], 33.5 + 3.4 * np.abs(normal("obese")), np.minimum(bmi, 36.0))
    systolic = 116.0 + 0.28 * np.clip(age - 25.0, 0.0, 55.0) + 0.4 * (bmi - 26.0) + 11.0 * normal("systolic")
    treated, untreated = has[Condition.HYPERTENSION], hidden[Condition.HYPERTENSION]
    pressure = np.where(treated, 135.0 + 13.0 * normal("treated"), systolic)
    systolic = np.where(untreated, 151.0 + 10.0 * np.abs(normal("untreated")), pressure)
    spread = np.exp(0.24 * normal("hba1c") + 0.10 * strain)
    sugar = np.where(
        has[Condition.NON_DIABETIC_HYPERGLYCAEMIA], 43.5 + 1.2 * normal("ndh"), 35.5 + 2.6 * normal("well")
    )
    sugar = np.where(hidden[Condition.DIABETES], 50.0 + 6.0 * np.abs(normal("unknown")), sugar)
    hba1c = np.where(has[Condition.DIABETES], np.maximum(53.0 * spread, 34.0), sugar)
    kidneys = has[Condition.CKD] | hidden[Condition.CKD]
    well = np.clip(112.0 - 0.55 * np.maximum(age - 25.0, 0.0) + 11.0 * normal("egfr"), 61.0, 130.0)
    egfr = np.where(kidneys, np.clip(49.0 + 13.0 * normal("ckd"), 5.0, 72.0), well)
    leak = np.log(1.6) + 1.0 * kidneys + 0.5 * has[Condition.DIABETES] + 1.0 * normal("acr")
    lungs = has[Condition.COPD] | hidden[Condition.COPD]
    fev1 = np.where(lungs, np.clip(58.0 + 20.0 * normal("fev1"), 14.0, 110.0), 98.0 + 11.0 * normal("lung"))
    breath = np.clip(np.round(5.0 - fev1 / 24.0 + 0.7 * normal("breath")), 1, 5).astype(np.int64)
    drink = np.exp(1.2 + 1.0 * normal("units") + 0.3 * (lives.patients.sex == 0))
    drink = np.where(has[Condition.ALCOHOL], 45.0 + 25.0 * np.abs(normal("heavy")), drink)
    oxygen = flags(lives.chance.stream("feeds.oxygen"), 0.5 * (has[Condition.COPD] & (fev1 < 32.0)))
    worse = lives.chance.stream("feeds.exacerbation").poisson(
        has[Condition.COPD] * np.clip(1.7 - fev1 / 60.0, 0.15, 2.0) * (0.6 + 0.6 * lives.smoker)
    )
    return Values(
        np.clip(systolic, 88.0, 230.0), np.clip(hba1c, 24.0, 140.0), np.clip(bmi, 14.5, 62.0), egfr,
        np.clip(np.exp(leak), 0.3, 600.0), np.clip(fev1, 12.0, 135.0), breath, np.clip(drink, 0.0, 180.0), oxygen,
        worse,
    )  # fmt: skip


def measured(lives: Lives, own: Values) -> Facts:
    """Return the measurements of general practice."""
    facts = Facts(Measurement, lives.spans)
    _pressures(lives, own, facts)
    age, has, patients = lives.patients.age, lives.has, lives.patients
    adult = age >= 18.0
    sugar = has[Condition.DIABETES] | has[Condition.NON_DIABETIC_HYPERGLYCAEMIA]
    heart = has[Condition.CHD] | has[Condition.STROKE] | has[Condition.PAD]
    kidneys = has[Condition.CKD] | has[Condition.DIABETES] | has[Condition.HYPERTENSION]
    lungs = has[Condition.COPD]
    blood = adult * (0.10 + 0.20 * (age >= 40.0))
    plans: tuple[tuple[MeasurementKind, Rates, Floats, float, int], ...] = (
        # kind, expected a year, own value, scatter, decimals
        (MeasurementKind.HBA1C_MMOL_MOL, np.where(sugar, 1.6, blood), own.hba1c, 2.5, 0),
        (MeasurementKind.BMI_KG_M2, adult * (0.25 + 0.2 * patients.burden), own.bmi, 0.5, 1),
        (
            MeasurementKind.CHOLESTEROL_MMOL_L,
            adult * np.where(heart | has[Condition.DIABETES], 1.0, blood),
            _cholesterol(lives),
            0.3,
            1,
        ),
        (MeasurementKind.EGFR_ML_MIN, adult * np.where(kidneys, 1.1, blood), own.egfr, 3.0, 0),
        (
            MeasurementKind.ACR_MG_MMOL,
            np.where(has[Condition.DIABETES] | has[Condition.CKD], 0.7, 0.0),
            own.acr,
            0.4,
            1,
        ),
        (MeasurementKind.FEV1_PERCENT_PREDICTED, 0.7 * lungs, own.fev1, 3.0, 0),
        (MeasurementKind.MRC_DYSPNOEA_GRADE, 0.9 * lungs, own.breathlessness.astype(np.float64), 0.0, 0),
        (MeasurementKind.ALCOHOL_UNITS_WEEK, adult * 0.25, own.units, 1.5, 0),
        (MeasurementKind.FIT_UG_G, (age >= 45.0) * 0.05, _blood(lives), 0.0, 0),
        (MeasurementKind.ELF_SCORE, 0.06 * (has[Condition.DIABETES] | has[Condition.ALCOHOL]), _liver(lives), 0.1, 1),
    )
    for kind, a_year, level, scatter, decimals in plans:
        draw = lives.chance.stream(f"feeds.reading.{kind.value}")
        owner = events(draw, a_year * _YEARS)
        value = level[owner] + scatter * draw.normal(size=len(owner))
        facts.add(
            owner, kind=kind, value=np.maximum(np.round(value, decimals), 0.1 if decimals else 0.0),
            recorded_on=ago(draw, len(owner), 1, 365 * _YEARS),
        )  # fmt: skip
    # Obesity is on the register by a weight of the last twelve months.
    draw = lives.chance.stream("feeds.reading.obesity")
    owner = np.flatnonzero(has[Condition.OBESITY])
    weight = np.round(np.maximum(own.bmi[owner], 30.0), 1)
    facts.add(owner, kind=MeasurementKind.BMI_KG_M2, value=weight, recorded_on=ago(draw, len(owner), 1, 360))
    _scores(lives, facts)
    return facts


def _pressures(lives: Lives, own: Values, facts: Facts) -> None:
    draw = lives.chance.stream("feeds.reading.pressure")
    has, age = lives.has, lives.patients.age
    watched = has[Condition.HYPERTENSION] | has[Condition.DIABETES] | has[Condition.CHD] | has[Condition.CKD]
    a_year = (age >= 18.0) * np.where(watched, 1.5, (0.22 + 0.006 * np.maximum(age - 40.0, 0.0)))
    # Searches find those whom nobody has coded by a high reading that was never followed.
    owner = np.concatenate([events(draw, a_year * _YEARS), np.flatnonzero(lives.hidden[Condition.HYPERTENSION])])
    setting = one_of(draw, (0.78, 0.17, 0.05), len(owner))
    systolic = own.systolic[owner] + 5.0 * draw.normal(size=len(owner)) - 5.0 * (setting > 0)
    diastolic = 34.0 + 0.36 * systolic + 6.0 * draw.normal(size=len(owner)) - 0.1 * np.maximum(age[owner] - 60.0, 0.0)
    on = ago(draw, len(owner), 1, 365 * _YEARS)
    for kind, level in ((MeasurementKind.SYSTOLIC_MMHG, systolic), (MeasurementKind.DIASTOLIC_MMHG, diastolic)):
        facts.add(owner, kind=kind, value=np.round(level), recorded_on=on, setting=codes(_SETTINGS, setting))


def _cholesterol(lives: Lives) -> Floats:
    has, draw = lives.has, lives.chance.stream("feeds.value.cholesterol")
    treated = has[Condition.CHD] | has[Condition.STROKE] | has[Condition.DIABETES]
    level: Floats = np.clip(np.where(treated, 4.2, 5.2) + 0.9 * draw.normal(size=len(treated)), 2.0, 10.0)
    return level


def _blood(lives: Lives) -> Floats:
    """Return the faecal immunochemical test: mostly next to nothing, above 10 in about one of ten."""
    draw = lives.chance.stream("feeds.value.fit")
    level: Floats = np.clip(np.exp(0.6 + 1.5 * draw.normal(size=len(lives.rows))), 0.0, 400.0)
    return level


def _liver(lives: Lives) -> Floats:
    draw = lives.chance.stream("feeds.value.elf")
    level: Floats = np.clip(8.8 + 0.8 * draw.normal(size=len(lives.rows)), 6.0, 14.0)
    return level


def _scores(lives: Lives, facts: Facts) -> None:
    """Scores that the GP's system works out: frailty, cardiovascular risk, and a supplied risk of admission."""
    age, has, frailty = lives.patients.age, lives.has, lives.frailty
    draw = lives.chance.stream("feeds.score")
    old = np.flatnonzero(age >= 65.0)
    on = ago(draw, len(old), 1, 365)
    facts.add(old, kind=MeasurementKind.EFI, value=np.round(frailty[old], 3), recorded_on=on)
    newer = who(draw, (age >= 65.0) * 0.6)
    # The second version finds less frailty in the same people: its bands are lower.
    facts.add(
        newer,
        kind=MeasurementKind.EFI2,
        value=np.round(frailty[newer] * 0.75, 3),
        recorded_on=ago(draw, len(newer), 1, 365),
    )
    known = has[Condition.CHD] | has[Condition.STROKE]
    asked = who(draw, ((age >= 35.0) & (age < 85.0) & ~known) * 0.45)
    lean: Floats = -5.6 + 0.062 * (age - 40.0) + 0.45 * (lives.patients.sex == 0) + 0.6 * lives.smoker
    lean = lean + 0.5 * has[Condition.DIABETES] + 0.3 * has[Condition.HYPERTENSION] + 0.7 * lives.patients.strain + 1.2
    risk = 100.0 * logistic(lean + 0.25 * draw.normal(size=len(age)))
    facts.add(
        asked, kind=MeasurementKind.QRISK_PERCENT, value=np.round(risk[asked], 1),
        recorded_on=ago(draw, len(asked), 1, 365 * _YEARS),
    )  # fmt: skip
    scored = who(draw, (age >= 18.0) * 0.7)
    admission = 100.0 * logistic(
        -4.4 + 0.35 * lives.patients.burden + 0.02 * age + 0.5 * lives.restless + 4.0 * frailty
    )
    facts.add(
        scored, kind=MeasurementKind.SUPPLIED_RISK_SCORE, value=np.round(admission[scored], 1),
        recorded_on=ago(draw, len(scored), 1, 60),
    )  # fmt: skip
