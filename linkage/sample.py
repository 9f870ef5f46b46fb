"""Pairs drawn by a seeded generator from those that may be linked: at random, or among those that agree on a key.

What can be linked is a list of *sides*: two sources, or a source that may repeat people with itself. Pairs that agree
on a key are far too rare to meet at random, so each kind of agreement is a stratum of its own, counted exactly and
drawn from evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.held import HeldSubjects
from linkage.subjects import IntArray, UInt64Array, mix

_LOW: Final = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True)
class Sides:
    """Rows of two sources that may be linked with one another; `right` is None for a source with itself."""

    left: IntArray
    right: IntArray | None

    @property
    def pairs(self) -> int:
        """Return how many pairs there are."""
        count = len(self.left)
        return count * (count - 1) // 2 if self.right is None else count * len(self.right)


def linkable(held: HeldSubjects) -> dict[tuple[str, str], Sides]:
    """Return the alive rows of each pair of sources that may hold one person twice, by source names in order."""
    subjects, alive = held.subjects, held.alive
    rows = {name: np.flatnonzero(alive & (subjects.source == code)) for code, name in enumerate(subjects.sources)}
    sides = {}
    for name in sorted(rows):
        for other in sorted(rows):
            if name < other and len(rows[name]) and len(rows[other]):
                sides[name, other] = Sides(rows[name], rows[other])
        if not subjects.unique[subjects.sources.index(name)] and len(rows[name]) > 1:
            sides[name, name] = Sides(rows[name], None)
    return sides


def random_pairs(sides: Sequence[Sides], count: int, generator: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Return about `count` random pairs, spread over the sides by their numbers of pairs; all are different people's
    rows, but some may be of one person."""
    total = sum(side.pairs for side in sides)
    left, right = [], []
    for side in sides:
        wanted = -(-count * side.pairs // max(total, 1))
        others = side.left if side.right is None else side.right
        one = side.left[generator.integers(0, len(side.left), wanted)]
        two = others[generator.integers(0, len(others), wanted)]
        left.append(one[one != two])
        right.append(two[one != two])
    return np.concatenate(left), np.concatenate(right)


def agreeing_pairs(
    side: Sides, left_keys: UInt64Array, right_keys: UInt64Array, limit: int, generator: np.random.Generator
) -> tuple[int, IntArray, IntArray]:
    """Return (how many pairs agree on a key, and up to `limit` of them drawn evenly as rows).

    Keys are by row of the whole store, 0 = missing. For a source with itself each pair may come in either order.
    """
    one = _by_key(side.left, left_keys)
    two = (
        one
        if side.right is None and left_keys is right_keys
        else _by_key(side.left if side.right is None else side.right, right_keys)
    )
    _, at_one, at_two = np.intersect1d(one.values, two.values, assume_unique=True, return_indices=True)
    per_key = one.counts[at_one] * two.counts[at_two]
    ends = np.cumsum(per_key)
    total = int(ends[-1]) if len(ends) else 0
    drawn = np.arange(total) if total <= limit else np.sort(generator.integers(0, total, limit))
    key = np.searchsorted(ends, drawn, side="right")
    offset = drawn - (ends[key] - per_key[key])
    left = one.rows[one.starts[at_one[key]] + offset // two.counts[at_two[key]]]
    right = two.rows[two.starts[at_two[key]] + offset % two.counts[at_two[key]]]
    different = left != right
    if side.right is not None:
        return total, left, right
    # Each pair is met in both orders here, and each row with itself.
    return (total - int(one.counts[at_one].sum() if one is two else 0)) // 2, left[different], right[different]


def pairs_per_key(side: Sides, keys: UInt64Array, most: int) -> int:
    """Return how many pairs agree on a key when no key counts more than `most` rows of a side."""
    one = _by_key(side.left, keys)
    held = np.minimum(one.counts, most)
    if side.right is None:
        return int((held * (held - 1) // 2).sum())
    two = _by_key(side.right, keys)
    _, at_one, at_two = np.intersect1d(one.values, two.values, assume_unique=True, return_indices=True)
    return int((held[at_one] * np.minimum(two.counts[at_two], most)).sum())


def block_sizes(side: Sides, keys: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.uint32], IntArray]:
    """Return (blocking keys that rows of both sides have, how many pairs each finds); 0 is no key."""
    one, count = np.unique(keys[side.left], return_counts=True)
    if side.right is None:
        shared, pairs = one, count * (count - 1) // 2
    else:
        two, others = np.unique(keys[side.right], return_counts=True)
        shared, at_one, at_two = np.intersect1d(one, two, assume_unique=True, return_indices=True)
        pairs = count[at_one] * others[at_two]
    return shared[shared != 0], pairs[shared != 0].astype(np.int64)


@dataclass(frozen=True)
class _Grouped:
    """Rows grouped by key: group i has key hash `values[i]` and the rows from `starts[i]` on, `counts[i]` of them."""

    values: UInt64Array
    starts: IntArray
    counts: IntArray
    rows: IntArray


def _by_key(rows: IntArray, keys: UInt64Array) -> _Grouped:
    """Return rows that have a key, grouped by its 32-bit hash.

    Hash and row make one word, since plain words sort several times faster than positions do. A chance agreement of two
    hashes adds a pair in four thousand million, whose comparison then says that it differs.
    """
    words = keys[rows]
    there = words != 0
    words = (mix(words[there]) & ~_LOW) | rows[there].astype(np.uint64)
    words.sort()
    hashes = words >> np.uint64(32)
    starts = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])) if len(words) else np.zeros(0, dtype=np.int64)
    counts = np.diff(np.append(starts, len(words)))
    return _Grouped(hashes[starts], starts, counts, (words & _LOW).astype(np.int64))
