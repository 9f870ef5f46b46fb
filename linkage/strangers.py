"""What two different people look like: u from random pairs of strangers, r from people who share a home.

Neither needs a label. Two random records are almost never one person, and the few pairs that might be (or might be
family) give themselves away by agreeing on some *other* comparison, so they are left out when one comparison is
tabulated. Pairs at one home inside a source of one record per person, and members of one claim, are known to be
different people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.compare import LEVEL, PLACE, LevelArray, compare, levels_of
from linkage.held import HeldSubjects
from linkage.levels import FloatArray, smoothed
from linkage.sample import Sides, agreeing_pairs, linkable, random_pairs
from linkage.subjects import TOKEN_POSITION, IntArray, UInt64Array, mix
from schemas.model import COMPARISONS, Comparison, DiceCuts, Relatives

RANDOM_PAIRS: Final = 500_000
PER_STRATUM: Final = 100_000

U_STRENGTH: Final = 5.0
"""Random pairs that the shipped u counts as: enough to keep a level that was never met above zero."""

R_STRENGTH: Final = 200.0
"""Pairs of relatives that the shipped r counts as: homes in a file may be few, and odd."""

_POSTCODE_OF: Final = {
    part: tuple(name for name in COMPARISONS["home"] if name.endswith(f"postcode_{part}"))
    for part in ("same", "outcode")
}
_EXACT_DATES: Final = ("exact_same_sex", "exact", "exact_other_sex")
_PARTS: Final = ("year_month", "year_day", "month_day", "different")

_STRATA: Final[dict[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "forename": (("token_forename", ("exact",)), ("token_nickname", ("nickname",))),
    "surname": (("token_surname", ("exact",)),),
    "middle_names": (("token_middle_names", ("exact",)),),
    "date_of_birth": (("token_date_of_birth", _EXACT_DATES),),
    "home": (
        ("token_postcode", _POSTCODE_OF["same"]),
        ("token_outcode", _POSTCODE_OF["outcode"]),
        ("token_address", ("address_same_postcode_different", "address_same_postcode_unknown")),
    ),
}
"""Comparison -> token columns whose agreement is a stratum of its own, with the levels that are taken from it."""

_ALIKE: Final[dict[str, tuple[str, ...]]] = {
    "forename": ("exact", "nickname", "close", "swapped"),
    "surname": ("exact", "close"),
    "date_of_birth": (*_EXACT_DATES, "swapped"),
    "home": (
        *(name for name in COMPARISONS["home"] if name.startswith("address_same")),
        "address_close_postcode_same",
    ),
    "nhs_number": ("exact",),
    "nino": ("exact",),
}
"""Comparison -> levels that two strangers hardly ever reach on two comparisons."""

# Where an identifier is compared at all, two people almost never share it: nothing to be learnt from a sample.
_FIXED: Final = ("nhs_number", "nino")


def stranger_levels(
    held: HeldSubjects, cuts: DiceCuts, shipped: Sequence[Comparison], generator: np.random.Generator
) -> tuple[dict[str, FloatArray], int]:
    """Return (u of each comparison by level, number of random pairs it rests on)."""
    base = {c.name: np.asarray(c.u) for c in shipped}
    sides = list(linkable(held).values())
    total = sum(side.pairs for side in sides)
    if not total:
        return base, 0
    left, right = random_pairs(sides, min(RANDOM_PAIRS, 20 * total), generator)
    levels = _levels(held, cuts, left, right)
    clean = {name: _unsuspected(levels, name) & (levels[PLACE[name]] != 0) for name in COMPARISONS}
    u = {name: base[name] for name in _FIXED}
    for name, strata in _STRATA.items():
        known = float(clean[name].mean())
        rates = _tabulated(levels[PLACE[name], clean[name]], name) / max(len(left), 1)
        for column, owned in strata:
            at = [LEVEL[name][level] - 1 for level in owned]
            rates[at] = _stratum_rates(held, cuts, sides, column, column, name, generator)[at] / total
        if name == "forename":
            for crossed, rate in _crosswise_rates(held, sides, generator).items():
                rates[LEVEL[name][crossed] - 1] = rate * known
        if name == "date_of_birth":
            rates = _date_rates(held, cuts, sides, rates, known, total, generator)
        u[name] = smoothed(name, rates / known * clean[name].sum() if known else rates, base[name], U_STRENGTH)
    return u, len(left)


def relatives_of(
    held: HeldSubjects, cuts: DiceCuts, shipped: Relatives, m_home: FloatArray, generator: np.random.Generator
) -> tuple[Relatives, int]:
    """Return (r learnt from pairs at one home that are known to be two people, how many those were).

    `m_home` becomes r of the home: where two records of a household differ in address, they do so like two records of
    one person, since what makes them differ is when and how the address was written.
    """
    left, right = _housemates(held, generator)
    levels = _levels(held, cuts, left, right)
    date, forename = levels[PLACE["date_of_birth"]], levels[PLACE["forename"]]
    same = _among(date, "date_of_birth", *_EXACT_DATES)
    near = _among(date, "date_of_birth", "swapped", *_PARTS[:-1])
    # A source that declares one record per person may still hold a person twice: such pairs are not learnt from.
    twice = same & _among(forename, "forename", "exact", "nickname", "close", "phonetic")
    twice |= _among(levels[PLACE["nhs_number"]], "nhs_number", "exact") | _among(levels[PLACE["nino"]], "nino", "exact")

    def learnt(name: str, chosen: npt.NDArray[np.bool_], towards: Sequence[float]) -> tuple[float, ...]:
        counts = _tabulated(levels[PLACE[name], chosen & ~twice], name)
        return tuple(smoothed(name, counts, np.asarray(towards), R_STRENGTH).tolist())

    everyone = np.ones(len(left), dtype=np.bool_)
    return Relatives(
        date_of_birth=learnt("date_of_birth", everyone, shipped.date_of_birth),
        forename_same_date=learnt("forename", same, shipped.forename_same_date),
        forename_near_date=learnt("forename", near, shipped.forename_near_date),
        forename_other_date=learnt("forename", ~same & ~near & (date != 0), shipped.forename_other_date),
        surname=learnt("surname", everyone, shipped.surname),
        middle_names=learnt("middle_names", everyone, shipped.middle_names),
        home=tuple(m_home.tolist()),
    ), int((~twice).sum())


def home_keys(held: HeldSubjects) -> UInt64Array:
    """Return a key of each row's home: the UPRN, else address and postcode together, 0 where neither is known."""
    table = held.subjects.table
    uprn, address, postcode = (
        np.ascontiguousarray(table[:, TOKEN_POSITION[name]])
        for name in ("token_uprn", "token_address", "token_postcode")
    )
    text = np.where((address != 0) & (postcode != 0), mix(address) ^ postcode, np.uint64(0))
    return np.where(uprn != 0, uprn, text)


def _housemates(held: HeldSubjects, generator: np.random.Generator) -> tuple[IntArray, IntArray]:
    subjects, alive = held.subjects, held.alive
    homes = home_keys(held)
    drawn = []
    for code, unique in enumerate(subjects.unique):
        rows = np.flatnonzero(alive & (subjects.source == code))
        if unique:
            drawn.append(agreeing_pairs(Sides(rows, None), homes, homes, PER_STRATUM, generator))
        claims = subjects.claim_group
        drawn.append(agreeing_pairs(Sides(rows, None), claims, claims, PER_STRATUM, generator))
    return np.concatenate([d[1] for d in drawn]), np.concatenate([d[2] for d in drawn])


def _levels(held: HeldSubjects, cuts: DiceCuts, left: IntArray, right: IntArray) -> LevelArray:
    _, pattern = compare(held.subjects, held.subjects, left, right, cuts)
    return levels_of(pattern)


def _tabulated(levels: npt.NDArray[np.uint8], name: str) -> FloatArray:
    """Return how often each level occurs, `missing` left out."""
    return np.bincount(levels, minlength=len(COMPARISONS[name]) + 1)[1:].astype(np.float64)


def _among(levels: npt.NDArray[np.uint8], name: str, *names: str) -> npt.NDArray[np.bool_]:
    return np.isin(levels, [LEVEL[name][level] for level in names])


def alike(levels: LevelArray, comparisons: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return whether each pair looks like one person, or like family, on any of the comparisons."""
    found = np.zeros(levels.shape[1], dtype=np.bool_)
    for name in comparisons:
        found |= _among(levels[PLACE[name]], name, *_ALIKE.get(name, ()))
    return found


def _unsuspected(levels: LevelArray, comparison: str) -> npt.NDArray[np.bool_]:
    """Return whether each pair looks like strangers on everything but the given comparison."""
    others = [name for name in _ALIKE if name != comparison]
    if comparison in ("forename", "surname", "home"):
        return ~alike(levels, others)
    # Both names agree by chance often enough among frequent names; one alone says nothing about the date.
    names = alike(levels, ["forename"]) & alike(levels, ["surname"])
    return ~(names | alike(levels, [name for name in others if name not in ("forename", "surname")]))


def _stratum_rates(
    held: HeldSubjects,
    cuts: DiceCuts,
    sides: Sequence[Sides],
    left_column: str,
    right_column: str,
    name: str,
    generator: np.random.Generator,
) -> FloatArray:
    """Return the number of unsuspected pairs at each level among all pairs that agree on a column."""
    table = held.subjects.table
    one, two = (np.ascontiguousarray(table[:, TOKEN_POSITION[c]]) for c in (left_column, right_column))
    if left_column == right_column:
        two = one
    found = np.zeros(len(COMPARISONS[name]))
    for side in sides:
        total, left, right = agreeing_pairs(side, one, two, PER_STRATUM, generator)
        if len(left):
            levels = _levels(held, cuts, left, right)
            clean = _unsuspected(levels, name)
            found += _tabulated(levels[PLACE[name], clean], name) * (total / len(left))
    return found


def _date_rates(
    held: HeldSubjects,
    cuts: DiceCuts,
    sides: Sequence[Sides],
    rates: FloatArray,
    known: float,
    total: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Return rates of the date's levels: swapped from its stratum, parts from pairs whose names show them."""
    level = {name: LEVEL["date_of_birth"][name] - 1 for name in COMPARISONS["date_of_birth"]}
    crosswise = ("token_date_of_birth", "token_date_of_birth_swapped")
    swapped = _stratum_rates(held, cuts, sides, *crosswise, "date_of_birth", generator)[level["swapped"]] / total
    exact = sum(rates[level[name]] for name in _EXACT_DATES)
    seen = np.zeros(len(rates))
    for column in ("token_forename_phonetic", "token_surname_phonetic"):
        seen += _stratum_rates(held, cuts, sides, column, column, "date_of_birth", generator)
    parts = [level[name] for name in _PARTS]
    result = np.zeros(len(rates))
    for name in _EXACT_DATES:
        result[level[name]] = rates[level[name]]
    result[level["swapped"]] = swapped
    left_over = max(known - exact - swapped, 0.0)
    if seen[parts].any():
        result[parts] = left_over * seen[parts] / seen[parts].sum()
    else:
        result[level["unseen"]] = left_over
    return result


def _crosswise_rates(held: HeldSubjects, sides: Sequence[Sides], generator: np.random.Generator) -> dict[str, float]:
    """Return how often strangers' names agree crosswise, half or in full: both halves by chance, as if independent."""
    table = held.subjects.table
    forename, surname = (
        np.ascontiguousarray(table[:, TOKEN_POSITION[name]]) for name in ("token_forename", "token_surname")
    )
    total = float(sum(side.pairs for side in sides))
    one = sum(agreeing_pairs(side, forename, surname, 1, generator)[0] for side in sides) / total
    other = sum(agreeing_pairs(side, surname, forename, 1, generator)[0] for side in sides) / total
    return {"swapped": one * other, "half_swapped": one + other}
