"""The people as they are, before anybody writes them down: homes first, then who lives there.

Everything is a column. A person is a row number of `World`, a home a row number of `Homes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Final

import numpy as np

from linkage.synthesise import geography
from linkage.synthesise.chance import Chance, Flags, Floats, Ints, pick, pick_by_row, scatter
from linkage.synthesise.names.communities import COMMUNITIES

REFERENCE_DATE: Final = date(2026, 6, 30)
"""The day on which both files are extracted. Nothing here reads a clock."""

REFERENCE_DAY: Final = (REFERENCE_DATE - date(1970, 1, 1)).days
DAYS_A_YEAR: Final = 365.2425


class HomeKind(IntEnum):
    """Household types of the Single Housing Benefit Extract, with two more that matter for linkage."""

    SINGLE = 0
    COUPLE = 1
    COUPLE_CHILDREN = 2
    LONE_PARENT = 3
    PENSIONER_SINGLE = 4
    PENSIONER_COUPLE = 5
    GROWN_CHILDREN = 6
    SHARERS = 7
    MULTI_GENERATION = 8
    HOSTEL = 9


class Place(IntEnum):
    """A person's place in the home."""

    HEAD = 0
    PARTNER = 1
    CHILD = 2
    GRANDPARENT = 3
    SHARER = 4


class Holding(IntEnum):
    """Tenure of a home, in the order of `schemas.codes.Tenure`."""

    COUNCIL = 0
    HOUSING_ASSOCIATION = 1
    PRIVATE_RENT = 2
    OWNER = 3
    TEMPORARY = 4
    OTHER = 5


# Share of homes of each kind and how it leans with deprivation (exponent over deprivation 0..1, centred): shaped
# after the census 2021 household composition of Medway and Swale [assumption for the leaning].
_KIND_SHARE: Final = np.array([0.150, 0.155, 0.185, 0.080, 0.155, 0.125, 0.100, 0.024, 0.020, 0.003])
_KIND_LEAN: Final = np.array([0.7, -0.4, -0.2, 1.3, 0.1, -0.9, -0.2, 0.8, 0.2, 2.0])
_MINORITY_KIND: Final = np.array([0.9, 1.0, 1.7, 1.1, 0.25, 0.25, 0.9, 2.0, 3.0, 1.5])
_BIRTHS: Final = {
    HomeKind.COUPLE_CHILDREN: (0.40, 0.42, 0.13, 0.04, 0.01),
    HomeKind.LONE_PARENT: (0.53, 0.31, 0.11, 0.04, 0.01),
    HomeKind.GROWN_CHILDREN: (0.62, 0.31, 0.07, 0.0, 0.0),
    HomeKind.MULTI_GENERATION: (0.40, 0.37, 0.16, 0.05, 0.02),
}
TWIN_BIRTHS: Final = 0.015
"""Maternities with twins (ONS births: about 15 in 1,000)."""


@dataclass
class Homes:
    """One row a home: LSOA row number, deprivation 0 (least) to 1, community, kind, tenure, dwelling number."""

    lsoa: Ints
    deprivation: Floats
    community: Ints
    kind: Ints
    tenure: Ints
    dwelling: Ints
    married: Flags

    def __len__(self) -> int:
        return len(self.lsoa)


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


def _homes(chance: Chance, count: int) -> Homes:
    areas = geography.table()
    deciles = areas["imd_decile"].to_numpy()
    medway = (areas["authority"] == "medway").to_numpy()
    place = chance.stream("homes.place")
    # Deprived areas hold a little more people; sorting puts neighbours beside each other.
    weight = 1.0 + 0.15 * (deciles <= 2)
    lsoa = np.sort(pick(np.cumsum(weight / weight.sum()), place.random(count)))
    deprivation = (10.0 - deciles[lsoa]) / 9.0

    share = np.array([c.share for c in COMMUNITIES])
    lean = np.log([c.deprivation for c in COMMUNITIES])
    in_medway = np.array([c.medway for c in COMMUNITIES])
    local = (
        share
        * np.exp(lean * ((10.0 - deciles[:, None]) / 9.0 - 0.45) * 2)
        * np.where(medway[:, None], in_medway, 1 / in_medway)
    )
    # Communities settle near each other: a fixed unevenness over wards.
    ward = np.unique(areas["ward"].to_numpy(), return_inverse=True)[1]
    cluster = scatter(ward[:, None] * 64 + np.arange(len(COMMUNITIES)), 41) % 1000 / 1000
    local[:, 1:] *= np.exp(1.6 * (cluster[:, 1:] - 0.6))
    community = pick_by_row(local[lsoa], place.random(count))

    shape = chance.stream("homes.kind")
    weights = _KIND_SHARE * np.exp(_KIND_LEAN * (deprivation[:, None] - 0.5))
    weights = np.where((community > 0)[:, None], weights * _MINORITY_KIND, weights)
    kind = pick_by_row(weights, shape.random(count))
    married = shape.random(count) < np.where(
        (kind == HomeKind.PENSIONER_COUPLE) | (kind == HomeKind.GROWN_CHILDREN),
        0.93,
        np.where(community > 0, 0.85, 0.68),
    )
    tenure = _tenure(shape.random(count), kind, deprivation, medway[lsoa])
    return Homes(lsoa, deprivation, community, kind, tenure, _dwellings(chance, lsoa, kind), married)


def _tenure(draws: Floats, kind: Ints, deprivation: Floats, medway: Flags) -> Ints:
    pensioner = (kind == HomeKind.PENSIONER_SINGLE) | (kind == HomeKind.PENSIONER_COUPLE)
    poorer = (kind == HomeKind.LONE_PARENT) | (kind == HomeKind.SINGLE)
    social = 0.03 + 0.33 * deprivation**1.3 + 0.12 * poorer
    private = np.where(pensioner, 0.05, 0.14 + 0.12 * deprivation + 0.10 * poorer + 0.5 * (kind == HomeKind.SHARERS))
    owner = np.maximum(0.05, 1.0 - social - private)
    weights = np.column_stack(
        [
            # Medway keeps a council stock; Swale's was transferred to housing associations.
            social * np.where(medway, 0.4, 0.0),
            social * np.where(medway, 0.6, 1.0),
            private,
            owner,
            0.004 + 0.012 * deprivation,
            np.full(len(kind), 0.006),
        ]
    )
    return np.where(kind == HomeKind.HOSTEL, Holding.TEMPORARY, pick_by_row(weights, draws))


def _dwellings(chance: Chance, lsoa: Ints, kind: Ints) -> Ints:
    offsets = scatter(np.arange(geography.lsoa_count()), 51) % geography.POSTCODES_PER_LSOA
    dwelling = geography.dwellings(lsoa, offsets)
    hostel = np.flatnonzero(kind == HomeKind.HOSTEL)
    if len(hostel):
        # About 18 residents share one door; the door belongs to the area of its first resident.
        doors = hostel[:: max(1, min(18, len(hostel)))]
        at = doors[chance.stream("homes.hostel").integers(len(doors), size=len(hostel))]
        dwelling[hostel] = dwelling[at] // geography.SLOTS * geography.SLOTS + geography.HOSTEL_SLOT
    return dwelling


def _births(chance: Chance, homes: Homes) -> tuple[Ints, Ints, Floats, Flags]:
    """Return for every child at home: the home, which child it is there (0 the youngest), age, and whether second of
    twins.
    """
    draw = chance.stream("children.births")
    count = np.zeros(len(homes), dtype=np.int64)
    for kind, shares in _BIRTHS.items():
        rows = np.flatnonzero(homes.kind == kind)
        count[rows] = 1 + pick(np.cumsum(shares), draw.random(len(rows)))
    home = np.repeat(np.arange(len(homes)), count)
    order = np.arange(len(home)) - np.repeat(np.cumsum(count) - count, count)
    grown = homes.kind[home] == HomeKind.GROWN_CHILDREN
    youngest = np.where(grown, 18.0 + 12.0 * draw.random(len(home)) ** 1.6, 18.0 * draw.random(len(home)))
    # Age of the youngest, and years between maternities (at least 13 months).
    step = np.where(order == 0, youngest, 1.1 + draw.gamma(2.0, 1.05, len(home)))
    total = np.cumsum(step)
    before = np.concatenate([[0.0], total])[np.repeat(np.cumsum(count) - count, count)]
    age = total - before
    twins = (draw.random(len(home)) < TWIN_BIRTHS).astype(np.int64)
    rows = np.repeat(np.arange(len(home)), 1 + twins)
    second = np.concatenate([[False], rows[1:] == rows[:-1]]) if len(rows) else np.zeros(0, dtype=bool)
    return home[rows], order[rows], age[rows], second


def build(chance: Chance, people: int) -> World:
    """Return a world of at least `people` people (a few per cent more), homes sorted by area."""
    # About 2.4 people a home; the surplus stands for those whom no file holds.
    homes = _homes(chance, int(people / 2.3) + 30)
    n = len(homes)
    child_home, child_order, child_age, child_twin = _births(chance, homes)
    eldest = np.zeros(n)
    np.maximum.at(eldest, child_home, child_age)

    adults = chance.stream("adults")
    kind, deprivation = homes.kind, homes.deprivation
    first_birth = np.clip(adults.normal(28.8 - 4.0 * deprivation, 5.0), 16.0, 43.0)
    free = adults.normal(size=n)
    skew = adults.gamma(2.0, 5.0, n)
    woman_age = np.select(
        [eldest > 0, kind == HomeKind.PENSIONER_SINGLE, kind == HomeKind.PENSIONER_COUPLE, kind == HomeKind.SHARERS],
        [
            eldest + first_birth,
            66.0 + np.minimum(skew, 33.0),
            66.0 + np.minimum(0.7 * skew, 29.0),
            np.clip(28 + 8 * free, 18.1, 62),
        ],
        np.clip(43.0 + 13.0 * free, 18.1, 65.9),
    )
    paired = np.isin(
        kind,
        [
            HomeKind.COUPLE,
            HomeKind.COUPLE_CHILDREN,
            HomeKind.PENSIONER_COUPLE,
            HomeKind.GROWN_CHILDREN,
            HomeKind.MULTI_GENERATION,
        ],
    )
    # A quarter of the homes with grown children have one parent.
    paired &= ~((kind == HomeKind.GROWN_CHILDREN) & (adults.random(n) < 0.25))
    man_age = np.maximum(woman_age + adults.normal(2.2, 4.0, n), np.where(eldest > 0, eldest + 16.0, 18.1))
    man_age = np.where(kind == HomeKind.PENSIONER_COUPLE, np.clip(man_age, 60.0, 99.0), man_age)
    man_first = adults.random(n) < 0.55
    lone_woman = adults.random(n) < np.select(
        [kind == HomeKind.LONE_PARENT, kind == HomeKind.PENSIONER_SINGLE, kind == HomeKind.HOSTEL],
        [0.88, 0.67, 0.3],
        0.45,
    )
    head_sex = np.where(paired, np.where(man_first, 0, 1), lone_woman.astype(np.int64))
    same_sex = adults.random(n) < 0.015
    partner_sex = np.where(same_sex, head_sex, 1 - head_sex)
    head_age = np.where(paired & (head_sex == 0), man_age, woman_age)
    partner_age = np.where(head_sex == 0, woman_age, man_age)
    grandparents = np.where(kind == HomeKind.MULTI_GENERATION, 1 + (adults.random(n) < 0.35), 0)
    sharers = np.where(kind == HomeKind.SHARERS, 1 + pick(np.array([0.5, 0.78, 0.93, 1.0]), adults.random(n)), 0)

    every = np.arange(n)
    partner_home, old_home, other_home = every[paired], np.repeat(every, grandparents), np.repeat(every, sharers)
    old_second = np.concatenate([[False], old_home[1:] == old_home[:-1]]) if len(old_home) else np.zeros(0, dtype=bool)
    elder = np.maximum(head_age, np.where(paired, partner_age, 0.0))
    parts = [
        (every, Place.HEAD, head_sex, head_age),
        (partner_home, Place.PARTNER, partner_sex[paired], partner_age[paired]),
        (child_home, Place.CHILD, np.full(len(child_home), -1), child_age),
        (
            old_home,
            Place.GRANDPARENT,
            np.where(old_second, 0, np.where(adults.random(len(old_home)) < 0.85, 1, 0)),
            np.minimum(elder[old_home] + np.maximum(17.0, adults.normal(26.0, 4.0, len(old_home))), 98.0),
        ),
        (
            other_home,
            Place.SHARER,
            (adults.random(len(other_home)) < 0.42).astype(np.int64),
            np.clip(head_age[other_home] + adults.normal(0.0, 6.0, len(other_home)), 18.1, 66.0),
        ),
    ]
    home = np.concatenate([p[0] for p in parts])
    place = np.concatenate([np.full(len(p[0]), p[1]) for p in parts]).astype(np.int64)
    sex = np.concatenate([p[2] for p in parts])
    age = np.concatenate([p[3] for p in parts])
    second = np.zeros(len(home), dtype=bool)
    order = np.zeros(len(home), dtype=np.int64)
    children = slice(n + len(partner_home), n + len(partner_home) + len(child_home))
    second[children], order[children] = child_twin, child_order
    # By home, then place, then oldest child last; twins stay beside each other because sorting is stable.
    rows = np.lexsort((order, place, home))
    home, place, sex, age, second = home[rows], place[rows], sex[rows], age[rows], second[rows]
    sex = _children_sex(chance, sex, place, second)
    father, mother = _parents(home, place, sex)
    community = _communities(chance, homes, home, place, father, mother)
    world = World(homes, home, place, sex, age, np.zeros(len(home), dtype=np.int64), community, father, mother, second)
    _birthdays(chance, world)
    return world


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
    _kin(chance, world)


def _kin(chance: Chance, world: World) -> None:
    # Grown twins who live apart: of homes of adults without children some heads share a birthday with one next door
    # or two.
    draw = chance.stream("people.kin")
    quiet = np.isin(world.homes.kind[world.home], [HomeKind.SINGLE, HomeKind.COUPLE]) & (world.place == Place.HEAD)
    rows = np.flatnonzero(quiet)
    if len(rows) < 40:
        return
    chosen = np.flatnonzero(draw.random(len(rows) - 30) < 0.008)
    sibling = chosen + draw.integers(1, 30, len(chosen))
    same = world.community[rows[chosen]] == world.community[rows[sibling]]
    world.birth_day[rows[sibling[same]]] = world.birth_day[rows[chosen[same]]]
    world.age[rows[sibling[same]]] = world.age[rows[chosen[same]]]
