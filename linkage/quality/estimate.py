"""Precision and recall with intervals, from how many errors are expected among pairs.

The errors of a linkage are few, so it is their number that is uncertain. It is given a gamma distribution: Poisson
counting of an unknown rate (Jeffreys' prior, half an error more than expected), made wider by what is not known of the
rate: what the fitted model leaves open, and by how much models of this kind were found to be wrong (`decisions/0050`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammaincinv

from schemas.quality import Estimate, NotEstimable

FEWEST_LINKS: Final = 100
"""Links an estimate needs: with fewer, half an error alone is half a point."""

_TAIL: Final = 0.025


@dataclass(frozen=True)
class Errors:
    """Pairs found, how many of them are expected to be false, and how many matches are expected to be missing.

    `false_deviation` and `missed_deviation` are the standard deviations of the two expected numbers, counting apart.
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
    """Return the 95 % interval of a number of errors: gamma with the mean and variance that counting and the standard
    deviation of the expected number give, out to whole numbers. The expected number always lies within.

    Beyond a standard deviation of 1.4 means, where the upper end is five times the mean, it grows no wider: a gamma
    distribution of more variance has its mass at 0.
    """
    mean = expected + 0.5
    variance = min(mean + deviation**2, 2 * mean**2)
    # gammaincinv is the quantile of a gamma distribution of scale 1.
    low, high = gammaincinv(mean**2 / variance, [_TAIL, 1 - _TAIL]) * variance / mean
    return min(float(np.floor(low)), expected), max(float(np.ceil(high)), expected)


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
