"""Tables: what one cell hides, its margins and neighbours must not tell."""

from __future__ import annotations

import numpy as np
import pytest

from linkage.disclosure import release_table
from linkage.disclosure.tables import with_margins
from schemas.disclosure import shipped_policy
from schemas.features import Sensitivity

ORDINARY = shipped_policy().rule([Sensitivity.ORDINARY])
WELFARE = shipped_policy().rule([Sensitivity.WELFARE])


def test_margins_stand_last_on_every_axis() -> None:
    table = with_margins(np.array([[1, 2], [3, 4]]))
    assert table.tolist() == [[1, 2, 3], [3, 4, 7], [4, 6, 10]]


def test_plain_large_cells_are_only_rounded_each_by_itself() -> None:
    released = release_table(np.array([[101, 202], [303, 404]]), ORDINARY, (False, False))
    assert not released.suppressed.any()
    assert released.values.tolist() == [[100, 200, 305], [305, 405, 705], [405, 605, 1010]]


def test_the_only_other_cell_of_a_line_is_withheld_with_a_small_one() -> None:
    released = release_table(np.array([3, 200]), ORDINARY, (False,))
    assert released.suppressed.tolist() == [True, True, False]
    assert released.values.tolist() == [0, 0, 205]


def test_a_small_cell_among_several_is_withheld_alone() -> None:
    released = release_table(np.array([3, 200, 300]), ORDINARY, (False,))
    assert released.suppressed.tolist() == [True, False, False, False]


@pytest.mark.parametrize("telling", [False, True])
def test_everybody_in_one_value_is_withheld_only_where_the_axis_tells_something(telling: bool) -> None:
    released = release_table(np.array([50, 0]), WELFARE, (telling,))
    assert bool(released.suppressed[0]) is telling
    assert bool(released.suppressed[1])


def test_an_attacker_who_adds_up_lines_learns_no_small_count() -> None:
    # Told as 10, 10, 10 of 45 the small cell could only be 45 - 2 - 3 * 12 = 7, so another one is withheld beside it.
    released = release_table(np.array([12, 12, 12, 7]), ORDINARY, (False,))
    assert released.suppressed.tolist() == [True, False, False, True, False]


def test_a_small_cell_that_stays_in_doubt_costs_no_other_cell() -> None:
    released = release_table(np.array([12, 12, 7]), ORDINARY, (False,))
    assert released.suppressed.tolist() == [False, False, True, False]


def test_a_table_is_the_same_whichever_way_it_lies() -> None:
    cells = np.random.default_rng(7).poisson(15, (4, 5, 3))
    lying = release_table(cells.transpose(2, 0, 1), WELFARE, (True, True, True))
    standing = release_table(cells, WELFARE, (True, True, True))
    agreed = lying.suppressed.transpose(1, 2, 0) == standing.suppressed
    # Which of two equal neighbours is withheld beside an exposed cell may differ; nothing else may.
    assert agreed.mean() > 0.98


def test_an_empty_table_says_nothing() -> None:
    released = release_table(np.zeros((2, 3), np.int64), WELFARE, (True, True))
    assert released.suppressed.all()
