"""Homes: where they are, which kind of household lives there, how it is held, and which community it belongs to.

Everything is a column: a home is a row number of `Homes`, and homes are in order of area, so that neighbours are near.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from linkage.synthesise import geography
from linkage.synthesise.chance import Chance, Flags, Floats, Ints, pick, pick_by_row, scatter
from linkage.synthesise.names.communities import COMMUNITIES


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
_KIND_SHARE: Final = np.array([0.145, 0.150, 0.180, 0.075, 0.175, 0.145, 0.100, 0.020, 0.018, 0.003])
_KIND_LEAN: Final = np.array([0.7, -0.4, -0.2, 1.3, 0.1, -0.9, -0.2, 0.8, 0.2, 2.0])
_MINORITY_KIND: Final = np.array([0.9, 1.0, 1.7, 1.1, 0.25, 0.25, 0.9, 2.0, 3.0, 1.5])


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


def build_homes(chance: Chance, count: int) -> Homes:
    """Return `count` homes in order of area."""
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
    local[:, 1:] *= np.exp(2.4 * (cluster[:, 1:] - 0.6))
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
