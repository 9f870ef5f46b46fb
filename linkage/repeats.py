"""How many records people have in a source that may repeat them, and what that says of whether two groups are one.

A partition of a source's n records into people in which N_k people have k records each is, a priori, as likely as any
other with the same numbers. So the odds that two given groups of a and b records are one person's stand at

    (a + b choose a) N_{a+b} / (N_a N_b)

(a Kolchin partition; Zanella et al., "Flexible models for microclustering", 2016), where those of any two records are
2 M / n**2, M being the pairs of one person. Their ratio is what the numbers say of joining the two groups, beyond what
a pair's prior does: a person of four records is likelier to have a fifth than two records are to be one person's
where many have five, and a pair is not to be joined with a third where hardly anybody has three.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, log2
from typing import Final

import numpy as np

from linkage.decide import FloatArray, IntArray

MOST_RECORDS: Final = 24
"""Records of a person that are told apart; whoever has more counts as having so many."""

FEWEST_SEEN: Final = 10.0
"""Sampled records of people of one size, from which on that size counts as one that people have."""

_LEAST_SEEN: Final = 0.5
_LEAST_PROBABILITY: Final = 1e-4


def shares_by_size(row: IntArray, probability: FloatArray, rows: int) -> tuple[float, ...]:
    """Return which share of a source's records belong to people of 1, 2, ... records, and last of all larger ones.

    `row` numbers the sampled record of each candidate within the source and `probability` is that of the candidate
    being a match; `rows` is the number of sampled records. The matches of a record are reckoned as independent. Sizes
    end with the last of which `FEWEST_SEEN` records are expected.
    """
    likely = probability > _LEAST_PROBABILITY
    row, probability = row[likely], probability[likely]
    order = np.lexsort((-probability, row))
    _, start, unit = np.unique(row[order], return_index=True, return_inverse=True)
    chance, rank = probability[order], np.arange(len(order)) - start[unit]
    matches = np.zeros((start.size, MOST_RECORDS))
    matches[:, 0] = 1.0
    for place in range(int(rank.max(initial=-1)) + 1):
        at = rank == place
        one, before = chance[at][:, None], matches[unit[at]]
        after = before * (1 - one)
        after[:, 1:] += before[:, :-1] * one
        after[:, -1] += before[:, -1] * one[:, 0]
        matches[unit[at]] = after
    seen = matches.sum(axis=0)
    seen[0] += rows - start.size
    sizes = int(np.flatnonzero(seen >= FEWEST_SEEN).max(initial=0)) + 1
    seen = np.maximum(np.append(seen[:sizes], seen[sizes:].sum()), _LEAST_SEEN)
    return tuple((seen / seen.sum()).tolist())


def joining_bits(shares: Sequence[float]) -> FloatArray:
    """Return by how many bits two groups of so many records are likelier one person than their pairs say, (a, b).

    `shares` are those of `shares_by_size`; sizes count up to one more than people are known to have, and index 0 is 0
    bits. Of sizes that nobody is known to have nothing speaks for joining.
    """
    known = len(shares) - 1
    people = [share / size for size, share in enumerate(shares, start=1)]
    pairs = sum((size - 1) * share for size, share in enumerate(shares, start=1))
    bits = np.zeros((known + 2, known + 2))
    for one in range(1, known + 2):
        for other in range(1, known + 2):
            together = people[min(one + other, known + 1) - 1]
            ratio = comb(one + other, one) * together / (people[one - 1] * people[other - 1] * pairs)
            bits[one, other] = log2(ratio) if one + other <= known else min(log2(ratio), 0.0)
    return bits
