"""Households and the people in them: who lives with whom, ages, twins, dates of birth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from tests.populations.chance import Chance
from tests.populations.stock import COMMUNITIES

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TODAY: Final = (date(2025, 6, 30) - date(1970, 1, 1)).days
YEAR_DAYS: Final = 365.25


class Kind(IntEnum):
    """Households; shares [assumed, near the census]."""

    SINGLE = 0
    COUPLE = 1
    FAMILY = 2
    LONE_PARENT = 3
    THREE_GENERATIONS = 4
    GROWN_CHILDREN = 5
    HOUSE_SHARE = 6
    CARE_HOME = 7
    HOSTEL = 8


class Role(IntEnum):
    """A person's place in the household."""

    HEAD = 0
    PARTNER = 1
    GRANDPARENT = 2
    CHILD = 3
    LODGER = 4
    """Unrelated to the head: sharers and residents, the head of such a household among them."""


_SHARES: Final = (0.27, 0.215, 0.235, 0.10, 0.035, 0.09, 0.05, 0.002, 0.003)
# South Asian homes hold three generations more often.
_THREE_GENERATIONS: Final = {"sikh": 4.0, "pakistani": 4.0, "bengali": 4.0, "gujarati": 3.0, "nepali": 2.0}
# Ages of the head, from and to.
_HEAD_AGES: Final = np.array([(20, 92), (24, 90), (24, 50), (18, 50), (30, 48), (44, 70), (19, 40), (74, 99), (18, 60)])
_PARENTS: Final = (Kind.FAMILY, Kind.LONE_PARENT, Kind.THREE_GENERATIONS, Kind.GROWN_CHILDREN)
_COUPLES: Final = (Kind.COUPLE, Kind.FAMILY, Kind.THREE_GENERATIONS, Kind.GROWN_CHILDREN)
_STRANGERS: Final = (Kind.HOUSE_SHARE, Kind.CARE_HOME, Kind.HOSTEL)
TWIN_MATERNITIES: Final = 0.0155
"""Maternities of more than one child (ONS)."""


@dataclass(frozen=True)
class People:
    """People in order of household; households have `kind` and `community`, people the rest (one value each).

    `born` is days since 1970, `mother` and `father` are places of people or -1, `head` the place of the household's
    head. `arrived` came from abroad.
    """

    kind: Ints
    community: Ints
    household: Ints
    role: Ints
    sex: Ints
    born: Ints
    head: Ints
    father: Ints
    mother: Ints
    arrived: Flags

    def __len__(self) -> int:
        return len(self.household)

    @property
    def age(self) -> Ints:
        """Whole years on the day of the files."""
        return np.floor((TODAY - self.born) / YEAR_DAYS).astype(np.int64)


def settle(chance: Chance, least: int) -> People:
    """Return households with at least `least` people in all."""
    count = int(least / 2.15) + 60
    draw = chance("households")
    community = draw.choice(len(COMMUNITIES), size=count, p=_share_of_communities())
    kind = draw.choice(len(_SHARES), size=count, p=np.array(_SHARES) / sum(_SHARES))
    lean = np.array([_THREE_GENERATIONS.get(c.name, 1.0) for c in COMMUNITIES])[community]
    kind = np.where(draw.random(count) < 0.035 * (lean - 1), Kind.THREE_GENERATIONS, kind)
    young, old = _HEAD_AGES[kind].T
    head_age = young + (old - young) * draw.beta(1.3, 1.5, size=count)
    head_sex = np.where(draw.random(count) < np.where(kind == Kind.LONE_PARENT, 0.12, 0.62), 1, 2)
    head_born = TODAY - (head_age * YEAR_DAYS).astype(np.int64)
    strangers = np.isin(kind, _STRANGERS)

    parts = [_part(np.arange(count), np.where(strangers, Role.LODGER, Role.HEAD), head_sex, head_born)]
    couple = np.flatnonzero(np.isin(kind, _COUPLES))
    apart = (draw.normal(1.5, 4.0, len(couple)) * YEAR_DAYS).astype(np.int64)
    partner_born = np.minimum(head_born[couple] + apart, TODAY - int(17.5 * YEAR_DAYS))
    partner_sex = np.where(draw.random(len(couple)) < 0.02, head_sex[couple], 3 - head_sex[couple])
    parts.append(_part(couple, np.full(len(couple), Role.PARTNER), partner_sex, partner_born))
    parts.append(_grandparents(draw, kind, head_born))
    parts.append(_children(draw, kind, head_born, head_age))
    parts.append(_lodgers(draw, kind, young, old))
    household, role, sex, born = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(household, kind="stable")
    return _linked(chance, kind, community, household[order], role[order], sex[order], born[order])


def _share_of_communities() -> npt.NDArray[np.float64]:
    share = np.array([c.share for c in COMMUNITIES])
    return share / share.sum()


def _part(household: Ints, role: Ints, sex: Ints, born: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    return household.astype(np.int64), role.astype(np.int64), sex.astype(np.int64), born.astype(np.int64)


def _grandparents(draw: np.random.Generator, kind: Ints, head_born: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    three = np.flatnonzero(kind == Kind.THREE_GENERATIONS)
    both = np.concatenate([three, three[draw.random(len(three)) < 0.5]])
    sex = np.concatenate([np.full(len(three), 2), np.full(len(both) - len(three), 1)])
    born = head_born[both] - (draw.uniform(19, 34, len(both)) * YEAR_DAYS).astype(np.int64)
    return _part(both, np.full(len(both), Role.GRANDPARENT), sex, np.maximum(born, TODAY - int(99 * YEAR_DAYS)))


def _children(
    draw: np.random.Generator, kind: Ints, head_born: Ints, head_age: npt.NDArray[np.float64]
) -> tuple[Ints, Ints, Ints, Ints]:
    """Children from the eldest on, one to four years apart, some of them twins."""
    home = np.flatnonzero(np.isin(kind, _PARENTS))
    grown = kind[home] == Kind.GROWN_CHILDREN
    oldest = np.where(grown, np.minimum(head_age[home] - 19, 38), np.minimum(head_age[home] - 17, 17.9))
    least = np.where(grown, 18.0, 0.02)
    first = TODAY - ((least + (np.maximum(oldest, least) - least) * draw.random(len(home))) * YEAR_DAYS).astype(
        np.int64
    )
    wanted = 1 + np.minimum(draw.poisson(np.where(grown, 0.45, 0.95)), 5)
    born, alive, parts = first, np.ones(len(home), dtype=bool), []
    for turn in range(7):
        wanted_here = alive & (wanted > turn)
        at = np.flatnonzero(wanted_here)
        twins = at[draw.random(len(at)) < TWIN_MATERNITIES]
        both = np.concatenate([at, twins])
        sex = np.where(draw.random(len(both)) < 0.512, 1, 2)
        parts.append(_part(home[both], np.full(len(both), Role.CHILD), sex, born[both]))
        born = born + draw.integers(330, 1500, size=len(home))
        alive = wanted_here & (born < TODAY - 5)
    households, roles, sexes, births = (np.concatenate(column) for column in zip(*parts, strict=True))
    return households, roles, sexes, births


def _lodgers(draw: np.random.Generator, kind: Ints, young: Ints, old: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    sizes = np.zeros(len(kind), dtype=np.int64)
    sizes[kind == Kind.HOUSE_SHARE] = draw.integers(1, 6, size=int((kind == Kind.HOUSE_SHARE).sum()))
    sizes[kind == Kind.CARE_HOME] = draw.integers(15, 50, size=int((kind == Kind.CARE_HOME).sum()))
    sizes[kind == Kind.HOSTEL] = draw.integers(10, 45, size=int((kind == Kind.HOSTEL).sum()))
    home = np.repeat(np.arange(len(kind)), sizes)
    age = young[home] + (old[home] - young[home]) * draw.random(len(home))
    women = np.select([kind[home] == Kind.CARE_HOME, kind[home] == Kind.HOSTEL], [0.7, 0.25], 0.5)
    sex = np.where(draw.random(len(home)) < women, 2, 1)
    return _part(home, np.full(len(home), Role.LODGER), sex, TODAY - (age * YEAR_DAYS).astype(np.int64))


def _linked(chance: Chance, kind: Ints, community: Ints, household: Ints, role: Ints, sex: Ints, born: Ints) -> People:
    """Add parents, arrivals and given dates of birth. Lodgers keep the community of their household by half."""
    place = np.arange(len(household))
    first = np.searchsorted(household, np.arange(len(kind)))
    head = first[household]
    partner = np.full(len(kind), -1)
    partner[household[role == Role.PARTNER]] = place[role == Role.PARTNER]
    child = role == Role.CHILD
    parents = np.stack([head, partner[household]])
    with_sex = np.where(parents >= 0, sex[parents], 0)
    father = np.where(child, np.where(with_sex == 1, parents, -1).max(axis=0), -1)
    mother = np.where(child, np.where(with_sex == 2, parents, -1).max(axis=0), -1)
    draw = chance("arrivals")
    own = np.array([c.arrived for c in COMMUNITIES])[community[household]]
    adult = born < TODAY - int(16 * YEAR_DAYS)
    arrived = draw.random(len(household)) < np.where(adult, own, own * 0.15)
    given = np.array([c.new_year for c in COMMUNITIES])[community[household]]
    new_year = arrived & (draw.random(len(household)) < given)
    year = (born[new_year].astype("datetime64[D]")).astype("datetime64[Y]")
    born = born.copy()
    born[new_year] = year.astype("datetime64[D]").astype(np.int64)
    return People(kind, community, household, role, sex, born, head, father, mother, arrived)
