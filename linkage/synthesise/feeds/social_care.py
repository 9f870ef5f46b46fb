"""Adult social care (`medway.asc`, `kcc.asc`): packages and places in care homes, and cases of multiple disadvantage.

About 4 % of those over 65 have long-term support at home or in care, and under 1 % of younger adults (Adult Social Care
Activity and Finance Report); the leaning with frailty is an [assumption].
"""

from __future__ import annotations

import numpy as np

from linkage.synthesise.feeds.drawing import ago, flags, logistic, one_of
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.homes import Holding, HomeKind
from schemas.codes import CarePackage, Condition, InclusionGroup
from schemas.contracts.facts_health import CareArrangement, InclusionFlag

_AT_HOME = (CarePackage.HOME_CARE, CarePackage.DAY_CARE, CarePackage.DIRECT_PAYMENT, CarePackage.REABLEMENT)
_HOMES = (CarePackage.CARE_HOME_RESIDENTIAL, CarePackage.CARE_HOME_NURSING)


def content(lives: Lives) -> dict[str, Facts]:
    """Return the facts of adult social care by list column; owners are positions among those registered."""
    facts = Facts(CareArrangement, lives.spans)
    age, has, frailty = lives.patients.age, lives.has, lives.frailty
    n = len(age)
    draw = lives.chance.stream("feeds.care")
    helped = (age >= 65.0) * logistic(-5.9 + 12.0 * frailty + 0.04 * (age - 75.0))
    helped = helped + (age >= 18.0) * (
        0.28 * has[Condition.LEARNING_DISABILITY] + 0.03 * has[Condition.SEVERE_MENTAL_ILLNESS]
    )
    at_home = flags(draw, np.minimum(helped, 0.9)) & (~lives.in_care_home | (draw.random(n) < 0.5))
    owner = np.flatnonzero(at_home)
    package = one_of(draw, (0.62, 0.10, 0.16, 0.12), len(owner))
    started = ago(draw, len(owner), 30, 1_800)
    short = (package == 3) | (draw.random(len(owner)) < 0.2)
    hours = np.round(np.clip(draw.gamma(2.0, 4.0 + 12.0 * frailty[owner]), 1.0, 80.0), 1)
    in_home = lives.in_care_home[owner]
    # What was given at home ended when the care home took over.
    ended = np.where(short | in_home, started + draw.integers(28, 300, size=len(owner)), NEVER)
    facts.add(owner, package=codes(_AT_HOME, package), started_on=started, ended_on=ended, weekly_hours=hours)
    # Councils pay for about half of the places.
    placed = np.flatnonzero(lives.in_care_home & flags(draw, np.full(n, 0.6)))
    nursing = (draw.random(len(placed)) < 0.2 + 0.8 * frailty[placed]).astype(np.int64)
    facts.add(placed, package=codes(_HOMES, nursing), started_on=ago(draw, len(placed), 10, 1_400))
    return {"care_arrangements": facts, "inclusion_flags": _disadvantage(lives)}


def _disadvantage(lives: Lives) -> Facts:
    """Cases of the multiple-disadvantage network: a handful of those in three and more of its domains."""
    facts = Facts(InclusionFlag, lives.spans)
    hard, rows, has = lives.hardship, lives.rows, lives.has
    world = lives.world
    homeless = hard.homeless[rows] | (world.homes.kind[world.home[rows]] == HomeKind.HOSTEL)
    homeless = homeless | (world.homes.tenure[world.home[rows]] == Holding.TEMPORARY)
    mind = has[Condition.SEVERE_MENTAL_ILLNESS] | has[Condition.DEPRESSION]
    domains = homeless.astype(np.int64) + hard.substance[rows] + hard.justice[rows] + mind
    draw = lives.chance.stream("feeds.care.disadvantage")
    owner = np.flatnonzero((domains >= 3) & flags(draw, np.full(len(rows), 0.3)))
    on = ago(draw, len(owner), 10, 700)
    facts.add(
        owner, group=InclusionGroup.MULTIPLE_DISADVANTAGE_CASE, stated_on=on,
        ended_on=np.where(draw.random(len(owner)) < 0.2, on + 250, NEVER),
    )  # fmt: skip
    return facts
