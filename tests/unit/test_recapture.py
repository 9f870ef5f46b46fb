"""Sessions that tell of more matches than there can be are left out; those that agree stay, in whatever order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.levels import FloatArray
from linkage.recapture import FEWEST_SESSIONS, MOST_OVER_MEDIAN, in_agreement

CHANCE = np.array([0.8, 0.9, 0.85, 0.5, 0.95, 0.7])
USED = np.ones(len(CHANCE), dtype=np.bool_)


def known(kept: object) -> FloatArray:
    return CHANCE


@given(st.lists(st.floats(0.97, 1.03), min_size=6, max_size=6))
def test_sessions_that_find_their_share_are_kept(luck: list[float]) -> None:
    assert in_agreement(1_000 * CHANCE * luck, USED, known).all()


@pytest.mark.parametrize("drifted", [(0,), (3,), (0, 5), (1, 2)])
def test_a_session_that_tells_of_too_many_is_left_out(drifted: tuple[int, ...]) -> None:
    found = 1_000 * CHANCE
    found[list(drifted)] *= 1.4

    kept = in_agreement(found, USED, known)

    assert np.flatnonzero(~kept).tolist() == list(drifted)


def test_one_that_seemed_too_many_only_while_a_worse_one_moved_m_comes_back() -> None:
    found = 1_000 * CHANCE
    found[0] *= 9.0

    def moved(kept: npt.NDArray[np.bool_]) -> FloatArray:
        chance = CHANCE.copy()
        if kept[0]:  # the drifted session makes the pass of the fifth look unable to find a match
            chance[4] /= 10.0
        return chance

    kept = in_agreement(found, USED, moved)

    assert kept.tolist() == [False, True, True, True, True, True]


def test_few_sessions_are_kept_whatever_they_tell() -> None:
    used = np.arange(len(CHANCE)) < FEWEST_SESSIONS
    found = 1_000 * CHANCE * np.array([1.0, 1.0, 5.0, 1.0, 1.0, 1.0])

    assert (in_agreement(found, used, known) == used).all()


def test_sessions_out_of_use_stay_out() -> None:
    none = np.zeros(len(CHANCE), dtype=np.bool_)

    assert not in_agreement(np.zeros(len(CHANCE)), none, known).any()


@given(st.lists(st.floats(0.5, 3.0), min_size=6, max_size=6))
def test_what_is_kept_agrees_or_is_as_few_as_may_be(luck: list[float]) -> None:
    found = 1_000 * CHANCE * luck

    kept = in_agreement(found, USED, known)

    there = (found / CHANCE)[kept]
    assert len(there) >= FEWEST_SESSIONS
    assert len(there) == FEWEST_SESSIONS or there.max() <= MOST_OVER_MEDIAN * np.median(there) + 1e-6
