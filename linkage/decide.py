"""What a pair's evidence is worth once its rivals count: probability, and whether a runner-up comes too close.

A subject of a source that holds one record per person is a *slot*: at most one of the pairs that compete for it is
true. Pair (i, j) competes with every other pair of i into j's source when that source holds one record per person, and
with every other pair of j into i's source likewise. A source that may repeat people has no slots: several of its
records can all be true of one subject, so pairs into it are no rivals of one another.

Everything here is columns: subjects are numbered, pairs are rows of arrays in canonical order (by left, then right).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.decision import DecisionPolicy

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Members:
    """The subjects of a case, numbered 0..n-1 by (source, subject_ref). `claim_group` is -1 where there is none."""

    source: IntArray
    one_record_per_person: BoolArray
    claim_group: IntArray

    def __len__(self) -> int:
        return self.source.size

    def excluded(self, left: IntArray, right: IntArray) -> BoolArray:
        """Return which pairs cannot be one person: of one claim, or of one source that repeats nobody."""
        same_source = self.source[left] == self.source[right]
        no_repeats = self.one_record_per_person[left] | self.one_record_per_person[right]
        one_claim = (self.claim_group[left] == self.claim_group[right]) & (self.claim_group[left] >= 0)
        excluded: BoolArray = same_source & (no_repeats | one_claim)
        return excluded


@dataclass(frozen=True)
class Candidates:
    """The pairs of a case: `left` < `right`, each pair once, in canonical order.

    `guarded` pairs may be linked by a reviewer only. `must` and `cannot` are reviewers' overrides; a pair can have one
    without evidence of its own (`log2_odds` minus infinity). `excluded` pairs are known to be two people: by
    declaration (`Members.excluded`) or by `cannot`.
    """

    left: IntArray
    right: IntArray
    log2_odds: FloatArray
    guarded: BoolArray
    must: BoolArray
    cannot: BoolArray
    excluded: BoolArray

    def __len__(self) -> int:
        return self.left.size


@dataclass(frozen=True)
class Verdicts:
    """Of each pair: its log2 odds and its probability, both with rivals counted, and whether it may be linked at all.

    `eligible` pairs may be linked without asking a reviewer.
    """

    log2_odds: FloatArray
    probability: FloatArray
    eligible: BoolArray


def decide(members: Members, pairs: Candidates, policy: DecisionPolicy) -> Verdicts:
    """Return each pair's probability and whether it may be linked.

    Probability is `odds / (1 + odds + odds of all rivals on both sides)`, 1 for a must-link and 0 for an excluded pair;
    excluded pairs are nobody's rivals. A pair is eligible when it must be linked, or when it reaches the link
    threshold, has no guard, and its best rival stays more than `policy.margin_bits` below it.
    """
    rivals, best_rival = _rivals(members, pairs)
    against = np.logaddexp2(0.0, rivals)
    probability = np.exp2(pairs.log2_odds - np.logaddexp2(pairs.log2_odds, against))
    probability[pairs.must] = 1.0
    probability[pairs.excluded] = 0.0
    too_close = pairs.log2_odds <= best_rival + policy.margin_bits
    eligible = (probability >= policy.link_probability) & ~pairs.guarded & ~too_close
    return Verdicts(pairs.log2_odds - against, probability, (eligible | pairs.must) & ~pairs.excluded)


def _rivals(members: Members, pairs: Candidates) -> tuple[FloatArray, FloatArray]:
    """Return the log2 of the summed odds of each pair's rivals, and the log2 odds of the best (-inf without)."""
    total = np.full(len(pairs), -np.inf)
    best = np.full(len(pairs), -np.inf)
    sources = int(members.source.max(initial=-1)) + 1
    for own, other in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        competing = np.flatnonzero(members.one_record_per_person[other] & ~pairs.excluded & (pairs.log2_odds > -np.inf))
        slot = own[competing] * sources + members.source[other[competing]]
        side_total, side_best = _others_in_slot(slot, pairs.log2_odds[competing])
        total[competing] = np.logaddexp2(total[competing], side_total)
        best[competing] = np.maximum(best[competing], side_best)
    return total, best


def _others_in_slot(slot: IntArray, log2_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return, per entry, the log2 sum and the log2 maximum of the odds of the other entries of its slot.

    The sum is taken without the slot's strongest entry, because subtracting that one from the whole would leave
    rounding error where its rivals are far weaker. Sums run in canonical order, so that they do not depend on other
    slots.
    """
    order = np.lexsort((-log2_odds, slot))
    by_slot, odds = slot[order], log2_odds[order]
    first = np.ones(order.size, dtype=bool)
    first[1:] = by_slot[1:] != by_slot[:-1]
    group = np.cumsum(first) - 1
    heads = np.flatnonzero(first)
    strongest = odds[heads][group]
    scaled = np.exp2(odds - strongest)
    weaker = np.bincount(group, weights=np.where(first, 0.0, scaled), minlength=heads.size)[group]
    # Of a weaker entry the others are the strongest (1 after scaling) and the remaining weaker ones.
    others = np.where(first, weaker, 1.0 + np.maximum(weaker - scaled, 0.0))
    has_second = np.zeros(order.size, dtype=bool)
    has_second[:-1] = ~first[1:]
    second = np.full(order.size, -np.inf)
    second[:-1] = np.where(has_second[:-1], odds[1:], -np.inf)
    total, best = np.empty(order.size), np.empty(order.size)
    with np.errstate(divide="ignore"):
        total[order] = strongest + np.log2(others)
    best[order] = np.where(first, second, strongest)
    return total, best
