"""Precision and recall with intervals, from how many errors are expected among pairs.

The errors of a linkage are few, so their number is what is uncertain, and by a factor rather than by a sum: the model
may be wrong about all of them alike. Their number is given a gamma distribution: Poisson counting of an unknown rate
(Jeffreys' prior, one half of an error more than expected) made wider by what the fitted model leaves open and by what
models of this kind have been found to be wrong by (`decisions/0050`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import gamma

from schemas.quality import Estimate, NotEstimable

FEWEST_LINKS: Final = 100
"""Links an estimate needs: with fewer, half an error alone is half a point."""

MODEL_FALSE: Final = 0.5
MODEL_MISSED: Final = 0.4
"""Standard deviation of the natural logarithm of true against expected errors, false links and missed ones: what
models that fit their data still get wrong. Measured over populations in `decisions/0050`."""

_TAIL: Final = 0.025


@dataclass(frozen=True)
class Errors:
    """Pairs found, how many of them are expected to be false, and how many matches are expected to be missing.

    `false_spread` and `missed_spread` are standard deviations of the logarithm of the two, from whatever source.
    """

    found: int
    false: float
    missed: float
    false_spread: float = MODEL_FALSE
    missed_spread: float = MODEL_MISSED


def precision(errors: Errors) -> Estimate:
    """Return the expected share of true pairs among those found, with its 95 % interval."""
    if errors.found < FEWEST_LINKS:
        return Estimate(not_estimable=NotEstimable.TOO_FEW_LINKS)
    low, high = number_interval(errors.false, errors.false_spread)
    return interval(*(1 - min(number / errors.found, 1.0) for number in (errors.false, high, low)))


def recall(errors: Errors) -> Estimate:
    """Return the expected share of the matches that was found, with its 95 % interval."""
    if errors.found < FEWEST_LINKS:
        return Estimate(not_estimable=NotEstimable.TOO_FEW_LINKS)
    low, high = number_interval(errors.missed, errors.missed_spread)
    correct = max(errors.found - errors.false, 0.0)
    return interval(*(correct / max(correct + number, 1e-9) for number in (errors.missed, high, low)))


def number_interval(expected: float, spread: float) -> tuple[float, float]:
    """Return the 95 % interval of a number of errors: gamma with the mean and variance that counting and `spread` give.

    The expected number always lies within.
    """
    mean = expected + 0.5
    variance = mean + (spread * mean) ** 2
    low, high = gamma.ppf([_TAIL, 1 - _TAIL], mean**2 / variance, scale=variance / mean)
    return min(float(low), expected), max(float(high), expected)


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
