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
from dataclasses import dataclass
from functools import cached_property
from math import comb, log2
from typing import Final

import numpy as np

from linkage.decide import FloatArray, IntArray, Members
from schemas.decision import DecisionPolicy

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
    bits. Sizes that nobody is known to have never speak for joining.
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


def group_log2_odds(group: IntArray, log2_odds: FloatArray, pairs: IntArray, absent_bits: float) -> FloatArray:
    """Return the log2 odds that two groups are one person, for each two of them, from the pairs between them alone.

    `group` numbers for each pair that was found the two groups that it lies between, of which none is without one;
    `pairs` is how many pairs lie between each two, found or not. The mean of the odds takes a group's members for
    alternatives, of which one was copied; the mean of their logs takes them for witnesses of one truth. Half of each
    finds more than either (`decisions/0070`). A pair that was not found has no odds, and `absent_bits` against it.
    """
    best = np.full(len(pairs), -np.inf)
    np.maximum.at(best, group, log2_odds)
    scaled, total = np.zeros(len(pairs)), np.zeros(len(pairs))
    np.add.at(scaled, group, np.exp2(log2_odds - best[group]))
    np.add.at(total, group, log2_odds)
    absent = pairs - np.bincount(group, minlength=len(pairs))
    odds: FloatArray = (best + np.log2(scaled / pairs) + (total - absent_bits * absent) / pairs) / 2
    return odds


@dataclass(frozen=True)
class Joining:
    """What the numbers of records say of joining groups: a table of `joining_bits` for each source by its code.

    A source without one says nothing: it holds one record per person, or nothing is known.
    """

    tables: tuple[FloatArray | None, ...]

    @classmethod
    def of(cls, members: Members, sources: Sequence[str], policy: DecisionPolicy) -> Joining:
        """Make the tables of `sources`, which are named in the order of their codes."""
        once = set(np.unique(members.source[members.one_record_per_person]).tolist())
        shares = {entry.source: entry.shares for entry in policy.repeats}
        return cls(
            tuple(
                joining_bits(shares[name]) if name in shares and code not in once else None
                for code, name in enumerate(sources)
            )
        )

    @cached_property
    def says_anything(self) -> bool:
        """Whether there is any source with a table."""
        return any(bits is not None for bits in self.tables)

    @cached_property
    def worst_bits(self) -> FloatArray:
        """The most that can be said against joining two groups, by their records together; the last holds for more."""
        most = max((2 * (len(bits) - 1) for bits in self.tables if bits is not None), default=0)
        worst = np.zeros(most + 1)
        for bits in self.tables:
            if bits is not None:
                together = np.add.outer(np.arange(len(bits)), np.arange(len(bits)))
                least = np.zeros(most + 1)
                np.minimum.at(least, together.ravel(), bits.ravel())
                worst += np.minimum.accumulate(least)
        return worst

    def bits(self, one: IntArray, other: IntArray) -> FloatArray:
        """Return what is said of pairs of groups that have so many records of each source, (..., sources)."""
        total = np.zeros(one.shape[:-1])
        for code, bits in enumerate(self.tables):
            if bits is not None:
                most = len(bits) - 1
                total += bits[np.minimum(one[..., code], most), np.minimum(other[..., code], most)]
        return total
