"""What a claim's household has left, what it owes, and the dwelling it heats.

Costs are [assumption], shaped after the lowest fifth of the Living Costs and Food Survey; a household with little left
owes more often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage.synthesise.chance import Flags, Floats, Ints, scatter
from linkage.synthesise.feeds.drawing import flags, logistic
from linkage.synthesise.feeds.households import Households
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.homes import Holding
from schemas.codes import ArrearsKind, Benefit, EnergyBand

BANDS: Final = tuple(EnergyBand)
_BAND_SHARES: Final = np.array([0.01, 0.13, 0.36, 0.36, 0.10, 0.03, 0.01])
"""Energy bands of certificates lodged (England, 2024), rounded."""
_YEARLY_ENERGY: Final = np.array([60_000, 90_000, 125_000, 165_000, 225_000, 290_000, 350_000])
"""Modelled cost of enough warmth in a two-bedroom home, pence a year [assumption]."""


@dataclass(frozen=True)
class Budgets:
    """By claim, pence a week: what is left after housing, energy, water and food, and what else such a household spends
    at least; which debts it has; its dwelling's energy band (index into `BANDS`) and yearly cost of warmth.
    """

    left: Ints
    expected: Ints
    owes: dict[ArrearsKind, Flags]
    band: Ints
    yearly_energy: Ints


def budgets(lives: Lives, homes: Households) -> Budgets:
    """Return the budgets of all households."""
    adults, children = homes.adults, homes.members.children
    band = energy_band(homes.dwelling, homes.tenure)
    yearly = (_YEARLY_ENERGY[band] * (0.7 + 0.15 * homes.tenancy.bedrooms)).astype(np.int64)
    food = 4_600 + 3_200 * (adults - 1) + 6_200 * children + 2_600 * homes.members.small_children
    # Owners on benefits mostly own outright.
    tax = np.maximum(homes.tenancy.council_tax - homes.means.reduction_award, 0)
    # Grown children and others pay some board.
    board = 3_000 * homes.members.non_dependants
    left = homes.means.net_income + board - homes.tenancy.rent - tax - yearly // 52 - 900 - food
    expected = 4_600 + 2_600 * (adults - 1) + 3_600 * children
    return Budgets(left, expected, _debts(lives, homes, left, expected), band, yearly)


def energy_band(dwelling: Ints, tenure: Ints) -> Ints:
    """Return each dwelling's energy band: the same in every source; private lets and owners' homes are the coldest."""
    draw = scatter(dwelling, 91) % 100_000 / 100_000.0
    # Social homes are about half a band better (English Housing Survey).
    lean = np.where(tenure <= Holding.HOUSING_ASSOCIATION, 1.4, 0.8)
    return np.searchsorted(np.cumsum(_BAND_SHARES)[:-1], draw**lean, side="right")


def _debts(lives: Lives, homes: Households, left: Ints, expected: Ints) -> dict[ArrearsKind, Flags]:
    # Log odds: 0 for a household that just gets along, more for each ten pounds a week that it is short of it.
    short: Floats = np.clip((expected - left) / 1_000.0, -15.0, 15.0) * 0.10
    working_age = np.where(homes.members.pensioner, -1.4, 0.0) + 0.5 * (homes.deprivation - 0.5)
    base = {
        ArrearsKind.COUNCIL_TAX: np.full(len(homes), -1.7),
        ArrearsKind.RENT_COUNCIL: np.where(homes.tenure == Holding.COUNCIL, -1.5, -99.0),
        ArrearsKind.RENT_HOUSING_ASSOCIATION: np.where(homes.tenure == Holding.HOUSING_ASSOCIATION, -1.5, -99.0),
        ArrearsKind.HB_OVERPAYMENT: np.where(homes.has[Benefit.HOUSING_BENEFIT], -2.0, -3.6),
        ArrearsKind.WATER: np.full(len(homes), -2.4),
        ArrearsKind.ENERGY: np.full(len(homes), -2.6),
    }
    return {
        kind: flags(lives.chance.stream(f"feeds.debt.{kind.value}"), logistic(odds + short + working_age))
        for kind, odds in base.items()
    }
