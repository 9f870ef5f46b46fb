"""Persons that are left over once the sure links are made: what it says of two of them that they fit each other best.

The odds of a pair are reckoned as those of any pair of its sources. Once the sure links are made, most subjects that
have a match have found it. Of two that are left over, and fit each other better than anybody else, the chance is a
different one: fewer pairs are left for the matches that are still to be found. With n subjects, M pairs of one person,
and of those people N2 with two records and N1 with one,

    odds of any pair ~ 2 M / n**2        odds of a pair of two that have nobody else ~ 2 N2 / N1**2

and the ratio of the two is what being left over is worth (`lone_bits`, of each pair of sources in the model). Where a
source holds one record per person the odds are those of a lone candidate from the start (`decisions/0046`). The same
goes for persons of more records, in sources that repeat people (`linkage.repeats`): a fifth record that resembles
four of one person a little is not an unlikely one where many people have five.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.comparable import LEAST_UNMATCHED
from linkage.decide import BoolArray, Candidates, FloatArray, IntArray, Members, Verdicts
from linkage.repeats import Joining, group_log2_odds
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
    pairs: Candidates,
    verdicts: Verdicts,
    label: IntArray,
    policy: DecisionPolicy,
    rest: Rest,
) -> tuple[Verdicts, IntArray]:
    """Return verdicts that count what being left over is worth, and the labels with those persons joined that it makes
    one.

    Two persons are looked at where each is the other's best, no other comes within `policy.margin_bits` of it for
    either, no pair between them is guarded, and nothing forbids it. Their pairs then rise to the odds of the two being
    one, and persons that reach a link are joined; which is done again until none is.
    """
    if not rest.says_anything:
        return verdicts, label
    odds, eligible = verdicts.log2_odds.copy(), verdicts.eligible.copy()
    while True:
        edges = _Edges.of(members, pairs, verdicts, label, policy, rest)
        clear = _clearly_best(edges, policy.margin_bits)
        rows, edge = edges.evidence[clear[edges.edge]], edges.edge[clear[edges.edge]]
        odds[rows] = np.maximum(odds[rows], edges.log2_odds[edge])
        join = clear & (_probability(edges.log2_odds) >= policy.link_probability)
        if not join.any():
            break
        eligible[rows[join[edge]]] = True
        name = np.arange(len(members), dtype=np.int64)
        name[edges.right[join]] = edges.left[join]
        label = name[label]
    risen = odds != verdicts.log2_odds
    return Verdicts(odds, np.where(risen, _probability(odds), verdicts.probability), eligible), label


def _probability(log2_odds: FloatArray) -> FloatArray:
    probability: FloatArray = np.exp2(-np.logaddexp2(0.0, -log2_odds))
    return probability


@dataclass(frozen=True)
class Rest:
    """What being left over is worth: of two subjects by their sources' codes, and of groups by their records."""

    lone: FloatArray
    joining: Joining
    unique: BoolArray

    @classmethod
    def of(cls, members: Members, sources: Sequence[str], policy: DecisionPolicy, joining: Joining) -> Rest:
        """Take what the policy knows of `sources`, which are named in the order of their codes."""
        unique = np.zeros(len(sources), dtype=np.bool_)
        unique[members.source[members.one_record_per_person]] = True
        return cls(_bits_of(sources, unique, policy.lone), joining, unique)

    @property
    def says_anything(self) -> bool:
        """Whether anything is known of any source."""
        return bool(self.lone.any()) or self.joining.says_anything

    def bits(self, one: IntArray, other: IntArray) -> FloatArray:
        """Return what it is worth of persons that have so many records of each source, (pairs of persons, sources)."""
        bits = self.joining.bits(one, other)
        two = np.flatnonzero(one.sum(axis=1) + other.sum(axis=1) == 2)
        bits[two] = self.lone[one[two].argmax(axis=1), other[two].argmax(axis=1)]
        return bits


@dataclass(frozen=True)
class _Edges:
    """Persons that may be joined, two an entry: their labels, `left` < `right`, and their log2 odds of being one.

    `evidence` are the rows of the pairs between them, `edge` the entry of each.
    """

    left: IntArray
    right: IntArray
    log2_odds: FloatArray
    evidence: IntArray
    edge: IntArray

    @classmethod
    def of(
        cls,
        members: Members,
        pairs: Candidates,
        verdicts: Verdicts,
        label: IntArray,
        policy: DecisionPolicy,
        rest: Rest,
    ) -> _Edges:
        size = max(len(members), 1)
        one, other = label[pairs.left], label[pairs.right]
        ends = np.minimum(one, other) * size + np.maximum(one, other)
        barred = pairs.excluded | pairs.guarded
        rows = np.flatnonzero((one != other) & ~barred & (pairs.log2_odds > -np.inf))
        concerned = np.flatnonzero(np.isin(label, np.concatenate([one[rows], other[rows]])))
        forbidden = np.concatenate([ends[barred], _claimed_together(members, label, concerned)])
        rows = rows[~np.isin(ends[rows], forbidden)]
        ends, edge = np.unique(ends[rows], return_inverse=True)
        left, right = np.divmod(ends, size)

        persons, person = np.unique(label[concerned], return_inverse=True)
        records = np.zeros((persons.size, len(rest.unique)), dtype=np.int64)
        np.add.at(records, (person, members.source[concerned]), 1)
        held, other_held = (records[np.searchsorted(persons, end)] for end in (left, right))
        bits = rest.bits(held, other_held)
        nameless = pairs.nameless(len(members))
        without = np.bincount(person, weights=nameless[concerned], minlength=persons.size).astype(np.int64)
        bare, other_bare = (without[np.searchsorted(persons, end)] for end in (left, right))
        every = (held.sum(axis=1) - bare) * (other_held.sum(axis=1) - other_bare) + bare * other_bare
        every += np.bincount(edge, nameless[pairs.left[rows]] != nameless[pairs.right[rows]], left.size).astype(
            np.int64
        )
        log2_odds = bits + group_log2_odds(edge, verdicts.log2_odds[rows], every, policy.absent_bits)
        repeats = ((held > 0) & (other_held > 0) & rest.unique).any(axis=1)
        kept = np.flatnonzero((bits > 0) & ~repeats)
        number = np.full(ends.size, -1)
        number[kept] = np.arange(kept.size)
        of_kept = number[edge] >= 0
        return cls(left[kept], right[kept], log2_odds[kept], rows[of_kept], number[edge[of_kept]])


def _claimed_together(members: Members, label: IntArray, among: IntArray) -> IntArray:
    """Return which persons have members of one claim, in pairs: lower label * members + higher label."""
    claimed = among[members.claim_group[among] >= 0]
    frame = pl.DataFrame({"claim": members.claim_group[claimed], "label": label[claimed]}).unique()
    together = frame.join(frame, on="claim").filter(pl.col("label") < pl.col("label_right"))
    return together.select(pl.col("label") * len(members) + pl.col("label_right")).to_series().unique().to_numpy()


def _bits_of(sources: Sequence[str], unique: BoolArray, lone: Iterable[LoneBits]) -> FloatArray:
    """Return the bits of each pair of sources by number; 0 where either holds one record per person."""
    bits = np.zeros((len(sources), len(sources)))
    number = {name: position for position, name in enumerate(sources)}
    for entry in lone:
        if entry.left_source in number and entry.right_source in number:
            at = [number[entry.left_source], number[entry.right_source]]
            bits[at, at[::-1]] = entry.bits
    bits[unique, :] = bits[:, unique] = 0.0
    return bits


def _clearly_best(edges: _Edges, margin_bits: float) -> BoolArray:
    """Return which edges are ahead of every other edge of either end by more than the margin."""
    size = int(edges.right.max(initial=-1)) + 1
    best = np.full(size, -np.inf)
    for end in (edges.left, edges.right):
        np.maximum.at(best, end, edges.log2_odds)
    near = np.zeros(size, dtype=np.int64)
    for end in (edges.left, edges.right):
        np.add.at(near, end[edges.log2_odds >= best[end] - margin_bits], 1)
    clear: BoolArray = np.ones(len(edges.left), dtype=np.bool_)
    for end in (edges.left, edges.right):
        clear &= (edges.log2_odds == best[end]) & (near[end] == 1)
    return clear
