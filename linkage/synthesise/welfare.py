"""Content of the welfare file: benefits, awards and income of a claim's household, and what it owes."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Chance, Flags, Ints
from linkage.synthesise.claims import ROLES, Claims, Role
from linkage.synthesise.homes import Holding
from linkage.synthesise.identifiers import record_ids
from linkage.synthesise.listing import element, nested
from linkage.synthesise.world import PENSION_AGE, REFERENCE_DAY, World
from schemas.codes import ArrearsKind, Benefit, ClaimStatus, RecoveryStage, Tenure
from schemas.contracts.facts_welfare import Arrears, ClaimMembership

TENURES: Final = (
    Tenure.COUNCIL,
    Tenure.HOUSING_ASSOCIATION,
    Tenure.PRIVATE_RENT,
    Tenure.OWNER,
    Tenure.TEMPORARY,
    Tenure.OTHER,
)
MEMBERSHIP: Final = element(ClaimMembership, {"claim_ref": "claim_reference"})
_STAGES: Final = {
    ArrearsKind.COUNCIL_TAX: (
        (RecoveryStage.REMINDER, 0.35), (RecoveryStage.SUMMONS, 0.2), (RecoveryStage.LIABILITY_ORDER, 0.25),
        (RecoveryStage.ENFORCEMENT, 0.12), (RecoveryStage.ATTACHMENT, 0.08),
    ),
    ArrearsKind.RENT_COUNCIL: ((RecoveryStage.NONE, 0.6), (RecoveryStage.REMINDER, 0.4)),
    ArrearsKind.RENT_HOUSING_ASSOCIATION: ((RecoveryStage.NONE, 0.6), (RecoveryStage.REMINDER, 0.4)),
    ArrearsKind.HB_OVERPAYMENT: ((RecoveryStage.NONE, 0.5), (RecoveryStage.REMINDER, 0.3), (RecoveryStage.ATTACHMENT,
    0.2)),
}  # fmt: skip


def content(chance: Chance, world: World, claims: Claims) -> pl.DataFrame:
    """Return `claim_reference`, `claim_role`, `claims` and `arrears` of the rows of the welfare file."""
    lead = leads(claims)
    reference = references(chance, len(lead))
    has = benefits_held(chance, world, claims, lead)
    roles = pl.Series([role.value for role in ROLES])
    return pl.DataFrame(
        {
            "claim_reference": reference.gather(claims.claim),
            "claim_role": roles.gather(claims.role),
            "claims": _memberships(chance, world, claims, lead, reference, has),
            "arrears": _arrears(chance, world, claims, has),
        }
    )


def leads(claims: Claims) -> Ints:
    """Return the claimant of each claim, as row of the world."""
    lead = np.zeros(int(claims.claim.max()) + 1, dtype=np.int64)
    first = np.flatnonzero(claims.role == Role.CLAIMANT)
    lead[claims.claim[first][::-1]] = claims.person[first][::-1]
    return lead


def references(chance: Chance, count: int) -> pl.Series:
    """Return the reference of each claim at its council: C and eight digits."""
    return record_ids(chance.stream("welfare.claim_reference"), "C", count)


def benefits_held(chance: Chance, world: World, claims: Claims, lead: Ints) -> dict[Benefit, Flags]:
    """Return which benefits each claim holds; at least one, and Council Tax Reduction where non-dependants are
    declared.
    """
    draw = chance.stream("welfare.benefits")
    tenure = world.homes.tenure[world.home[lead]]
    renting = (tenure != Holding.OWNER) & (tenure != Holding.OTHER)
    pensioner = world.age[lead] >= PENSION_AGE
    legacy = draw.random(len(lead)) < np.where(tenure == Holding.TEMPORARY, 0.9, 0.16)
    housing = renting & (pensioner | legacy)
    credit = ~pensioner & ((renting & ~legacy) | (draw.random(len(lead)) < 0.45))
    others = np.bincount(claims.claim[claims.role == Role.NON_DEPENDANT], minlength=len(lead)) > 0
    reduction = (draw.random(len(lead)) < np.where(pensioner, 0.92, 0.78)) | others | ~(housing | credit)
    return {
        Benefit.HOUSING_BENEFIT: housing,
        Benefit.COUNCIL_TAX_REDUCTION: reduction,
        Benefit.UNIVERSAL_CREDIT: credit,
    }


def _memberships(
    chance: Chance, world: World, claims: Claims, lead: Ints, reference: pl.Series, has: dict[Benefit, Flags]
) -> pl.Series:
    draw = chance.stream("welfare.claims")
    count = len(lead)
    size = np.bincount(claims.claim, minlength=count)
    income = np.round(draw.gamma(3.0, 3_300.0, count) + 4_500.0 + 3_500.0 * (size - 1)).astype(np.int64)
    tenure = pl.Series([t.value for t in TENURES]).gather(world.homes.tenure[world.home[lead]])
    months = np.minimum(draw.gamma(1.6, 26.0, count), (world.age[lead] - 16.5) * 12.0)
    parts: list[pl.DataFrame] = []
    owners: list[Ints] = []
    for benefit, base in (
        (Benefit.HOUSING_BENEFIT, 9_500),
        (Benefit.COUNCIL_TAX_REDUCTION, 1_100),
        (Benefit.UNIVERSAL_CREDIT, 8_400),
    ):
        award = np.round(base * (0.7 + 0.6 * draw.random(count)) + base * 0.28 * (size - 1)).astype(np.int64)
        status = np.searchsorted([0.93, 0.95], draw.random(count), side="right")
        # Benefits of one household start within months of each other.
        started = (
            REFERENCE_DAY
            - 14
            - np.floor(np.maximum(months, 0.0) * 30.4 * (0.8 + 0.2 * draw.random(count))).astype(np.int64)
        )
        ended = started + 7 + np.floor(draw.random(count) * (REFERENCE_DAY - 7 - started)).astype(np.int64)
        # Universal Credit is the claim of a couple and its children; grown children have their own.
        part_of = has[benefit][claims.claim]
        if benefit is Benefit.UNIVERSAL_CREDIT:
            part_of = part_of & (claims.role != Role.NON_DEPENDANT)
        rows = np.flatnonzero(part_of)
        claim, claimant = claims.claim[rows], claims.role[rows] == Role.CLAIMANT
        own = reference.gather(claim)
        frame = pl.DataFrame(
            {
                "claim_reference": own
                if benefit is not Benefit.UNIVERSAL_CREDIT
                else own.str.replace("C", "U", literal=True),
                "benefit": pl.Series([benefit.value]).new_from_index(0, len(rows)),
                "role": pl.Series([role.value for role in ROLES]).gather(claims.role[rows]),
                "status": pl.Series(
                    [s.value for s in (ClaimStatus.IN_PAYMENT, ClaimStatus.SUSPENDED, ClaimStatus.OTHER)]
                ).gather(status[claim]),
                "started_on": pl.Series(started[claim]).cast(pl.Int32).cast(pl.Date),
                "_ended": pl.Series(ended[claim]).cast(pl.Int32).cast(pl.Date),
                "tenure": tenure.gather(claim),
                "_award": award[claim],
                "_income": income[claim],
                "_claimant": claimant,
            }
        )
        parts.append(
            frame.with_columns(
                pl.when(pl.col("status") == ClaimStatus.OTHER.value).then("_ended").alias("ended_on"),
                pl.when("_claimant").then("_award").alias("weekly_award_pence"),
                pl.when("_claimant").then("_income").alias("weekly_income_pence"),
            )
        )
        owners.append(rows)
    return nested("claims", np.concatenate(owners), pl.concat(parts), len(claims), MEMBERSHIP)


def _arrears(chance: Chance, world: World, claims: Claims, has: dict[Benefit, Flags]) -> pl.Series:
    claimant = np.flatnonzero(claims.role == Role.CLAIMANT)
    person = claims.person[claimant]
    tenure = world.homes.tenure[world.home[person]]
    deprivation = world.deprivation[person]
    pensioner = world.age[person] >= PENSION_AGE
    likely = {
        ArrearsKind.COUNCIL_TAX: np.where(pensioner, 0.05, 0.14 + 0.16 * deprivation),
        ArrearsKind.RENT_COUNCIL: np.where(tenure == Holding.COUNCIL, 0.10 + 0.16 * deprivation, 0.0),
        ArrearsKind.RENT_HOUSING_ASSOCIATION: np.where(
            tenure == Holding.HOUSING_ASSOCIATION, 0.10 + 0.16 * deprivation, 0.0
        ),
        ArrearsKind.HB_OVERPAYMENT: np.where(has[Benefit.HOUSING_BENEFIT][claims.claim[claimant]], 0.15, 0.03),
    }
    owners: list[Ints] = []
    parts: list[pl.DataFrame] = []
    for kind, rate in likely.items():
        draw = chance.stream(f"welfare.arrears.{kind.value}")
        rows = np.flatnonzero(draw.random(len(claimant)) < rate)
        stages, shares = zip(*_STAGES[kind], strict=True)
        stage = np.minimum(np.searchsorted(np.cumsum(shares), draw.random(len(rows)), side="right"), len(stages) - 1)
        oldest = REFERENCE_DAY - np.floor(30 + draw.gamma(1.5, 300.0, len(rows))).astype(np.int64)
        parts.append(
            pl.DataFrame(
                {
                    "kind": pl.Series([kind.value]).new_from_index(0, len(rows)),
                    "balance_pence": np.round(np.exp(draw.normal(10.6, 0.9, len(rows)))).astype(np.int64) + 500,
                    "oldest_debt_on": pl.Series(oldest).cast(pl.Int32).cast(pl.Date),
                    "recovery_stage": pl.Series([s.value for s in stages]).gather(stage),
                }
            )
        )
        owners.append(claimant[rows])
    return nested("arrears", np.concatenate(owners), pl.concat(parts), len(claims), element(Arrears))
