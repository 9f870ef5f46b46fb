"""What everybody is called: families share surnames, siblings differ, some children bear a parent's name.

Names are numbers into `names.tables.names()`; -1 is no name. `text_of` turns them into text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Chance, Flags, Floats, Ints
from linkage.synthesise.names.communities import COMMUNITIES
from linkage.synthesise.names.tables import cohort_of, names
from linkage.synthesise.world import Place, World, kin

SON_NAMESAKES: Final = 0.011
"""Sons at home who bear their father's forename [assumption; about one in a hundred]."""
DAUGHTER_NAMESAKES: Final = 0.004
"""Daughters who bear their mother's [assumption]."""
NAMESAKE_FACTOR: Final = {"traveller": 6.0, "irish": 2.5, "hindu": 0.2, "chinese_vietnamese": 0.1}
"""How much commoner namesakes are in a community [assumption]."""
KEYS: Final = tuple(c.key for c in COMMUNITIES)


@dataclass
class Naming:
    """Name numbers by person: `surname_second` makes a double-barrelled surname, `surname_born` is the one before
    marriage.
    """

    forename: Ints
    middle: Ints
    middle_second: Ints
    surname: Ints
    surname_second: Ints
    surname_born: Ints


def by_community(values: dict[str, float], default: float) -> Floats:
    """Return a figure for each community number: that of its key, or the default."""
    return np.array([values.get(key, default) for key in KEYS])


def draw_surnames(community: Ints, draws: Floats) -> Ints:
    """Return a surname number for each person's community and uniform draw."""
    pools = names().surname_pools
    drawn = np.empty(len(community), dtype=np.int64)
    for number, pool in enumerate(pools):
        rows = np.flatnonzero(community == number)
        drawn[rows] = pool.draw(draws[rows])
    return drawn


def draw_forenames(community: Ints, sex: Ints, birth_year: Ints, draws: Floats) -> Ints:
    """Return a forename number for each person's community, sex, birth year and uniform draw."""
    cohort = cohort_of(birth_year)
    code = (community * 2 + sex) * 8 + cohort
    order = np.argsort(code, kind="stable")
    drawn = np.empty(len(code), dtype=np.int64)
    for rows in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        if len(rows):
            first = rows[0]
            pool = names().forename_pools[int(community[first]), int(sex[first]), int(cohort[first])]
            drawn[rows] = pool.draw(draws[rows])
    return drawn


def name_people(chance: Chance, world: World) -> Naming:
    """Return the names of a world's people."""
    surname, second, born = _surnames(chance, world)
    forename = _forenames(chance, world)
    middle, middle_second = _middle_names(chance, world, forename)
    return Naming(forename, middle, middle_second, surname, second, born)


def _adult(world: World, sex: int) -> Ints:
    """Return for each home the row of its head or partner of that sex, -1 where none."""
    at = np.full(len(world.homes), -1, dtype=np.int64)
    rows = np.flatnonzero((world.place <= Place.PARTNER) & (world.sex == sex))
    at[world.home[rows][::-1]] = rows[::-1]
    return at


def _surnames(chance: Chance, world: World) -> tuple[Ints, Ints, Ints]:
    draw = chance.stream("names.surname")
    n = len(world)
    own = draw_surnames(world.community, draw.random(n))
    near, other, _ = kin(chance, world)
    own[other] = own[near]
    family = own.copy()
    pools = names().woman_surname_pools
    women_only = np.concatenate([p.ids for p in pools.values()])
    for number, pool in pools.items():
        rows = np.flatnonzero((world.community == number) & (world.sex == 1))
        share = COMMUNITIES[number].woman_surname_share * np.where(world.age[rows] < 18, 0.5, 1.0)
        taken = rows[draw.random(len(rows)) < share]
        own[taken] = pool.draw(draw.random(len(taken)))
    born = own.copy()
    second = np.full(n, -1, dtype=np.int64)

    man, woman = _adult(world, 0), _adult(world, 1)
    couple = np.flatnonzero((man >= 0) & (woman >= 0) & world.homes.married)
    takes = couple[draw.random(len(couple)) < 0.9]
    # A name of a woman's own tradition stays hers on marriage.
    has_own = np.isin(own[woman[takes]], women_only)
    takes = takes[~has_own]
    own[woman[takes]] = own[man[takes]]
    hyphen = takes[draw.random(len(takes)) < 0.025]
    second[woman[hyphen]] = own[man[hyphen]]
    own[woman[hyphen]] = born[woman[hyphen]]

    child = world.place == Place.CHILD
    father, mother = world.father, world.mother
    with_father = child & (father >= 0)
    own = np.where(with_father, own[np.maximum(father, 0)], own)
    # Children without a father at home: half bear the mother's surname, half that of an absent father, one for all
    # of them.
    absent = draw_surnames(world.homes.community, draw.random(len(world.homes)))
    from_mother = draw.random(len(world.homes)) < 0.55
    alone = child & (father < 0) & (mother >= 0)
    hers = own[np.maximum(mother, 0)]
    # A name that only women bear passes to nobody: her family's does.
    hers = np.where(np.isin(hers, women_only), family[np.maximum(mother, 0)], hers)
    own = np.where(alone, np.where(from_mother[world.home], hers, absent[world.home]), own)
    both = (draw.random(len(world.homes)) < 0.09) & ~world.homes.married
    barrelled = with_father & (mother >= 0) & both[world.home]
    second = np.where(barrelled, own[np.maximum(father, 0)], second)
    own = np.where(barrelled, own[np.maximum(mother, 0)], own)
    # Grandparents: the man's parents in six homes of ten, else the woman's.
    paternal = draw.random(len(world.homes)) < 0.6
    elder_of = np.where((paternal & (man >= 0)) | (woman < 0), man, woman)[world.home]
    old = (world.place == Place.GRANDPARENT) & (elder_of >= 0)
    own = np.where(old, family[np.maximum(elder_of, 0)], own)
    born = np.where(child | old, own, born)
    second = np.where(second == own, -1, second)
    return own, second, born


def _years(world: World) -> Ints:
    return world.birth_day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def _forenames(chance: Chance, world: World) -> Ints:
    draw = chance.stream("names.forename")
    year = _years(world)
    forename = draw_forenames(world.community, world.sex, year, draw.random(len(world)))
    children = np.flatnonzero(world.place == Place.CHILD)
    for _ in range(4):
        # Siblings of one name: all but the first of each such set draw again.
        code = world.home[children] * 100_000 + forename[children]
        _, first = np.unique(code, return_index=True)
        again = children[np.setdiff1d(np.arange(len(children)), first, assume_unique=True)]
        forename[again] = draw_forenames(world.community[again], world.sex[again], year[again], draw.random(len(again)))
    factor = by_community(NAMESAKE_FACTOR, 1.0)[world.community]
    for sex, parent, rate in ((0, world.father, SON_NAMESAKES), (1, world.mother, DAUGHTER_NAMESAKES)):
        named = np.flatnonzero((parent >= 0) & (world.sex == sex) & (draw.random(len(world)) < rate * factor))
        forename[named] = forename[parent[named]]
    return forename


def _middle_names(chance: Chance, world: World, forename: Ints) -> tuple[Ints, Ints]:
    draw = chance.stream("names.middle")
    n = len(world)
    # Middle names are more traditional: those of a generation earlier.
    older = _years(world) - 25
    first = draw_forenames(world.community, world.sex, older, draw.random(n))
    other = draw_forenames(world.community, world.sex, older, draw.random(n))
    for sex, parent in ((0, world.father), (1, world.mother)):
        given = (parent >= 0) & (world.sex == sex) & (draw.random(n) < 0.12)
        first = np.where(given, forename[np.maximum(parent, 0)], first)
    sikh = world.community == KEYS.index("sikh")
    first = np.where(sikh, np.array(names().sikh_middle_names)[world.sex], first)
    share = np.array([c.middle_share for c in COMMUNITIES])[world.community]
    middle = np.where((draw.random(n) < share) & (first != forename), first, -1)
    has_two: Flags = (middle >= 0) & (draw.random(n) < 0.15) & (other != middle) & (other != forename) & ~sikh
    return middle, np.where(has_two, other, -1)


def surname_text(surname: Ints, second: Ints, sex: Ints) -> pl.Series:
    """Return surnames as text: the form of the person's sex, two joined by a hyphen where there is a second."""
    tables = names()
    frame = pl.DataFrame(
        {
            "man": tables.surnames_of_men.gather(surname),
            "woman": tables.surnames_of_women.gather(surname),
            "second": tables.surnames_of_men.gather(np.maximum(second, 0)),
            "sex": sex,
            "two": second >= 0,
        }
    )
    single = pl.when(pl.col("sex") == 1).then("woman").otherwise("man")
    return frame.select(
        pl.when("two").then(pl.concat_str([single, pl.lit("-"), pl.col("second")])).otherwise(single).alias("surname")
    )["surname"]


def forename_text(forename: Ints) -> pl.Series:
    """Return forenames as text, null where the number is -1."""
    text = names().forenames.gather(np.maximum(forename, 0))
    return pl.DataFrame({"t": text, "has": forename >= 0}).select(pl.when("has").then("t").alias("forename"))[
        "forename"
    ]
