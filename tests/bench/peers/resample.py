"""The paired bootstrap: how far a difference of two F1 could have come about by who happens to be in the set.

Persons are drawn with replacement, as many as there are, and both linkages are scored on the same draw (Efron and
Tibshirani 1993, chapters 8 and 13: paired resampling, percentile interval). Persons whom both linkages treat alike
count alike, so it is enough to draw how many of each kind there are: one multinomial draw a replicate over a few dozen
kinds, exactly what drawing every person would give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.bench.peers.judge import Tallies

REPLICATES: Final = 2_000
SEED: Final = 1


@dataclass(frozen=True)
class Difference:
    """One F1 minus another, and its 95 % interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return it as plain values."""
        return {"value": self.value, "low": self.low, "high": self.high}


def f1_difference(ours: Tallies, theirs: Tallies, replicates: int = REPLICATES, seed: int = SEED) -> Difference:
    """Return the F1 of `ours` minus that of `theirs`, both tallies of the same persons in the same order."""
    kinds, counts = np.unique(np.hstack([ours, theirs]), axis=0, return_counts=True)
    people = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(people, counts / people, size=replicates)
    sums = np.vstack([counts, drawn]) @ kinds
    difference = _f1(sums[:, :3]) - _f1(sums[:, 3:])
    low, high = np.percentile(difference[1:], [2.5, 97.5])
    return Difference(float(difference[0]), float(low), float(high))


def _f1(sums: Tallies) -> Tallies:
    """Return F1 of rows of correct, found and true; 1 where there is nothing to find and nothing was found."""
    correct, found, true = sums.T
    both = found + true
    f1: Tallies = np.divide(2 * correct, both, out=np.ones_like(both), where=both > 0)
    return f1
