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

from collections.abc import Iterable

import numpy as np

from linkage.comparable import LEAST_UNMATCHED
from linkage.decide import BoolArray, Candidates, FloatArray, IntArray, Members, Verdicts
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


def with_lone_pairs(
    members: Members,
    sources: Iterable[str],
    pairs: Candidates,
    verdicts: Verdicts,
    label: IntArray,
    policy: DecisionPolicy,
) -> tuple[Verdicts, IntArray]:
    """Return verdicts that count `policy.lone`, and the labels with those pairs joined that reach a link by it.

    `sources` names the members' sources in their order. A pair counts as lone when both subjects are persons of one
    subject each (`label`), it has no guard, and no other pair of either comes within `policy.margin_bits` of it. What
    such a pair is worth rises by the bits of its two sources.
    """
    bits = _bits_of(members, list(sources), policy.lone)
    alone = np.bincount(label, minlength=len(members))[label] == 1
    open_rows = np.flatnonzero(
        alone[pairs.left] & alone[pairs.right] & ~pairs.excluded & ~pairs.guarded & (pairs.log2_odds > -np.inf)
    )
    odds = verdicts.log2_odds[open_rows]
    clear = _clearly_best(len(members), pairs.left[open_rows], pairs.right[open_rows], odds, policy.margin_bits)
    rows = open_rows[clear]
    raised = verdicts.log2_odds.copy()
    raised[rows] += bits[members.source[pairs.left[rows]], members.source[pairs.right[rows]]]
    rows = rows[raised[rows] != verdicts.log2_odds[rows]]
    probability, eligible = verdicts.probability.copy(), verdicts.eligible.copy()
    probability[rows] = np.exp2(-np.logaddexp2(0.0, -raised[rows]))
    joined = rows[probability[rows] >= policy.link_probability]
    eligible[joined] = True
    label = label.copy()
    label[pairs.right[joined]] = label[pairs.left[joined]]
    return Verdicts(raised, probability, eligible), label


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


def _clearly_best(size: int, left: IntArray, right: IntArray, odds: FloatArray, margin_bits: float) -> BoolArray:
    """Return which pairs are ahead of every other pair of either subject by more than the margin."""
    best = np.full(size, -np.inf)
    for end in (left, right):
        np.maximum.at(best, end, odds)
    near = np.zeros(size, dtype=np.int64)
    for end in (left, right):
        np.add.at(near, end[odds >= best[end] - margin_bits], 1)
    clear: BoolArray = np.ones(len(odds), dtype=np.bool_)
    for end in (left, right):
        clear &= (odds == best[end]) & (near[end] == 1)
    return clear
