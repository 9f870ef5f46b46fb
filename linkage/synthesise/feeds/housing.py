"""Councils' housing and revenues (`medway.housing`, `swale.housing`): under-occupation, arrears, energy certificates.

Beside claimants some who claim nothing stand here with a debt. Stages and sums [assumption].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.feeds.budgets import BANDS, Budgets
from linkage.synthesise.feeds.drawing import ago, flags, one_of
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.households import Households
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.homes import Holding
from linkage.synthesise.world import REFERENCE_DAY, Place
from schemas.codes import ArrearsKind, RecoveryStage
from schemas.contracts.facts_welfare import Arrears, Dwelling, Occupancy

_STAGES: Final = tuple(RecoveryStage)
_STAGE_SHARES: Final = {
    ArrearsKind.COUNCIL_TAX: (0.0, 0.35, 0.2, 0.25, 0.12, 0.08),
    ArrearsKind.HB_OVERPAYMENT: (0.5, 0.3, 0.0, 0.0, 0.0, 0.2),
}
_OTHER_STAGES: Final = (0.6, 0.4, 0.0, 0.0, 0.0, 0.0)
DEBTORS_BESIDE: Final = 0.02
"""Households that claim nothing and owe council tax to some stage of recovery [assumption]."""


@dataclass(frozen=True)
class Tenants:
    """Whom housing writes about: first the rows of people's parts in claims, then heads of homes that claim nothing."""

    person: Ints
    dwelling: Ints
    claim_reference: pl.Series


def content(lives: Lives, homes: Households, money: Budgets) -> tuple[Tenants, dict[str, Facts]]:
    """Return whom housing writes about and the facts by list column; owners are rows of `Tenants`."""
    tenants = _tenants(lives, homes)
    spans = lives.world_spans.of(tenants.person)
    here = homes.ended == NEVER
    arrears, occupancies, dwellings = Facts(Arrears, spans), Facts(Occupancy, spans), Facts(Dwelling, spans)
    for kind, owes in money.owes.items():
        owner = homes.claimants(owes & here)
        _owe(lives, arrears, kind, owner, "claims")
    beside = np.arange(len(homes.part_person), len(tenants.person))
    _owe(lives, arrears, ArrearsKind.COUNCIL_TAX, beside, "beside")
    social = homes.claimants(here & (homes.tenure <= Holding.HOUSING_ASSOCIATION))
    claim = homes.part_claim[social]
    for day in (REFERENCE_DAY - 15, REFERENCE_DAY - 107):
        occupancies.add(
            social, claim_reference=homes.reference.gather(claim), bedrooms=homes.tenancy.bedrooms[claim],
            bedrooms_needed=homes.tenancy.bedrooms_needed[claim], recorded_on=day,
        )  # fmt: skip
    certificates(lives, homes, money, dwellings, social, "housing")
    return tenants, {"arrears": arrears, "occupancies": occupancies, "dwellings": dwellings}


def certificates(lives: Lives, homes: Households, money: Budgets, facts: Facts, owner: Ints, stream: str) -> None:
    """Add the energy certificate of each claimant's home; one home of seven has none."""
    draw = lives.chance.stream(f"feeds.certificates.{stream}")
    owner = owner[flags(draw, np.full(len(owner), 0.86))]
    claim = homes.part_claim[owner]
    facts.add(
        owner, recorded_on=ago(draw, len(owner), 60, 3_000), energy_band=codes(BANDS, money.band[claim]),
        yearly_energy_pence=money.yearly_energy[claim],
    )  # fmt: skip


def _tenants(lives: Lives, homes: Households) -> Tenants:
    world = lives.world
    draw = lives.chance.stream("feeds.debtors")
    claiming: Flags = np.zeros(len(world.homes), dtype=np.bool_)
    claiming[world.home[homes.part_person]] = True
    likely = DEBTORS_BESIDE * (0.4 + 1.2 * world.deprivation)
    owing = (world.place == Place.HEAD) & ~claiming[world.home]
    beside = np.flatnonzero(flags(draw, owing * likely))
    none = pl.Series([None], dtype=pl.String).new_from_index(0, len(beside))
    return Tenants(
        np.concatenate([homes.part_person, beside]),
        np.concatenate([homes.dwelling[homes.part_claim], lives.dwelling[beside]]),
        homes.reference.gather(homes.part_claim).append(none),
    )


def _owe(lives: Lives, facts: Facts, kind: ArrearsKind, owner: Ints, stream: str) -> None:
    draw = lives.chance.stream(f"feeds.arrears.{kind.value}.{stream}")
    n = len(owner)
    days = np.floor(30 + draw.gamma(1.5, 260.0, n)).astype(np.int64)
    stage = one_of(draw, _STAGE_SHARES.get(kind, _OTHER_STAGES), n)
    # Debts that have gone far are older.
    days = days + 90 * stage
    facts.add(
        owner, kind=kind, balance_pence=np.round(np.exp(draw.normal(10.6, 0.8, n))).astype(np.int64) + 500,
        oldest_debt_on=REFERENCE_DAY - days, recovery_stage=codes(_STAGES, stage), weeks_in_arrears=days // 7,
    )  # fmt: skip
