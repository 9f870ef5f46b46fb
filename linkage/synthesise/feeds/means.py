"""What households pay and receive: homes with their rents, and the benefits that follow from rent, work and members.

Pence a week. Rates of benefits are those of 2025/26, rounded; what follows from them (awards, caps, shortfalls) is
worked out by the rules in short, so that amounts agree with each other. Rents and council tax are [assumption], near
those of Medway and Swale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage.synthesise.chance import Chance, Flags, Ints
from linkage.synthesise.feeds.members import Members
from linkage.synthesise.homes import Holding, HomeKind
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
"""Benefit cap outside London, for single people and for others (14,753 and 22,020 pounds a year)."""
_CAP_FREE_EARNINGS: Final = 19_500
"""Whoever earns 846 pounds a month is not capped."""
_WORK_ALLOWANCE: Final = 9_500
_CARER: Final = 4_600
_TAPER: Final = 0.65
"""Of Housing Benefit; that of Universal Credit is 0.55 of net earnings, not far from it before tax."""
_LHA: Final = (9_800, 16_110, 20_710, 24_740, 31_640)
"""Local housing allowance of a shared room, then one to four bedrooms (Medway and Swale, rounded)."""


@dataclass(frozen=True)
class Tenancies:
    """By claim: bedrooms needed and there, contractual rent, what of it help counts, the local housing allowance (0
    where it does not apply), council tax.
    """

    bedrooms_needed: Ints
    bedrooms: Ints
    rent: Ints
    eligible_rent: Ints
    lha: Ints
    council_tax: Ints


@dataclass(frozen=True)
class Means:
    """By claim: capital, the cap's reduction, awards of Housing Benefit, Council Tax Reduction and Universal Credit,
    and net income of all kinds but Council Tax Reduction.
    """

    capital: Ints
    cap_reduction: Ints
    housing_award: Ints
    reduction_award: Ints
    credit_award: Ints
    net_income: Ints


def tenancies(chance: Chance, members: Members, kind: Ints, tenure: Ints) -> Tenancies:
    """Return the homes of all claims; `kind` (of home) and `tenure` are by claim."""
    draw = chance.stream("feeds.tenancies")
    n = len(kind)
    needed = 1 + members.non_dependants + (members.children + 1) // 2
    extra = draw.choice([-1, 0, 1, 2], size=n, p=[0.07, 0.62, 0.22, 0.09])
    rents = np.isin(tenure, [Holding.COUNCIL, Holding.HOUSING_ASSOCIATION, Holding.PRIVATE_RENT, Holding.TEMPORARY])
    bedrooms = np.clip(needed + np.where(tenure == Holding.PRIVATE_RENT, np.minimum(extra, 1), extra), 1, 6)
    # Rents by tenure: so much, and so much a bedroom more.
    base = np.array([8_300, 9_400, 13_000, 0, 23_500, 0])[tenure]
    per_bedroom = np.array([1_500, 1_900, 4_700, 0, 5_500, 0])[tenure]
    rent = np.round((base + per_bedroom * bedrooms) * np.exp(0.12 * draw.normal(size=n))).astype(np.int64) * rents
    lha = np.where(tenure == Holding.PRIVATE_RENT, np.array(_LHA)[np.minimum(needed, 4)], 0)
    tax = np.round(2_350.0 * np.exp(0.22 * draw.normal(size=n)) * (1.0 + 0.12 * bedrooms)).astype(np.int64)
    single = ~members.partner & (members.non_dependants == 0)
    tax = np.where(kind == HomeKind.HOSTEL, 0, np.where(single, (tax * 3) // 4, tax))
    eligible = np.where(lha > 0, np.minimum(rent, lha), rent)
    # More bedrooms than needed: 14 % less for one, 25 % for more, of working-age social tenants.
    spare = np.maximum(bedrooms - needed, 0) * (~members.pensioner & (tenure <= Holding.HOUSING_ASSOCIATION))
    eligible = np.round(eligible * np.array([1.0, 0.86, 0.75])[np.minimum(spare, 2)]).astype(np.int64)
    return Tenancies(needed, bedrooms, rent, eligible, lha, tax)


def means(chance: Chance, has: dict[Benefit, Flags], members: Members, homes: Tenancies) -> Means:
    """Return what each household has and gets.

    Universal Credit pays the rent of those of working age who have no Housing Benefit for it.
    """
    draw = chance.stream("feeds.means")
    n = len(members.pensioner)
    pensioner, partner, children, earned = members.pensioner, members.partner, members.children, members.earnings
    with_credit, with_housing = has[Benefit.UNIVERSAL_CREDIT], has[Benefit.HOUSING_BENEFIT]
    child_benefit = np.where(children > 0, _CHILD_BENEFIT[0] + _CHILD_BENEFIT[1] * np.maximum(children - 1, 0), 0)
    pension = np.round(_PENSION * (0.75 + 0.5 * draw.random(n)) * (1 + 0.8 * partner)).astype(np.int64)
    pension_line = np.where(partner, _PENSION_CREDIT[1], _PENSION_CREDIT[0])
    # A third of those who could have Pension Credit do not claim it (DWP take-up statistics).
    pension = np.where(draw.random(n) < 0.66, np.maximum(pension, pension_line), pension)
    basic = np.where(partner, _COUPLE, _ALLOWANCE) + _CHILD * children
    basic = basic + np.where(members.limited == 2, _LIMITED, 0) + np.where(members.carer, _CARER, 0)
    free = np.where((children > 0) | (members.limited > 0), _WORK_ALLOWANCE, 0)
    rent_help = np.where(with_credit & ~with_housing, homes.eligible_rent, 0)
    full = np.maximum(basic + rent_help - _tapered(earned - free), 0)
    credit = np.where(with_credit, full, 0)
    # Legacy claimants of working age live on the same sums by another name.
    legacy = np.where(~pensioner & ~with_credit, np.maximum(basic - _tapered(earned), 0), 0)
    old_age = np.where(pensioner, pension, 0)
    other = old_age + child_benefit + legacy + np.where(members.disabled, _DISABILITY, 0)
    excess = np.maximum(earned + old_age + legacy - np.where(pensioner, pension_line, basic), 0)
    housing = np.maximum(homes.eligible_rent - _tapered(excess), 0) * with_housing
    share = np.where(pensioner, 1.0, 0.75)
    reduction = np.maximum(np.round(homes.council_tax * share - 0.2 * excess).astype(np.int64), 0)
    exempt = pensioner | members.disabled | members.carer | (members.limited == 2) | (earned > _CAP_FREE_EARNINGS)
    limit = np.where(partner | (children > 0), _CAPS[1], _CAPS[0])
    cap = np.where(exempt, 0, np.maximum(credit + housing + child_benefit + legacy - limit, 0))
    # Housing Benefit keeps fifty pence; the rest of the cap takes Universal Credit.
    cap = np.minimum(cap, np.where(with_housing, np.maximum(housing - 50, 0), credit))
    housing, credit = housing - cap * with_housing, credit - cap * ~with_housing
    capital = np.where(draw.random(n) < 0.55, draw.gamma(0.9, 130_000.0, n), 0.0).astype(np.int64)
    net = np.round(0.93 * earned).astype(np.int64) + other + credit + housing
    return Means(capital, cap, housing, reduction * has[Benefit.COUNCIL_TAX_REDUCTION], credit, net)


def _tapered(income: Ints) -> Ints:
    """Return by how much an award falls for income above what is free."""
    less: Ints = np.round(_TAPER * np.maximum(income, 0)).astype(np.int64)
    return less
