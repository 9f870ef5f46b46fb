"""Counting levels of which some say less than others."""

from __future__ import annotations

import numpy as np
import pytest

from linkage.levels import membership, plain, shared_out, smoothed, with_unions
from schemas.model import COMPARISONS, UNIONS

DATE = "date_of_birth"


def at(comparison: str, level: str) -> int:
    return COMPARISONS[comparison].index(level)


@pytest.mark.parametrize("comparison", list(COMPARISONS))
def test_plain_levels_sum_to_one_and_a_union_to_its_members(comparison: str) -> None:
    raw = np.random.default_rng(1).random(len(COMPARISONS[comparison]))
    made = with_unions(comparison, raw)

    assert made[plain(comparison)].sum() == pytest.approx(1.0)
    for union, members in UNIONS.get(comparison, {}).items():
        assert made[at(comparison, union)] == pytest.approx(sum(made[at(comparison, m)] for m in members))


def test_no_union_has_a_union_as_member() -> None:
    for comparison, unions in UNIONS.items():
        for members in unions.values():
            assert all(plain(comparison)[at(comparison, member)] for member in members)
        assert membership(comparison).shape == (len(COMPARISONS[comparison]),) * 2


def test_a_union_count_is_shared_as_believed() -> None:
    counts, believed = np.zeros(len(COMPARISONS[DATE])), np.zeros(len(COMPARISONS[DATE]))
    counts[at(DATE, "exact")] = 12
    believed[at(DATE, "exact_same_sex")], believed[at(DATE, "exact_other_sex")] = 0.9, 0.3

    spread = shared_out(DATE, counts, believed)

    assert spread[at(DATE, "exact_same_sex")] == pytest.approx(9)
    assert spread[at(DATE, "exact_other_sex")] == pytest.approx(3)
    assert spread.sum() == pytest.approx(12)


def test_a_union_of_which_nothing_is_believed_is_shared_alike() -> None:
    counts = np.zeros(len(COMPARISONS[DATE]))
    counts[at(DATE, "exact")] = 8

    spread = shared_out(DATE, counts, np.zeros(len(counts)))

    assert spread[at(DATE, "exact_same_sex")] == spread[at(DATE, "exact_other_sex")] == pytest.approx(4)


def test_smoothing_gives_way_to_observations() -> None:
    towards = np.array([0.5, 0.5])
    nothing = smoothed("nino", np.zeros(2), towards, 10)
    much = smoothed("nino", np.array([9_000.0, 1_000.0]), towards, 10)

    assert nothing.tolist() == pytest.approx([0.5, 0.5])
    assert much.tolist() == pytest.approx([0.9, 0.1], abs=1e-3)


def test_smoothing_leaves_no_level_impossible() -> None:
    towards = with_unions("home", np.ones(len(COMPARISONS["home"])))
    counts = np.zeros(len(COMPARISONS["home"]))
    counts[0] = 1e6

    assert smoothed("home", counts, towards, 5).min() > 0
