"""Households that claim: who is in them, what they hold, earn and pay. One row a claim, one row a person's part in it.

Money is in pence a week unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Floats, Ints, scatter
from linkage.synthesise.claims import Claims, Role
from linkage.synthesise.feeds.drawing import flags
from linkage.synthesise.feeds.facts import NEVER, Spans
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.means import Means, Tenancies, means, tenancies
from linkage.synthesise.feeds.members import Members, members
from linkage.synthesise.feeds.places import council
from linkage.synthesise.welfare import benefits_held, leads, references
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import Benefit

MOVED_COUNCILS: Final = 0.025
"""Share of claims that had an earlier one, ended since, at the other council [assumption]."""


@dataclass(frozen=True)
class Households:
    """`part_*` have one row a person's part in a claim, the others one row a claim.

    `ended` is the day on which an earlier claim at the other council ended (`NEVER` for claims that are held now), or
    the claimant's death. `council` is 0 (Medway) or 1 (Swale).
    """

    part_person: Ints
    part_claim: Ints
    part_role: Ints
    part_spans: Spans
    lead: Ints
    dwelling: Ints
    council: Ints
    started: Ints
    ended: Ints
    reference: pl.Series
    has: dict[Benefit, Flags]
    tenure: Ints
    deprivation: Floats
    members: Members
    tenancy: Tenancies
    means: Means

    def __len__(self) -> int:
        return len(self.lead)

    @property
    def adults(self) -> Ints:
        """Claimant, partner and non-dependants of each claim."""
        return 1 + self.members.partner + self.members.non_dependants

    def parts(self, chosen: Flags) -> Ints:
        """Return the rows of people's parts in the claims that are chosen."""
        return np.flatnonzero(chosen[self.part_claim])

    def claimants(self, chosen: Flags) -> Ints:
        """Return the claimant's row of each claim that is chosen."""
        return np.flatnonzero(chosen[self.part_claim] & (self.part_role == Role.CLAIMANT))


def households(lives: Lives) -> Households:
    """Return the households of all claims, former ones at the other council included."""
    world, chance, spans = lives.world, lives.chance, lives.world_spans
    held = benefits_held(chance, world, lives.society.selected, leads(lives.society.selected))
    claims, ended, origin = _with_former(lives)
    lead = leads(claims)
    n, home = len(lead), world.home[lead]
    dwelling = np.zeros(n, dtype=np.int64)
    dwelling[claims.claim[::-1]] = claims.dwelling[::-1]
    last = np.minimum(np.where(ended == NEVER, REFERENCE_DAY, ended), spans.last[lead])
    ended = np.where(spans.dead[lead], last, ended)
    months = chance.stream("feeds.claims.length").gamma(1.6, 26.0, n)
    months = np.maximum(np.minimum(months, (world.age[lead] - 16.5) * 12.0), 0.0)
    started = REFERENCE_DAY - 14 - np.floor(months * 30.4).astype(np.int64)
    started = np.where(ended != NEVER, np.minimum(started, ended - 60), started)
    has = {benefit: holds[origin] for benefit, holds in held.items()}
    people = members(lives, claims, lead)
    tenure = world.homes.tenure[home]
    homes = tenancies(chance, people, world.homes.kind[home], tenure)
    return Households(
        part_person=claims.person,
        part_claim=claims.claim,
        part_role=claims.role,
        part_spans=spans.of(claims.person),
        lead=lead,
        dwelling=dwelling,
        council=council(dwelling),
        started=started,
        ended=ended,
        reference=references(chance, n),
        has=has,
        tenure=tenure,
        deprivation=world.homes.deprivation[home],
        members=people,
        tenancy=homes,
        means=means(chance, has, people, homes),
    )


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


def account_references(lives: Lives, homes: Households) -> pl.Series:
    """Return the council-tax account of each claim: A and eight digits that follow from the dwelling."""
    number = scatter(homes.dwelling, 81) % 100_000_000
    return "A" + pl.Series(number).cast(pl.String).str.zfill(8)
