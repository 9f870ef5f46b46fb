"""Which links are accepted: links are accepted in falling weight, component by component, under hard constraints.

What holds of the result, whatever the order of the inputs: a source with one record per person contributes at most one
subject to a person; members of one claim and cannot-linked subjects are never one person; a must-link comes before
every other link and yields only to those three; and a component resolved alone comes out as it does among all others.

Most components are two subjects and one link, or hold no conflict: those are settled as whole columns. Only components
in which a constraint or a weak bridge is possible are walked link by link. There, two groups are joined only where the
evidence over all pairs between them speaks for it, and the numbers of records that people have (`linkage.repeats`), so
that one link cannot chain two people into one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from linkage.decide import BoolArray, Candidates, IntArray, Members, Verdicts, first_connected
from linkage.repeats import Joining, group_log2_odds
from schemas.decision import DecisionPolicy

LARGEST_WITHOUT_GROUPS = 2
"""Two subjects need no more evidence than their own pair; more than two meet as groups."""


def accept(
    members: Members, pairs: Candidates, verdicts: Verdicts, policy: DecisionPolicy, joining: Joining
) -> IntArray:
    """Accept links into persons; return each subject's label: the number of the first subject of its person."""
    links = np.flatnonzero(verdicts.eligible)
    label = first_connected(len(members), pairs.left[links], pairs.right[links])
    place = pairs.places(len(members))
    contested = _contested(label, place, members, pairs, verdicts, policy, joining)
    walk = links[contested[label[pairs.left[links]]]]
    if walk.size:
        _walk(label, walk, place, members, pairs, verdicts, policy, joining)
    return label


def _contested(
    label: IntArray,
    place: IntArray,
    members: Members,
    pairs: Candidates,
    verdicts: Verdicts,
    policy: DecisionPolicy,
    joining: Joining,
) -> BoolArray:
    """Return, by label, the components that cannot be accepted whole without looking closer."""
    contested = np.zeros(label.size, dtype=bool)
    size = np.bincount(label, minlength=label.size)
    inside = np.flatnonzero(size[label] > 1)

    # Those who stand for one person in their source count once: by the first of them in the component.
    _, first = np.unique(label[inside] * label.size + place[inside], return_index=True)
    stands = inside[first]
    by_source, repeats = _repeats(label[stands], members.source[stands])
    unique = members.one_record_per_person[stands]
    has_unique = np.bincount(by_source, weights=unique, minlength=repeats.size) > 0
    contested[label[stands[(repeats > 1)[by_source] & has_unique[by_source]]]] = True

    claimed = inside[members.claim_group[inside] >= 0]
    by_claim, repeats = _repeats(label[claimed], members.claim_group[claimed])
    contested[label[claimed[(repeats > 1)[by_claim]]]] = True

    same = label[pairs.left] == label[pairs.right]
    contested[label[pairs.left[pairs.cannot & same]]] = True

    # Where every pair inside was found that could be, and speaks for it whatever the numbers say, so do all between two
    # groups.
    against = joining.worst_bits[np.minimum(size, joining.worst_bits.size - 1)]
    supports = same & ~pairs.guarded & (verdicts.log2_odds >= policy.link_log2_odds - against[label[pairs.left]])
    supporting = np.bincount(label[pairs.left[supports]], minlength=label.size)
    nameless = pairs.nameless(len(members))
    without = np.bincount(label[nameless], minlength=label.size)
    named = size - without
    mixed = same & (nameless[pairs.left] != nameless[pairs.right])
    expected = named * (named - 1) // 2 + without * (without - 1) // 2
    expected += np.bincount(label[pairs.left[mixed]], minlength=label.size)
    contested |= (size > LARGEST_WITHOUT_GROUPS) & (supporting < expected)
    return contested


def _repeats(component: IntArray, value: IntArray) -> tuple[IntArray, IntArray]:
    """Number the distinct (component, value) rows; return each row's number and how often each number occurs."""
    if component.size == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    joint = component * (int(value.max()) + 1) + value
    _, number, count = np.unique(joint, return_inverse=True, return_counts=True)
    return number.astype(np.int64), count.astype(np.int64)


def _walk(
    label: IntArray,
    links: IntArray,
    place: IntArray,
    members: Members,
    pairs: Candidates,
    verdicts: Verdicts,
    policy: DecisionPolicy,
    joining: Joining,
) -> None:
    """Settle the contested components in place: must-links first, then falling odds, ties in canonical order."""
    preference = np.lexsort((links, -pairs.log2_odds[links], ~pairs.must[links]))
    links = links[preference]
    touched = np.zeros(label.size, dtype=bool)
    touched[label[pairs.left[links]]] = True
    groups = _Groups(members, place, np.flatnonzero(touched[label]), joining, pairs.nameless(len(members)))
    between = touched[label[pairs.left]] & (label[pairs.left] == label[pairs.right])
    groups.know(pairs, verdicts, np.flatnonzero(between))

    waiting = list(
        zip(pairs.left[links].tolist(), pairs.right[links].tolist(), pairs.must[links].tolist(), strict=True)
    )
    while True:
        # A link refused early may find support once its groups have grown, so refusals are tried until none joins.
        refused = [link for link in waiting if not groups.join(*link, policy)]
        if len(refused) == len(waiting) or not refused:
            break
        waiting = refused
    for group in groups.all():
        label[group] = min(group)


@dataclass
class _Group:
    """One growing person."""

    subjects: list[int]
    nameless: int
    records: IntArray
    places: dict[int, set[int]]
    no_repeats: set[int]
    claims: set[int]


@dataclass
class _Groups:
    """The growing persons of the contested components, and what is known between their subjects."""

    members: Members
    place: IntArray
    nodes: IntArray
    joining: Joining
    nameless: BoolArray
    of: dict[int, _Group] = field(init=False)
    known: dict[int, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    apart: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        source, place = self.members.source[self.nodes].tolist(), self.place[self.nodes].tolist()
        unique = self.members.one_record_per_person[self.nodes].tolist()
        claim = self.members.claim_group[self.nodes].tolist()
        one = np.eye(len(self.joining.tables), dtype=np.int64)
        self.of = {
            n: _Group([n], int(self.nameless[n]), one[s], {s: {p}}, {s} if u else set(), {c} if c >= 0 else set())
            for n, s, p, u, c in zip(self.nodes.tolist(), source, place, unique, claim, strict=True)
        }

    def know(self, pairs: Candidates, verdicts: Verdicts, rows: IntArray) -> None:
        """Take in the evidence between subjects of one component. A guard is doubt: a guarded pair counts as absent."""
        found = ~pairs.guarded & np.isfinite(verdicts.log2_odds)
        columns = (pairs.left, pairs.right, verdicts.log2_odds, found, pairs.cannot)
        for i, j, bits, is_found, never in zip(*(c[rows].tolist() for c in columns), strict=True):
            if is_found:
                self.known[i].append((j, bits))
                self.known[j].append((i, bits))
            if never:
                self.apart[i].append(j)
                self.apart[j].append(i)

    def join(self, left: int, right: int, must: bool, policy: DecisionPolicy) -> bool:
        """Join the groups of two subjects unless something forbids it; return whether they are together now."""
        a, b = self.of[left], self.of[right]
        if a is b:
            return True
        if len(a.subjects) < len(b.subjects):
            a, b = b, a
        if self._forbidden(a, b) or (not must and not self._supported(a, b, left, right, policy)):
            return False
        a.subjects += b.subjects
        a.nameless += b.nameless
        a.records = a.records + b.records
        for source, places in b.places.items():
            a.places.setdefault(source, set()).update(places)
        a.no_repeats |= b.no_repeats
        a.claims |= b.claims
        for subject in b.subjects:
            self.of[subject] = a
        return True

    def _forbidden(self, a: _Group, b: _Group) -> bool:
        if not a.claims.isdisjoint(b.claims):
            return True
        shared = a.places.keys() & b.places.keys() & (a.no_repeats | b.no_repeats)
        if any(a.places[source] != b.places[source] for source in shared):
            return True
        return any(self.of[other] is a for subject in b.subjects for other in self.apart.get(subject, ()))

    def _supported(self, a: _Group, b: _Group, left: int, right: int, policy: DecisionPolicy) -> bool:
        """Whether all pairs between two groups together speak for joining them; one pair alone was decided before.

        A pair counts that was found or could have been: not those of one who has numbers alone and one who has more.
        """
        named, other_named = len(a.subjects) - a.nameless, len(b.subjects) - b.nameless
        alone = named == other_named == 1 and not self.nameless[[left, right]].any()
        if len(a.subjects) == 1 or alone:
            return True
        found = [(s, other, bits) for s in b.subjects for other, bits in self.known[s] if self.of[other] is a]
        if not found:
            return False
        mixed = sum(bool(self.nameless[s] != self.nameless[other]) for s, other, _ in found)
        every = np.asarray([named * other_named + a.nameless * b.nameless + mixed])
        between = np.asarray([bits for _, _, bits in found])
        odds = group_log2_odds(np.zeros(between.size, dtype=np.int64), between, every, policy.absent_bits)[0]
        return bool(odds + self.joining.bits(a.records, b.records) >= policy.link_log2_odds)

    def all(self) -> list[list[int]]:
        """Return the subjects of every group."""
        return [group.subjects for group in {id(g): g for g in self.of.values()}.values()]
