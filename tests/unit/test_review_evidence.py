"""What is told of a pair: it adds up, and a frequency never shows beyond three words and coarse steps."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.compare import LEVEL, PLACE, patterns
from linkage.explain import FREQUENCY, HOUSEHOLD, RIVALS, ScoredPair
from linkage.match import Matcher
from linkage.reason import Because
from linkage.tell import PROBABILITIES, Explainer, Rarity, told_probability
from schemas.decision import Decision
from schemas.model import COMPARISONS, Frequencies, MatchModel, default_model
from services.review.sealing import Seal

SOURCES = ("kmpt.gp", "medway.shbe")
PRIOR_BITS = -17.0

STRANGERS = {
    "forename": "exact",
    "surname": "similar",
    "date_of_birth": "exact_same_sex",
    "home": "address_different_postcode_different",
}
TWINS = {
    "forename": "different",
    "surname": "exact",
    "date_of_birth": "exact_same_sex",
    "home": "address_same_postcode_same",
}


@cache
def explainer(*columns: str) -> Explainer:
    """What explains pairs of `model(*columns)`."""
    return Explainer(model(*columns))


@cache
def matcher(*columns: str) -> Matcher:
    """What weighs pairs with `model(*columns)`."""
    return Matcher(model(*columns))


@cache
def model(*columns: str) -> MatchModel:
    """The shipped model with frequencies of these token columns."""
    tables = tuple(Frequencies(column=column, floor=1e-5) for column in columns)
    return default_model().model_copy(update={"frequencies": tables})


def pair(
    levels: dict[str, str],
    *columns: str,
    frequency_bits: float = 0.0,
    sources: tuple[str, str] = SOURCES,
) -> ScoredPair:
    """A pair as a matcher with frequencies of `columns` scores it, its values so many bits rarer than usual."""
    fitted = model(*columns)
    column = np.zeros((len(COMPARISONS), 1), dtype=np.uint8)
    for name, level in levels.items():
        column[PLACE[name]] = LEVEL[name][level]
    pattern = patterns(column)
    weight = matcher(*columns).weigher.weigh(pattern, np.array([frequency_bits]), fitted.default_log2_relatives)
    odds = float(weight[0]) + PRIOR_BITS
    return ScoredPair(
        sources=sources,
        pattern=int(pattern[0]),
        weight_bits=float(weight[0]),
        log2_odds=odds,
        guard=None,
        model_id=fitted.model_id,
        probability=1 / (1 + 2.0**-odds),
        decision=Decision.REVIEW,
    )


def test_every_comparison_is_told_in_the_models_order_and_they_add_up() -> None:
    told = explainer().evidence(pair(STRANGERS))
    assert [field.name for field in told.fields] == list(COMPARISONS)
    levels = {field.name: field.level for field in told.fields}
    assert levels == {name: STRANGERS.get(name, "missing") for name in COMPARISONS}
    assert told.weight_bits == pytest.approx(sum(field.weight_bits for field in told.fields))
    assert told.prior_bits == PRIOR_BITS
    assert [f.weight_bits for f in told.fields if f.level == "missing"] == [0.0, 0.0, 0.0]


def test_each_term_shows_what_its_weight_is_made_of_and_the_sum_so_far() -> None:
    told = explainer("token_forename").evidence(pair(STRANGERS, "token_forename", frequency_bits=3.0))
    running = told.prior_bits
    for field in told.fields:
        running += field.weight_bits
        assert field.running_bits == pytest.approx(running)
        if field.m is None:
            assert field.u is None
            assert field.level == "missing" or field.name not in COMPARISONS
        else:
            assert field.u is not None
            assert field.weight_bits == pytest.approx(log2(field.m / field.u), abs=0.06)
    assert running == pytest.approx(told.prior_bits + told.weight_bits)
    assert [field.name for field in told.fields if field.name not in COMPARISONS] == [FREQUENCY]


@settings(deadline=None)
@given(bits=st.floats(-4.0, 5.0), rival_bits=st.floats(0.0, 20.0), levels=st.sampled_from([STRANGERS, TWINS]))
def test_what_is_told_comes_to_the_odds_within_its_steps(
    bits: float, rival_bits: float, levels: dict[str, str]
) -> None:
    """Weights are rounded (0.05 each), a rare or common value counts as a fixed 1.5 bits, rivals in steps of three."""
    stored = replace(pair(levels, "token_forename", frequency_bits=bits), rival_bits=rival_bits)
    told = explainer("token_forename").evidence(stored)
    slack = 0.05 * 9 + max(abs(bits) - 1.5, 1.5) + 1.5 + 0.5
    assert told.prior_bits + told.weight_bits == pytest.approx(stored.log2_odds - rival_bits, abs=slack)


def test_thresholds_reason_and_guard_are_told() -> None:
    told = explainer().evidence(replace(pair(STRANGERS), guard="twin", log2_odds=4.0, probability=16 / 17))
    assert (told.guard, told.because) == ("twin", Because.GUARD)
    assert told.policy == model().policy


def test_what_likeness_to_a_household_costs_is_told() -> None:
    stored = pair(TWINS)
    told = explainer().evidence(stored)
    assert told.fields[-1].name == HOUSEHOLD
    assert told.fields[-1].level == "likely_relatives"
    assert told.weight_bits == pytest.approx(stored.weight_bits, abs=0.5)
    assert HOUSEHOLD not in {field.name for field in explainer().evidence(pair(STRANGERS)).fields}


@pytest.mark.parametrize(
    ("log2_rivals", "word", "bits"),
    [(-9.0, None, 0.0), (4.0, "weaker", -3.0), (9.0, "as_strong", -9.0), (12.0, "stronger", -12.0)],
)
def test_what_rivals_cost_is_told_in_steps(log2_rivals: float, word: str | None, bits: float) -> None:
    odds, rivals = 2.0**9, 2.0**log2_rivals
    stored = replace(pair(STRANGERS), log2_odds=9.0, probability=odds / (1 + odds + rivals))
    told = {field.name: field for field in explainer().evidence(stored).fields}
    assert (told[RIVALS].level if RIVALS in told else None) == word
    assert (told[RIVALS].weight_bits if RIVALS in told else 0.0) == bits


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_an_override_or_an_exclusion_has_no_rivals(probability: float) -> None:
    told = explainer().evidence(replace(pair(STRANGERS), probability=probability))
    assert told.probability == probability
    assert RIVALS not in {field.name for field in told.fields}


def test_a_pair_within_one_source_is_explained_too() -> None:
    told = explainer().evidence(pair(STRANGERS, sources=(SOURCES[0], SOURCES[0])))
    assert told.fields == explainer().evidence(pair(STRANGERS)).fields


@pytest.mark.parametrize(
    ("bits", "word"),
    [
        (-3.0, Rarity.COMMON),
        (-1.2, Rarity.COMMON),
        (-0.5, Rarity.TYPICAL),
        (0.5, Rarity.TYPICAL),
        (1.2, Rarity.RARE),
        (6.0, Rarity.RARE),
    ],
)
def test_how_common_the_agreeing_value_is_shows_as_a_word(bits: float, word: Rarity) -> None:
    told = explainer("token_forename").evidence(pair(STRANGERS, "token_forename", frequency_bits=bits))
    assert {field.name: field.rarity for field in told.fields if field.rarity} == {"forename": word}


def test_of_several_agreeing_values_only_the_mean_is_known() -> None:
    columns = ("token_forename", "token_date_of_birth")
    for bits, word in ((3.0, Rarity.RARE), (1.5, Rarity.TYPICAL)):
        told = explainer(*columns).evidence(pair(STRANGERS, *columns, frequency_bits=bits))
        assert {f.name: f.rarity for f in told.fields if f.rarity} == {"forename": word, "date_of_birth": word}


def test_nothing_is_said_of_rarity_where_a_household_hides_it() -> None:
    told = explainer("token_surname").evidence(pair(TWINS, "token_surname", frequency_bits=4.0))
    assert {field.rarity for field in told.fields} == {None}


def test_without_frequencies_nothing_is_said_of_rarity() -> None:
    assert {field.rarity for field in explainer().evidence(pair(STRANGERS)).fields} == {None}


@settings(deadline=None)
@given(bits=st.floats(1.1, 8.0), other=st.floats(1.1, 8.0))
def test_frequencies_of_one_word_and_one_step_are_told_alike(bits: float, other: float) -> None:
    """Otherwise the weights or the probability would give away how common a value is, and so which value it may be."""
    one, another = (
        explainer("token_forename").evidence(pair(STRANGERS, "token_forename", frequency_bits=b)) for b in (bits, other)
    )
    assert one.fields == another.fields
    assert (one.prior_bits, one.weight_bits) == (another.prior_bits, another.weight_bits)
    assert {one.probability, another.probability} <= set(PROBABILITIES)


def test_probabilities_are_told_in_steps() -> None:
    assert [told_probability(p) for p in (0.0, 1e-9, 0.12, 0.4, 0.6, 0.8, 0.999999, 1.0)] == [
        0.0, 0.01, 0.1, 0.5, 0.5, 0.75, 0.99, 1.0,
    ]  # fmt: skip


@settings(deadline=None)
@given(st.floats(1e-300, 1.0, exclude_max=True))
def test_a_told_probability_is_the_nearest_in_odds(probability: float) -> None:
    told = told_probability(probability)
    steps = PROBABILITIES[1:-1]
    assert told in steps

    def odds(p: float) -> float:
        return log2(p) - log2(1 - p)

    assert abs(odds(told) - odds(probability)) == min(abs(odds(step) - odds(probability)) for step in steps)


@settings(deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5))
def test_a_seal_opens_for_its_use_only_and_never_looks_alike(numbers: list[int]) -> None:
    seal = Seal()
    text = seal.seal("review", tuple(numbers))
    assert seal.opened("review", text) == tuple(numbers)
    assert seal.opened("page", text) is None
    assert Seal().opened("review", text) is None
    assert seal.seal("review", tuple(numbers)) != text


@settings(deadline=None)
@given(st.text(max_size=60))
def test_what_was_not_sealed_does_not_open(text: str) -> None:
    assert Seal().opened("review", text) is None
