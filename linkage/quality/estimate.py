"""Precision and recall with intervals, from how many errors are expected among pairs.

The errors of a linkage are few, so it is their number that is uncertain. It is given a gamma distribution: counting
(with Jeffreys' half an error more than expected), made wider by what is not known of the probabilities: what the fitted
model leaves open, and by how much models of this kind were found to be wrong (`decisions/0091`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log, sqrt
from typing import Final

import numpy as np

from schemas.quality import Estimate, NotEstimable

FEWEST_LINKS: Final = 100
"""Links an estimate needs: with fewer, half an error alone is half a point."""

_TAIL: Final = 0.025
_TAIL_DEVIATIONS: Final = 1.959963984540054
"""How far out `_TAIL` is, in standard deviations of a normal distribution."""

_EXPANDED_FROM: Final = 50.0
"""Shape of a gamma distribution from which the expansion of its quantiles is right to 3e-8 of them."""


@dataclass(frozen=True)
class Errors:
    """Pairs found, how many of them are expected to be false, and how many matches are expected to be missing.

    `false_deviation` and `missed_deviation` are the standard deviations of the two numbers, counting with them.
    """

    found: int
    false: float
    missed: float
    false_deviation: float = 0.0
    missed_deviation: float = 0.0


def precision(errors: Errors) -> Estimate:
    """Return the expected share of true pairs among those found, with its 95 % interval."""
    if errors.found < FEWEST_LINKS:
        return Estimate(not_estimable=NotEstimable.TOO_FEW_LINKS)
    low, high = number_interval(errors.false, errors.false_deviation)
    return interval(*(1 - min(number / errors.found, 1.0) for number in (errors.false, high, low)))


def recall(errors: Errors) -> Estimate:
    """Return the expected share of the matches that was found, with its 95 % interval."""
    if errors.found < FEWEST_LINKS:
        return Estimate(not_estimable=NotEstimable.TOO_FEW_LINKS)
    low, high = number_interval(errors.missed, errors.missed_deviation)
    correct = max(errors.found - errors.false, 0.0)
    return interval(*(correct / max(correct + number, 1e-9) for number in (errors.missed, high, low)))


def number_interval(expected: float, deviation: float) -> tuple[float, float]:
    """Return the 95 % interval of a number of errors with this standard deviation: gamma, half an error added to mean
    and variance, out to whole numbers. The expected number always lies within.

    Beyond a standard deviation of 1.4 means, where the upper end is five times the mean, it grows no wider: a gamma
    distribution of more variance has its mass at 0.
    """
    mean = expected + 0.5
    variance = min(0.5 + deviation**2, 2 * mean**2)
    low, high = (number * variance / mean for number in gamma_interval(mean**2 / variance))
    return min(float(np.floor(low)), expected), max(float(np.ceil(high)), expected)


def gamma_interval(shape: float) -> tuple[float, float]:
    """Return the 2.5 and 97.5 % quantiles of a gamma distribution of scale 1.

    As SciPy's gammaincinv does, whose import takes as long as a twentieth of a small linkage.
    """
    if shape >= _EXPANDED_FROM:
        return _expanded(shape, -_TAIL_DEVIATIONS), _expanded(shape, _TAIL_DEVIATIONS)
    return _solved(shape, _TAIL), _solved(shape, 1 - _TAIL)


def _expanded(shape: float, z: float) -> float:
    """Return the quantile at `z` standard deviations of a normal one (Cornish-Fisher expansion to the sixth order;
    Goldberg and Levine, Ann Math Stat 1946, for chi-squared, which is twice a gamma of half its degrees of freedom).
    """
    s = sqrt(shape)
    terms = (
        (9 * z**5 + 256 * z**3 - 433 * z) / 38_880,
        -(3 * z**4 + 7 * z**2 - 16) / 810,
        (z**3 - 7 * z) / 36,
        (z**2 - 1) / 3,
        z,
    )
    total = (12 * z**6 - 243 * z**4 - 923 * z**2 + 1_472) / 204_120
    for term in terms:
        total = total / s + term
    return shape + s * total


def _solved(shape: float, probability: float) -> float:
    """Return a quantile by Newton's method on the logarithms of the probability and of the quantile.

    The logarithm of the probability is a concave function of that of the quantile, so that steps from below never go
    beyond; the first term of the probability's series gives a start below.
    """
    x = exp((log(probability) + lgamma(shape + 1)) / shape)
    while True:
        total = term = 1.0
        n = shape
        while term > 1e-16 * total:
            n += 1
            term *= x / n
            total += term
        # The series of the lower incomplete gamma function (Abramowitz and Stegun 6.5.29); its slope is shape / total.
        reached = shape * log(x) - x - lgamma(shape + 1) + log(total)
        step = (log(probability) - reached) * total / shape
        x *= exp(step)
        if step < 1e-12:
            return x


def share_interval(count: int, of: int) -> Estimate:
    """Return a counted share with Wilson's 95 % interval (Wilson, J Am Stat Assoc 1927); `of` must not be 0."""
    share, z = count / of, 1.959964
    centre = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return interval(share, float(centre - half), float(centre + half))


def interval(value: float, low: float, high: float) -> Estimate:
    """Return an estimate to six decimals whose interval contains its value whatever rounding does."""
    value, low, high = (round(min(max(number, 0.0), 1.0), 6) for number in (value, low, high))
    return Estimate(value=value, low=min(low, value), high=max(high, value))
