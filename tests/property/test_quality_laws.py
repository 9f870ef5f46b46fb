"""Laws of quality without labels: what holds of any pairs, probabilities and groups."""

from __future__ import annotations

import dataclasses
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaincinv

from linkage.quality.beyond import never_emitted
from linkage.quality.estimate import Errors, gamma_interval, number_interval, precision, recall, share_interval
from linkage.quality.evidence import LEAST_SWING, Census, Evidence
from linkage.quality.expected import expected, expected_persons
from linkage.quality.groups import SUMS, UNMET, distance, errors_of, standardised_difference
from linkage.quality.refit import shifted
from linkage.quality.report import quality_report
from linkage.quality.thresholds import links_at
from linkage.quality.weights import linkage_weights
from linkage.subjects import identities
from schemas.model import default_model
from schemas.quality import Estimate, Spread

SPREAD = Spread(refit_false=0.1, refit_missed=0.1, model_bits=1.0, kind_bits=1.0, beyond=0.8)
UNMET_NOTHING = dict.fromkeys(UNMET, 0.0)
numbers = st.floats(0, 1e5, allow_nan=False)
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def census(each: int, found_share: float = 1.0) -> Census:
    """Two sources of `each` subjects: 0 to each - 1, and each to 2 each - 1."""
    source = pl.Series(["a.gp"] * each + ["b.hb"] * each)
    identity = identities(source, pl.Series([str(n) for n in range(2 * each)]))
    return Census(
        source=np.repeat([0, 1], each).astype(np.uint16),
        sources=("a.gp", "b.hb"),
        unlinkable=np.zeros(2 * each, dtype=np.bool_),
        found_share=np.full(2 * each, found_share),
        link_share=np.ones(2 * each),
        completeness={"a.gp": {}, "b.hb": {}},
        identity=identity,
    )


def evidence(probability: list[float], linked: list[bool]) -> Evidence:
    """Pair i is of the i-th subject of either source; linked pairs are one person."""
    each = len(probability)
    left, right = np.arange(each), np.arange(each) + each
    made = np.asarray(linked)
    label = np.arange(2 * each)
    label[right[made]] = label[left[made]]
    return Evidence(
        label=label,
        left=left,
        right=right,
        log2_odds=np.zeros(each),
        probability=np.asarray(probability),
        linked=made,
        guarded=np.zeros(each, dtype=np.bool_),
        between=np.ones(each, dtype=np.bool_),
        pattern=np.zeros(each, dtype=np.int64),
    )


@given(st.floats(0.5, 1e7))
def test_quantiles_of_gamma_distributions_are_scipys(shape: float) -> None:
    assert gamma_interval(shape) == pytest.approx(gammaincinv(shape, [0.025, 0.975]), rel=3e-8)


def inside(estimate: Estimate) -> bool:
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    return 0 <= estimate.low <= estimate.value <= estimate.high <= 1


@given(st.integers(100, 10**6), numbers, numbers, numbers, numbers)
def test_intervals_contain_their_estimate(found: int, false: float, missed: float, one: float, other: float) -> None:
    errors = Errors(found, min(false, found), missed, one, other)

    assert inside(precision(errors))
    assert inside(recall(errors))


@given(numbers, numbers, st.floats(0, 10))
def test_more_doubt_makes_no_interval_narrower(number: float, deviation: float, more: float) -> None:
    low, high = number_interval(number, deviation)
    lower, higher = number_interval(number, deviation * (1 + more))

    assert higher - lower >= (high - low) * (1 - 1e-9)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_a_counted_share_lies_in_its_interval(of: int, share: float) -> None:
    assert inside(share_interval(int(share * of), of))


@given(st.integers(0, 99))
def test_few_links_are_not_judged(found: int) -> None:
    assert precision(Errors(found, 0, 0)).value is None
    assert recall(Errors(found, 0, 0)).value is None


@given(st.integers(1, 40))
def test_certain_links_are_all_right(each: int) -> None:
    sure = expected(census(each), evidence([1.0] * each, [True] * each))

    assert sure.false.sum() == sure.false_swing.sum() == sure.missed.sum() == 0
    assert sure.links.sum() / 2 == each


@given(probabilities, st.randoms())
def test_links_and_persons_of_two_expect_the_same_errors(probability: list[float], chance: object) -> None:
    linked = [p >= 0.5 for p in probability]
    weighed = evidence(probability, linked)
    links, persons = expected(census(len(linked)), weighed), expected_persons(weighed, UNMET_NOTHING)

    for name in ("links", "false", "missed", "false_swing", "missed_swing"):
        assert getattr(links, name).sum() / 2 == pytest.approx(persons[name], abs=1e-9)


@given(probabilities, st.randoms())
def test_errors_of_kinds_of_pair_are_less_than_all_alike_and_more_than_the_largest(
    probability: list[float], chance: Random
) -> None:
    pairs = evidence(probability, [p >= 0.5 for p in probability])
    pairs = dataclasses.replace(pairs, pattern=np.asarray([chance.randrange(3) for _ in probability]))
    chosen = pairs.swing > LEAST_SWING
    sums = np.bincount(pairs.pattern[chosen], pairs.swing[chosen], 3)

    assert sums.max() - 1e-9 <= pairs.by_kind(pairs.linked | True) <= sums.sum() + 1e-9
    assert pairs.by_kind(pairs.linked) <= pairs.by_kind(pairs.linked | True) + 1e-9


@given(probabilities, st.floats(0.05, 0.95))
def test_matches_of_which_a_share_is_found_stand_for_the_others(probability: list[float], share: float) -> None:
    likely = np.asarray(probability * 2)
    of = census(len(probability), share)
    missing = never_emitted(of.source, of.found_share, of.link_share, likely).missing

    assert missing.sum() == pytest.approx(likely.sum() * (1 - share) / share, rel=1e-9, abs=1e-12)


def test_the_source_whose_subjects_lack_fields_says_whose_the_matches_are_that_leave_no_pair() -> None:
    source = np.repeat(np.arange(2, dtype=np.uint16), 10)
    found = np.concatenate([np.full(10, 0.5), np.ones(10)])
    linked = np.concatenate([np.ones(16), np.zeros(4)])
    likely = np.concatenate([np.full(10, 0.6), np.ones(6), np.zeros(4)])
    never = never_emitted(source, found, linked, likely)
    missing = never.missing

    assert never.leader == 1
    assert missing[:10].sum() == pytest.approx(6)
    assert missing.tolist()[10:] == pytest.approx([0.0] * 6 + [1.5] * 4)
    assert never.sparse_swing.sum() == 0, "whoever has what shows a match has one, and so have those who lack it"


@given(probabilities, st.floats(0.5, 1), st.floats(0.5, 1))
def test_a_stricter_threshold_keeps_a_part_of_the_links(probability: list[float], one: float, other: float) -> None:
    weighed = evidence(probability, [p >= 0.5 for p in probability])
    strict, loose = (links_at(weighed, t, 0.5) for t in (max(one, other), min(one, other)))

    assert not (strict & ~loose).any()
    assert not (strict & ~weighed.linked).any()


@given(probabilities, st.floats(-20, 20))
def test_moved_odds_move_probabilities_the_same_way(probability: list[float], bits: float) -> None:
    before = np.asarray(probability)
    after = shifted(before, np.full(len(before), bits))

    assert ((after >= before - 1e-12) if bits >= 0 else (after <= before + 1e-12)).all()
    assert shifted(after, np.full(len(before), -bits)) == pytest.approx(before, abs=1e-6)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 500), st.integers(1, 500))
def test_a_variable_of_two_groups_differs_as_either_group_does(a: int, b: int, c: int, d: int) -> None:
    """a of a + b in the first group are linked, c of c + d in the second."""
    one = standardised_difference(a, a + b, a + c, a + b + c + d)
    other = standardised_difference(c, c + d, a + c, a + b + c + d)

    assert one is not None
    assert other == pytest.approx(-one, abs=1e-9)
    assert distance(np.array([a, c]), np.array([a + b, c + d])) == pytest.approx(abs(one), abs=1e-6)


def test_the_same_share_everywhere_is_no_difference() -> None:
    assert standardised_difference(10, 20, 50, 100) == pytest.approx(0.0)
    assert standardised_difference(10, 20, 100, 100) is None
    assert distance(np.array([10, 20, 30]), np.array([20, 40, 60])) == pytest.approx(0.0, abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from(["x", "y", None]), st.booleans()), min_size=1, max_size=400))
def test_weights_are_positive_and_only_the_linked_have_one(rows: list[tuple[str | None, bool]]) -> None:
    linked = np.asarray([made for _, made in rows])
    groups = pl.Series([group for group, _ in rows], dtype=pl.String)
    weights = linkage_weights(pl.Series(["a.gp"] * len(rows)), [groups], linked)

    assert (np.isfinite(weights) == linked).all()
    assert (weights[linked] > 0).all()


def test_weights_make_the_linked_look_like_everybody() -> None:
    groups = pl.Series(["x"] * 1000 + ["y"] * 1000)
    linked = np.concatenate([np.arange(1000) < 900, np.arange(1000) < 450])
    weights = linkage_weights(pl.Series(["a.gp"] * 2000), [groups], linked)
    of_x = np.nansum(weights[:1000])

    assert of_x / np.nansum(weights) == pytest.approx(0.5)


def test_a_model_that_was_not_fitted_judges_nothing() -> None:
    pairs = pl.DataFrame(
        schema={
            "left_number": pl.Int64, "right_number": pl.Int64, "pattern": pl.Int64, "log2_odds": pl.Float64,
            "rival_bits": pl.Float64, "guard": pl.String, "probability": pl.Float64, "decision": pl.String,
        }
    )  # fmt: skip
    labels = pl.DataFrame(schema={"number": pl.Int64, "label": pl.Int64})
    report = quality_report(census(3), pairs, labels, default_model(), {}, np.random.default_rng(1))

    assert report.links.precision.not_estimable == "no_fit"
    assert report.persons.recall.not_estimable == "no_fit"
    assert report.links.expected_false is None
    assert [source.link_rate.value for source in report.sources] == [0.0, 0.0]
    assert errors_of(dict.fromkeys((*SUMS, "false_by_kind", "missed_by_kind"), 0.0), SPREAD)
