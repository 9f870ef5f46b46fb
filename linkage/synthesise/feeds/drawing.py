"""The draws that every subject makes: whom something happens to, how often and when."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linkage.synthesise.chance import Flags, Floats, Ints
from linkage.synthesise.world import REFERENCE_DAY

Rates = NDArray[Any]
"""Probabilities or expected numbers, one a row; flags among them count as 0 and 1."""


def who(draw: np.random.Generator, likely: Rates) -> Ints:
    """Return the rows that a chance of their own picks; every row draws, picked or not."""
    return np.flatnonzero(draw.random(len(likely)) < likely)


def flags(draw: np.random.Generator, likely: Rates) -> Flags:
    """Return for each row whether a chance of its own picks it."""
    picked: Flags = draw.random(len(likely)) < likely
    return picked


def events(draw: np.random.Generator, expected: Rates) -> Ints:
    """Return the owner of each event: everybody has a Poisson number of them around what is expected."""
    return np.repeat(np.arange(len(expected)), draw.poisson(np.maximum(expected, 0.0)))


def ago(draw: np.random.Generator, count: int, least: int, most: int) -> Ints:
    """Return `count` days, from `most` to `least` days before the reference day."""
    return REFERENCE_DAY - draw.integers(least, most + 1, size=count)


def logistic(value: Floats) -> Floats:
    """Return the probability of log odds."""
    odds: Floats = 1.0 / (1.0 + np.exp(-value))
    return odds


def one_of(draw: np.random.Generator, shares: tuple[float, ...], count: int) -> Ints:
    """Return `count` choices with these shares, any scale."""
    cumulative = np.cumsum(shares)
    return np.searchsorted(cumulative / cumulative[-1], draw.random(count), side="right")
