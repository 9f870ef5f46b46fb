"""A check against labels of a kind: hide a key that people carry, link again, and see whether the key agrees.

Where two subjects that may be linked both have an NHS number, or both a National Insurance number, an equal one says
that they are one person as well as anything does (a gold standard for a part of the data, Harron et al., Int J
Epidemiol 2017). The part is those who have the key, and a key that was mistaken counts against the linkage.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.quality.estimate import share_interval
from linkage.quality.evidence import Census
from linkage.subjects import IntArray, UInt64Array
from schemas.quality import Estimate, KeyCheck, NotEstimable

FEWEST_PAIRS: Final = 50
"""Pairs that share the key, or that were found among those who have it, for a share to be told."""

MOST_HOLDERS: Final = 10
"""Subjects with one key beyond which it is a dummy and nobody's."""


def key_check(
    key: str, census: Census, label: IntArray, word: UInt64Array, one_record_per_person: tuple[bool, ...]
) -> KeyCheck:
    """Return how a linkage made without a key agrees with it.

    `label` (n) is the person that each subject was put into, `word` (n) its key as a number, 0 for none;
    `one_record_per_person` is by source: within such a source no two subjects are a pair.
    """
    word = word.copy()
    held, count = np.unique(word, return_counts=True)
    word[np.isin(word, held[count > MOST_HOLDERS])] = 0
    keyed = np.flatnonzero(word)
    source, unique = census.source[keyed].astype(np.int64), np.asarray(one_record_per_person, dtype=np.bool_)
    value = np.unique(word[keyed], return_inverse=True)[1]
    person = np.unique(label[keyed], return_inverse=True)[1]
    together = np.unique(np.stack([person, value]), axis=1, return_inverse=True)[1].ravel()
    true, found, right = (_pairs(group, source, unique) for group in (value, person, together))
    return KeyCheck(
        key=key,
        true_pairs=true,
        found_pairs=found,
        precision=_share(right, found),
        recall=_share(right, true),
    )


def _pairs(group: IntArray, source: IntArray, unique: npt.NDArray[np.bool_]) -> int:
    """Return how many pairs of one group there are, without those within a source of unique people."""
    within = group * len(unique) + source
    size = np.bincount(group)
    inside = np.bincount(within)
    numbers = np.arange(len(inside)) % max(len(unique), 1)
    not_pairs = (inside * (inside - 1) // 2)[unique[numbers]].sum() if len(inside) else 0
    return int((size * (size - 1) // 2).sum() - not_pairs)


def _share(right: int, of: int) -> Estimate:
    return share_interval(right, of) if of >= FEWEST_PAIRS else Estimate(not_estimable=NotEstimable.NO_KEY)
