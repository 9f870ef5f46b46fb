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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.disclosure.counts import Mask


@dataclass(frozen=True)
class Release:
    """People by cell, and the groups of cells that numbers were told of.

    `cells`: int32 of each person of the snapshot in its fixed order, -1 for nobody's. `groups`: one row a told
    number, one column a cell, 1 where the cell belongs to it.
    """

    cells: NDArray[np.int32]
    groups: sparse.csr_matrix

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Return how many people each group has."""
        held = self.cells[self.cells >= 0]
        counts = np.bincount(held, minlength=self.groups.shape[1])
        return np.asarray(self.groups @ counts, np.int64)

    @classmethod
    def of_table(cls, cells: NDArray[np.int32], shape: tuple[int, ...]) -> Release:
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
        return Release(self.cells, self.groups[np.flatnonzero(kept)])


def conflicts(new: Release, earlier: Iterable[Release], min_difference: int) -> Mask:
    """Return which groups of `new` differ from an earlier told one, or from its complement, by fewer people than
    allowed.

    A group that was told before is no conflict: its number is known already, and is the same by determinism. All
    releases number the people of one snapshot alike.
    """
    close = np.zeros(new.groups.shape[0], np.bool_)
    known = close.copy()
    sizes, everyone = new.sizes, len(new.cells)
    for old in earlier:
        old_sizes = old.sizes
        common = _common(new, old)
        rows, columns = common.nonzero()
        apart = sizes[rows] + old_sizes[columns] - 2 * np.asarray(common[rows, columns]).ravel()
        known[rows[apart == 0]] = True
        close[rows[(apart > 0) & (apart < min_difference)]] = True
        # Against the complement: two groups that make up everybody but a few. One of them must then be large.
        large = (everyone - min_difference) // 2
        for some, others in (
            (np.flatnonzero(sizes > large), np.arange(len(old_sizes))),
            (np.arange(len(sizes)), np.flatnonzero(old_sizes > large)),
        ):
            overlap = common[some][:, others].toarray()
            missed = everyone - (sizes[some, None] + old_sizes[None, others] - 2 * overlap)
            close[some[((missed > 0) & (missed < min_difference)).any(axis=1)]] = True
    return close & ~known


def _common(new: Release, old: Release) -> sparse.csr_matrix:
    """Return how many people each pair of groups has in common; pairs that have none are not stored."""
    both = (new.cells >= 0) & (old.cells >= 0)
    width = old.groups.shape[1]
    pairs = new.cells[both].astype(np.int64) * width + old.cells[both]
    places, counts = np.unique(pairs, return_counts=True)
    crossed = sparse.csr_matrix(
        (counts, (places // width, places % width)), shape=(new.groups.shape[1], width), dtype=np.int64
    )
    return (new.groups @ crossed @ old.groups.T).tocsr()
