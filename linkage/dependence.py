"""How the fields of two strangers depend on each other, counted without labels.

Two people of one date of birth and sex bear one forename several times as often as any two people, and names go with
each other as communities do. Were that left out, evidence would count twice. Counted are pairs that agree on the first
field (a stratum, see `linkage.sample`) and look like strangers on everything but the two; the few matches that must be
among them are taken off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from linkage.compare import LEVEL, PLACE, LevelArray, compare, levels_of
from linkage.held import HeldSubjects
from linkage.levels import FloatArray, plain, smoothed
from linkage.sample import agreeing_pairs, linkable, random_pairs
from linkage.subjects import TOKEN_POSITION
from schemas.model import COMPARISONS, UNIONS, Dependence, DiceCuts

PER_STRATUM: Final = 100_000
RANDOM_PAIRS: Final = 50_000

PULL: Final = 5.0
"""Pairs that independence counts as at each level: a level that is expected less often shows next to nothing."""

_EDGES: Final = (
    ("date_of_birth", "forename", "token_date_of_birth", ("exact_same_sex", "exact", "exact_other_sex")),
    ("surname", "forename", "token_surname", ("exact",)),
    ("forename", "middle_names", "token_forename", ("exact",)),
)
"""First comparison, second, the token column on which a stratum's pairs agree, the first's levels it holds.

Each comparison is second to the ones that bear on it most, and no three go in a circle.
"""


_UNLIKE: Final[dict[str, tuple[str, ...]]] = {
    "forename": ("missing", "faint", "different", "half_swapped", "middle"),
    "surname": ("missing", "faint", "different"),
    "date_of_birth": ("missing", "different", "unseen"),
    "home": ("missing", *(name for name in COMPARISONS["home"] if name.startswith("address_different"))),
    "nhs_number": ("missing", "different"),
    "nino": ("missing", "different"),
}
"""Comparison -> levels that matches and family show rarely, and two strangers nearly always."""


_MATCH_EDGES: Final = (
    ("forename", "home", ("missing",)),
    ("surname", "home", COMPARISONS["surname"]),
)
"""First comparison, second, and the first's levels on which the second depends."""

_LEAST_M: Final = 1e-9

_INDEPENDENT: Final = ("close", "swapped", "half_swapped")
"""Levels of the second that strangers reach so rarely that the matches among them would outnumber them."""


@dataclass(frozen=True)
class _Stratum:
    """Pairs that agree on one column: their levels, how many pairs one of them stands for on average (`scale`), and
    each one's share of that (`weight`), since a stratum is drawn from each pair of sources."""

    levels: LevelArray
    weight: FloatArray
    scale: float


@dataclass(frozen=True)
class Drawn:
    """Pairs to learn strangers' dependences from: `everyone`, levels of random pairs out of `total`, and a stratum for
    each edge.
    """

    total: float
    everyone: LevelArray
    strata: tuple[_Stratum, ...]


def draw_strangers(held: HeldSubjects, cuts: DiceCuts, generator: np.random.Generator) -> Drawn:
    """Draw the pairs that `stranger_dependences` counts; they serve for any m."""
    sides = list(linkable(held).values())
    total = sum(side.pairs for side in sides)
    if not total:
        return Drawn(0.0, np.zeros((len(COMPARISONS), 0), dtype=np.uint8), ())
    everyone = _levels(held, cuts, *random_pairs(sides, min(RANDOM_PAIRS, 20 * int(total)), generator))
    strata = tuple(_stratum(held, cuts, column, generator) for _, _, column, _ in _EDGES)
    return Drawn(float(total), everyone, strata)


def stranger_dependences(
    drawn: Drawn, m: dict[str, FloatArray], u: dict[str, FloatArray], matches: float
) -> tuple[Dependence, ...]:
    """Return how strangers' fields depend on each other; `matches` is about how many matches there are in all."""
    total, everyone = drawn.total, drawn.everyone
    if not total:
        return ()
    found = []
    for (first, second, _, owned), stratum in zip(_EDGES, drawn.strata, strict=True):
        if not stratum.levels.shape[1]:
            continue  # nobody has the column, so that there is nothing to learn of it
        others = [name for name in COMPARISONS if name not in (first, second)]
        unlike = _unlike(stratum.levels, others)
        rows = np.zeros((len(COMPARISONS[first]) + 1, len(COMPARISONS[second]) + 1))
        # How often a level says no more than that one of several holds, as where the sex is not known.
        unions = [LEVEL[first][name] for name in UNIONS.get(first, ())]
        vague = float(np.isin(stratum.levels[PLACE[first]], unions).sum()) / max(stratum.levels.shape[1], 1)
        told = {True: vague, False: 1 - vague}
        for known in (True, False):
            alike = everyone[:, ((everyone[PLACE[second]] != 0) == known) & (everyone[PLACE[first]] != 0)]
            if not alike.shape[1]:
                continue
            share = alike.shape[1] / everyone.shape[1]
            strangers = total * share * float(np.mean(_unlike(alike, others)))
            stray = matches * share * _unlike_share(alike, others, m)
            for name in owned:
                level = LEVEL[first][name]
                at = unlike & (stratum.levels[PLACE[first]] == level)
                seen = np.bincount(stratum.levels[PLACE[second], at], stratum.weight[at], rows.shape[1])
                if known:
                    among = stray * m[first][level - 1] * told[name in UNIONS.get(first, {})] / stratum.scale
                    seen = np.maximum(seen[1:] - among * m[second], 0)
                    rows[level, 1:] = _lift(seen, seen.sum() * u[second])
                elif name not in UNIONS.get(first, {}):
                    # Whose name is missing is a child, say: the first field then agrees more often, or less.
                    seen = np.maximum(seen[:1] - stray * m[first][level - 1] / stratum.scale, 0)
                    rows[level, 0] = _lift(seen, np.asarray([strangers * u[first][level - 1] / stratum.scale]))[0]
        rows[:, [LEVEL[second][name] for name in _INDEPENDENT if name in LEVEL[second]]] = 0.0
        found.append(Dependence(first=first, second=second, log2_strangers=tuple(map(tuple, rows.tolist()))))
    return tuple(found)


def match_dependences(
    levels: LevelArray, probability: FloatArray, m: dict[str, FloatArray], strength: float
) -> tuple[Dependence, ...]:
    """Return how the fields of matches depend on each other, from candidates' levels and probabilities of a match.

    What is missing tells who it is: records without names are children's, who move less often than adults, and the home
    is most of what those can be linked by. `strength` is what independence counts as, in matches at each level.
    """
    found = []
    for first, second, owned in _MATCH_EDGES:
        rows = np.zeros((len(COMPARISONS[first]) + 1, len(COMPARISONS[second]) + 1))
        columns = rows.shape[1]
        joint = levels[PLACE[first]].astype(np.int64) * columns + levels[PLACE[second]]
        counts = np.bincount(joint, probability, rows.size).reshape(rows.shape)[:, 1:]
        for level in (LEVEL[first][name] for name in owned):
            conditional = smoothed(second, counts[level], m[second], strength)
            rows[level, 1:] = np.log2(np.maximum(conditional, _LEAST_M) / np.maximum(m[second], _LEAST_M))
        found.append(Dependence(first=first, second=second, log2_matches=tuple(map(tuple, rows.tolist()))))
    return tuple(found)


def dependence_bits(
    levels: LevelArray,
    dependences: Sequence[Dependence],
    kind: Literal["strangers", "matches"],
    unless: Sequence[str] = (),
) -> FloatArray:
    """Return the sum of the dependences' log2 at each column of `levels` (comparisons, patterns).

    A dependence between two of the comparisons `unless` is left out.
    """
    bits = np.zeros(levels.shape[1])
    for dependence in dependences:
        table = dependence.log2_strangers if kind == "strangers" else dependence.log2_matches
        if table and not {dependence.first, dependence.second} <= set(unless):
            bits += np.asarray(table)[levels[PLACE[dependence.first]], levels[PLACE[dependence.second]]]
    return bits


def _lift(seen: FloatArray, expected: FloatArray) -> FloatArray:
    bits: FloatArray = np.log2((seen + PULL) / (expected + PULL))
    return bits


def _stratum(held: HeldSubjects, cuts: DiceCuts, column: str, generator: np.random.Generator) -> _Stratum:
    """Return pairs that agree on a column, drawn from each pair of sources."""
    words = np.ascontiguousarray(held.subjects.table[:, TOKEN_POSITION[column]])
    drawn = [agreeing_pairs(side, words, words, PER_STRATUM, generator) for side in linkable(held).values()]
    left, right = np.concatenate([d[1] for d in drawn]), np.concatenate([d[2] for d in drawn])
    weight = np.concatenate([np.full(len(d[1]), d[0] / max(len(d[1]), 1)) for d in drawn])
    scale = float(weight.mean()) if len(weight) else 1.0
    return _Stratum(_levels(held, cuts, left, right), weight / scale, scale)


def _levels(
    held: HeldSubjects, cuts: DiceCuts, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> LevelArray:
    return levels_of(compare(held.subjects, held.subjects, left, right, cuts)[1])


def _unlike(levels: LevelArray, comparisons: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return whether pairs look like strangers on every one of the comparisons."""
    unlike = np.ones(levels.shape[1], dtype=np.bool_)
    for name in comparisons:
        if name in _UNLIKE:
            unlike &= np.isin(levels[PLACE[name]], [LEVEL[name][level] for level in _UNLIKE[name]])
    return unlike


def _unlike_share(everyone: LevelArray, others: Sequence[str], m: dict[str, FloatArray]) -> float:
    """Return the share of matches that look like strangers on the other comparisons, as m and what is missing say."""
    share = 1.0
    for name in set(others) & set(_UNLIKE):
        agree = [LEVEL[name][level] not in {LEVEL[name][x] for x in _UNLIKE[name]} for level in COMPARISONS[name]]
        known = float(np.mean(everyone[PLACE[name]] != 0))
        share *= 1 - known * float(m[name][plain(name) & np.asarray(agree)].sum())
    return share
