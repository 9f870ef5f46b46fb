"""Who is in each claim's household, and what they can do and earn.

Shares in work [assumption], near those of people on Universal Credit (about two in five, Stat-Xplore).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage.synthesise.chance import Flags, Floats, Ints
from linkage.synthesise.claims import Claims, Role
from linkage.synthesise.feeds.drawing import flags
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.world import PENSION_AGE

NO_CHILD: Final = 99
"""Age of the youngest child of those who have none."""


@dataclass(frozen=True)
class Members:
    """By claim: the counts of its members, age of the youngest child, the worst limitation of claimant and partner, who
    among them gets a disability benefit or cares, and weekly earnings of both in pence. `part_earnings` (pence) and
    `part_hours` are a week's of each person's part.
    """

    pensioner: Flags
    partner: Flags
    children: Ints
    small_children: Ints
    youngest: Floats
    non_dependants: Ints
    limited: Ints
    disabled: Flags
    carer: Flags
    earnings: Ints
    part_earnings: Ints
    part_hours: Floats


def members(lives: Lives, claims: Claims, lead: Ints) -> Members:
    """Return the members of all claims; `lead` is the claimant of each, as row of the world."""
    world, n = lives.world, len(lead)
    age = world.age[claims.person]
    children, couple = claims.role == Role.CHILD, np.isin(claims.role, [Role.CLAIMANT, Role.PARTNER])

    def count(chosen: Flags) -> Ints:
        return np.bincount(claims.claim[chosen], minlength=n)

    youngest = np.full(n, float(NO_CHILD))
    np.minimum.at(youngest, claims.claim[children], age[children])
    limited, carer = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    np.maximum.at(limited, claims.claim[couple], lives.limited[claims.person[couple]])
    np.logical_or.at(carer, claims.claim[couple], lives.carer[claims.person[couple]])
    pensioner = world.age[lead] >= PENSION_AGE
    disabled = flags(lives.chance.stream("feeds.disabled"), np.where(limited == 2, 0.65, 0.06 + 0.12 * pensioner))
    hours, earnings = _work(lives, claims, youngest)
    both = np.bincount(claims.claim[couple], weights=earnings[couple], minlength=n).astype(np.int64)
    return Members(
        pensioner, count(claims.role == Role.PARTNER) > 0, count(children), count(children & (age < 5.0)), youngest,
        count(claims.role == Role.NON_DEPENDANT), limited, disabled, carer, both, earnings, hours,
    )  # fmt: skip


def _work(lives: Lives, claims: Claims, youngest: Floats) -> tuple[Floats, Ints]:
    """Return weekly hours and earnings of each person's part: whoever is in two claims earns the same in both."""
    draw, world = lives.chance.stream("feeds.work"), lives.world
    n = len(world)
    age, limited = world.age, lives.limited
    child = np.full(n, float(NO_CHILD))
    child[claims.person] = youngest[claims.claim]
    able = np.select(
        [age < 18.0, age >= PENSION_AGE, limited == 2, limited == 1, child < 3.0],
        [0.03, 0.04, 0.06, 0.15, 0.30],
        0.58 - 0.15 * world.deprivation,
    )
    works = draw.random(n) < able
    hours = np.array([8.0, 16.0, 20.0, 25.0, 30.0, 37.5])[draw.integers(6, size=n)]
    # The National Living Wage, 12.21 pounds an hour, and somewhat above; the self-employed report less.
    rate = 1_221.0 * np.where(draw.random(n) < 0.12, 0.7, 1.0 + draw.gamma(0.8, 0.12, n))
    hours = np.where(works, hours, 0.0)[claims.person]
    hours[claims.role == Role.CHILD] = 0.0
    return hours, np.round(hours * rate[claims.person]).astype(np.int64)
