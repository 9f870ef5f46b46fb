"""Cells and margins of a table together: what one number hides, its neighbours must not tell.

Three steps. Every entry, margins too, is protected on its own (small, or all but a few of the line it stands in).
Then the table is read as an attacker would: each published number is known to lie in its rounding interval, each
withheld one to be small, and every line must add up; bounds are tightened until nothing moves. Where that leaves
too few values for a withheld small count, the smallest published number beside it is withheld as well, and the
reading starts over. Last, what is left is rounded, each entry by itself, so that rows need not add up to their
totals.

Margins are protected whether they are asked for or not: asking for them cannot change a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage.disclosure.counts import Counts, Mask, could_be, leaves_too_few, rounded, too_small
from schemas.disclosure import CountRule

_UNBOUNDED: Final = 1 << 40
"""Above every count of people; far enough below 2**63 that sums over a table stay exact."""
_MAX_READINGS: Final = 64


@dataclass(frozen=True)
class ReleasedTable:
    """A table with its margins: the last index of each axis is the total. `values` are 0 where `suppressed`."""

    values: Counts
    suppressed: Mask


def with_margins(cells: Counts) -> Counts:
    """Return the table with totals as the last entry of every axis."""
    table = np.asarray(cells, np.int64)
    for axis in range(table.ndim):
        table = np.concatenate([table, table.sum(axis=axis, keepdims=True)], axis=axis)
    return table


def release_table(cells: Counts, rule: CountRule, sensitive: tuple[bool, ...]) -> ReleasedTable:
    """Return what may be said of a table of counts (one axis a dimension, without margins), margins added.

    `sensitive` says of each axis whether being all in one of its values tells something of everybody there (not so
    for an area or an age band).
    """
    counts = with_margins(cells)
    small = too_small(counts, rule)
    suppressed = small.copy()
    for axis, telling in enumerate(sensitive):
        total = counts.take([-1], axis=axis)
        inner = np.arange(counts.shape[axis]) < counts.shape[axis] - 1
        shape = [-1 if at == axis else 1 for at in range(counts.ndim)]
        nearly_all = leaves_too_few(counts, total, rule, full=telling and rule.suppress_full)
        suppressed |= nearly_all & inner.reshape(shape)
    while True:
        exposed = _exposed(counts, small, suppressed, rule)
        if not exposed.any():
            break
        further = _beside(counts, exposed, suppressed)
        if not further.any():
            break
        suppressed |= further
    return ReleasedTable(np.where(suppressed, 0, rounded(counts, rule)), suppressed)


def _exposed(counts: Counts, small: Mask, suppressed: Mask, rule: CountRule) -> Mask:
    """Return which withheld small counts an attacker could narrow down to fewer than half of the small values."""
    low, high = could_be(rounded(counts, rule), rule)
    low = np.where(suppressed, 0, low)
    high = np.where(suppressed, _UNBOUNDED, high)
    # The attacker is granted which of the withheld ones are small, which the release does not say.
    low = np.where(small, 0 if rule.suppress_zero else 1, low)
    high = np.where(small, rule.suppress_up_to, high)
    for _ in range(_MAX_READINGS):
        before = (low, high)
        for axis in range(counts.ndim):
            low, high = _tightened(low, high, axis)
        if np.array_equal(before[0], low) and np.array_equal(before[1], high):
            break
    return small & (high - low + 1 < (rule.suppress_up_to + 1) // 2)


def _tightened(low: Counts, high: Counts, axis: int) -> tuple[Counts, Counts]:
    """Return the bounds after one look at every line along an axis: its parts add up to its total."""
    low, high = np.moveaxis(low, axis, -1).copy(), np.moveaxis(high, axis, -1).copy()
    least, most = low[..., :-1].sum(-1), high[..., :-1].sum(-1)
    low[..., -1] = np.maximum(low[..., -1], least)
    high[..., -1] = np.minimum(high[..., -1], most)
    total_low, total_high = low[..., -1:], high[..., -1:]
    part_low = np.maximum(low[..., :-1], total_low - (most[..., None] - high[..., :-1]))
    part_high = np.minimum(high[..., :-1], total_high - (least[..., None] - low[..., :-1]))
    low[..., :-1], high[..., :-1] = part_low, part_high
    return np.moveaxis(low, -1, axis), np.moveaxis(high, -1, axis)


def _beside(counts: Counts, exposed: Mask, suppressed: Mask) -> Mask:
    """Return, for each exposed entry, the smallest published one on a line with it (the first of equals).

    Where its lines hold none any more, a total of totals that counts it tells of it, and if there is none, any other.
    """
    further = np.zeros_like(suppressed)
    published = np.argwhere(~suppressed)
    for place in np.argwhere(exposed):
        unlike = published != place
        for candidates in (
            published[unlike.sum(axis=1) == 1],
            published[(~unlike | (published == np.array(counts.shape) - 1)).all(axis=1)],
            published,
        ):
            if len(candidates):
                further[min((int(counts[tuple(at)]), tuple(map(int, at))) for at in candidates)[1]] = True
                break
    return further
