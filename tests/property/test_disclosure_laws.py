"""Laws of disclosure control, for any table: what attackers can work out from what is told, and what must not
depend on what.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import Bounds, LinearConstraint, milp

from linkage.disclosure import Release, conflicts, release_count, release_percent, release_table
from linkage.disclosure.counts import could_be, too_small
from linkage.disclosure.tables import with_margins
from schemas.disclosure import CountRule, shipped_policy
from schemas.features import Sensitivity

RULES = [shipped_policy().rule([kind]) for kind in Sensitivity]
SHAPES = st.sampled_from([(2,), (5,), (2, 2), (2, 3), (3, 4), (2, 2, 2), (2, 3, 2)])
TABLES = SHAPES.flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.one_of(st.integers(0, 15), st.integers(0, 300)))
)


@given(TABLES, st.sampled_from(RULES))
def test_no_small_entry_is_told_and_every_told_one_is_a_multiple_of_the_base(
    cells: np.ndarray, rule: CountRule
) -> None:
    told = release_table(cells, rule, (True,) * cells.ndim)
    counts = with_margins(cells)
    assert told.suppressed[too_small(counts, rule)].all()
    assert (told.values % rule.round_to == 0).all()
    assert (np.abs(told.values - counts)[~told.suppressed] <= max(rule.round_to // 2, 0) + rule.round_to % 2).all()


@given(TABLES, st.sampled_from(RULES))
def test_no_told_cell_leaves_a_small_rest_of_its_line(cells: np.ndarray, rule: CountRule) -> None:
    told = release_table(cells, rule, (True,) * cells.ndim)
    counts = with_margins(cells)
    for axis in range(cells.ndim):
        rest = np.moveaxis(counts.take([-1], axis) - counts, axis, -1)[..., :-1]
        shown = np.moveaxis(~told.suppressed & (counts > 0), axis, -1)[..., :-1]
        assert not (shown & (rest > 0) & (rest <= rule.suppress_up_to)).any()
        if rule.suppress_full:
            assert not (shown & (rest == 0)).any()


@settings(max_examples=40, deadline=None)
@given(TABLES, st.sampled_from(RULES))
@example(  # the grand total alone tells every cell
    np.full((2, 2), 7), CountRule(suppress_up_to=7, round_to=5, suppress_zero=False, suppress_full=False)
)
def test_an_exact_attacker_never_pins_down_a_withheld_small_count(cells: np.ndarray, rule: CountRule) -> None:
    """The attacker solves for each small count with integer programming, and is even told which ones are small."""
    told = release_table(cells, rule, (True,) * cells.ndim)
    small = too_small(with_margins(cells), rule).ravel()
    sums = np.ones((1, 1))
    for values in cells.shape:
        sums = np.kron(sums, np.vstack([np.eye(values), np.ones((1, values))]))
    low, high = (bound.ravel() for bound in could_be(told.values, rule))
    low = np.where(told.suppressed.ravel(), 0, low)
    high = np.where(told.suppressed.ravel(), 10**6, high)
    low = np.where(small, 0 if rule.suppress_zero else 1, low)
    high = np.where(small, rule.suppress_up_to, high)
    known = LinearConstraint(sums, low, high)
    for entry in np.flatnonzero(small):
        least, most = (
            sign * milp(sign * sums[entry], constraints=known, integrality=np.ones(cells.size), bounds=Bounds(0)).fun
            for sign in (1, -1)
        )
        assert round(most) > round(least)


@given(TABLES, st.sampled_from(RULES))
def test_asking_again_gives_the_same_answer(cells: np.ndarray, rule: CountRule) -> None:
    first = release_table(cells, rule, (True,) * cells.ndim)
    again = release_table(cells.copy(), rule, (True,) * cells.ndim)
    assert np.array_equal(first.values, again.values)
    assert np.array_equal(first.suppressed, again.suppressed)


@given(st.integers(0, 400), st.integers(0, 400), st.sampled_from(RULES), st.integers(0, 20))
def test_a_stricter_threshold_never_tells_more(count: int, rest: int, rule: CountRule, more: int) -> None:
    stricter = rule.model_copy(update={"suppress_up_to": rule.suppress_up_to + more, "suppress_zero": True})
    if release_count(count, rule, of=count + rest) is None:
        assert release_count(count, stricter, of=count + rest) is None


@given(st.lists(st.sampled_from(list(Sensitivity)), max_size=4), st.sampled_from(list(Sensitivity)))
def test_another_class_in_play_never_weakens_the_rule(classes: list[Sensitivity], another: Sensitivity) -> None:
    policy = shipped_policy()
    before, after = policy.rule(classes), policy.rule([*classes, another])
    assert after.stricter(before) == after


@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from(RULES))
def test_a_percentage_tells_no_more_than_its_two_counts(count: int, rest: int, rule: CountRule) -> None:
    told, of = release_count(count, rule, of=count + rest), release_count(count + rest, rule)
    share = release_percent(told, of)
    if told is None or not of:
        assert share is None
    else:
        assert share == pytest.approx(100 * told / of, abs=0.051)


@settings(deadline=None)
@given(
    st.integers(20, 120).flatmap(
        lambda n: st.tuples(
            st.lists(st.booleans(), min_size=n, max_size=n), st.lists(st.booleans(), min_size=n, max_size=n)
        )
    ),
    st.integers(1, 12),
)
def test_two_told_groups_differ_by_enough_people_or_by_none(groups: tuple[list[bool], list[bool]], least: int) -> None:
    first, second = (np.array(group) for group in groups)
    releases = [Release.of_table(np.where(group, 0, -1).astype(np.int32), (1,)) for group in (first, second)]
    refused = conflicts(releases[1], releases[:1], least).any()
    apart = int((first != second).sum())
    near_complement = 0 < len(first) - apart < least
    assert refused == (apart > 0 and (apart < least or near_complement) and bool(first.any() or apart < least))
