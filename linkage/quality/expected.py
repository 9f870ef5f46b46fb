"""How many errors are expected: false links and missed matches, of every subject and of persons.

A link is false with one minus its probability. A match is missed where a pair was not linked although it has some
probability, or where it was never emitted: too little evidence, or no blocking pass in common. How many of those there
are is the old question of animals that no trap caught: with f1 matches caught by one pass only and f2 by two, at least
f1(f1 - 1) / (2(f2 + 1)) were caught by none (Chao, Biometrics 1987, bias-corrected). Passes overlap, which makes it a
little too many; that it counts pairs below the emission threshold too was found by measurement (`decisions/0051`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage.quality.evidence import Evidence, FloatArray
from linkage.subjects import IntArray

FEWEST_CAUGHT_TWICE: Final = 5.0
"""Expected matches that exactly two passes found, below which nothing is said of those that none did."""


@dataclass(frozen=True)
class Expected:
    """By subject (n): `links` that were made, how many of them are expected `false`, how many matches were `missed`.

    `missed` has the `beyond` part in it. `false_swing` and `missed_swing` are by how much the two would change if all
    log odds moved by one (natural) unit: the sums of p(1 - p). A pair counts for both of its subjects. `beyond_known`
    says whether the number of matches beyond reach could be told, `beyond_variance` is that of their total.
    """

    links: FloatArray
    false: FloatArray
    false_swing: FloatArray
    missed: FloatArray
    missed_swing: FloatArray
    beyond: FloatArray
    beyond_variance: float
    beyond_known: bool


def expected(evidence: Evidence) -> Expected:
    """Return the expected errors among links, by subject."""
    size = len(evidence.label)
    made = evidence.between & evidence.linked
    apart = evidence.between & ~evidence.linked
    once = np.where(evidence.between & (evidence.passes == 1), evidence.probability, 0.0)
    twice = float(evidence.probability[evidence.between & (evidence.passes == 2)].sum())
    number, variance = uncaught(float(once.sum()), twice)
    # Those that no pass finds are of the kind that one finds: sparse subjects and changed ones.
    beyond = _by_subject(evidence, once, size) * (number / max(float(once.sum()), 1e-9))
    missed = _by_subject(evidence, np.where(apart, evidence.probability, 0.0), size)
    swing = evidence.probability * (1 - evidence.probability)
    return Expected(
        links=_by_subject(evidence, made.astype(np.float64), size),
        false=_by_subject(evidence, np.where(made, 1 - evidence.probability, 0.0), size),
        false_swing=_by_subject(evidence, np.where(made, swing, 0.0), size),
        missed=missed + beyond,
        missed_swing=_by_subject(evidence, np.where(apart, swing, 0.0), size),
        beyond=beyond,
        beyond_variance=variance,
        beyond_known=twice >= FEWEST_CAUGHT_TWICE,
    )


def uncaught(once: float, twice: float) -> tuple[float, float]:
    """Return (how many matches no pass found, the variance of that), from those found by exactly one and two passes.

    Variance after Chao (Biometrics 1987, equation 7).
    """
    number = once * max(once - 1, 0.0) / (2 * (twice + 1))
    ratio = once / (twice + 1)
    return number, (twice + 1) * (ratio**4 / 4 + ratio**3 + ratio**2 / 2)


def expected_persons(evidence: Evidence, beyond: float) -> dict[str, float]:
    """Return the same sums over pairs within persons, within files too: `links`, `false`, `missed` and so on.

    Two subjects of a person that have no pair of their own are one through a third: as likely as both their own links.
    """
    _, person, size = np.unique(evidence.label, return_inverse=True, return_counts=True)
    found = int((size * (size - 1) // 2).sum())
    inside, apart = evidence.linked, ~evidence.linked
    left, right, probability = evidence.left[inside], evidence.right[inside], evidence.probability[inside]
    sure = np.zeros(len(person))
    np.maximum.at(sure, left, probability)
    np.maximum.at(sure, right, probability)
    total = np.bincount(person, weights=sure, minlength=len(size))
    squares = np.bincount(person, weights=sure**2, minlength=len(size))
    through = float(((total**2 - squares) / 2).sum()) - float((sure[left] * sure[right]).sum())
    swing = evidence.probability * (1 - evidence.probability)
    return {
        "links": float(found),
        "false": max(found - float(probability.sum()) - max(through, 0.0), 0.0),
        "false_swing": float(swing[inside].sum()),
        "missed": float(evidence.probability[apart].sum()) + beyond,
        "missed_swing": float(swing[apart].sum()),
        "beyond": beyond,
    }


def _by_subject(evidence: Evidence, weight: FloatArray, size: int) -> FloatArray:
    """Return the sum of pairs' weights by subject; a pair counts for both of its ends."""
    at = np.flatnonzero(weight)
    ends: IntArray = np.concatenate([evidence.left[at], evidence.right[at]])
    total = np.bincount(ends, weights=np.concatenate([weight[at], weight[at]]), minlength=size)
    return total.astype(np.float64)
