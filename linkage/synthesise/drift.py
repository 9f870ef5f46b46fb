"""What lies between a person's two records because life went on: moves, marriages, names people go by.

Each is decided once for a person and says which of the two files (0 health, 1 welfare) holds the other value, -1 for
neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.synthesise import geography
from linkage.synthesise.chance import Chance, Flags, Floats, Ints
from linkage.synthesise.homes import HomeKind
from linkage.synthesise.naming import KEYS, Naming, draw_surnames
from linkage.synthesise.rates import ErrorRates
from linkage.synthesise.world import Place, World

HEALTH, WELFARE, NEITHER = 0, 1, -1


@dataclass
class Drift:
    """By person: the file that holds an earlier dwelling, another surname, a short forename or the middle name
    instead.
    """

    stale_file: Ints
    stale_dwelling: Ints
    surname_file: Ints
    surname: Ints
    surname_second: Ints
    known_as_file: Ints
    middle_used_file: Ints


def group_factor(world: World, rates: ErrorRates) -> Floats:
    """Return by how much each person's error rates are multiplied for the groups they belong to (at most 4)."""
    factor = np.ones(len(world))
    factor *= np.where(world.community > 1, rates.factor_minority, 1.0)
    factor *= np.where(world.deprivation >= 8.0 / 9.0, rates.factor_deprived, 1.0)
    young_man = (world.sex == 0) & (world.age >= 20.0) & (world.age < 30.0)
    factor *= np.where(young_man, rates.factor_young_man, 1.0)
    return np.minimum(factor, 4.0)


class Odds:
    """Turns rates into yes and no: rate x `error_scale` x the group's factor, never above the cap.

    The draws do not depend on the scale, so a larger scale adds errors to those of a smaller one.
    """

    def __init__(self, rates: ErrorRates, error_scale: float, factor: Floats) -> None:
        self._cap, self._scale, self._factor = rates.cap, error_scale, factor

    def of(self, rows: Ints) -> Odds:
        """Return the odds of some of the people, in that order."""
        part = Odds.__new__(Odds)
        part._cap, part._scale, part._factor = self._cap, self._scale, self._factor[rows]
        return part

    def happens(self, draw: np.random.Generator, rate: Floats | float) -> Flags:
        """Return for each person whether an error of this rate happens."""
        return draw.random(len(self._factor)) < np.minimum(rate * self._scale * self._factor, self._cap)


def drift(chance: Chance, world: World, naming: Naming, rates: ErrorRates, odds: Odds) -> Drift:
    """Return what differs between the two records of each person of the world."""
    stale_file, stale_dwelling = _moves(chance, world, rates, odds)
    surname_file, surname, second = _surname_changes(chance, world, naming, rates, odds)
    other = chance.stream("drift.forename")
    known = odds.happens(other, rates.known_as)
    side = other.integers(2, size=len(world))
    south_asian_man = np.isin(world.community, [KEYS.index("pakistani"), KEYS.index("bangladeshi")]) & (world.sex == 0)
    used = odds.happens(other, rates.middle_name_used * np.where(south_asian_man, 5.0, 1.0)) & (naming.middle >= 0)
    return Drift(
        stale_file,
        stale_dwelling,
        surname_file,
        surname,
        second,
        np.where(known, side, NEITHER),
        np.where(used, 1 - side, NEITHER),
    )


def _moves(chance: Chance, world: World, rates: ErrorRates, odds: Odds) -> tuple[Ints, Ints]:
    draw = chance.stream("drift.moves")
    homes, n = world.homes, len(world)
    # Tenants of private landlords move most, owners least (English Housing Survey) [assumption for the sizes].
    by_tenure = np.array([0.8, 0.8, 1.9, 0.6, 2.5, 1.0])[homes.tenure] * np.where(
        homes.kind == HomeKind.HOSTEL, 3.0, 1.0
    )
    families = [HomeKind.COUPLE_CHILDREN, HomeKind.LONE_PARENT, HomeKind.MULTI_GENERATION]
    by_tenure *= np.where(np.isin(homes.kind, families), rates.factor_moved_family, 1.0)
    lead = np.zeros(len(homes), dtype=np.int64)
    heads = np.flatnonzero(world.place == Place.HEAD)
    lead[world.home[heads]] = heads
    home_moved = odds.of(lead).happens(draw, rates.household_moved * by_tenure)
    home_side = np.where(draw.random(len(homes)) < rates.moved_health_is_stale, HEALTH, WELFARE)
    home_old = _other_dwellings(draw, world, homes.dwelling, home_side)
    young = (world.age >= 18.0) & (world.age < 30.0)
    leaves = np.where(
        world.age < 18.0, 0.15, np.where(young, rates.factor_moved_young, np.where(world.age >= 66, 0.4, 0.8))
    )
    moved = odds.happens(draw, rates.person_moved * leaves)
    side = np.where(draw.random(n) < rates.moved_health_is_stale, HEALTH, WELFARE)
    old = _other_dwellings(draw, world, homes.dwelling[world.home], side)
    # A child born since has no earlier address; one in ten of a family had registered the new one already.
    with_home = home_moved[world.home] & (world.age > 1.0) & (draw.random(n) < 0.9)
    stale_file = np.where(with_home, home_side[world.home], np.where(moved, side, NEITHER))
    return stale_file, np.where(with_home, home_old[world.home], old)


def _other_dwellings(draw: np.random.Generator, world: World, now: Ints, side: Ints) -> Ints:
    """Return an earlier dwelling for each present one: mostly one where others live now, some vacant, some outside
    the area.
    """
    n = len(now)
    homes = world.homes
    where = draw.random(n)
    # Homes are sorted by area: half of the moves are within a few streets.
    base = np.searchsorted(homes.lsoa, now // geography.SLOTS // geography.POSTCODES_PER_LSOA)
    step = draw.integers(-300, 300, size=n)
    near = np.clip(base + step, 0, len(homes) - 1)
    far = draw.integers(len(homes), size=n)
    occupied = homes.dwelling[np.where(draw.random(n) < 0.5, near, far)]
    vacant = occupied // geography.SLOTS * geography.SLOTS + draw.integers(100, 120, size=n)
    inside = geography.lsoa_count() * geography.POSTCODES_PER_LSOA
    outside = (inside + draw.integers(geography.OUTSIDE_POSTCODES, size=n)) * geography.SLOTS + draw.integers(
        0, 60, size=n
    )
    return np.select([where < 0.68, (where < 0.85) | (side == WELFARE)], [occupied, vacant], outside)


def _surname_changes(
    chance: Chance, world: World, naming: Naming, rates: ErrorRates, odds: Odds
) -> tuple[Ints, Ints, Ints]:
    draw = chance.stream("drift.surname")
    n = len(world)
    bride = (world.sex == 1) & (world.age >= 20.0) & (world.age <= 45.0)
    changed = odds.happens(draw, np.where(bride, rates.surname_changed, rates.surname_changed_others))
    fresh = draw_surnames(world.community, draw.random(n))
    side = draw.integers(2, size=n)
    married = naming.surname_born != naming.surname
    surname = np.where(changed, np.where(married, naming.surname_born, fresh), naming.surname)
    # Double-barrelled in one file, one of the two names in the other.
    double = naming.surname_second >= 0
    shortened = ~changed & odds.happens(draw, np.where(double, 0.10, 0.0))
    lengthened = ~changed & ~double & odds.happens(draw, rates.surname_double_barrelled)
    second = np.where(changed | shortened, -1, np.where(lengthened, fresh, naming.surname_second))
    return np.where(changed | shortened | lengthened, side, NEITHER), surname, second
