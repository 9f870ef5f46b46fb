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

    `missed` has the `beyond` part in it. A pair counts for both of its subjects. `beyond_known` says whether the number
    of matches beyond reach could be told, `beyond_variance` is that of their total.
    """

    links: FloatArray
    false: FloatArray
    missed: FloatArray
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
    return Expected(
        links=_by_subject(evidence, made.astype(np.float64), size),
        false=_by_subject(evidence, np.where(made, 1 - evidence.probability, 0.0), size),
        missed=missed + beyond,
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


def expected_persons(evidence: Evidence, beyond: float) -> tuple[int, float, float]:
    """Return (pairs within persons, how many of them are expected to be false, how many pairs of one person are
    missing).

    Two subjects of a person that have no pair of their own are one through a third: as likely as both their own links.
    A missed match keeps all subjects of the one person from all of the other's.
    """
    _, person, size = np.unique(evidence.label, return_inverse=True, return_counts=True)
    found = int((size * (size - 1) // 2).sum())
    inside = evidence.linked
    left, right, probability = evidence.left[inside], evidence.right[inside], evidence.probability[inside]
    sure = np.zeros(len(person))
    np.maximum.at(sure, left, probability)
    np.maximum.at(sure, right, probability)
    total = np.bincount(person, weights=sure, minlength=len(size))
    squares = np.bincount(person, weights=sure**2, minlength=len(size))
    through = float(((total**2 - squares) / 2).sum()) - float((sure[left] * sure[right]).sum())
    correct = min(float(probability.sum()) + max(through, 0.0), float(found))

    apart = np.flatnonzero(~evidence.linked)
    ends = np.sort(np.stack([person[evidence.left[apart]], person[evidence.right[apart]]]), axis=0)
    _, place = np.unique(ends, axis=1, return_inverse=True)
    best = np.zeros(len(apart))
    np.maximum.at(best, place.ravel(), evidence.probability[apart])
    one = np.zeros(len(apart), dtype=np.int64)
    one[place.ravel()] = size[ends[0]] * size[ends[1]]
    return found, found - correct, float((best * one).sum()) + beyond


def _by_subject(evidence: Evidence, weight: FloatArray, size: int) -> FloatArray:
    """Return the sum of pairs' weights by subject; a pair counts for both of its ends."""
    ends: IntArray = np.concatenate([evidence.left, evidence.right])
    total: FloatArray = np.bincount(ends, weights=np.concatenate([weight, weight]), minlength=size)
    return total
