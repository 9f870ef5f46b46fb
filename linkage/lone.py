"""Pairs whose two subjects have nobody else: what that says, where sources may repeat people.

The odds of a pair are reckoned as those of any pair of its sources. Once the sure links are made, most subjects that
have a match have found it. Of two that are left over, and fit each other better than anybody else, the chance is a
different one: fewer pairs are left for the matches that are still to be found. With n subjects, M pairs of one person,
and of those people N2 with two records and N1 with one,

    odds of any pair ~ 2 M / n**2        odds of a pair of two that have nobody else ~ 2 N2 / N1**2

and the ratio of the two is what being left over is worth (`lone_bits`, of each pair of sources in the model). Where a
source holds one record per person the odds are those of a lone candidate from the start (`decisions/0046`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.comparable import LEAST_UNMATCHED
from linkage.decide import BoolArray, Candidates, FloatArray, IntArray, Members, Verdicts
from linkage.repeats import joining_bits
from schemas.decision import DecisionPolicy, LoneBits


def lone_bits(row: IntArray, probability: FloatArray, sizes: tuple[float, float]) -> float:
    """Return by how many bits a match is likelier of two subjects that have nobody else than of any two; at least 0.

    `row` numbers the sampled subject of each candidate and `probability` is that of the candidate being a match;
    `sizes` are the subjects of the two sources, times the share of subjects that was sampled. A subject has nobody with
    the product of all its candidates' doubts.
    """
    if not row.size:
        return 0.0
    _, unit = np.unique(row, return_inverse=True)
    doubt = np.log2(1 - np.minimum(probability, 1 - 1e-9))
    nobody = np.bincount(unit, weights=doubt)
    matched = float((1 - np.exp2(nobody)).sum())
    only = float((probability * np.exp2(nobody[unit] - doubt)).sum())
    left_over = sum(float(np.log2(max(1 - matched / size, LEAST_UNMATCHED))) for size in sizes)
    total = float(probability.sum())
    return max(float(np.log2(only / total)) - left_over, 0.0) if only > 0 else 0.0


def with_left_over(
    members: Members,
    sources: Sequence[str],
    pairs: Candidates,
    verdicts: Verdicts,
    label: IntArray,
    policy: DecisionPolicy,
) -> tuple[Verdicts, IntArray]:
    """Return verdicts that count `policy.lone` and `policy.repeats`, and the labels with those persons joined that are
    one by it.
    """
    prior = _Prior.of(members, sources, policy)
    odds, probability, eligible = (a.copy() for a in (verdicts.log2_odds, verdicts.probability, verdicts.eligible))
    label = label.copy()
    if not prior.says_anything:
        return verdicts, label
    while True:
        between = _Between.of(members, pairs, verdicts, label, prior)
        chosen = between.chosen(policy.margin_bits)
        rows = np.flatnonzero(chosen[between.edge] & between.counts)
        score = between.score[between.edge[rows]]
        odds[between.rows[rows]] = np.maximum(odds[between.rows[rows]], score)
        probability[between.rows[rows]] = np.exp2(-np.logaddexp2(0.0, -odds[between.rows[rows]]))
        joined = np.flatnonzero(chosen & (between.score >= policy.link_log2_odds))
        if not joined.size:
            return Verdicts(odds, probability, eligible), label
        eligible[between.rows[rows]] |= np.isin(between.edge[rows], joined)
        name = np.arange(len(members))
        name[between.right[joined]] = between.left[joined]
        label = name[label]


@dataclass(frozen=True)
class _Prior:
    """What numbers of records say by pair of sources (`lone`) and by source (`joining`), both 0 where nothing."""

    lone: FloatArray
    joining: tuple[FloatArray | None, ...]
    unique: BoolArray

    @classmethod
    def of(cls, members: Members, sources: Sequence[str], policy: DecisionPolicy) -> _Prior:
        unique = np.zeros(len(sources), dtype=np.bool_)
        unique[members.source[members.one_record_per_person]] = True
        shares = {entry.source: entry.shares for entry in policy.repeats}
        joining = tuple(
            joining_bits(shares[name]) if name in shares and not once else None
            for name, once in zip(sources, unique.tolist(), strict=True)
        )
        return cls(_bits_of(members, list(sources), policy.lone), joining, unique)

    @property
    def says_anything(self) -> bool:
        return bool(self.lone.any()) or any(bits is not None for bits in self.joining)

    def bits(self, one: IntArray, other: IntArray) -> FloatArray:
        """Return what is said of joining groups that have so many records of each source, (groups, sources) each."""
        total = np.zeros(len(one))
        for number, bits in enumerate(self.joining):
            if bits is not None:
                most = len(bits) - 1
                total += bits[np.minimum(one[:, number], most), np.minimum(other[:, number], most)]
        alone = np.flatnonzero((one.sum(axis=1) == 1) & (other.sum(axis=1) == 1))
        total[alone] = self.lone[one[alone].argmax(axis=1), other[alone].argmax(axis=1)]
        return total


@dataclass(frozen=True)
class _Between:
    """Two persons with a pair between them, an edge each: `left` < `right` are their labels.

    `rows` are the pairs, `edge` that of each, and `counts` whether it is evidence.
    """

    rows: IntArray
    edge: IntArray
    counts: BoolArray
    left: IntArray
    right: IntArray
    smaller: IntArray
    score: FloatArray
    open: BoolArray

    @classmethod
    def of(cls, members: Members, pairs: Candidates, verdicts: Verdicts, label: IntArray, prior: _Prior) -> _Between:
        size = len(members)
        one, other = label[pairs.left], label[pairs.right]
        rows = np.flatnonzero(one != other)
        ends, edge = np.unique(
            np.minimum(one, other)[rows] * size + np.maximum(one, other)[rows], return_inverse=True
        )
        left, right = np.divmod(ends, max(size, 1))
        barred = pairs.excluded[rows] | pairs.guarded[rows]
        counts = ~barred & (pairs.log2_odds[rows] > -np.inf)
        free = np.bincount(edge[barred], minlength=ends.size) == 0
        odds = verdicts.log2_odds[rows]
        best = np.full(ends.size, -np.inf)
        np.maximum.at(best, edge[counts], odds[counts])
        free &= best > -np.inf
        best[~free] = 0.0
        use = counts & free[edge]
        total = np.bincount(edge[use], weights=np.exp2(odds[use] - best[edge[use]]), minlength=ends.size)
        units, unit = np.unique(label, return_inverse=True)
        number = len(prior.unique)
        held = np.bincount(unit * number + members.source, minlength=units.size * number).reshape(-1, number)
        left_held, right_held = (held[np.searchsorted(units, side)] for side in (left, right))
        free &= ~((left_held > 0) & (right_held > 0) & prior.unique).any(axis=1)
        free &= ~np.isin(ends, _claimed_together(members, label))
        bits = prior.bits(left_held, right_held)
        counted = [each.sum(axis=1) for each in (left_held, right_held)]
        with np.errstate(divide="ignore"):
            score = best + np.log2(total) - np.log2(counted[0] * counted[1]) + bits
        return cls(rows, edge, counts, left, right, np.sign(counted[0] - counted[1]), score, free & (bits > 0))

    def chosen(self, margin_bits: float) -> BoolArray:
        """Return which edges are the best of both ends, and of the smaller ahead of every other by the margin."""
        at = np.flatnonzero(self.open)
        chosen = np.zeros(len(self.open), dtype=np.bool_)
        score = self.score[at]
        best: dict[str, IntArray] = {}
        size = int(self.right.max(initial=0)) + 1
        top, near, first = np.full(size, -np.inf), np.zeros(size, dtype=np.int64), np.full(size, len(chosen))
        sides = (self.left[at], self.right[at])
        for end in sides:
            np.maximum.at(top, end, score)
        for end in sides:
            np.add.at(near, end[score >= top[end] - margin_bits], 1)
            np.minimum.at(first, end[score == top[end]], at[score == top[end]])
        clear = (first[sides[0]] == at) & (first[sides[1]] == at)
        clear &= (self.smaller[at] > 0) | (near[sides[0]] == 1)
        clear &= (self.smaller[at] < 0) | (near[sides[1]] == 1)
        chosen[at] = clear
        return chosen


def _claimed_together(members: Members, label: IntArray) -> IntArray:
    """Return the edges (left label * members + right label) of persons that have members of one claim."""
    claimed = np.flatnonzero(members.claim_group >= 0)
    frame = pl.DataFrame({"claim": members.claim_group[claimed], "label": label[claimed]}).unique()
    together = frame.join(frame, on="claim").filter(pl.col("label") < pl.col("label_right"))
    return (together["label"] * len(members) + together["label_right"]).unique().to_numpy()


def _bits_of(members: Members, sources: list[str], lone: Iterable[LoneBits]) -> FloatArray:
    """Return the bits of each pair of sources by number; 0 where either holds one record per person."""
    bits = np.zeros((len(sources), len(sources)))
    number = {name: position for position, name in enumerate(sources)}
    for entry in lone:
        if entry.left_source in number and entry.right_source in number:
            at = [number[entry.left_source], number[entry.right_source]]
            bits[at, at[::-1]] = entry.bits
    unique = np.unique(members.source[members.one_record_per_person])
    bits[unique, :] = bits[:, unique] = 0.0
    return bits
