"""Scores against a known truth."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.evaluate import Score, components, score_links, score_persons


def test_ratios() -> None:
    score = Score(correct=6, found=8, true=12)

    assert (score.precision, score.recall) == (0.75, 0.5)
    assert score.f1 == pytest.approx(2 * 0.75 * 0.5 / (0.75 + 0.5))
    assert score.as_dict()["correct"] == 6


def test_nothing_to_find_and_nothing_found_is_perfect() -> None:
    assert Score(0, 0, 0).f1 == Score(0, 0, 0).precision == Score(0, 0, 0).recall == 1.0


def test_links_count_once() -> None:
    found = pl.DataFrame({"left": ["a", "a", "b"], "right": ["x", "x", "z"]})
    true = pl.DataFrame({"left": ["a", "b"], "right": ["x", "y"]})

    assert score_links(found, true) == Score(correct=1, found=2, true=2)


def test_persons_are_judged_by_their_pairs() -> None:
    #                  one person too wide | one split | one right
    label = np.array([0, 0, 0, 1, 2, 3, 3])
    person = np.array([0, 0, 1, 2, 2, 3, 3])
    score = score_persons(np.zeros(7, dtype=np.int64), label, person)

    assert score == Score(correct=2, found=4, true=3)


def test_of_two_records_of_one_file_that_the_truth_does_not_name_nothing_is_said() -> None:
    file = np.array([1, 1, 0, 1])
    label = np.array([0, 0, 1, 1])
    person = np.array([-1, -1, -1, -1])
    score = score_persons(file, label, person)

    assert score == Score(correct=0, found=1, true=0)


def test_a_record_the_truth_names_is_wrong_with_one_it_does_not() -> None:
    score = score_persons(np.array([0, 1, 1]), np.array([0, 0, 0]), np.array([5, 5, -1]))

    assert score == Score(correct=1, found=3, true=1)


def test_components_join_whom_pairs_join() -> None:
    label = components(5, np.array([0, 1]), np.array([1, 2]))

    assert label[0] == label[1] == label[2]
    assert len({label[0], label[3], label[4]}) == 3
    assert len(components(0, np.zeros(0, dtype=int), np.zeros(0, dtype=int))) == 0
