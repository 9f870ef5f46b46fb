"""Homes of a made-up Kent: postcodes of the ME, CT and DA areas, streets, blocks of flats, care homes, UPRNs.

Areas have names that no place bears; a postcode unit may exist by chance, its street and homes do not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from tests.populations.chance import Chance
from tests.populations.households import Ints, Kind, People
from tests.populations.stock import COMMUNITIES

HOMES_OF_A_POSTCODE: Final = 15
SPARE_HOMES: Final = 0.12
"""Homes beyond the households now there, for those who moved."""
AREAS: Final = 150
_DISTRICTS: Final = (
    *(f"ME{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)),
    *(f"CT{n}" for n in range(1, 22)),
    *(f"DA{n}" for n in (1, 2, 3, 4, 9, 10, 11, 12, 13)),
)
_UNIT: Final = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))
_TOWNS: Final = (
    "Hollowmere", "Medbury", "Stourwick", "Great Ansley", "Oyster Quay", "Northreach", "Sheppard's Hythe", "Darrenth",
    "Culverstead", "Broadhaven", "Minsterley", "Wainscliffe",
)  # fmt: skip
_STREETS: Final = (Path(__file__).parent / "names" / "streets.txt").read_text("utf-8").split()
_TYPES: Final = (
    "Road", "Street", "Close", "Avenue", "Lane", "Drive", "Way", "Gardens", "Court", "Crescent", "Grove", "Place",
    "Terrace", "Rise", "Walk", "Hill", "Square", "Mews",
)  # fmt: skip
_BLOCKS: Final = (
    "Anson", "Bligh", "Cavell", "Drake", "Elgar", "Frobisher", "Garrick", "Hardy", "Invicta", "Keats", "Lancaster",
    "Milton", "Napier", "Pepys", "Rodney", "Turner",
)  # fmt: skip
_BLOCK_TYPES: Final = ("House", "Court", "Point", "Lodge")
_HOSTELS: Final = ("Harbour Hostel", "Bridge Foyer", "Anchor House Hostel", "Pilgrim Lodge Hostel")
_CARE: Final = ("Nursing Home", "Residential Home", "Care Home", "Rest Home")


def build(chance: Chance, people: People) -> tuple[pl.DataFrame, Ints]:
    """Return (homes, the home of each household).

    Homes are `area` (Int64), `lsoa`, `decile` (1 most deprived), `postcode`, `old_postcode` and `retired` (a uniform
    draw of the postcode: retired below a rate), `town`, `flat`, `building`, `number`, `street`, `uprn`. Households of a
    community gather in some areas.
    """
    draw = chance("places")
    households = len(people.kind)
    home = np.empty(households, dtype=np.int64)
    wish = np.empty(households)
    for place, community in enumerate(COMMUNITIES):
        at = np.flatnonzero(people.community == place)
        liked = draw.gamma(1.0 / community.enclave, size=AREAS) + 1e-4
        wish[at] = draw.choice(AREAS, len(at), p=liked / liked.sum())
    order = np.argsort(wish + draw.random(households) * 0.999, kind="stable")
    # The rank among all gives the home: in order of areas, with some left empty.
    home[order] = (np.arange(households) * (1 + SPARE_HOMES)).astype(np.int64)
    count = int(home.max(initial=0)) + 1 + int(households * 0.01)
    return _homes(chance, count, people, home), home


def _homes(chance: Chance, count: int, people: People, home: Ints) -> pl.DataFrame:
    draw = chance("homes")
    place = np.arange(count)
    unit = place // HOMES_OF_A_POSTCODE
    units = int(unit[-1]) + 1
    area = unit * AREAS // units
    codes = _postcodes(draw, 2 * units)
    block = draw.random(units) < 0.2
    within = place % HOMES_OF_A_POSTCODE
    start, side = draw.integers(1, 90, units), draw.integers(1, 3, units)
    divided = (draw.random(count) < 0.07) & ~block[unit]
    number = np.where(block[unit], start[unit], start[unit] + within * side[unit])
    # A divided house is one number with a lettered flat; the next home is not its other half, which does no harm.
    letter = np.array(list("ABC"))[draw.integers(3, size=count)]
    flat = np.where(block[unit], (within + 1).astype(str), np.where(divided, letter, ""))
    names = np.array([f"{n} {t}" for n in _BLOCKS for t in _BLOCK_TYPES])[draw.integers(64, size=units)]
    building = np.where(block[unit] & (start[unit] % 3 > 0), names[unit], "")
    for kind, choice in ((Kind.CARE_HOME, _CARE), (Kind.HOSTEL, _HOSTELS)):
        at = home[people.kind == kind]
        flat[at] = ""
        called = np.array(choice)[draw.integers(len(choice), size=len(at))]
        if kind == Kind.CARE_HOME:
            saints = np.array(_STREETS)[draw.integers(len(_STREETS), size=len(at))]
            called = np.char.add(np.char.add(saints, " "), called)
        building = building.astype("<U40")
        building[at] = called
    streets = np.array([f"{s} {t}" for s in _STREETS for t in _TYPES])
    street = streets[draw.integers(len(streets), size=units // 2 + 1)][unit // 2]
    retired = draw.random(units)
    decile = np.array([1 + (area_number * 7919) % 10 for area_number in range(AREAS)])
    digits = draw.permutation(count).astype(np.int64) + 920_000_000_000
    return pl.DataFrame(
        {
            "area": area,
            "lsoa": pl.Series(area).cast(pl.String).str.zfill(5).str.replace("^", "E018"),
            "decile": decile[area],
            "postcode": codes[:units][unit],
            "old_postcode": codes[units:][unit],
            "retired": retired[unit],
            "town": np.array(_TOWNS)[area % len(_TOWNS)],
            "flat": flat,
            "building": building,
            "number": pl.Series(number).cast(pl.String),
            "street": street,
            "uprn": pl.Series(digits).cast(pl.String),
        }
    )


def _postcodes(draw: np.random.Generator, count: int) -> np.ndarray:
    """Return different postcodes, most of one district in a row, as neighbourhoods have."""
    space = len(_DISTRICTS) * 9 * 400
    number = np.sort(draw.choice(space, size=count, replace=False)) if count <= space // 2 else np.arange(count)
    # The two halves (today's codes and those before) are both spread over all districts.
    number = np.concatenate([number[::2], number[1::2]])
    district, rest = np.divmod(number, 9 * 400)
    sector, letters = np.divmod(rest, 400)
    codes = np.array(_DISTRICTS)[district % len(_DISTRICTS)]
    ends = np.char.add(_UNIT[letters // 20], _UNIT[letters % 20])
    return np.char.add(np.char.add(np.char.add(codes, " "), (sector + 1).astype(str)), ends)
