"""One answer after another: two released groups that differ by a few people tell about those few.

A release puts every person of a snapshot into one cell, or none, and says something of groups of cells: a count of
one group and its denominator, a table of each published cell and margin. Comparing two releases is then one
cross-tabulation of their cells, whatever the number of groups.

What this does not stop: three or more answers combined, none two of which are close. The number of answers an
organisation gets from one snapshot is bounded for that reason, by whoever keeps the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.disclosure.counts import Counts, Mask

_DENSE_PAIRS: Final = 4_000_000
"""Pairs of cells up to which counting them all is faster than sorting the people: 32 MB of counters."""


@dataclass(frozen=True)
class Release:
    """People by cell, and the groups of cells that numbers were told of.

    `cells`: the cell of each person of the snapshot in its fixed order, negative for nobody's; kept in the
    narrowest type.
    `groups`: one row a told number, one column a cell, 1 where the cell belongs to it.
    """

    cells: NDArray[np.signedinteger]
    groups: sparse.csr_matrix
    _sums: list[NDArray[np.float64]] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Narrow the cells: a ledger holds hundreds of releases of every person."""
        width = self.groups.shape[1]
        narrow = np.int8 if width <= 127 else np.int16 if width <= 32_767 else np.int32
        object.__setattr__(self, "cells", self.cells.astype(narrow, copy=False))

    @property
    def sizes(self) -> Counts:
        """Return how many people each group has."""
        return np.asarray(self.groups @ self._cell_sums()[0], np.int64)

    @property
    def marks(self) -> list[tuple[int, float, float]]:
        """Return who each group has, as its size and two sums of 26-bit hashes of row numbers: equal for equal groups.

        Two different groups of one size have equal marks with a chance of 2 to the -52. The sums are exact in floating
        point: two million people make less than 2 to the 47.
        """
        first, second = (np.asarray(self.groups @ part).tolist() for part in self._cell_sums()[1:])
        return list(zip(self.sizes.tolist(), first, second, strict=True))

    def _cell_sums(self) -> list[NDArray[np.float64]]:
        """Return people and sums of hashes by cell; worked out once for a release and all that is told of it."""
        if not self._sums:
            held = self.cells >= 0
            cells, width = self.cells[held], self.groups.shape[1]
            parts = [None, *(part[held] for part in _row_hashes(len(self.cells)))]
            sums = (np.bincount(cells, weights=part, minlength=width) for part in parts)
            self._sums.extend(part.astype(np.float64) for part in sums)
        return self._sums

    @classmethod
    def of_table(cls, cells: NDArray[np.signedinteger], shape: tuple[int, ...]) -> Release:
        """Return the release of a whole table with margins: `cells` number the inner cells of `shape` in C order.

        Groups stand in the order of the table with margins, flattened in C order.
        """
        groups = sparse.csr_matrix(np.ones((1, 1), np.int64))
        for values in shape:
            axis = sparse.vstack([sparse.identity(values, np.int64), np.ones((1, values), np.int64)])
            groups = sparse.kron(groups, axis)
        return cls(cells, groups.tocsr())

    @property
    def digest(self) -> str:
        """Return SHA-256 of who is in which cell and which groups were told, as 64 hexadecimal digits."""
        told = self.groups.tocoo()
        order = np.lexsort((told.col, told.row))
        parts = (self.cells.astype("<i4"), told.row[order].astype("<i4"), told.col[order].astype("<i4"))
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()

    def told(self, kept: Mask) -> Release:
        """Return the release with only the groups that `kept` marks."""
        return Release(self.cells, self.groups[np.flatnonzero(kept)], self._sums)


@lru_cache(maxsize=4)
def _row_hashes(rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return two 26-bit numbers for each row number, by the SplitMix64 finaliser (Steele, Lea and Flood 2014)."""
    mixed = (np.arange(rows, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(38)).astype(np.float64), (mixed & np.uint64(2**26 - 1)).astype(np.float64)


def conflicts(new: Release, earlier: Iterable[Release], min_difference: int) -> Mask:
    """Return which groups of `new` differ from an earlier told one, or from its complement, by fewer people than
    allowed.

    A group that was told before is no conflict: its number is known already, and is the same by determinism. All
    releases number the people of one snapshot alike.
    """
    earlier = list(earlier)
    told = {mark for old in earlier for mark in old.marks}
    unknown = np.flatnonzero([mark not in told for mark in new.marks])
    close = np.zeros(new.groups.shape[0], np.bool_)
    fresh = new.told(np.isin(np.arange(len(close)), unknown))
    for old in earlier:
        if _may_be_close(fresh.sizes, old.sizes, len(new.cells), min_difference):
            close[unknown] |= _close(fresh, old, min_difference)
    return close


def _may_be_close(sizes: Counts, old_sizes: Counts, everyone: int, min_difference: int) -> bool:
    """Return whether sizes alone leave it open that a pair is close, or close to making up everybody.

    Groups differ by at least the difference of their sizes, and their sum misses or exceeds everybody by as many as
    they leave out or share at least: so most pairs of releases need no closer look.
    """
    ordered = np.sort(old_sizes)
    for wanted in (sizes, everyone - sizes):
        least, most = wanted - min_difference, wanted + min_difference
        if (np.searchsorted(ordered, most, "left") > np.searchsorted(ordered, least, "right")).any():
            return True
    return False


def _close(new: Release, old: Release, min_difference: int) -> Mask:
    sizes, old_sizes, everyone = new.sizes, old.sizes, len(new.cells)
    common = _common(new, old)
    rows, columns = common.nonzero()
    apart = sizes[rows] + old_sizes[columns] - 2 * np.asarray(common[rows, columns]).ravel()
    close = np.zeros(len(sizes), np.bool_)
    close[rows[apart < min_difference]] = True
    # Against the complement: two groups that make up everybody but a few. One of them must then be large.
    large = (everyone - min_difference) // 2
    for some, others in (
        (np.flatnonzero(sizes > large), np.arange(len(old_sizes))),
        (np.arange(len(sizes)), np.flatnonzero(old_sizes > large)),
    ):
        overlap = common[some][:, others].toarray()
        missed = everyone - (sizes[some, None] + old_sizes[None, others] - 2 * overlap)
        close[some[((missed > 0) & (missed < min_difference)).any(axis=1)]] = True
    return close


def _common(new: Release, old: Release) -> sparse.csr_matrix:
    """Return how many people each pair of groups has in common; pairs that have none are not stored."""
    both = (new.cells >= 0) & (old.cells >= 0)
    height, width = new.groups.shape[1], old.groups.shape[1]
    pairs = new.cells[both].astype(np.int64) * width + old.cells[both]
    if height * width <= _DENSE_PAIRS:
        crossed = sparse.csr_matrix(np.bincount(pairs, minlength=height * width).reshape(height, width))
    else:
        places, counts = np.unique(pairs, return_counts=True)
        crossed = sparse.csr_matrix((counts, (places // width, places % width)), shape=(height, width))
    return (new.groups @ crossed.astype(np.int64) @ old.groups.T).tocsr()
