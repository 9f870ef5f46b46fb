"""Names as numbered tables with their frequencies, so that people hold numbers and text is made once, at the end.

The tables are fixed: they do not depend on the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from linkage.synthesise.chance import Floats, Ints, pick, scatter
from linkage.synthesise.names import surnames
from linkage.synthesise.names.communities import COMMUNITIES, OTHERS
from linkage.synthesise.names.community import Community
from linkage.synthesise.names.forenames import FEMALE_BY_COHORT, FEMALE_TAIL, MALE_BY_COHORT, MALE_TAIL

COHORTS = tuple(MALE_BY_COHORT)
_COHORT_SHAPE = {1900: (2.0, 1.15, 0.05), 1940: (2.0, 1.1, 0.06), 1965: (3.0, 1.1, 0.09), 1980: (4.0, 1.0, 0.13)}
_COHORT_SHAPE |= {1995: (6.0, 1.0, 0.16), 2010: (12.0, 1.0, 0.24)}
"""Offset and exponent of a cohort's Zipf-Mandelbrot law and the share of rarer names: children's names spread out."""


@dataclass(frozen=True)
class Pool:
    """Names to draw from: their numbers and cumulative probabilities."""

    ids: Ints
    cumulative: Floats

    def draw(self, uniforms: Floats) -> Ints:
        """Return name numbers for uniform draws."""
        return self.ids[pick(self.cumulative, uniforms)]


@dataclass(frozen=True)
class Names:
    """Every name: `forenames[i]` and `surnames_of_men[i]`, `surnames_of_women[i]` are the texts of number i.

    Pools are by community number (and for forenames by sex, 0 male and 1 female, and cohort number).
    """

    forenames: pl.Series
    surnames_of_men: pl.Series
    surnames_of_women: pl.Series
    forename_pools: dict[tuple[int, int, int], Pool]
    surname_pools: tuple[Pool, ...]
    woman_surname_pools: dict[int, Pool]
    sikh_middle_names: tuple[int, int]


def _zipf(count: int, offset: float, exponent: float) -> Floats:
    weights: Floats = (np.arange(count) + 1.0 + offset) ** -exponent
    share: Floats = weights / weights.sum()
    return share


def _pool(ids: list[int], weights: Floats) -> Pool:
    return Pool(np.array(ids, dtype=np.int64), np.cumsum(weights / weights.sum()))


class _Numbering:
    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))


def _shuffled(words: list[str]) -> list[str]:
    unique = list(dict.fromkeys(words))
    order = np.argsort(scatter(np.arange(len(unique)), 31), kind="stable")
    return [unique[i] for i in order]


def _forename_pools(numbering: _Numbering) -> dict[tuple[int, int, int], Pool]:
    pools: dict[tuple[int, int, int], Pool] = {}
    for sex, (by_cohort, tail) in enumerate(((MALE_BY_COHORT, MALE_TAIL), (FEMALE_BY_COHORT, FEMALE_TAIL))):
        every = [name for names in by_cohort.values() for name in names]
        for cohort, year in enumerate(COHORTS):
            common = list(dict.fromkeys(by_cohort[year]))
            rare = _shuffled([*every, *tail] if year >= 1980 else every)
            offset, exponent, rare_share = _COHORT_SHAPE[year]
            weights = np.concatenate(
                [_zipf(len(common), offset, exponent) * (1 - rare_share), _zipf(len(rare), 20.0, 0.7) * rare_share]
            )
            pools[0, sex, cohort] = _pool([numbering.number(n) for n in (*common, *rare)], weights)
    for community, spec in enumerate(OTHERS, start=1):
        for sex, names in enumerate((spec.men, spec.women)):
            weights = _zipf(len(names), 4.0, 0.9)
            british = pools[0, sex, 5]
            for cohort in range(len(COHORTS)):
                # One in eight children born here since 1995 is given a name of the majority's.
                share = 0.12 if COHORTS[cohort] >= 1995 else 0.02
                own = [numbering.number(n) for n in names]
                majority = np.diff(british.cumulative, prepend=0.0)
                pools[community, sex, cohort] = _pool(
                    [*own, *british.ids.tolist()], np.concatenate([weights * (1 - share), majority * share])
                )
    return pools


def _british_surnames() -> tuple[list[str], Floats]:
    common = list(dict.fromkeys(surnames.COMMON))
    tail = [
        word
        for word in _shuffled([s + e for s in surnames.PLACE_STEMS for e in surnames.PLACE_ENDINGS if s[-2:] != e[:2]])
        if len(word) > 4
    ][: surnames.TAIL_SIZE]
    # The commonest surname is borne by about one in a hundred, the listed ones by about half of the people.
    head = 0.0115 * (2.5 / (np.arange(len(common)) + 2.5)) ** 0.72
    rest = (np.arange(len(tail)) + len(common)) ** -0.95
    return common + tail, np.concatenate([head, rest / rest.sum() * (1 - head.sum())])


def _women_form(name: str, spec: Community) -> str:
    for man, woman in spec.gendered_endings:
        if name.endswith(man):
            return name[: -len(man)] + woman
    return name


@cache
def names() -> Names:
    """Return the tables of names."""
    forenames = _Numbering()
    forename_pools = _forename_pools(forenames)
    religious = (forenames.number("Singh"), forenames.number("Kaur"))
    men: list[str] = []
    women: list[str] = []
    surname_pools: list[Pool] = []
    woman_pools: dict[int, Pool] = {}
    for community, spec in enumerate(COMMUNITIES):
        if community == 0:
            texts, weights = _british_surnames()
        else:
            tail = _shuffled([s + e for s in spec.stems for e in spec.endings])
            tail_share = spec.tail_share if tail else 0.0
            texts = [*spec.surnames, *tail]
            weights = np.concatenate(
                [
                    _zipf(len(spec.surnames), 0.5, spec.concentration) * (1 - tail_share),
                    _zipf(len(tail), 30.0, 0.6) * tail_share if tail else np.empty(0),
                ]
            )
        surname_pools.append(_pool(list(range(len(men), len(men) + len(texts))), weights))
        men += texts
        women += [_women_form(text, spec) for text in texts]
        if spec.woman_surnames:
            ids = list(range(len(men), len(men) + len(spec.woman_surnames)))
            woman_pools[community] = _pool(ids, _zipf(len(ids), 0.3, 1.0))
            men += spec.woman_surnames
            women += spec.woman_surnames
    return Names(
        forenames=pl.Series(list(forenames.texts)),
        surnames_of_men=pl.Series(men),
        surnames_of_women=pl.Series(women),
        forename_pools=forename_pools,
        surname_pools=tuple(surname_pools),
        woman_surname_pools=woman_pools,
        sikh_middle_names=religious,
    )


def cohort_of(birth_year: Ints) -> Ints:
    """Return the cohort number of each birth year."""
    return np.searchsorted(np.array(COHORTS[1:]), birth_year, side="right").astype(np.int64)
