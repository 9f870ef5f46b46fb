"""Distributions over the levels of a comparison: counting them where some levels say less than others.

A union level (`schemas.model.UNIONS`) says that one of several levels holds. Its count is shared among them in
proportion to what is believed of them, and its probability is their sum, so that less is known and nothing is assumed.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from schemas.model import COMPARISONS, UNIONS

FloatArray = npt.NDArray[np.float64]


@cache
def membership(comparison: str) -> npt.NDArray[np.float64]:
    """Return which plain levels each level stands for, (levels, levels) of 0 and 1; a plain level stands for itself."""
    names = COMPARISONS[comparison]
    table = np.eye(len(names))
    for union, members in UNIONS.get(comparison, {}).items():
        table[names.index(union)] = [float(name in members) for name in names]
    return table


@cache
def plain(comparison: str) -> npt.NDArray[np.bool_]:
    """Return whether each level is no union, (levels) bool."""
    unions = UNIONS.get(comparison, {})
    return np.asarray([name not in unions for name in COMPARISONS[comparison]])


def with_unions(comparison: str, probabilities: FloatArray) -> FloatArray:
    """Return probabilities (levels) with the plain levels scaled to sum 1 and each union set to its members' sum."""
    kept = np.where(plain(comparison), probabilities, 0.0)
    total: FloatArray = membership(comparison) @ (kept / kept.sum())
    return total


def shared_out(comparison: str, counts: FloatArray, believed: FloatArray) -> FloatArray:
    """Return counts (levels) with those of unions shared among their members as `believed`; unions get 0."""
    table = membership(comparison)
    weight = table * np.where(plain(comparison), believed, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    # Where none of the members is believed possible, they share alike.
    even = table * plain(comparison)
    share = np.where(total > 0, weight / np.where(total > 0, total, 1.0), even / even.sum(axis=1, keepdims=True))
    spread: FloatArray = counts @ share
    return spread


def smoothed(comparison: str, counts: FloatArray, towards: FloatArray, strength: float) -> FloatArray:
    """Return the distribution (levels) of counts, pulled towards another as by `strength` further observations of it.

    Counts on unions are shared out in proportion to the result itself (expectation-maximisation for partly seen
    categories).
    """
    target = np.where(plain(comparison), with_unions(comparison, towards), 0.0)
    estimate = target
    for _ in range(30 if counts[~plain(comparison)].any() else 1):
        found = shared_out(comparison, counts, estimate) + strength * target
        estimate = found / found.sum()
    return with_unions(comparison, estimate)
