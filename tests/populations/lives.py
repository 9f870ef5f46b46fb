"""What life changed between the two collections: homes, surnames, and forms that one of the two offices holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from tests.populations.chance import Chance
from tests.populations.households import Flags, Ints, People, Role
from tests.populations.rates import Rates

HEALTH: Final = 0
WELFARE: Final = 1
STALE_IN_HEALTH: Final = 0.62
"""Of changes, those that the health file has not heard of: people tell the office that pays sooner [assumed]."""


@dataclass(frozen=True)
class Lives:
    """For each file (HEALTH, WELFARE): the home of each person, and forename and surname as given to that office.

    `changed` are people whose surname differs between the files by a change of life, `moved` whose home does.
    """

    homes: tuple[Ints, Ints]
    names: tuple[pl.DataFrame, pl.DataFrame]
    changed: Flags
    moved: Flags


def live(
    chance: Chance,
    people: People,
    names: pl.DataFrame,
    home_of: Ints,
    homes: int,
    factor: np.ndarray,
    rates: Rates,
    scale: float,
) -> Lives:
    """Return both states of every person; `factor` has mean 1 over people and says whom life or offices hit more."""
    draw = chance("changes of name")
    size, age = len(people), people.age
    woman, child = people.sex == 2, (people.role == Role.CHILD) & (age < 18)
    woman_rate = np.select(
        [woman & (age >= 18) & (age <= 45), woman & (age > 45) & (age <= 70), woman & (age > 70)],
        [rates.surname_changed_woman, rates.surname_changed_woman / 2, rates.surname_changed_woman / 6],
        rates.surname_changed_woman / 20,
    )
    # Brothers and sisters go by the other name together.
    together, alone = draw.random(len(people.kind))[people.household], draw.random(size)
    by_child = together < rates.surname_changed_child * scale
    changed = np.where(child, by_child, alone < woman_rate * factor * scale)
    former = np.where(child, people.head, np.arange(size))
    with_move = changed & ~child & (draw.random(size) < rates.moved_on_marriage)
    stale = np.where(draw.random(len(people.kind)) < STALE_IN_HEALTH, HEALTH, WELFARE)[people.household]
    own_stale = np.where(draw.random(size) < STALE_IN_HEALTH, HEALTH, WELFARE)
    name_stale = np.where(child, stale, own_stale)

    draw = chance("moves")
    house = draw.random(len(people.kind))[people.household] < rates.household_moved * scale
    house &= draw.random(size) >= rates.move_is_unheard_by_one
    young = np.where((age >= 18) & (age < 30), 3.0, np.where(age < 18, 0.0, 0.75))
    single = (draw.random(size) < rates.person_moved * young * scale) | with_move
    now = home_of[people.household]
    # Half of all moves stay in the neighbourhood.
    shift = _shifts(draw, len(people.kind), homes)[people.household]
    own_shift = _shifts(draw, size, homes)
    before = (now + np.where(single, own_shift, shift)) % homes
    moved = (house | single) & (before != now)
    move_stale = np.where(with_move, name_stale, np.where(single, own_stale, stale))
    states = tuple(np.where(moved & (move_stale == file), before, now) for file in (HEALTH, WELFARE))

    draw = chance("other forms")
    custom = draw.random(size) < rates.custom * scale
    short = draw.random(size) < rates.called_by * scale
    middle = draw.random(size) < rates.middle_used * factor * scale
    form_in = draw.integers(2, size=size)
    other = names["surname_other"].gather(former)
    given = []
    for file in (HEALTH, WELFARE):
        here = form_in == file
        frame = names.with_columns(
            other=other,
            changed=changed & (name_stale == file),
            custom=custom & here,
            short=short & here,
            middle=middle & here,
        )
        given.append(
            frame.with_columns(
                forename=pl.when(pl.col("custom")).then(pl.coalesce("forename_custom", "forename"))
                .when(pl.col("short") & pl.col("forename_short").is_not_null()).then("forename_short")
                .when(pl.col("middle")).then(pl.coalesce("middle_names", "forename"))
                .otherwise("forename"),
                surname=pl.when(pl.col("changed")).then("other")
                .when(pl.col("custom")).then(pl.coalesce("surname_custom", "surname"))
                .otherwise("surname"),
                plain=~(pl.col("custom") | pl.col("changed")),
            ).select("forename", "surname", "middle_names", "forename_respelt", "surname_respelt", "plain")
        )  # fmt: skip
    return Lives((states[0], states[1]), (given[0], given[1]), changed, moved)


def _shifts(draw: np.random.Generator, count: int, homes: int) -> Ints:
    near, far = draw.integers(-300, 300, size=count), draw.integers(1, homes, size=count)
    return np.where(draw.random(count) < 0.5, near, far)
