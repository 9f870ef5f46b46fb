"""Households that claim: who is in them, what they hold, earn and pay. One row a claim, one row a person's part in it.

Money is in pence a week unless a name says otherwise. Rates of benefits are those of 2025/26 rounded; what follows from
them (awards, caps, shortfalls) is worked out by the rules in short, so that amounts agree with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Chance, Flags, Floats, Ints, scatter
from linkage.synthesise.claims import Claims, Role
from linkage.synthesise.feeds.drawing import flags
from linkage.synthesise.feeds.facts import NEVER, Spans
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.places import council
from linkage.synthesise.homes import Holding, HomeKind
from linkage.synthesise.welfare import benefits_held, leads, references
from linkage.synthesise.world import PENSION_AGE, REFERENCE_DAY
from schemas.codes import Benefit

_ALLOWANCE: Final = 9_200
_COUPLE: Final = 14_450
_CHILD: Final = 6_750
_CHILD_BENEFIT: Final = (2_605, 1_725)
_PENSION: Final = 20_900
_PENSION_CREDIT: Final = (22_710, 34_660)
_LIMITED: Final = 9_760
"""Addition for limited capability for work-related activity."""
_DISABILITY: Final = 10_000
"""Personal Independence Payment, about its usual sum."""
_CAPS: Final = (28_330, 42_290)
"""Benefit cap outside London, single people and others (23 pounds short of nothing: 14,753 and 22,020 a year)."""
_TAPER: Final = 0.65
_LHA: Final = (9_800, 16_110, 20_710, 24_740, 31_640)
"""Local housing allowance of a shared room, then one to four bedrooms (Medway and Swale, rounded)."""
MOVED_COUNCILS: Final = 0.025
"""Share of claims that had an earlier one, ended since, at the other council [assumption]."""


@dataclass(frozen=True)
class Households:
    """`part_*` have one row a person's part in a claim, the others one row a claim.

    `ended` is the day on which an earlier claim at the other council ended (`NEVER` for claims that are held now), or
    the claimant's death. `limited` is the worst of claimant and partner. `council` is 0 (Medway) or 1 (Swale). `rent`
    is contractual, `eligible_rent` what help counts, `lha` 0 where it does not apply. `earnings` and `part_earnings`,
    `part_hours` are of the household and of each person; `net_income` a week's income of all kinds after the cap.
    """

    part_person: Ints
    part_claim: Ints
    part_role: Ints
    part_spans: Spans
    part_earnings: Ints
    part_hours: Floats
    lead: Ints
    dwelling: Ints
    council: Ints
    ended: Ints
    reference: pl.Series
    has: dict[Benefit, Flags]
    tenure: Ints
    pensioner: Flags
    partner: Flags
    children: Ints
    small_children: Ints
    youngest: Floats
    non_dependants: Ints
    limited: Ints
    disabled: Flags
    carer: Flags
    deprivation: Floats
    bedrooms_needed: Ints
    bedrooms: Ints
    rent: Ints
    eligible_rent: Ints
    lha: Ints
    council_tax: Ints
    earnings: Ints
    capital: Ints
    other_income: Ints
    cap_reduction: Ints
    housing_award: Ints
    reduction_award: Ints
    credit_award: Ints
    net_income: Ints
    started: Ints

    def __len__(self) -> int:
        return len(self.lead)

    @property
    def adults(self) -> Ints:
        """Claimant, partner and non-dependants of each claim."""
        return 1 + self.partner + self.non_dependants

    def parts(self, chosen: Flags) -> Ints:
        """Return the rows of people's parts in the claims that are chosen."""
        return np.flatnonzero(chosen[self.part_claim])

    def claimants(self, chosen: Flags) -> Ints:
        """Return the claimant's row of each claim that is chosen."""
        return np.flatnonzero(chosen[self.part_claim] & (self.part_role == Role.CLAIMANT))


def households(lives: Lives) -> Households:
    """Return the households of all claims, former ones at the other council included."""
    world, chance = lives.world, lives.chance
    held = benefits_held(chance, world, lives.society.selected, leads(lives.society.selected))
    claims, ended, origin = _with_former(lives)
    lead = leads(claims)
    n = len(lead)
    has = {benefit: flags[origin] for benefit, flags in held.items()}
    home = world.home[lead]
    tenure, age = world.homes.tenure[home], world.age[lead]
    dwelling = np.zeros(n, dtype=np.int64)
    dwelling[claims.claim[::-1]] = claims.dwelling[::-1]
    dead = lives.world_spans.dead[lead]
    ended = np.where(
        dead, np.minimum(np.where(ended == NEVER, REFERENCE_DAY, ended), lives.world_spans.last[lead]), ended
    )

    def count(role: Role, who: Flags | None = None) -> Ints:
        chosen = claims.role == role
        return np.bincount(claims.claim[chosen if who is None else chosen & who], minlength=n)

    part_age = world.age[claims.person]
    children, small = count(Role.CHILD), count(Role.CHILD, part_age < 5.0)
    partner, others = count(Role.PARTNER) > 0, count(Role.NON_DEPENDANT)
    youngest = np.full(n, 99.0)
    of_children = claims.role == Role.CHILD
    np.minimum.at(youngest, claims.claim[of_children], part_age[of_children])
    limited, carer = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    couple = (claims.role == Role.CLAIMANT) | (claims.role == Role.PARTNER)
    np.maximum.at(limited, claims.claim[couple], lives.limited[claims.person[couple]])
    np.logical_or.at(carer, claims.claim[couple], lives.carer[claims.person[couple]])
    pensioner = age >= PENSION_AGE
    draw = chance.stream("feeds.households")
    disabled = flags(draw, np.where(limited == 2, 0.65, 0.06 + 0.12 * pensioner))
    hours, earnings = _work(lives, claims, youngest)
    adult = couple.astype(np.float64)
    earned = np.bincount(claims.claim, weights=earnings * adult, minlength=n).astype(np.int64)
    homes = _homes(chance, world.homes.kind[home], tenure, children, partner, others)
    needed, bedrooms, rent, lha, tax = homes
    eligible = np.where(lha > 0, np.minimum(rent, lha), rent)
    # Fewer bedrooms than there are: 14 % less for one, 25 % for more, of working-age social tenants.
    spare = np.maximum(bedrooms - needed, 0) * (~pensioner & (tenure <= Holding.HOUSING_ASSOCIATION))
    eligible = np.round(eligible * np.array([1.0, 0.86, 0.75])[np.minimum(spare, 2)]).astype(np.int64)
    money = _money(draw, has, pensioner, partner, children, limited, disabled, carer, earned, eligible, tax)
    capital = np.where(draw.random(n) < 0.55, draw.gamma(0.9, 130_000.0, n), 0.0).astype(np.int64)
    months = np.minimum(draw.gamma(1.6, 26.0, n), (age - 16.5) * 12.0)
    started = REFERENCE_DAY - 14 - np.floor(np.maximum(months, 0.0) * 30.4).astype(np.int64)
    started = np.where(ended != NEVER, np.minimum(started, ended - 60), started)
    return Households(
        claims.person, claims.claim, claims.role, lives.world_spans.of(claims.person), earnings, hours, lead, dwelling,
        council(dwelling), ended, references(chance, n), has, tenure, pensioner, partner, children, small, youngest,
        others, limited, disabled, carer, world.homes.deprivation[home], needed, bedrooms, rent, eligible, lha, tax,
        earned, capital, *money, started,
    )  # fmt: skip


def _with_former(lives: Lives) -> tuple[Claims, Ints, Ints]:
    """Return the claims with former ones of people who have come from the other council since, the day on which each
    ended, and the number of the claim that holds now.
    """
    claims, world = lives.society.selected, lives.world
    draw = lives.chance.stream("feeds.former_claims")
    n = int(claims.claim.max()) + 1
    every = np.arange(n)
    moved = np.flatnonzero(flags(draw, np.full(n, MOVED_COUNCILS)))
    homes = world.homes.dwelling
    here = council(claims.dwelling)
    of_claim = np.zeros(n, dtype=np.int64)
    of_claim[claims.claim] = here
    there = [np.flatnonzero(council(homes) == number) for number in (0, 1)]
    if not len(moved) or not all(len(t) for t in there):
        return claims, np.full(n, NEVER), every
    random = draw.random(len(moved))
    before = np.where(
        of_claim[moved] == 0,
        homes[there[1]][(random * len(there[1])).astype(np.int64)],
        homes[there[0]][(random * len(there[0])).astype(np.int64)],
    )
    number = np.full(n, -1, dtype=np.int64)
    number[moved] = n + np.arange(len(moved))
    # Only those who had been born by then were in it.
    ended_on = REFERENCE_DAY - draw.integers(30, 500, size=len(moved))
    rows = np.flatnonzero(number[claims.claim] >= 0)
    at = number[claims.claim[rows]] - n
    alive = world.birth_day[claims.person[rows]] < ended_on[at] - 90
    rows, at = rows[alive], at[alive]
    return (
        Claims(
            np.concatenate([claims.person, claims.person[rows]]),
            np.concatenate([claims.claim, n + at]),
            np.concatenate([claims.role, claims.role[rows]]),
            np.concatenate([claims.dwelling, before[at]]),
        ),
        np.concatenate([np.full(n, NEVER), ended_on]),
        np.concatenate([every, moved]),
    )


def _work(lives: Lives, claims: Claims, youngest: Floats) -> tuple[Floats, Ints]:
    """Return weekly hours and earnings of each person's part: whoever is in two claims earns the same in both."""
    draw, world = lives.chance.stream("feeds.work"), lives.world
    n = len(world)
    age, limited = world.age, lives.limited
    child = np.full(n, 99.0)
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


def _homes(
    chance: Chance, kind: Ints, tenure: Ints, children: Ints, partner: Flags, others: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Return bedrooms needed and there, rent, the local housing allowance that applies, and council tax, a week."""
    draw = chance.stream("feeds.tenancies")
    n = len(kind)
    needed = 1 + others + (children + 1) // 2
    extra = draw.choice([-1, 0, 1, 2], size=n, p=[0.07, 0.62, 0.22, 0.09])
    rents = np.isin(tenure, [Holding.COUNCIL, Holding.HOUSING_ASSOCIATION, Holding.PRIVATE_RENT, Holding.TEMPORARY])
    bedrooms = np.clip(needed + np.where(tenure == Holding.PRIVATE_RENT, np.minimum(extra, 1), extra), 1, 6)
    per_bedroom = np.array([1_500, 1_900, 4_700, 0, 5_500, 0])[tenure]
    base = np.array([8_300, 9_400, 13_000, 0, 19_500, 0])[tenure]
    rent = np.round((base + per_bedroom * bedrooms) * np.exp(0.12 * draw.normal(size=n))).astype(np.int64) * rents
    lha = np.where(tenure == Holding.PRIVATE_RENT, np.array(_LHA)[np.minimum(needed, 4)], 0)
    tax = np.round(2_350.0 * np.exp(0.22 * draw.normal(size=n)) * (1.0 + 0.12 * bedrooms)).astype(np.int64)
    single = ~partner & (others == 0)
    tax = np.where(single, (tax * 3) // 4, tax)
    tax = np.where(kind == HomeKind.HOSTEL, 0, tax)
    return needed, bedrooms, rent, lha, tax


def _money(
    draw: np.random.Generator, has: dict[Benefit, Flags], pensioner: Flags, partner: Flags, children: Ints,
    limited: Ints, disabled: Flags, carer: Flags, earned: Ints, eligible: Ints, tax: Ints,
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:  # fmt: skip
    """Return other income, the cap's reduction, the three awards and net income, pence a week.

    Universal Credit is taken as the working-age benefit of all who have no Housing Benefit for their rent.
    """
    n = len(pensioner)
    child_benefit = np.where(children > 0, _CHILD_BENEFIT[0] + _CHILD_BENEFIT[1] * np.maximum(children - 1, 0), 0)
    pension = np.round(_PENSION * (0.75 + 0.5 * draw.random(n)) * (1 + 0.8 * partner)).astype(np.int64)
    credit_line = np.where(partner, _PENSION_CREDIT[1], _PENSION_CREDIT[0])
    # A third of those who could have Pension Credit do not claim it (DWP take-up statistics).
    claims_credit = draw.random(n) < 0.66
    old_income = np.where(claims_credit, np.maximum(pension, credit_line), pension)
    basic = np.where(partner, _COUPLE, _ALLOWANCE) + _CHILD * children
    basic = basic + np.where(limited == 2, _LIMITED, 0) + np.where(carer, 4_600, 0)
    allowance = np.where((children > 0) | (limited > 0), 9_500, 0)
    rent_help = np.where(has[Benefit.UNIVERSAL_CREDIT] & ~has[Benefit.HOUSING_BENEFIT], eligible, 0)
    full = np.maximum(basic + rent_help - np.round(_TAPER * np.maximum(earned - allowance, 0)).astype(np.int64), 0)
    credit = np.where(has[Benefit.UNIVERSAL_CREDIT], full, 0)
    # Legacy claimants of working age live on the same sums by another name.
    legacy = ~pensioner & ~has[Benefit.UNIVERSAL_CREDIT]
    legacy_income = np.where(legacy, np.maximum(basic - np.round(_TAPER * earned).astype(np.int64), 0), 0)
    other = np.where(pensioner, old_income, 0) + child_benefit + np.where(disabled, _DISABILITY, 0) + legacy_income
    applicable = np.where(pensioner, credit_line, basic)
    counted = earned + np.where(pensioner, old_income, legacy_income)
    excess = np.maximum(counted - applicable, 0)
    housing = np.maximum(eligible - np.round(_TAPER * excess).astype(np.int64), 0) * has[Benefit.HOUSING_BENEFIT]
    reduction = np.maximum(np.round(tax * np.where(pensioner, 1.0, 0.75) - 0.2 * excess).astype(np.int64), 0)
    reduction = reduction * has[Benefit.COUNCIL_TAX_REDUCTION]
    limit = np.where(partner | (children > 0), _CAPS[1], _CAPS[0])
    exempt = pensioner | disabled | carer | (limited == 2) | (earned > 19_500)
    benefits = credit + housing + child_benefit + legacy_income
    cap = np.where(exempt, 0, np.maximum(benefits - limit, 0))
    cap = np.minimum(cap, np.where(has[Benefit.HOUSING_BENEFIT], np.maximum(housing - 50, 0), credit))
    housing = np.where(has[Benefit.HOUSING_BENEFIT], housing - cap, housing)
    credit = np.where(has[Benefit.HOUSING_BENEFIT], credit, credit - cap)
    net = np.round(0.93 * earned).astype(np.int64) + other + credit + housing
    return other, cap, housing, reduction, credit, net


def account_references(lives: Lives, homes: Households) -> pl.Series:
    """Return the council-tax account of each claim: A and eight digits that follow from the dwelling."""
    number = scatter(homes.dwelling, 81) % 100_000_000
    return "A" + pl.Series(number).cast(pl.String).str.zfill(8)
