"""Universal Credit as DWP shares it (`dwp.uc`): claims, a year of assessment periods, deductions.

DWP shares the awards of those with Council Tax Reduction or Housing Benefit; of the others only where that is agreed,
here of three in ten [assumption].
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.claims import Role
from linkage.synthesise.feeds.budgets import Budgets
from linkage.synthesise.feeds.drawing import Rates, flags
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.households import Households
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.members import NO_CHILD
from linkage.synthesise.feeds.shbe import memberships
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import ArrearsKind, Benefit, ConditionalityRegime, DeductionReason, WorkCapability
from schemas.contracts.facts_welfare import CreditPeriod, Deduction

PERIODS: Final = 13
"""Assessment periods of an award that the feed holds, the latest first."""
_PERIOD_DAYS: Final = 30
_WEEKS_A_MONTH: Final = 52.0 / 12.0
_REGIMES: Final = tuple(ConditionalityRegime)
_CAPABILITY: Final = tuple(WorkCapability)
_THIRD_CHILD_BORN: Final = 17_262
"""6 April 2017: a third child born since is left out of the award [as the rule stood until April 2026]."""


def content(lives: Lives, homes: Households, money: Budgets) -> dict[str, Facts]:
    """Return the facts of Universal Credit by list column; owners are rows of people's parts in claims."""
    draw = lives.chance.stream("feeds.credit.shared")
    shared = homes.has[Benefit.COUNCIL_TAX_REDUCTION] | homes.has[Benefit.HOUSING_BENEFIT]
    agreed = draw.random(len(homes)) < 0.3
    # A former claim at the other council is one award of Universal Credit all along.
    chosen = (
        homes.has[Benefit.UNIVERSAL_CREDIT]
        & (shared | agreed)
        & ((homes.ended == NEVER) | lives.world_spans.dead[homes.lead])
    )
    reference = homes.reference.str.replace("C", "U", literal=True)
    parts = homes.parts(chosen)
    parts = parts[homes.part_role[parts] != Role.NON_DEPENDANT]
    claims = memberships(lives, homes, Benefit.UNIVERSAL_CREDIT, parts, reference, homes.means.credit_award)
    return {
        "claims": claims,
        "credit_periods": _periods(lives, homes, parts, reference),
        "deductions": _deductions(lives, homes, money, homes.claimants(chosen)),
    }


def regimes(lives: Lives, homes: Households, parts: Ints) -> Ints:
    """Return what is asked of each part's person, as index into the regimes: by health, care, children and earnings."""
    person, claim = homes.part_person[parts], homes.part_claim[parts]
    limited, youngest = lives.limited[person], homes.members.youngest[claim]
    first = homes.part_role[parts] == Role.CLAIMANT
    monthly = homes.members.part_earnings[parts] * _WEEKS_A_MONTH
    carers_child = first & (youngest < NO_CHILD)
    old = lives.world.age[person] >= 66.0
    return np.select(
        [
            (limited == 2) | lives.carer[person] | (carers_child & (youngest < 1.0)) | old,
            monthly >= 95_200,
            limited == 1,
            carers_child & (youngest < 2.0),
            carers_child & (youngest < 3.0),
            monthly > 0,
        ],
        [2, 3, 5, 4, 5, 1],
        0,
    ).astype(np.int64)


def _periods(lives: Lives, homes: Households, parts: Ints, reference: pl.Series) -> Facts:
    facts = Facts(CreditPeriod, homes.part_spans)
    draw = lives.chance.stream("feeds.credit.periods")
    adults = parts[homes.part_role[parts] != Role.CHILD]
    regime = regimes(lives, homes, adults)
    person, claim = homes.part_person[adults], homes.part_claim[adults]
    phase = draw.integers(0, _PERIOD_DAYS, size=len(homes))
    number = np.tile(np.arange(PERIODS), len(adults))
    at = np.repeat(np.arange(len(adults)), PERIODS)
    until = REFERENCE_DAY - 1 - phase[claim[at]] - number * _PERIOD_DAYS
    begin = until - _PERIOD_DAYS + 1
    # A period before the claim, after its end, or cut by death was not assessed.
    started = begin >= np.maximum(homes.started[claim[at]], lives.world.birth_day[person[at]] + 16 * 365)
    kept = started & (until <= homes.part_spans.last[adults[at]])
    at, begin, until = at[kept], begin[kept], until[kept]
    # Earnings go up and down; without work they are none.
    earned = homes.members.part_earnings[adults[at]] * np.exp(0.15 * draw.normal(size=len(at)))
    sanctioned = draw.random(len(at)) < np.array([0.025, 0.012, 0.0, 0.0, 0.008, 0.008])[regime[at]]
    month = claim[at]
    rent_in_credit = ~homes.has[Benefit.HOUSING_BENEFIT][month]
    third = _third_children(lives, homes)
    facts.add(
        adults[at],
        claim_reference=reference.gather(month),
        period_from=begin,
        period_to=until,
        conditionality=codes(_REGIMES, regime[at]),
        work_capability=codes(_CAPABILITY, lives.limited[person[at]]),
        carer_element=lives.carer[person[at]],
        monthly_net_award_pence=_monthly(homes.means.credit_award[month] * np.where(sanctioned, 0.65, 1.0)),
        monthly_housing_element_pence=_monthly(homes.tenancy.eligible_rent[month] * rent_in_credit),
        monthly_earnings_pence=_monthly(earned),
        monthly_cap_reduction_pence=_monthly(homes.means.cap_reduction[month] * rent_in_credit),
        two_child_limit=third[month],
        sanctioned=sanctioned,
    )
    return facts


def _monthly(weekly: Rates) -> Ints:
    """Return amounts of a week as amounts of a month."""
    month: Ints = np.round(weekly * _WEEKS_A_MONTH).astype(np.int64)
    return month


def _third_children(lives: Lives, homes: Households) -> Flags:
    """Return which claims have three children and more, the youngest born since the limit."""
    youngest_born = REFERENCE_DAY - homes.members.youngest * 365.2425
    limited: Flags = (homes.members.children >= 3) & (youngest_born >= _THIRD_CHILD_BORN)
    return limited


def _deductions(lives: Lives, homes: Households, money: Budgets, at: Ints) -> Facts:
    """Deductions of the last three months: nearly half of awards have one (DWP), most for advances that are not among
    the nine reasons; here a quarter.
    """
    facts = Facts(Deduction, homes.part_spans)
    claim = homes.part_claim[at]
    social = homes.tenure[claim] <= 1
    owes = {kind: owing[claim] for kind, owing in money.owes.items()}
    rent = owes[ArrearsKind.RENT_COUNCIL] | owes[ArrearsKind.RENT_HOUSING_ASSOCIATION]
    energy = owes[ArrearsKind.ENERGY]
    poor = 0.5 + homes.deprivation[claim]
    reasons: tuple[tuple[DeductionReason, Rates, int], ...] = (
        (DeductionReason.RENT, 0.45 * rent + 0.01, 3_900),
        (DeductionReason.COUNCIL_TAX, 0.30 * owes[ArrearsKind.COUNCIL_TAX], 2_000),
        (DeductionReason.WATER_ARREARS, 0.40 * owes[ArrearsKind.WATER], 2_000),
        (DeductionReason.ELECTRICITY_ARREARS, 0.30 * energy, 2_200),
        (DeductionReason.GAS_ARREARS, 0.22 * energy, 2_200),
        (DeductionReason.FINES, 0.030 * poor, 2_000),
        (DeductionReason.CHILD_MAINTENANCE, 0.02 * (homes.members.children[claim] == 0), 3_600),
        (DeductionReason.SERVICE_CHARGES, 0.006 * social, 1_800),
        (DeductionReason.MORTGAGE_INTEREST, 0.02 * (homes.tenure[claim] == 3), 4_000),
    )
    for reason, likely, amount in reasons:
        draw = lives.chance.stream(f"feeds.deduction.{reason.value}")
        # Debts deducted for now, or over by now.
        owner = at[flags(draw, likely)]
        first = draw.integers(0, 9, size=len(owner))
        last = np.where(draw.random(len(owner)) < 0.7, 0, first)
        monthly = (amount * (0.8 + 0.6 * draw.random(len(owner)))).astype(np.int64)
        for month in range(12):
            paid = (month >= last) & (month <= first + last + 2)
            day = REFERENCE_DAY - 12 - 30 * month
            day_of = np.where(day >= homes.started[homes.part_claim[owner]], day, NEVER)[paid]
            facts.add(owner[paid], reason=reason, deducted_on=day_of, monthly_pence=monthly[paid])
    return facts
