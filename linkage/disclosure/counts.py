"""One count and its share: small ones withheld, the rest rounded, the complement minded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas.disclosure import CountRule

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


def too_small(counts: Counts, rule: CountRule) -> Mask:
    """Return where a count is withheld for its own sake: 1 to the rule's threshold, and 0 if the rule says so."""
    return (counts <= rule.suppress_up_to) & ((counts > 0) | rule.suppress_zero)


def leaves_too_few(counts: Counts, of: Counts, rule: CountRule, *, full: bool) -> Mask:
    """Return where a count is withheld because it is nearly all of `of`: the few others would be given away.

    With `full` also where it is all of them: then it says something of every single one.
    """
    rest = of - counts
    return (counts > 0) & (rest <= rule.suppress_up_to) & ((rest > 0) | full)


def rounded(counts: Counts, rule: CountRule) -> Counts:
    """Return counts to the nearest multiple of the rule's base, halves up, never down to 0 ("nobody")."""
    base = rule.round_to
    nearest = (counts + base // 2) // base * base
    return np.where(counts == 0, 0, np.maximum(nearest, base)).astype(np.int64)


def could_be(released: Counts, rule: CountRule) -> tuple[Counts, Counts]:
    """Return the lowest and the highest count that is released as each number: what an attacker can tell from it."""
    base = rule.round_to
    low = np.maximum(released - base // 2, rule.suppress_up_to + 1)
    low = np.where(released == base, rule.suppress_up_to + 1, low)
    high = released + base - 1 - base // 2
    none = released == 0
    return np.where(none, 0, low).astype(np.int64), np.where(none, 0, np.maximum(low, high)).astype(np.int64)


def release_count(count: int, rule: CountRule, of: int | None = None) -> int | None:
    """Return what may be said of `count` people, `of` a denominator that is told beside it; None when it is withheld.

    Withheld are small counts and small complements (`of - count`), and by the rule also none and all.
    """
    counts = np.array([count], np.int64)
    withheld = bool(too_small(counts, rule)[0])
    if of is not None and not withheld:
        withheld = bool(leaves_too_few(counts, np.array([of], np.int64), rule, full=rule.suppress_full)[0])
    return None if withheld else int(rounded(counts, rule)[0])


def release_percent(count: int | None, of: int | None) -> float | None:
    """Return the share in per cent, to one decimal, of two *released* counts; None where it cannot be told."""
    return None if count is None or not of else round(100 * count / of, 1)
