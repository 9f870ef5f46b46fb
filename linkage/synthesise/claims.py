"""Who claims: which households receive a benefit, who is named in the claim and as what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from linkage.synthesise.chance import Chance, Floats, Ints
from linkage.synthesise.homes import Holding, HomeKind
from linkage.synthesise.rates import ErrorRates
from linkage.synthesise.world import Place, World
from schemas.contracts.subject import ClaimRole


class Role(IntEnum):
    """A person's part in a claim, in the order of `ROLES`."""

    CLAIMANT = 0
    PARTNER = 1
    CHILD = 2
    NON_DEPENDANT = 3


ROLES: Final = (ClaimRole.CLAIMANT, ClaimRole.PARTNER, ClaimRole.CHILD, ClaimRole.NON_DEPENDANT)

# How likely a household claims, in log odds: shaped so that lone parents, social tenants and deprived areas lead, as
# in the Housing Benefit and Universal Credit statistics (Stat-Xplore) [assumption for the sizes].
_BY_KIND: Final = np.array([0.6, -0.9, -0.7, 1.4, 1.5, 0.0, -0.7, -0.4, -0.1, 4.0])
_BY_TENURE: Final = np.array([1.8, 1.7, 0.8, -0.7, 3.5, 0.0])
_BY_DEPRIVATION: Final = 1.6


@dataclass
class Claims:
    """One row a person's part in a claim: world row, claim number (0 upwards), role, and the dwelling the claim is
    for.
    """

    person: Ints
    claim: Ints
    role: Ints
    dwelling: Ints

    def __len__(self) -> int:
        return len(self.person)


def distinct_people(claims: int, rates: ErrorRates) -> int:
    """Return how many different people a welfare file of `claims` rows holds, some of them in two claims."""
    return max(1, round(claims / (1.0 + rates.two_claims)))


def select(chance: Chance, world: World, claims: int, rates: ErrorRates) -> Claims:
    """Return the rows of the welfare file: `claims` of them, whole households, the last one cut to fit."""
    draw = chance.stream("claims.select")
    n = len(world)
    unit = np.where(world.place == Place.SHARER, len(world.homes) + np.arange(n), world.home)
    role = _roles(draw, world)
    # Not every other adult at home is declared.
    member = (role != Role.NON_DEPENDANT) | (draw.random(n) < 0.85)
    homes = world.homes
    score = _BY_KIND[homes.kind] + _BY_TENURE[homes.tenure] + _BY_DEPRIVATION * homes.deprivation
    key = np.concatenate([score, np.zeros(n)])
    key[unit] = score[world.home]
    key += draw.gumbel(size=len(key)) * 1.2
    rows = np.flatnonzero(member)
    # Households in order of their key, within each the claimant first.
    rows = rows[np.lexsort((role[rows], unit[rows], -key[unit[rows]]))][: distinct_people(claims, rates)]
    number = np.unique(unit[rows], return_inverse=True)[1].astype(np.int64)
    first = Claims(rows, number, role[rows], homes.dwelling[world.home[rows]])
    return _with_second_claims(chance, world, first, claims - len(rows))


def _roles(draw: np.random.Generator, world: World) -> Ints:
    n = len(world)
    youth = draw.random(n) < 0.75
    dependent = (world.age < 16.0) | ((world.age < 20.0) & youth)
    # In a quarter of couples the partner is the one who claims.
    swapped = (draw.random(len(world.homes)) < 0.25)[world.home]
    paired = np.bincount(world.home[world.place == Place.PARTNER], minlength=len(world.homes))[world.home] > 0
    head = np.where(swapped & paired, Role.PARTNER, Role.CLAIMANT)
    return np.select(
        [
            world.place == Place.HEAD,
            world.place == Place.PARTNER,
            world.place == Place.SHARER,
            world.place == Place.CHILD,
        ],
        [head, 1 - head, Role.CLAIMANT, np.where(dependent, Role.CHILD, Role.NON_DEPENDANT)],
        Role.NON_DEPENDANT,
    ).astype(np.int64)


def _with_second_claims(chance: Chance, world: World, first: Claims, extra: int) -> Claims:
    """Add `extra` rows of people who are in a claim already: grown children with a claim of their own, children of
    parents who live apart, and claimants who hold two claims."""
    if extra <= 0:
        return first
    draw = chance.stream("claims.second")
    likely: Floats = np.array([0.6, 0.2, 1.0, 6.0])[first.role]
    key = draw.exponential(size=len(first)) / likely
    chosen = np.argsort(key, kind="stable")[:extra]
    role, claim_count = first.role[chosen], int(first.claim.max()) + 1
    child = role == Role.CHILD
    # A child is also in the claim of the other parent, somewhere else; the others open a claim of their own.
    other = draw.integers(len(first), size=len(chosen))
    moved = draw.random(len(chosen)) < 0.5
    claim = np.where(child, first.claim[other], claim_count + np.arange(len(chosen)))
    # A child cannot be twice in one claim: the claim next to it is another's.
    claim = np.where(child & (claim == first.claim[chosen]), (claim + 1) % claim_count, claim)
    own_home = world.homes.dwelling[world.home[first.person[chosen]]]
    elsewhere = world.homes.dwelling[draw.integers(len(world.homes), size=len(chosen))]
    of_claim = np.empty(claim_count, dtype=np.int64)
    of_claim[first.claim] = first.dwelling
    dwelling = np.where(child, of_claim[np.minimum(claim, claim_count - 1)], np.where(moved, elsewhere, own_home))
    return Claims(
        np.concatenate([first.person, first.person[chosen]]),
        np.concatenate([first.claim, claim]),
        np.concatenate([first.role, np.where(child, Role.CHILD, Role.CLAIMANT)]).astype(np.int64),
        np.concatenate([first.dwelling, dwelling]),
    )


def registered(chance: Chance, world: World, claimants: Ints, people: int, overlap: float) -> Ints:
    """Return the world rows that have a health record: `people` of them, `overlap` of the welfare file's people
    among them.

    Who is not registered with a practice here is more often a young man, new in the country, or without a home of
    his own; families are missing together.
    """
    draw = chance.stream("health.registered")
    adult_man = (world.sex == 0) & (world.age >= 20.0) & (world.age < 35.0)
    newcomer = world.community > 0
    hostel = (world.homes.kind[world.home] == HomeKind.HOSTEL) | (world.homes.tenure[world.home] == Holding.TEMPORARY)
    odds = 1.0 + 1.0 * adult_man + 0.6 * newcomer + 2.5 * hostel
    together = draw.exponential(size=len(world.homes))[world.home] * 1.6
    absent_first = np.minimum(draw.exponential(size=len(world)), together) / odds
    claiming = np.zeros(len(world), dtype=bool)
    claiming[claimants] = True
    inside = np.flatnonzero(claiming)
    outside = np.flatnonzero(~claiming)
    held = min(people, round(overlap * len(inside)))
    # The lowest keys are the absent ones, so the highest are registered.
    inside = inside[np.argsort(-absent_first[inside], kind="stable")][:held]
    outside = outside[np.argsort(-absent_first[outside], kind="stable")][: people - held]
    return np.sort(np.concatenate([inside, outside]))
