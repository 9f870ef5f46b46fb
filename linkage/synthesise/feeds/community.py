"""Community services (`kcht.csds`): contacts of district nurses, therapists and health visitors, and their referrals.

Rates [assumption]; small children and the frail lead, as in the Community Services Data Set.
"""

from __future__ import annotations

import numpy as np

from linkage.synthesise.feeds.drawing import ago, events, flags
from linkage.synthesise.feeds.facts import NEVER, Facts
from linkage.synthesise.feeds.lives import Lives
from schemas.codes import Condition, EncounterKind, ReferralService
from schemas.contracts.facts_health import Encounter, Referral


def content(lives: Lives) -> dict[str, Facts]:
    """Return the facts of community services by list column; owners are positions among those registered."""
    encounters, referrals = Facts(Encounter, lives.spans), Facts(Referral, lives.spans)
    age, has = lives.patients.age, lives.has
    draw = lives.chance.stream("feeds.community")
    likely = np.select(
        [age < 5.0, age < 18.0], [0.75, 0.06], 0.02 + 0.10 * lives.patients.old + 0.9 * lives.frailty**1.5
    )
    likely = likely + 0.05 * has[Condition.COPD] + 0.08 * has[Condition.STROKE] + 0.06 * has[Condition.HEART_FAILURE]
    seen = flags(draw, np.minimum(likely, 0.95))
    owner = events(draw, seen * (1.5 + 14.0 * lives.frailty * (age >= 18.0)))
    on = ago(draw, len(owner), 1, 730)
    encounters.add(
        owner, kind=EncounterKind.COMMUNITY_CONTACT, started_on=on, ended_on=on,
        attended=draw.random(len(owner)) < 0.93,
        cost_pence=(4_000 + draw.gamma(2.0, 1_500.0, len(owner))).astype(np.int64),
    )  # fmt: skip
    owner = np.flatnonzero(seen)
    opened = ago(draw, len(owner), 1, 1_000)
    closed = np.where(draw.random(len(owner)) < 0.7, opened + draw.integers(20, 300, size=len(owner)), NEVER)
    referrals.add(owner, service=ReferralService.COMMUNITY, opened_on=opened, closed_on=closed)
    return {"encounters": encounters, "referrals": referrals}
