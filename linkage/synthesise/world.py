"""The people as they are, before anybody writes them down: who lives in each home, how old they are, whose child.

A person is a row number of `World`; people are in order of their home.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final

import numpy as np

from linkage.synthesise.chance import Chance, Flags, Floats, Ints, pick
from linkage.synthesise.homes import HomeKind, Homes, build_homes
from linkage.synthesise.names.communities import COMMUNITIES

REFERENCE_DATE: Final = date(2026, 6, 30)
"""The day on which both files are extracted. Nothing here reads a clock."""

REFERENCE_DAY: Final = (REFERENCE_DATE - date(1970, 1, 1)).days
"""The same in days since 1970."""

DAYS_A_YEAR: Final = 365.2425
ADULT_AGE: Final = 18.0
PENSION_AGE: Final = 66.0

_BIRTHS: Final = {
    HomeKind.COUPLE_CHILDREN: (0.40, 0.42, 0.13, 0.04, 0.01),
    HomeKind.LONE_PARENT: (0.53, 0.31, 0.11, 0.04, 0.01),
    HomeKind.GROWN_CHILDREN: (0.62, 0.31, 0.07, 0.0, 0.0),
    HomeKind.MULTI_GENERATION: (0.40, 0.37, 0.16, 0.05, 0.02),
}
TWIN_BIRTHS: Final = 0.015
"""Maternities with twins (ONS births: about 15 in 1,000)."""
_PAIRED: Final = (
    HomeKind.COUPLE,
    HomeKind.COUPLE_CHILDREN,
    HomeKind.PENSIONER_COUPLE,
    HomeKind.GROWN_CHILDREN,
    HomeKind.MULTI_GENERATION,
)


class Place(IntEnum):
    """A person's place in the home."""

    HEAD = 0
    PARTNER = 1
    CHILD = 2
    GRANDPARENT = 3
    SHARER = 4


@dataclass
class World:
    """One row a person, ordered by home. `father` and `mother` are row numbers of parents in the home, -1 where none.

    `sex` is 0 male, 1 female; `birth_day` days since 1970; `twin` says that the row is the second of twins (the
    first is the row before); `age` years at the reference date.
    """

    homes: Homes
    home: Ints
    place: Ints
    sex: Ints
    age: Floats
    birth_day: Ints
    community: Ints
    father: Ints
    mother: Ints
    twin: Flags

    def __len__(self) -> int:
        return len(self.home)

    @property
    def deprivation(self) -> Floats:
        """Deprivation of each person's home, 0 to 1."""
        return self.homes.deprivation[self.home]


@dataclass(frozen=True)
class _Group:
    """People to be put into homes: home, sex (-1 not yet drawn) and age; for children also their order and twins."""

    home: Ints
    place: Place
    sex: Ints
    age: Floats
    order: Ints
    twin: Flags


def build(chance: Chance, people: int) -> World:
    """Return a world of at least `people` people (a few per cent more)."""
    # About 2.4 people a home; the surplus stands for those whom no file holds.
    homes = build_homes(chance, int(people / 2.3) + 30)
    children = _children(chance, homes)
    groups = [*_adults(chance, homes, children), children]
    home, sex, age, order, twin = (
        np.concatenate([getattr(g, name) for g in groups]) for name in ("home", "sex", "age", "order", "twin")
    )
    place = np.concatenate([np.full(len(g.home), g.place, dtype=np.int64) for g in groups])
    # By home, then place, then age of children; twins stay beside each other because sorting is stable.
    rows = np.lexsort((order, place, home))
    home, place, age, twin = home[rows], place[rows], age[rows], twin[rows]
    sex = _children_sex(chance, sex[rows], place, twin)
    father, mother = _parents(home, place, sex)
    community = _communities(chance, homes, home, place, father, mother)
    world = World(homes, home, place, sex, age, np.zeros(len(home), dtype=np.int64), community, father, mother, twin)
    _birthdays(chance, world)
    return world


def _group(home: Ints, place: Place, sex: Ints, age: Floats) -> _Group:
    return _Group(home, place, sex, age, np.zeros(len(home), dtype=np.int64), np.zeros(len(home), dtype=np.bool_))


def _second(values: Ints) -> Flags:
    """Return which values equal the one before them."""
    return np.concatenate([np.zeros(1, dtype=np.bool_), values[1:] == values[:-1]])[: len(values)]


def _bounded(draw: np.random.Generator, values: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Return values, those outside the bounds drawn anew inside: a bound itself would be many people's birthday."""
    inside = (values > low) & (values < high)
    return np.where(inside, values, low + (high - low) * draw.random(len(values)))


def _children(chance: Chance, homes: Homes) -> _Group:
    """Return every child at home, the youngest of a home first (order 0)."""
    draw = chance.stream("children.births")
    count = np.zeros(len(homes), dtype=np.int64)
    for kind, shares in _BIRTHS.items():
        rows = np.flatnonzero(homes.kind == kind)
        count[rows] = 1 + pick(np.cumsum(shares), draw.random(len(rows)))
    home = np.repeat(np.arange(len(homes)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    order = np.arange(len(home)) - first
    grown = homes.kind[home] == HomeKind.GROWN_CHILDREN
    youngest = np.where(grown, 18.0 + 14.0 * (1.0 - np.sqrt(draw.random(len(home)))), 18.0 * draw.random(len(home)))
    # Age of the youngest, and years between maternities (at least 13 months).
    step = np.where(order == 0, youngest, 1.1 + draw.gamma(2.0, 1.05, len(home)))
    total = np.cumsum(step)
    age = total - np.concatenate([[0.0], total])[first]
    twins = (draw.random(len(home)) < TWIN_BIRTHS).astype(np.int64)
    rows = np.repeat(np.arange(len(home)), 1 + twins)
    return _Group(home[rows], Place.CHILD, np.full(len(rows), -1), age[rows], order[rows], _second(rows))


def _adults(chance: Chance, homes: Homes, children: _Group) -> list[_Group]:
    """Return heads, partners, grandparents and sharers, old enough for the children of their home."""
    draw = chance.stream("adults")
    n, kind = len(homes), homes.kind
    eldest = np.zeros(n)
    np.maximum.at(eldest, children.home, children.age)
    woman_age = _woman_ages(draw, homes, eldest)
    # A quarter of the homes with grown children have one parent.
    paired = np.isin(kind, _PAIRED) & ~((kind == HomeKind.GROWN_CHILDREN) & (draw.random(n) < 0.25))
    drawn = woman_age + draw.normal(2.2, 4.0, n)
    youngest_man = np.where(kind == HomeKind.PENSIONER_COUPLE, 60.0, np.where(eldest > 0, eldest + 16.0, ADULT_AGE))
    man_age = np.where(drawn > youngest_man, drawn, youngest_man + 6.0 * draw.random(n))
    man_first = draw.random(n) < 0.55
    women = [kind == HomeKind.LONE_PARENT, kind == HomeKind.PENSIONER_SINGLE, kind == HomeKind.HOSTEL]
    lone_woman = draw.random(n) < np.select(women, [0.88, 0.67, 0.3], 0.45)
    head_sex = np.where(paired, np.where(man_first, 0, 1), lone_woman.astype(np.int64))
    partner_sex = np.where(draw.random(n) < 0.015, head_sex, 1 - head_sex)
    head_age = np.where(paired & (head_sex == 0), man_age, woman_age)
    partner_age = np.where(head_sex == 0, woman_age, man_age)
    every = np.arange(n)
    elder = np.maximum(head_age, np.where(paired, partner_age, 0.0))
    return [
        _group(every, Place.HEAD, head_sex, head_age),
        _group(every[paired], Place.PARTNER, partner_sex[paired], partner_age[paired]),
        _grandparents(draw, kind, elder),
        _sharers(draw, kind, head_age),
    ]


def _woman_ages(draw: np.random.Generator, homes: Homes, eldest: Floats) -> Floats:
    """Return the age of the woman of each home, were there one: by kind, and as mother of the eldest child."""
    n, kind = len(homes), homes.kind
    # First births at about 29, four years earlier in the most deprived areas (ONS births).
    first_birth = _bounded(draw, draw.normal(28.8 - 4.0 * homes.deprivation, 5.0), 16.0, 43.0)
    skew = draw.gamma(1.5, 6.0, n)
    # Couples without children at home are young, or older than those with.
    middle = np.where(kind == HomeKind.COUPLE, np.where(draw.random(n) < 0.35, 32.0, 57.0), 46.0)
    spread = np.where(kind == HomeKind.COUPLE, 7.0, 14.0)
    kinds = [eldest > 0, kind == HomeKind.PENSIONER_SINGLE, kind == HomeKind.PENSIONER_COUPLE, kind == HomeKind.SHARERS]
    ages = [
        eldest + first_birth,
        PENSION_AGE + _bounded(draw, skew, 0.0, 33.0),
        PENSION_AGE + _bounded(draw, 0.7 * skew, 0.0, 27.0),
        _bounded(draw, draw.normal(28.0, 8.0, n), ADULT_AGE, 62.0),
    ]
    return np.select(kinds, ages, _bounded(draw, draw.normal(middle, spread), ADULT_AGE, PENSION_AGE))


def _grandparents(draw: np.random.Generator, kind: Ints, elder: Floats) -> _Group:
    count = np.where(kind == HomeKind.MULTI_GENERATION, 1 + (draw.random(len(kind)) < 0.35), 0)
    home = np.repeat(np.arange(len(kind)), count)
    sex = np.where(_second(home), 0, (draw.random(len(home)) < 0.85).astype(np.int64))
    years = _bounded(draw, draw.normal(26.0, 4.0, len(home)), 17.0, 40.0)
    age = elder[home] + years
    # Nobody is older than a hundred.
    return _group(home, Place.GRANDPARENT, sex, np.where(age < 100.0, age, 100.0 - 8.0 * draw.random(len(home))))


def _sharers(draw: np.random.Generator, kind: Ints, head_age: Floats) -> _Group:
    more = 1 + pick(np.array([0.5, 0.78, 0.93, 1.0]), draw.random(len(kind)))
    home = np.repeat(np.arange(len(kind)), np.where(kind == HomeKind.SHARERS, more, 0))
    sex = (draw.random(len(home)) < 0.42).astype(np.int64)
    age = _bounded(draw, head_age[home] + draw.normal(0.0, 6.0, len(home)), ADULT_AGE, PENSION_AGE)
    return _group(home, Place.SHARER, sex, age)


def _children_sex(chance: Chance, sex: Ints, place: Ints, second: Flags) -> Ints:
    draw = chance.stream("children.sex")
    sex = np.where(place == Place.CHILD, (draw.random(len(sex)) < 0.488).astype(np.int64), sex)
    # Two thirds of twins are of one sex.
    twin = np.flatnonzero(second)
    alike = draw.random(len(twin)) < 0.66
    sex[twin] = np.where(alike, sex[twin - 1], 1 - sex[twin - 1])
    return sex


def _parents(home: Ints, place: Ints, sex: Ints) -> tuple[Ints, Ints]:
    """Return the row numbers of each child's father and mother at home, -1 where there is none (others: -1)."""
    size = int(home[-1]) + 1 if len(home) else 0
    parents: list[Ints] = []
    adult = (place == Place.HEAD) | (place == Place.PARTNER)
    for wanted in (0, 1):
        at = np.full(size, -1, dtype=np.int64)
        rows = np.flatnonzero(adult & (sex == wanted))
        at[home[rows][::-1]] = rows[::-1]
        parents.append(np.where(place == Place.CHILD, at[home], -1))
    return parents[0], parents[1]


def _communities(chance: Chance, homes: Homes, home: Ints, place: Ints, father: Ints, mother: Ints) -> Ints:
    """Return each person's naming community: the home's, but some partners and most sharers come from elsewhere."""
    draw = chance.stream("people.community")
    share = np.array([c.share for c in COMMUNITIES])
    other = pick(np.cumsum(share / share.sum()), draw.random(len(home)))
    mixed = draw.random(len(home)) < np.where(place == Place.PARTNER, 0.08, np.where(place == Place.SHARER, 0.5, 0.0))
    community = np.where(mixed, other, homes.community[home])
    # Children bear names of the father's community, or the mother's where there is no father at home.
    known = np.where(father >= 0, father, mother)
    return np.where((place == Place.CHILD) & (known >= 0), community[np.maximum(known, 0)], community)


def _birthdays(chance: Chance, world: World) -> None:
    draw = chance.stream("people.birthday")
    world.birth_day = REFERENCE_DAY - np.floor(world.age * DAYS_A_YEAR).astype(np.int64) - 1
    # Where no date was known on arrival, 1 January became the official one, in every file alike.
    share = np.array([c.new_year for c in COMMUNITIES])[world.community]
    older = 1.0 + 0.8 * (world.age > 45)
    fixed = (draw.random(len(world)) < share * older) & (world.age >= 18.0) & (world.place != Place.CHILD)
    years = world.birth_day[fixed].astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]")
    world.birth_day[fixed] = years.astype(np.int64)
    twin = np.flatnonzero(world.twin)
    world.birth_day[twin] = world.birth_day[twin - 1]
    near, other, twins = kin(chance, world)
    world.birth_day[other[twins]] = world.birth_day[near[twins]]
    world.age[other[twins]] = world.age[near[twins]]


def kin(chance: Chance, world: World) -> tuple[Ints, Ints, Flags]:
    """Return pairs of heads of different homes near each other who are of one family, and which pairs are grown twins.

    Four families in a hundred have such relatives nearby [assumption]; only adults without children at home are twins
    here, so that nobody becomes younger than their children.
    """
    draw = chance.stream("people.kin")
    heads = np.flatnonzero(world.place == Place.HEAD)
    # Homes are in order of area: the next thirty are neighbours.
    reach = 30
    starts = np.arange(max(0, len(heads) - reach))
    near = starts[draw.random(len(starts)) < 0.04]
    other = near + draw.integers(1, reach, len(near))
    near, other, twin = heads[near], heads[other], draw.random(len(near)) < 0.5
    same = world.community[near] == world.community[other]
    # Nobody is given two families.
    same &= ~np.isin(other, near)
    near, other, twin = near[same], other[same], twin[same]
    quiet = np.isin(world.homes.kind[world.home], [HomeKind.SINGLE, HomeKind.COUPLE])
    return near, other, twin & quiet[near] & quiet[other]
