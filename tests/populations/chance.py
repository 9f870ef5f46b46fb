"""Chance from the seed: one named stream a decision, so that a new decision moves no other."""

from __future__ import annotations

from zlib import crc32

import numpy as np


class Chance:
    """Streams of chance that depend on the seed and their name alone."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, name: str) -> np.random.Generator:
        """Return the stream `name`, from its beginning."""
        return np.random.default_rng([self._seed, crc32(name.encode())])
