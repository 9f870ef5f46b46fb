"""A pair's probability is its share of all ways to fill every slot at most once: against plain enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.decide import Candidates, Members, decide
from schemas.decision import DecisionPolicy

Rows = list[tuple[int, int, float]]
LEFT, RIGHT = 4, 4


def _decided(rows: Rows) -> np.ndarray:
    members = Members(
        source=np.repeat([0, 1], [LEFT, RIGHT]),
        one_record_per_person=np.ones(LEFT + RIGHT, dtype=bool),
        claim_group=np.full(LEFT + RIGHT, -1),
    )
    never = np.zeros(len(rows), dtype=bool)
    left, right = (np.array([row[end] for row in rows], dtype=np.int64) for end in (0, 1))
    odds = np.array([row[2] for row in rows])
    pairs = Candidates(left, right, odds, never, never, never, never, never, never, never)
    return decide(members, pairs, DecisionPolicy()).probability


def _enumerated(rows: Rows) -> list[float]:
    """The odds of every set of pairs that share no subject, summed over the sets with each pair, over those of all."""
    whole, each = 0.0, [0.0] * len(rows)
    for size in range(len(rows) + 1):
        for chosen in itertools.combinations(range(len(rows)), size):
            ends = [end for row in chosen for end in rows[row][:2]]
            if len(set(ends)) == len(ends):
                odds = 2.0 ** sum(rows[row][2] for row in chosen)
                whole += odds
                for row in chosen:
                    each[row] += odds
    return [odds / whole for odds in each]


@st.composite
def forests(draw: st.DrawFn) -> Rows:
    """Pairs between two sources of one record per person, no two subjects joined in two ways."""
    possible = draw(st.permutations([(a, LEFT + b) for a in range(LEFT) for b in range(RIGHT)]))
    joined = {node: {node} for node in range(LEFT + RIGHT)}
    kept = []
    for a, b in possible[: draw(st.integers(1, 12))]:
        if b not in joined[a]:
            whole = joined[a] | joined[b]
            joined.update(dict.fromkeys(whole, whole))
            kept.append((a, b))
    return sorted((a, b, draw(st.floats(-6, 25))) for a, b in kept)


@settings(deadline=None)
@given(forests())
def test_without_rings_it_is_exact(rows: Rows) -> None:
    assert _decided(rows) == pytest.approx(_enumerated(rows), abs=1e-6)


@settings(deadline=None)
@given(st.lists(st.floats(-6, 25), min_size=4, max_size=4))
def test_around_a_ring_it_is_near(odds: list[float]) -> None:
    ends = [(0, 4), (0, 5), (1, 4), (1, 5)]
    rows = [(*pair, bits) for pair, bits in zip(ends, odds, strict=True)]
    found, true = _decided(rows), np.array(_enumerated(rows))
    assert np.abs(found - true).max() < 0.29  # `linkage/decisions/0040`
    # A pair that is all but certain, either way, is never taken for the other.
    assert (found[true > 0.95] > 0.5).all()
    assert (found[true < 0.05] < 0.5).all()
