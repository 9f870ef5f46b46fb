"""Estimated quality and the truth, small populations of both generators; twenty: `python -m tests.bench.quality`."""

from __future__ import annotations

import pytest

from tests.bench.quality import OVERALL, SETTINGS, Judged, judged_populations

SMALL = [setting for setting in SETTINGS if setting.people <= 30_000 and setting.claims <= 6_000]


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return [one for _, estimates in judged_populations(SMALL) for one in estimates]


@pytest.mark.slow
def test_overall_estimates_are_within_a_point_and_their_intervals_hold(judged: list[Judged]) -> None:
    overall = [one for one in judged if one.what in OVERALL]

    assert len(overall) == len(OVERALL) * len(SMALL)
    assert max(abs(one.value - one.truth) for one in overall) <= 0.01
    # Links and persons of one population stand or fall together: ten populations are few.
    assert sum(one.low <= one.truth <= one.high for one in overall) / len(overall) >= 0.8
    assert max(one.high - one.low for one in overall) <= 0.06


@pytest.mark.slow
def test_subgroups_are_within_two_points_and_their_intervals_hold(judged: list[Judged]) -> None:
    groups = [one for one in judged if one.what not in OVERALL]

    assert max(abs(one.value - one.truth) for one in groups) <= 0.02
    assert sum(one.low <= one.truth <= one.high for one in groups) / len(groups) >= 0.85
