"""What general practice prescribed: counts of drugs, inhalers, steroids, insulin, statins, following the registers.

Shares and issues a year are [assumption], set near those of QOF, CVDPREVENT and the National Diabetes Audit.
"""

from __future__ import annotations

import numpy as np

from linkage.synthesise.chance import Floats
from linkage.synthesise.feeds.drawing import ago, events, flags, who
from linkage.synthesise.feeds.facts import Facts
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.readings import Values
from schemas.codes import Condition, DrugGroup
from schemas.contracts.facts_health import MedicationCount


def attacks(lives: Lives) -> Floats:
    """Return how badly people's asthma is controlled: 0 for those without, mean 1 in those with it, most near 0."""
    draw = lives.chance.stream("feeds.asthma")
    level: Floats = (
        lives.has[Condition.ASTHMA] * draw.gamma(0.7, 1.0 / 0.7, len(lives.rows)) * (0.6 + 0.8 * lives.patients.strain)
    )
    return level


def prescribed(lives: Lives, own: Values) -> Facts:
    """Return the medication counts of general practice: issues of two years, one row a day of issue."""
    facts = Facts(MedicationCount, lives.spans)
    has, age = lives.has, lives.patients.age
    uncontrolled = attacks(lives)
    asthma, copd, sugar = has[Condition.ASTHMA], has[Condition.COPD], has[Condition.DIABETES]
    treated = asthma & flags(lives.chance.stream("feeds.medicine.asthma"), np.full(len(age), 0.88))
    severe = (own.hba1c - 50.0) / 25.0
    type_one = sugar & (age < 30.0)
    on_insulin = sugar & flags(
        lives.chance.stream("feeds.medicine.insulin"), np.where(type_one, 1.0, 0.05 + 0.15 * severe)
    )
    on_glp = sugar & ~type_one & flags(lives.chance.stream("feeds.medicine.glp"), 0.06 + 0.08 * severe)
    heart = has[Condition.CHD] | has[Condition.STROKE] | has[Condition.PAD]
    on_statin = flags(
        lives.chance.stream("feeds.medicine.statin"),
        np.select([heart, sugar & (age >= 40.0)], [0.82, 0.72], 0.12 * (age >= 55.0)),
    )
    epilepsy = has[Condition.EPILEPSY] & flags(lives.chance.stream("feeds.medicine.epilepsy"), np.full(len(age), 0.85))
    lithium = has[Condition.SEVERE_MENTAL_ILLNESS] & flags(
        lives.chance.stream("feeds.medicine.lithium"), np.full(len(age), 0.07)
    )
    triple = copd & flags(lives.chance.stream("feeds.medicine.triple"), np.clip(0.8 - own.fev1 / 110.0, 0.05, 0.9))
    # Expected issues in a year.
    plans: tuple[tuple[DrugGroup, Floats], ...] = (
        (DrugGroup.ASTHMA_TREATMENT, 7.0 * treated),
        (DrugGroup.SABA, treated * (1.0 + 2.2 * uncontrolled) + 2.5 * copd),
        (DrugGroup.ICS, 5.0 * treated * (uncontrolled < 2.0) + 1.0 * treated),
        (DrugGroup.ORAL_STEROID, 0.42 * uncontrolled * treated + 0.8 * own.exacerbations),
        (DrugGroup.RESPIRATORY_ANTIBIOTIC, 0.08 + 0.9 * own.exacerbations + 0.1 * lives.patients.old),
        (DrugGroup.TRIPLE_INHALER, 8.0 * triple),
        (DrugGroup.EPILEPSY_DRUG, 9.0 * epilepsy),
        (DrugGroup.LITHIUM, 9.0 * lithium),
        (DrugGroup.INSULIN, 7.0 * on_insulin),
        (DrugGroup.GLP1, 6.0 * on_glp),
        (DrugGroup.STATIN, 6.0 * on_statin),
    )
    for group, a_year in plans:
        draw = lives.chance.stream(f"feeds.medicine.{group.value}.issues")
        owner = events(draw, 2.0 * a_year)
        facts.add(owner, drug_group=group, issued_on=ago(draw, len(owner), 1, 730), issues=1)
    draw = lives.chance.stream("feeds.medicine.all")
    owner = who(draw, np.clip(0.10 + 0.004 * age + 0.25 * lives.patients.burden, 0.0, 0.98))
    expected = 0.3 + 0.9 * lives.patients.burden[owner] + 4.0 * lives.frailty[owner]
    facts.add(
        owner, drug_group=DrugGroup.ALL, issued_on=ago(draw, len(owner), 1, 90), issues=1,
        distinct_drugs=1 + draw.poisson(expected),
    )  # fmt: skip
    return facts
