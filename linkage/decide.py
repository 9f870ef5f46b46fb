"""What a pair's evidence is worth once its rivals count: probability, and whether a runner-up comes too close.

At most one of the pairs that compete for a *slot* is true. Pair (i, j) competes with every other pair of i into j's
source when that source holds one record per person, or into j's claim, whose members are different people; and with
every other pair of j into i's source or claim likewise. Elsewhere several records can all be true of one subject, and
are no rivals of one another.

Everything here is columns: subjects are numbered, pairs are rows of arrays in canonical order (by left, then right).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.decision import DecisionPolicy

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

ROUNDS: Final = 8
"""Times that slots tell one another how far their entries are spoken for, and times again with averaging. Households
are a few steps across: twice as many change no link (`decisions/0040`).
"""


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
        no_repeats = self.one_record_per_person[left] | self.one_record_per_person[right]
        one_source: BoolArray = (self.source[left] == self.source[right]) & no_repeats
        return one_source | self.claimed_together(left, right)

    def claimed_together(self, left: IntArray, right: IntArray) -> BoolArray:
        """Return which pairs are members of one claim: two people, whatever else is said."""
        one_claim = (self.claim_group[left] == self.claim_group[right]) & (self.claim_group[left] >= 0)
        together: BoolArray = one_claim & (self.source[left] == self.source[right])
        return together


@dataclass(frozen=True)
class Candidates:
    """The pairs of a case: `left` < `right`, each pair once, in canonical order.

    `guarded` pairs may be linked by a reviewer only. `must` and `cannot` are reviewers' overrides; a pair can have one
    without evidence of its own (`log2_odds` minus infinity). `excluded` pairs are known to be two people: by
    declaration (`Members.excluded`) or by `cannot`. `repeated` pairs are one person whom a source holds twice against
    its declaration; they are not excluded. `at_one_home` pairs have the same address. Of pairs `by_number` nothing but
    numbers could be compared.
    """

    left: IntArray
    right: IntArray
    log2_odds: FloatArray
    guarded: BoolArray
    must: BoolArray
    cannot: BoolArray
    excluded: BoolArray
    repeated: BoolArray
    at_one_home: BoolArray
    by_number: BoolArray

    def __len__(self) -> int:
        return self.left.size

    def nameless(self, size: int) -> BoolArray:
        """Return which of `size` subjects have evidence, and none but of numbers: as those of a national data set.

        That no pair was found between one of these and one that has more says nothing: there was nothing to compare.
        """
        compared, named = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        for end in (self.left, self.right):
            compared[end[self.by_number]] = True
            named[end[~self.by_number & (self.log2_odds > -np.inf)]] = True
        return compared & ~named

    def places(self, size: int) -> IntArray:
        """Return for each of `size` subjects the first of those that stand for one person in its source, by repeats.

        A source that holds one record per person contributes at most one place to a person.
        """
        rows = np.flatnonzero(self.repeated)
        return first_connected(size, self.left[rows], self.right[rows])


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

    Probability is that of the pair among all ways of filling every slot at most once: exact where slots form no ring,
    and by loopy belief propagation (Pearl 1988; on matchings: Huang and Jebara 2009) where they do. So a rival that has
    a better partner of its own hardly counts. It is 1 for a must-link and 0 for an excluded pair; excluded pairs are
    nobody's rivals. A pair is eligible when it must be linked, or when it reaches the link threshold, has no guard that
    its household does not answer (`_answered`), and its best rival in each slot stays more than `policy.margin_bits`
    below it.
    """
    against, ahead = _rivals(members, pairs)
    odds = pairs.log2_odds - against
    probability = np.exp2(-np.logaddexp2(0.0, -odds))
    probability[pairs.must] = 1.0
    probability[pairs.excluded] = 0.0
    clear = (probability >= policy.link_probability) & (ahead > policy.margin_bits) & ~pairs.excluded
    eligible = clear & ~pairs.guarded
    eligible |= clear & pairs.guarded & _answered(members, pairs, eligible)
    if pairs.repeated.any():
        # A declaration is overruled for the sake of a link with another source alone.
        linked = np.zeros(len(members), dtype=bool)
        between = np.flatnonzero(eligible & ~pairs.repeated)
        linked[pairs.left[between]] = linked[pairs.right[between]] = True
        eligible &= ~pairs.repeated | linked[pairs.left] | linked[pairs.right]
    return Verdicts(odds, probability, eligible | (pairs.must & ~pairs.excluded))


def _answered(members: Members, pairs: Candidates, eligible: BoolArray) -> BoolArray:
    """Return the pairs at one home of which another member of the claim is linked there into the same source.

    A guard asks whether the two might be relatives. Then each of them would lack a record of its own in the other
    source, though that holds the household: it is enough that one would (`decisions/0042`).
    """
    answered = np.zeros(len(pairs), dtype=bool)
    at_home = np.flatnonzero(pairs.at_one_home & (members.source[pairs.left] != members.source[pairs.right]))
    for own, other in ((pairs.left, pairs.right), (pairs.right, pairs.left)):
        rows = at_home[members.claim_group[own[at_home]] >= 0]
        household = members.claim_group[own[rows]] * (members.source.max(initial=0) + 1) + members.source[other[rows]]
        member = household * len(members) + own[rows]
        linked = eligible[rows]
        others = _counted(household, np.unique(member[linked]) // max(len(members), 1))
        answered[rows] |= others - np.isin(member, member[linked]) > 0
    return answered


def _counted(asked: IntArray, among: IntArray) -> IntArray:
    """Return how often each value stands among others."""
    ordered = np.sort(among)
    counted: IntArray = np.searchsorted(ordered, asked, side="right") - np.searchsorted(ordered, asked)
    return counted


def first_connected(size: int, left: IntArray, right: IntArray) -> IntArray:
    """Return the connected component of each of `size` nodes that the pairs join, named by its lowest node.

    Of two names that a pair joins the higher takes the lower one, and names are followed to their ends, until no pair
    joins two (label propagation with pointer jumping, Shiloach and Vishkin 1982). Pairs that are settled drop out.
    """
    name = np.arange(size, dtype=np.int64)
    while True:
        one, other = name[left], name[right]
        apart = np.flatnonzero(one != other)
        if not apart.size:
            return name
        left, right, one, other = left[apart], right[apart], one[apart], other[apart]
        np.minimum.at(name, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(end := name[name], name):
            name = end


def _rivals(members: Members, pairs: Candidates) -> tuple[FloatArray, FloatArray]:
    """Return what rivals cost each pair in bits, and by how many bits it is ahead of its best (inf without any)."""
    against, ahead = np.zeros(len(pairs)), np.full(len(pairs), np.inf)
    rows = np.flatnonzero(~pairs.excluded & (pairs.log2_odds > -np.inf))
    place = pairs.places(len(members))
    one, other = place[pairs.left[rows]], place[pairs.right[rows]]
    # Pairs between two places are one entry of a slot, as strong as the strongest of them.
    ends, entry = np.unique(one * len(members) + other, return_inverse=True)
    strength = np.full(ends.size, -np.inf)
    np.maximum.at(strength, entry, pairs.log2_odds[rows])
    one, other = np.divmod(ends, max(len(members), 1))
    slots = [_slots(members, one, other), _slots(members, other, one)]
    for slot in slots:
        slot[~_shared(slot)] = -1
    contested = np.flatnonzero((slots[0] >= 0) | (slots[1] >= 0))
    cost, lead = _settled(strength[contested], [slot[contested] for slot in slots])
    all_cost, all_lead = np.zeros(ends.size), np.full(ends.size, np.inf)
    all_cost[contested], all_lead[contested] = cost, lead
    against[rows] = all_cost[entry]
    ahead[rows] = all_lead[entry]
    return against, ahead


def _slots(members: Members, own: IntArray, other: IntArray) -> IntArray:
    """Return the slot of `own` that each entry competes for: of the other's source or claim; -1 where there is none."""
    claim = members.claim_group[other]
    partner = np.where(members.one_record_per_person[other], members.source[other], -1)
    partner = np.where((partner < 0) & (claim >= 0), claim + members.source.max(initial=0) + 1, partner)
    slot: IntArray = np.where(partner < 0, -1, own * (partner.max(initial=0) + 1) + partner)
    return slot


def _shared(slot: IntArray) -> BoolArray:
    """Return which entries have another in their slot."""
    _, number, count = np.unique(slot, return_inverse=True, return_counts=True)
    shared: BoolArray = (slot >= 0) & (count[number] > 1)
    return shared


def _settled(strength: FloatArray, slots: list[IntArray]) -> tuple[FloatArray, FloatArray]:
    """Return (bits that its rivals cost each entry, bits that it is ahead of its best rival).

    A slot tells each of its entries the odds of the others, each discounted by what *its* other slot has told it.
    Without rings that comes to rest at the exact answer, and stays there. Around a ring slots may change their minds
    for ever, so the later rounds move half of the way only.
    """
    told = [np.zeros(strength.size), np.zeros(strength.size)]
    lead = np.full(strength.size, np.inf)
    groups = [_Slots.of(slot) for slot in slots]
    for step in (1.0,) * ROUNDS + (0.5,) * ROUNDS:
        heard = [np.logaddexp2(0.0, groups[side].others(strength - told[1 - side])[0]) for side in (0, 1)]
        told = [told[side] + step * (heard[side] - told[side]) for side in (0, 1)]
    for side in (0, 1):
        standing = strength - told[1 - side]
        _, best = groups[side].others(standing)
        lead = np.minimum(lead, standing - best)
    return told[0] + told[1], lead


@dataclass(frozen=True)
class _Slots:
    """Entries sorted by slot: `rows` of those that have one, where each slot starts, and the slot of each."""

    rows: IntArray
    starts: IntArray
    group: IntArray

    @classmethod
    def of(cls, slot: IntArray) -> _Slots:
        rows = np.flatnonzero(slot >= 0)
        rows = rows[np.argsort(slot[rows], kind="stable")]
        new = np.ones(rows.size, dtype=bool)
        new[1:] = slot[rows][1:] != slot[rows][:-1]
        return cls(rows, np.flatnonzero(new), np.cumsum(new) - 1)

    def others(self, log2_odds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return, per entry, the log2 sum and the log2 maximum of the odds of the other entries of its slot.

        The sum is taken without the slot's strongest entry, because subtracting that one from the whole would leave
        rounding error where its rivals are far weaker. Sums run in the entries' order, so that they do not depend on
        other slots.
        """
        total, best = np.full(log2_odds.size, -np.inf), np.full(log2_odds.size, -np.inf)
        if not self.rows.size:
            return total, best
        odds = log2_odds[self.rows]
        strongest = np.maximum.reduceat(odds, self.starts)[self.group]
        place = np.arange(odds.size)
        head = np.minimum.reduceat(np.where(odds == strongest, place, odds.size), self.starts)[self.group] == place
        scaled = np.exp2(odds - strongest)
        weaker = np.bincount(self.group, weights=np.where(head, 0.0, scaled), minlength=self.starts.size)[self.group]
        second = np.maximum.reduceat(np.where(head, -np.inf, odds), self.starts)[self.group]
        # Of a weaker entry the others are the strongest (1 after scaling) and the remaining weaker ones.
        rest = np.where(head, weaker, 1.0 + np.maximum(weaker - scaled, 0.0))
        with np.errstate(divide="ignore"):
            total[self.rows] = strongest + np.log2(rest)
        best[self.rows] = np.where(head, second, strongest)
        return total, best
