"""What weighs on people beside illness: addiction, trouble with the law, homelessness. By row of the world.

The four domains of multiple disadvantage come to the same people more often than by chance: one hidden score leans all
of them. Shares [assumption], after "Hard Edges" (Lankelly Chase 2015): about 58,000 people in England in three domains
in a year, and a quarter of a million in two.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.synthesise.chance import Chance, Flags, Floats, Ints
from linkage.synthesise.feeds.drawing import ago, flags, logistic
from linkage.synthesise.feeds.facts import NEVER
from linkage.synthesise.homes import Holding, HomeKind
from linkage.synthesise.world import Place, World


@dataclass(frozen=True)
class Hardship:
    """`trouble` is the hidden score (standard normal); the rest says whom it hit.

    `homeless_since` and `homeless_until` are days (`NEVER` where there is no application, and where one is open), the
    same for all of a home; `rough` are those who sleep outside at times.
    """

    trouble: Floats
    substance: Flags
    justice: Flags
    homeless_since: Ints
    homeless_until: Ints
    rough: Flags

    @property
    def homeless(self) -> Flags:
        """Who is, or was within three years, in a homelessness application."""
        applied: Flags = self.homeless_since != NEVER
        return applied


def hardship(chance: Chance, world: World, strain: Floats) -> Hardship:
    """Return what weighs on each person of the world."""
    trouble = chance.stream("feeds.trouble").normal(size=len(world))
    man = world.sex == 0
    grown = (world.age >= 16.0) & (world.age < 70.0)
    hostel = world.homes.kind[world.home] == HomeKind.HOSTEL
    substance = flags(
        chance.stream("feeds.substance"),
        grown * logistic(-5.9 + 1.5 * trouble + 1.6 * strain + 0.7 * man + 2.0 * hostel),
    )
    law = -6.2 + 1.4 * trouble + 1.4 * strain + 1.2 * man + 1.8 * substance + 1.2 * hostel
    justice = flags(chance.stream("feeds.justice"), grown * logistic(law))
    since, until = _applications(chance, world, trouble, substance)
    rough = flags(
        chance.stream("feeds.rough"), (since != NEVER) * grown * np.where(hostel, 0.25, 0.03) * (1.0 + 2.0 * substance)
    )
    return Hardship(trouble, substance, justice, since, until, rough)


def _applications(chance: Chance, world: World, trouble: Floats, substance: Flags) -> tuple[Ints, Ints]:
    draw = chance.stream("feeds.homelessness")
    homes, n = world.homes, len(world.homes)
    head = np.zeros(n, dtype=np.int64)
    heads = np.flatnonzero(world.place == Place.HEAD)
    head[world.home[heads]] = heads
    # About 12 households in 1,000 are owed a duty in a year (statutory homelessness statistics); tenants of private
    # landlords and lone parents lead.
    lean = 0.8 * trouble[head] + 1.4 * homes.deprivation + 1.2 * substance[head]
    lean = lean + 0.8 * (homes.kind == HomeKind.LONE_PARENT) - 1.5 * (world.age[head] >= 66.0)
    base = np.array([-5.6, -5.6, -4.6, -8.0, 1.6, -5.5])[homes.tenure]
    likely = np.where(homes.kind == HomeKind.HOSTEL, 0.8, logistic(base + lean))
    applied = draw.random(n) < likely
    since = ago(draw, n, 5, 3 * 365)
    settled = (homes.tenure == Holding.TEMPORARY) | (homes.kind == HomeKind.HOSTEL)
    until = since + 30 + np.floor(draw.gamma(2.0, 110.0, n)).astype(np.int64)
    # Who lives in temporary accommodation now is still in the application.
    until = np.where(settled, NEVER, until)
    since, until = np.where(applied, since, NEVER), np.where(applied, until, NEVER)
    return since[world.home], until[world.home]
