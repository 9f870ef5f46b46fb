"""One number: what is withheld, and how the rest is rounded, by the shipped rules."""

from __future__ import annotations

import numpy as np
import pytest

from linkage.disclosure import release_count, release_percent
from linkage.disclosure.counts import could_be, rounded
from schemas.disclosure import CountRule, shipped_policy
from schemas.features import Sensitivity

ORDINARY = shipped_policy().rule([Sensitivity.ORDINARY])
HEALTH = shipped_policy().rule([Sensitivity.SPECIAL_CATEGORY])
WELFARE = shipped_policy().rule([Sensitivity.WELFARE])


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, None), (7, None), (8, 10), (12, 10), (13, 15), (1129, 1130)])
def test_ordinary_counts_hide_one_to_seven_and_round_to_five(count: int, told: int | None) -> None:
    assert release_count(count, ORDINARY) == told


@pytest.mark.parametrize(("count", "told"), [(0, None), (1, None), (9, None), (10, 10), (13, 15)])
def test_welfare_counts_hide_up_to_nine_and_zero_too(count: int, told: int | None) -> None:
    assert release_count(count, WELFARE) == told


def test_zero_of_a_health_attribute_is_withheld_like_a_small_count() -> None:
    assert release_count(0, HEALTH) is None
    assert release_count(8, HEALTH) == 10


@pytest.mark.parametrize("rest", range(1, 8))
def test_a_small_complement_withholds_the_count(rest: int) -> None:
    assert release_count(100 - rest, ORDINARY, of=100) is None


def test_all_of_a_group_is_withheld_where_it_says_something_of_each() -> None:
    assert release_count(100, WELFARE, of=100) is None
    assert release_count(100, ORDINARY, of=100) == 100


def test_the_board_papers_own_figures_come_out_as_the_rules_say() -> None:
    # COPD priority group 3: 79 people, 2 of them reviewed, printed as 2.53 per cent.
    reviewed, identified = release_count(2, HEALTH, of=79), release_count(79, HEALTH)
    assert (reviewed, identified) == (None, 80)
    assert release_percent(reviewed, identified) is None
    assert [release_count(n, HEALTH) for n in (600, 529, 4, 6, 1)] == [600, 530, None, None, None]


def test_percentages_come_from_released_counts_only() -> None:
    assert release_percent(80, 320) == 25.0
    assert release_percent(0, 0) is None
    assert release_percent(10, None) is None


@pytest.mark.parametrize("base", [1, 2, 5, 10, 50])
@pytest.mark.parametrize("threshold", [1, 7, 9])
def test_the_attackers_interval_is_exactly_what_rounds_to_the_number(base: int, threshold: int) -> None:
    rule = CountRule(suppress_up_to=threshold, round_to=base, suppress_zero=False, suppress_full=False)
    counts = np.arange(threshold + 1, 400)
    released = rounded(counts, rule)
    low, high = could_be(released, rule)
    assert ((low <= counts) & (counts <= high)).all()
    assert (released > 0).all()
    for number in np.unique(released)[:-1]:
        same = counts[released == number]
        at = np.flatnonzero(released == number)[0]
        assert (same.min(), same.max()) == (low[at], high[at])
