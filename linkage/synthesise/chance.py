"""Named streams of chance: one seed, one independent generator for each thing that is decided.

Each decision has a stream of its own, so that a later addition draws from a new stream and leaves every earlier one
as it was: that is how accuracy stays comparable over versions.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


class Chance:
    """The source of every draw of one population."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def stream(self, name: str) -> np.random.Generator:
        """Return the generator of one named decision; the same name gives the same draws again."""
        return np.random.default_rng([self._seed, crc32(name.encode())])


def pick(cumulative: Floats, draws: Floats) -> Ints:
    """Return for each uniform draw in [0, 1) the index that the cumulative probabilities give it."""
    return np.minimum(np.searchsorted(cumulative, draws, side="right"), len(cumulative) - 1)


def pick_by_row(weights: Floats, draws: Floats) -> Ints:
    """Return for each row of `weights` (rows x choices, any scale) the choice that its uniform draw gives."""
    cumulative = np.cumsum(weights, axis=1)
    chosen: Ints = (cumulative < (draws * cumulative[:, -1])[:, None]).sum(axis=1, dtype=np.int64)
    capped: Ints = np.minimum(chosen, weights.shape[1] - 1)
    return capped


def scatter(values: Ints, salt: int) -> Ints:
    """Return fixed pseudo-random non-negative integers for integers (splitmix64): no seed, so the same for
    everybody.
    """
    with np.errstate(over="ignore"):
        mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(salt + 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(2)).astype(np.int64)
