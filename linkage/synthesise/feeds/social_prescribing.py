"""Social prescribing (`kmicb.joy`): referrals to link workers, and why.

About 1 in 40 adults in two years [assumption], more of the deprived, the low in mood and those who live alone; the
reason follows who they are.
"""

from __future__ import annotations

import numpy as np

from linkage.synthesise.chance import pick_by_row
from linkage.synthesise.feeds.drawing import ago, events
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.homes import HomeKind
from schemas.codes import Condition, ReferralReason, ReferralService
from schemas.contracts.facts_health import Referral

_REASONS = tuple(ReferralReason)


def content(lives: Lives) -> dict[str, Facts]:
    """Return the facts of social prescribing by list column; owners are positions among those registered."""
    facts = Facts(Referral, lives.spans)
    draw = lives.chance.stream("feeds.social_prescribing")
    age, strain, has, rows = lives.patients.age, lives.patients.strain, lives.has, lives.rows
    low = has[Condition.DEPRESSION] | has[Condition.ANXIETY]
    kind = lives.world.homes.kind[lives.world.home[rows]]
    alone = np.isin(kind, [HomeKind.SINGLE, HomeKind.PENSIONER_SINGLE, HomeKind.HOSTEL])
    owner = events(
        draw, (age >= 18.0) * 0.012 * (0.4 + 1.2 * strain) * (1.0 + 1.5 * low + 0.8 * alone + 2.0 * lives.frailty)
    )
    weights = np.column_stack(
        [
            # Housing, money, work, loneliness, mental wellbeing, physical activity, caring, other.
            0.5 + 1.2 * strain + 2.0 * lives.hardship.homeless[rows], 0.6 + 1.6 * strain, 0.6 * (age < 66.0),
            0.4 + 1.6 * alone, 0.8 + 2.0 * low, 0.5 + 1.0 * has[Condition.OBESITY], 0.2 + 4.0 * lives.carer[rows],
            np.full(len(rows), 0.4),
        ]
    )[owner]  # fmt: skip
    reason = pick_by_row(weights, draw.random(len(owner)))
    opened = ago(draw, len(owner), 3, 800)
    closed = np.where(draw.random(len(owner)) < 0.75, opened + draw.integers(20, 200, size=len(owner)), NEVER)
    facts.add(
        owner, service=ReferralService.SOCIAL_PRESCRIBING, opened_on=opened, closed_on=closed,
        reason=codes(_REASONS, reason),
    )  # fmt: skip
    return {"referrals": facts}
