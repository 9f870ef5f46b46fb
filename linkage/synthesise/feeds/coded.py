"""Single entries of the GP record: smoking, reviews, exacerbations, falls, carers, immunisations.

Shares [assumption] unless said; they follow the registers, age and hardship, so that an entry has what it speaks of.
"""

from __future__ import annotations

import numpy as np

from linkage.synthesise.chance import Floats
from linkage.synthesise.feeds.drawing import Rates, ago, events, logistic, who
from linkage.synthesise.feeds.facts import Facts
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.readings import Values
from schemas.codes import Condition, EventCode
from schemas.contracts.facts_health import CodedEvent


def coded(lives: Lives, own: Values) -> Facts:
    """Return the coded entries of general practice other than diagnoses."""
    facts = Facts(CodedEvent, lives.spans)
    _smoking(lives, facts)
    for code, likely, least, most in (*_long_term(lives, own), *_later_life(lives), *_young(lives), *_social(lives)):
        draw = lives.chance.stream(f"feeds.coded.{code.value}")
        owner = who(draw, likely)
        facts.add(owner, code=code, recorded_on=ago(draw, len(owner), least, most))
    draw = lives.chance.stream("feeds.coded.exacerbations")
    owner = np.repeat(np.arange(len(lives.rows)), own.exacerbations)
    facts.add(owner, code=EventCode.COPD_EXACERBATION, recorded_on=ago(draw, len(owner), 1, 500))
    falls = lives.chance.stream("feeds.coded.falls")
    owner = events(falls, (lives.patients.age >= 65.0) * (0.04 + 0.8 * lives.frailty))
    facts.add(owner, code=EventCode.FALL, recorded_on=ago(falls, len(owner), 1, 730))
    return facts


def _smoking(lives: Lives, facts: Facts) -> None:
    draw = lives.chance.stream("feeds.coded.smoking")
    age = lives.patients.age
    asked = np.flatnonzero((draw.random(len(age)) < 0.9) & (age >= 16.0))
    stopped = ~lives.smoker & (draw.random(len(age)) < 0.10 + 0.004 * age)
    codes = (EventCode.SMOKER, EventCode.EX_SMOKER, EventCode.NEVER_SMOKED)
    status = np.select([lives.smoker, stopped], [0, 1], 2)
    on = ago(draw, len(age), 1, 1_100)
    for number, code in enumerate(codes):
        owner = asked[status[asked] == number]
        facts.add(owner, code=code, recorded_on=on[owner])
    # Former smokers were asked while they smoked.
    owner = asked[status[asked] == 1]
    facts.add(owner, code=EventCode.SMOKER, recorded_on=on[owner] - draw.integers(200, 2_000, len(owner)))


_Plan = tuple[tuple[EventCode, Rates, int, int], ...]
"""Code, probability by person, and between how many days ago."""


def _long_term(lives: Lives, own: Values) -> _Plan:
    has, strain = lives.has, lives.patients.strain
    asthma, copd, sugar, mind = (
        has[condition]
        for condition in (Condition.ASTHMA, Condition.COPD, Condition.DIABETES, Condition.SEVERE_MENTAL_ILLNESS)
    )
    return (
        # QOF 2023/24: about two thirds had their asthma review, 55-60 % of people with severe mental illness a check.
        (EventCode.ASTHMA_REVIEW, asthma * (0.80 - 0.15 * strain), 1, 460),
        (EventCode.ASTHMA_PLAN, asthma * (0.55 - 0.15 * strain), 1, 460),
        (EventCode.SMI_HEALTH_CHECK, mind * (0.72 - 0.12 * strain), 1, 460),
        (EventCode.SMI_REMISSION, 0.06 * mind, 200, 1_500),
        (EventCode.COR_PULMONALE, 0.25 * (copd & (own.fev1 < 40.0)), 30, 2_000),
        (EventCode.HOME_OXYGEN, own.oxygen * 0.95, 1, 400),
        (EventCode.SPIROMETRY, 0.55 * copd + 0.08 * asthma + 0.004, 1, 900),
        (EventCode.FOOT_ULCER, sugar * (0.03 + 0.001 * own.hba1c), 10, 1_500),
        (EventCode.MYOCARDIAL_INFARCTION, 0.22 * has[Condition.CHD], 10, 2_500),
        (EventCode.STROKE_EVENT, 0.55 * has[Condition.STROKE], 10, 2_500),
        (EventCode.TIA, 0.35 * has[Condition.STROKE], 10, 2_500),
        (EventCode.DIALYSIS_OR_TRANSPLANT, 0.6 * (has[Condition.CKD] & (own.egfr < 15.0)), 10, 2_000),
        (EventCode.CKD_STAGE_1_2, 0.7 * (has[Condition.CKD] & (own.egfr >= 60.0)), 10, 900),
        (EventCode.CKD_STAGE_4, 0.8 * (has[Condition.CKD] & (own.egfr >= 15.0) & (own.egfr < 30.0)), 10, 900),
        (EventCode.CKD_STAGE_5, 0.9 * (has[Condition.CKD] & (own.egfr < 15.0)), 10, 900),
        # About 55 % of cancers are found at stage 1 or 2 (NHS England), fewer in deprived areas.
        (EventCode.CANCER_STAGE_EARLY, has[Condition.CANCER] * (0.48 - 0.1 * strain), 30, 3_000),
        (EventCode.CANCER_STAGE_LATE, has[Condition.CANCER] * (0.24 + 0.1 * strain), 30, 1_500),
    )


def _later_life(lives: Lives) -> _Plan:
    has, frailty, age = lives.has, lives.frailty, lives.patients.age
    old = age >= 65.0
    return (
        (EventCode.END_OF_LIFE, 0.75 * has[Condition.PALLIATIVE], 1, 400),
        (EventCode.HOUSEBOUND, old * logistic(-6.5 + 13.0 * frailty), 5, 1_000),
        (EventCode.HIP_FRACTURE, old * (0.004 + 0.05 * frailty + 0.05 * has[Condition.OSTEOPOROSIS]), 10, 2_500),
        (EventCode.HAS_CARER, logistic(-6.0 + 11.0 * frailty + 2.0 * has[Condition.LEARNING_DISABILITY]), 5, 1_500),
    )


def _young(lives: Lives) -> _Plan:
    age, strain = lives.patients.age, lives.patients.strain
    small = (age >= 1.1) & (age < 6.0)
    # MMR and the pre-school booster reach 83 to 90 % (COVER), fewer of the deprived.
    behind = 0.06 + 0.14 * strain
    missed = np.floor(lives.chance.stream("feeds.coded.immunised").random(len(age)) + behind).astype(np.int64)
    return (
        (EventCode.IMMUNISATIONS_COMPLETE, 0.97 * (small & (missed == 0)), 1, 380),
        (EventCode.IMMUNISATIONS_INCOMPLETE, 0.97 * (small & (missed == 1)), 1, 380),
        (EventCode.EMERGENCY_DENTISTRY, (age >= 3.0) * (0.006 + 0.014 * strain), 1, 730),
    )


def _social(lives: Lives) -> _Plan:
    hard = lives.hardship
    rented: Floats = np.isin(lives.world.homes.tenure[lives.world.home[lives.rows]], [0, 1, 2]).astype(np.float64)
    return (
        (EventCode.IS_CARER, lives.here(lives.carer) * 0.5, 5, 2_000),
        (EventCode.HOMELESS, 0.25 * hard.homeless[lives.rows] + 0.4 * hard.rough[lives.rows], 5, 700),
        # Damp is in a few per cent of rented homes (English Housing Survey); few tell their GP.
        (EventCode.DAMP_OR_DISREPAIR, rented * (0.006 + 0.014 * lives.patients.strain), 5, 900),
    )
