"""What a supplier works out of a council's low-income households (`medway.lift`): living standard, help they miss.

Only Medway has it. Categories come from the household's own income and costs by a working definition of ours, and carry
the name that a supplier's would: the files of a real supplier are opaque.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from linkage.synthesise.chance import Ints
from linkage.synthesise.feeds.budgets import Budgets
from linkage.synthesise.feeds.drawing import Rates, flags, logistic
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.households import Households
from linkage.synthesise.feeds.housing import certificates
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import Benefit, Entitlement, LivingStandard
from schemas.contracts.facts_welfare import Dwelling, LivingStandardResult, UnclaimedEntitlement

DEFINITION: Final = "supplier.2026-04"
_CATEGORIES: Final = (
    LivingStandard.IN_CRISIS, LivingStandard.AT_RISK, LivingStandard.STRUGGLING, LivingStandard.COPING,
)  # fmt: skip
_BUFFER: Final = 2_300
"""What a household that copes has left beyond what such households spend, pence a week (100 pounds a month)."""
_ASSESSED_DAYS_AGO: Final = (20, 50, 81, 112, 201)


def content(lives: Lives, homes: Households, money: Budgets) -> dict[str, Facts]:
    """Return the facts of the supplier by list column; owners are rows of people's parts in claims."""
    at = homes.claimants(homes.ended == NEVER)
    standards = Facts(LivingStandardResult, homes.part_spans)
    dwellings = Facts(Dwelling, homes.part_spans)
    claim = homes.part_claim[at]
    draw = lives.chance.stream("feeds.living_standard")
    swing = draw.normal(size=len(homes))
    for ago in _ASSESSED_DAYS_AGO:
        # From month to month work and bills move what is left by some ten pounds a week.
        swing = 0.85 * swing + 0.5 * draw.normal(size=len(homes))
        left = (money.left + 1_000.0 * swing)[claim]
        expected = money.expected[claim]
        category = np.select([left < 0, left < expected, left < expected + _BUFFER], [0, 1, 2], 3)
        day = REFERENCE_DAY - ago
        on = np.where(day >= homes.started[claim], day, NEVER)
        standards.add(at, category=codes(_CATEGORIES, category), assessed_on=on, definition_source=DEFINITION)
    certificates(lives, homes, money, dwellings, at, "supplier")
    return {"living_standards": standards, "unclaimed": _unclaimed(lives, homes, at), "dwellings": dwellings}


def _unclaimed(lives: Lives, homes: Households, at: Ints) -> Facts:
    """Add what households miss: take-up after DWP and HMRC statistics; the frail miss Attendance Allowance."""
    facts = Facts(UnclaimedEntitlement, homes.part_spans)
    claim = homes.part_claim[at]
    position = lives.at[homes.part_person[at]]
    frailty = np.where(position >= 0, lives.frailty[np.maximum(position, 0)], 0.1)
    old, credit = homes.members.pensioner[claim], homes.has[Benefit.UNIVERSAL_CREDIT][claim]
    children, youngest = homes.members.children[claim] > 0, homes.members.youngest[claim]
    missed: tuple[tuple[Entitlement, Rates, int], ...] = (
        (Entitlement.PENSION_CREDIT, 0.22 * old, 195_000),
        (Entitlement.ATTENDANCE_ALLOWANCE, old * logistic(-4.2 + 11.0 * frailty), 420_000),
        (Entitlement.CARERS_ALLOWANCE, 0.3 * homes.members.carer[claim], 425_000),
        (Entitlement.FREE_SCHOOL_MEALS, 0.11 * (credit & children), 50_000),
        (Entitlement.HEALTHY_START, 0.32 * (credit & (youngest < 4.0)), 26_000),
        (
            Entitlement.COUNCIL_TAX_REDUCTION,
            0.6 * ~homes.has[Benefit.COUNCIL_TAX_REDUCTION][claim],
            90_000,
        ),
    )
    for entitlement, likely, yearly in missed:
        draw = lives.chance.stream(f"feeds.unclaimed.{entitlement.value}")
        owner = at[flags(draw, likely)]
        amount = np.round(yearly * (0.6 + 0.8 * draw.random(len(owner))), -2).astype(np.int64)
        facts.add(
            owner, entitlement=entitlement, assessed_on=REFERENCE_DAY - _ASSESSED_DAYS_AGO[0], yearly_pence=amount
        )
    return facts
