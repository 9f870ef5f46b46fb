"""The ledger's question: is this answer too close to one that was given before?"""

from __future__ import annotations

import numpy as np

from linkage.disclosure import Release, conflicts


def _count(members: range, denominator: int, everyone: int = 1000) -> Release:
    cells = np.full(everyone, -1, np.int32)
    cells[:denominator] = 1
    cells[members.start : members.stop] = 0
    return Release.of_table(cells, (2,))


def test_the_same_people_again_are_no_difference() -> None:
    first = _count(range(100), 400)
    assert not conflicts(first, [first], 10).any()


def test_a_few_people_more_are_refused_and_many_are_not() -> None:
    first = _count(range(100), 400)
    assert conflicts(_count(range(109), 400), [first], 10)[0]
    assert not conflicts(_count(range(110), 400), [first], 10)[0]


def test_swapping_a_few_people_is_refused_although_the_size_is_equal() -> None:
    assert conflicts(_count(range(4, 104), 400), [_count(range(100), 400)], 10)[0]


def test_the_complement_of_an_earlier_group_but_for_a_few_is_refused() -> None:
    first = _count(range(600), 1000)
    assert conflicts(_count(range(604, 1000), 1000), [first], 10)[0]
    assert not conflicts(_count(range(600, 1000), 1000), [first], 10)[0]


def test_a_cell_of_an_earlier_table_counts_like_a_question_of_its_own() -> None:
    cells = np.repeat(np.arange(6, dtype=np.int32), 50)
    table = Release.of_table(cells, (2, 3))
    close = np.full(300, -1, np.int32)
    close[:46] = 0
    assert conflicts(Release.of_table(close, (1,)), [table], 10).all()
    margin = np.full(300, -1, np.int32)
    margin[:146] = 0
    assert conflicts(Release.of_table(margin, (1,)), [table], 10).all()


def test_only_what_was_told_counts() -> None:
    table = Release.of_table(np.repeat(np.arange(2, dtype=np.int32), 50), (2,))
    close = np.full(100, -1, np.int32)
    close[:46] = 0
    close = Release.of_table(close, (1,))
    assert conflicts(close, [table], 10).any()
    assert not conflicts(close, [table.told(np.array([False, False, True]))], 10).any()


def test_groups_of_a_table_are_its_cells_and_margins_in_order() -> None:
    cells = np.array([0, 1, 1, 2, 3, 3, 3, -1], np.int32)
    assert Release.of_table(cells, (2, 2)).sizes.tolist() == [1, 2, 3, 1, 3, 4, 2, 5, 7]


def test_the_digest_tells_people_and_groups_apart() -> None:
    first = _count(range(100), 400)
    again = _count(range(100), 400)
    fewer = first.told(np.array([True, False, True]))
    assert first.digest == again.digest
    assert len({first.digest, fewer.digest, _count(range(101), 400).digest}) == 3
