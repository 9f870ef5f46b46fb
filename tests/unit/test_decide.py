"""A pair's probability counts its rivals, and only its rivals."""

from __future__ import annotations

import numpy as np
import pytest

from linkage.decide import Candidates, Members, decide
from schemas.decision import DecisionPolicy

HEALTH, WELFARE = 0, 1


def _members(sources: list[int], unique: dict[int, bool], claims: list[int] | None = None) -> Members:
    return Members(
        np.array(sources, dtype=np.int64),
        np.array([unique[s] for s in sources]),
        np.array(claims or [-1] * len(sources), dtype=np.int64),
    )


def _pairs(
    members: Members,
    rows: list[tuple[int, int, float]],
    guarded: tuple[int, ...] = (),
    must: tuple[int, ...] = (),
    cannot: tuple[int, ...] = (),
    repeated: tuple[int, ...] = (),
    home: tuple[int, ...] = (),
) -> Candidates:
    left, right = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])

    def flags(numbers: tuple[int, ...]) -> np.ndarray:
        return np.isin(np.arange(len(rows)), numbers)

    excluded = (members.excluded(left, right) & ~flags(repeated)) | flags(cannot)
    odds = np.array([r[2] for r in rows])
    return Candidates(
        left,
        right,
        odds,
        flags(guarded),
        flags(must) & ~excluded,
        flags(cannot),
        excluded,
        flags(repeated),
        flags(home),
        flags(()),
    )


def test_without_rivals_a_probability_is_its_own_odds() -> None:
    members = _members([HEALTH, WELFARE], {HEALTH: True, WELFARE: True})
    verdicts = decide(members, _pairs(members, [(0, 1, 2.0)]), DecisionPolicy())
    assert verdicts.probability[0] == pytest.approx(4 / 5)
    assert verdicts.eligible[0]


def test_rivals_on_both_sides_are_counted_where_both_sources_repeat_nobody() -> None:
    members = _members([HEALTH, HEALTH, WELFARE, WELFARE], {HEALTH: True, WELFARE: True})
    pairs = _pairs(members, [(0, 2, 3.0), (0, 3, 1.0), (1, 2, 0.0)])
    probability = decide(members, pairs, DecisionPolicy()).probability
    # Nobody, each pair alone, or the two that share no subject together: odds 1 + 8 + 2 + 1 + 2 * 1.
    assert probability == pytest.approx([8 / 14, (2 + 2) / 14, (1 + 2) / 14])


def test_a_rival_with_a_better_partner_of_its_own_hardly_counts() -> None:
    members = _members([HEALTH, HEALTH, WELFARE, WELFARE], {HEALTH: True, WELFARE: True})
    pairs = _pairs(members, [(0, 2, 30.0), (0, 3, 3.0), (1, 3, 3.0)])
    verdicts = decide(members, pairs, DecisionPolicy())
    assert verdicts.probability == pytest.approx([1.0, 0.0, 8 / 9], abs=1e-6)
    assert verdicts.eligible.tolist() == [True, False, True]


def test_members_of_one_claim_compete_though_their_source_may_repeat_people() -> None:
    members = _members([HEALTH, HEALTH, WELFARE, WELFARE], {HEALTH: True, WELFARE: False}, [-1, -1, 7, 7])
    pairs = _pairs(members, [(0, 2, 30.0), (0, 3, 3.0), (1, 3, 3.0)])
    verdicts = decide(members, pairs, DecisionPolicy())
    assert verdicts.probability == pytest.approx([1.0, 0.0, 8 / 9], abs=1e-6)


def test_twins_that_nothing_tells_apart_are_put_to_review() -> None:
    members = _members([HEALTH, HEALTH, WELFARE, WELFARE], {HEALTH: True, WELFARE: True})
    ring = [(0, 2, 20.0), (0, 3, 20.0), (1, 2, 20.0), (1, 3, 20.0)]
    verdicts = decide(members, _pairs(members, ring), DecisionPolicy())
    assert verdicts.probability == pytest.approx([0.5] * 4, abs=1e-3)
    assert not verdicts.eligible.any()


def test_records_that_repeat_one_person_share_a_place_and_are_no_rivals() -> None:
    members = _members([HEALTH, WELFARE, WELFARE, WELFARE], {HEALTH: True, WELFARE: True})
    odds = [(0, 1, 20.0), (0, 2, 18.0), (0, 3, 2.0), (1, 2, 25.0)]
    apart = decide(members, _pairs(members, odds), DecisionPolicy())
    assert apart.eligible.tolist() == [True, False, False, False]

    together = decide(members, _pairs(members, odds, repeated=(3,)), DecisionPolicy())
    assert together.eligible.tolist() == [True, True, False, True]
    assert together.probability[[0, 1, 3]] == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)


def test_a_repeat_overrules_its_declaration_for_the_sake_of_a_link_alone() -> None:
    members = _members([WELFARE, WELFARE], {WELFARE: True})
    assert not decide(members, _pairs(members, [(0, 1, 25.0)], repeated=(0,)), DecisionPolicy()).eligible.any()


def test_a_guard_is_answered_where_others_of_the_claim_are_linked_at_that_home() -> None:
    members = _members([HEALTH, HEALTH, WELFARE, WELFARE], {HEALTH: True, WELFARE: False}, [-1, -1, 7, 7])
    rows = [(0, 2, 20.0), (1, 3, 3.0)]

    answered = decide(members, _pairs(members, rows, guarded=(1,), home=(0, 1)), DecisionPolicy())
    assert answered.eligible.tolist() == [True, True]

    elsewhere = decide(members, _pairs(members, rows, guarded=(1,), home=(1,)), DecisionPolicy())
    assert elsewhere.eligible.tolist() == [True, False]

    alone = decide(members, _pairs(members, rows[1:], guarded=(0,), home=(0,)), DecisionPolicy())
    assert alone.eligible.tolist() == [False]


def test_a_guard_is_not_answered_by_the_same_subject_or_by_another_guard() -> None:
    members = _members([HEALTH, HEALTH, WELFARE, WELFARE], {HEALTH: False, WELFARE: False}, [-1, -1, 7, 7])
    itself = _pairs(members, [(0, 3, 20.0), (1, 3, 20.0)], guarded=(1,), home=(0, 1))
    assert decide(members, itself, DecisionPolicy()).eligible.tolist() == [True, False]

    both = _pairs(members, [(0, 2, 20.0), (1, 3, 20.0)], guarded=(0, 1), home=(0, 1))
    assert not decide(members, both, DecisionPolicy()).eligible.any()


def test_pairs_into_a_source_that_may_repeat_people_are_no_rivals_of_one_another() -> None:
    members = _members([HEALTH, HEALTH, WELFARE, WELFARE], {HEALTH: True, WELFARE: False})
    pairs = _pairs(members, [(0, 2, 3.0), (0, 3, 1.0), (1, 2, 0.0)])
    probability = decide(members, pairs, DecisionPolicy()).probability
    # The welfare subject 2 competes for one health subject; the health subject 0 may have both welfare subjects.
    assert probability == pytest.approx([8 / (1 + 8 + 1), 2 / 3, 1 / (1 + 1 + 8)])


def test_a_weak_rival_of_an_overwhelming_pair_loses_nothing_to_rounding() -> None:
    members = _members([HEALTH, HEALTH, WELFARE], {HEALTH: True, WELFARE: True})
    pairs = _pairs(members, [(0, 2, 90.0), (1, 2, -3.0)])
    probability = decide(members, pairs, DecisionPolicy()).probability
    assert probability[0] == pytest.approx(1.0)
    assert probability[1] == pytest.approx(2.0**-93, rel=1e-6)


def test_odds_beyond_floating_point_stay_probabilities() -> None:
    members = _members([HEALTH, HEALTH, WELFARE], {HEALTH: True, WELFARE: True})
    probability = decide(members, _pairs(members, [(0, 2, 4000.0), (1, 2, -4000.0)]), DecisionPolicy()).probability
    assert probability == pytest.approx([1.0, 0.0])


def test_a_runner_up_within_the_margin_makes_both_ineligible() -> None:
    members = _members([HEALTH, HEALTH, WELFARE], {HEALTH: True, WELFARE: True})
    policy = DecisionPolicy(link_probability=0.2, review_probability=0.1, margin_bits=2.0)
    assert not decide(members, _pairs(members, [(0, 2, 6.0), (1, 2, 4.0)]), policy).eligible.any()
    assert decide(members, _pairs(members, [(0, 2, 6.0), (1, 2, 3.9)]), policy).eligible.tolist() == [True, False]


def test_a_guarded_pair_is_for_a_reviewer_unless_a_reviewer_has_linked_it() -> None:
    members = _members([HEALTH, WELFARE], {HEALTH: True, WELFARE: True})
    assert not decide(members, _pairs(members, [(0, 1, 30.0)], guarded=(0,)), DecisionPolicy()).eligible[0]
    verdicts = decide(members, _pairs(members, [(0, 1, 30.0)], guarded=(0,), must=(0,)), DecisionPolicy())
    assert verdicts.eligible[0]
    assert verdicts.probability[0] == 1.0


def test_a_pair_that_cannot_be_is_nobodys_rival() -> None:
    members = _members([HEALTH, HEALTH, WELFARE], {HEALTH: True, WELFARE: True})
    verdicts = decide(members, _pairs(members, [(0, 2, 2.0), (1, 2, 9.0)], cannot=(1,)), DecisionPolicy())
    assert verdicts.probability == pytest.approx([4 / 5, 0.0])
    assert verdicts.eligible.tolist() == [True, False]


def test_members_of_one_claim_and_records_of_a_source_that_repeats_nobody_are_excluded() -> None:
    members = _members([WELFARE, WELFARE, WELFARE, HEALTH, HEALTH], {HEALTH: True, WELFARE: False}, [7, 7, 8, -1, -1])
    left, right = np.array([0, 0, 3, 0]), np.array([1, 2, 4, 3])
    assert members.excluded(left, right).tolist() == [True, False, True, False]


def test_no_pairs_give_no_verdicts() -> None:
    members = _members([HEALTH], {HEALTH: True})
    empty = np.zeros(0, dtype=np.int64)
    none = np.zeros(0, dtype=bool)
    verdicts = decide(
        members, Candidates(empty, empty, np.zeros(0), none, none, none, none, none, none, none), DecisionPolicy()
    )
    assert verdicts.probability.size == 0
