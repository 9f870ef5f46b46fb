"""Whether a window of counts is of another distribution than its reference: the population stability index.

PSI = sum over buckets of (q - p) ln(q / p): the symmetric Kullback-Leibler divergence of two discrete distributions. By
the convention of credit scoring (Siddiqi, Credit Risk Scorecards, 2006) 0.25 is a shift to act on. Where nothing has
shifted the index is about (1/n + 1/m) times a chi-squared variable with one degree of freedom less than buckets
(Yurdakul and Naranjo, Journal of Risk Model Validation 14(4), 2020): how much small counts can show by chance.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import chdtri

from linkage.subjects import IntArray

SHIFTED: Final = 0.25
"""Index from which a shift is one to act on."""

CHANCE: Final = 1e-5
"""Probability with which a feed that has not shifted may seem so in one measure of one window, by chance alone."""

_LEAST_COUNT: Final = 20  # observations below which a window or a reference says nothing


def stability_index(reference: IntArray, window: IntArray) -> float:
    """Return the population stability index of two vectors of counts by bucket; half a count is added to each bucket,
    so that an empty one is rare rather than impossible.
    """
    p, q = (np.asarray(counts, dtype=np.float64) + 0.5 for counts in (reference, window))
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def has_shifted(reference: IntArray, window: IntArray) -> bool:
    """Return whether the window's index reaches `SHIFTED` and is beyond chance."""
    m, n = int(np.sum(reference)), int(np.sum(window))
    if min(m, n) < _LEAST_COUNT:
        return False
    filled = int(((np.asarray(reference) + np.asarray(window)) > 0).sum())
    by_chance = (1 / n + 1 / m) * float(chdtri(max(filled - 1, 1), CHANCE))
    return stability_index(reference, window) >= max(SHIFTED, by_chance)
