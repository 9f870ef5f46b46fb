"""Weights: sums of log2 m/u, frequencies, and what likeness to a household costs."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from linkage.compare import LEVEL, PLACE, STRIDES
from linkage.subjects import TOKEN_POSITION, token_prefix
from linkage.weigh import VETOES, Guard, Weigher
from schemas.model import COMPARISONS, MISSING, Frequencies, MatchModel, default_model

MODEL = default_model()
NO_RELATIVES = -60.0
HOMES, NO_HOMES = np.array([True]), np.array([False])


def pattern(**levels: str) -> np.ndarray:
    number = sum(LEVEL[name][level] * STRIDES[PLACE[name]] for name, level in levels.items())
    return np.array([number], dtype=np.int32)


def bits(weigher: Weigher, levels: dict[str, str], relatives: float = NO_RELATIVES) -> float:
    return float(weigher.weigh(pattern(**levels), np.zeros(1), relatives)[0])


def model_with(*tables: Frequencies) -> MatchModel:
    return MODEL.model_copy(update={"frequencies": tables})


def test_weight_is_the_sum_over_comparisons_of_log2_m_over_u() -> None:
    weigher = Weigher(MODEL)
    expected = 0.0
    for comparison in MODEL.comparisons:
        if comparison.name in ("forename", "surname"):
            expected += log2(comparison.m[0] / comparison.u[0])

    assert bits(weigher, {"forename": "exact", "surname": "exact"}) == pytest.approx(expected, abs=1e-4)


def test_a_missing_value_is_no_evidence() -> None:
    weigher = Weigher(MODEL)

    assert bits(weigher, {}) == pytest.approx(0.0, abs=1e-4)
    for name in COMPARISONS:
        assert weigher.level_bits(name)[0] == 0


def test_every_level_of_agreement_outweighs_difference() -> None:
    weigher = Weigher(MODEL)

    for name, worst in (("forename", "different"), ("surname", "different"), ("date_of_birth", "different")):
        levels = weigher.level_bits(name)
        others = [levels[number] for level, number in LEVEL[name].items() if level not in (worst, "missing", "unseen")]
        assert min(others) > levels[LEVEL[name][worst]]


def test_a_common_value_weighs_less_and_a_rare_one_no_more_than_the_floor() -> None:
    common, listed, rare = 11, 12, 13
    table = Frequencies(
        column="token_surname", floor=1e-4, values={token_prefix(common): 0.02, token_prefix(listed): 0.002}
    )
    weigher = Weigher(model_with(table))
    tokens = np.zeros((3, len(TOKEN_POSITION)), dtype=np.uint64)
    tokens[:, TOKEN_POSITION["token_surname"]] = [common, listed, rare]
    exact = np.repeat(pattern(surname="exact"), 3)
    u = next(c for c in MODEL.comparisons if c.name == "surname").u[0]

    found = weigher.frequency_bits(exact, tokens, np.arange(3))

    assert found.tolist() == pytest.approx([log2(u / 0.02), log2(u / 0.002), log2(u / 1e-4)])


def test_frequency_counts_only_where_values_are_equal() -> None:
    weigher = Weigher(model_with(Frequencies(column="token_forename", floor=1e-3)))
    tokens = np.ones((1, len(TOKEN_POSITION)), dtype=np.uint64)

    for level in ("close", "nickname", "different"):
        assert weigher.frequency_bits(pattern(forename=level), tokens, np.array([0])).tolist() == [0.0]


def test_twins_look_like_relatives_and_one_person_does_not() -> None:
    weigher = Weigher(MODEL)
    at_home = {"surname": "exact", "date_of_birth": "exact_same_sex", "home": "address_same_postcode_same"}
    twin, one = {**at_home, "forename": "different"}, {**at_home, "forename": "exact"}
    cost = {name: bits(weigher, pair) - bits(weigher, pair, -16.0) for name, pair in (("twin", twin), ("one", one))}

    assert cost["twin"] > 8
    assert cost["one"] < cost["twin"] + 3
    assert bits(weigher, one, -16.0) - bits(weigher, twin, -16.0) > 8


def test_relatives_cost_nothing_between_homes_of_strangers() -> None:
    weigher = Weigher(MODEL)
    strangers = {"forename": "different", "surname": "different", "date_of_birth": "unseen"}

    assert bits(weigher, strangers, -16.0) == pytest.approx(bits(weigher, strangers), abs=0.01)


@pytest.mark.parametrize(
    ("guard", "levels"),
    [
        (Guard.TWIN, {"forename": "different", "date_of_birth": "exact_same_sex"}),
        (Guard.NAMESAKE, {"forename": "exact", "date_of_birth": "different"}),
        (Guard.NONE, {"forename": "exact", "date_of_birth": "exact_same_sex"}),
        (Guard.NHS_CONFLICT, {"forename": "exact", "date_of_birth": "exact", "nhs_number": "different"}),
        (Guard.NINO_CONFLICT, {"forename": "exact", "date_of_birth": "exact", "nino": "different"}),
        (Guard.NONE, {"forename": "different", "date_of_birth": "exact_same_sex", "nhs_number": "exact"}),
    ],
)
def test_guards_at_one_home(guard: Guard, levels: dict[str, str]) -> None:
    weigher = Weigher(MODEL)
    number = pattern(surname="exact", home="address_same_postcode_same", **levels)
    likely = weigher.guarded(number, np.zeros(1), np.array([-8.0]), np.array([-12.0]), NO_HOMES)

    assert likely.tolist() == [guard]


def test_a_guard_is_silent_where_relatives_are_far_less_likely_than_a_match() -> None:
    weigher = Weigher(MODEL)
    twin = pattern(
        surname="exact", home="address_same_postcode_same", forename="different", date_of_birth="exact_same_sex"
    )

    alike = pattern(surname="exact", home="address_same_postcode_same", forename="faint", date_of_birth="exact")
    odds = np.zeros(1), np.array([-40.0]), np.array([-10.0])

    assert weigher.guarded(twin, *odds, NO_HOMES).tolist() == [Guard.NONE]
    assert weigher.guarded(alike, *odds, HOMES).tolist() == [Guard.NONE]


@pytest.mark.parametrize(
    "home",
    ["address_same_postcode_same", "address_close_postcode_same", "address_different_postcode_different", MISSING],
)
@pytest.mark.parametrize(
    ("guard", "levels"),
    [
        (Guard.TWIN, {"forename": "different", "surname": "exact", "date_of_birth": "exact_same_sex"}),
        (Guard.TWIN, {"forename": "different", "surname": "close", "date_of_birth": "exact"}),
        (Guard.NAMESAKE, {"forename": "exact", "surname": "exact", "date_of_birth": "different"}),
        (Guard.NAMESAKE, {"forename": "nickname", "surname": "close", "date_of_birth": "unseen"}),
    ],
)
def test_where_households_are_held_no_odds_explain_another_name_or_date(
    guard: Guard, levels: dict[str, str], home: str
) -> None:
    weigher = Weigher(MODEL)
    odds = np.zeros(1), np.array([-40.0]), np.array([20.0])

    assert weigher.guarded(pattern(home=home, **levels), *odds, HOMES).tolist() == [guard]
    for answer in ({"nhs_number": "exact"}, {"nino": "exact"}, {"middle_names": "exact"}):
        assert weigher.guarded(pattern(home=home, **levels, **answer), *odds, HOMES).tolist() == [Guard.NONE]


def test_vetoes_are_never_silent_and_never_promising() -> None:
    weigher = Weigher(MODEL)
    conflict = pattern(forename="exact", surname="exact", date_of_birth="exact_same_sex", nhs_number="different")

    assert weigher.guarded(conflict, np.zeros(1), np.array([-99.0]), np.array([0.0]), HOMES).tolist() == [
        Guard.NHS_CONFLICT
    ]
    assert not weigher.promising(0.0)[conflict[0]]
    assert {guard.label for guard in VETOES} == {"nhs_conflict", "nino_conflict", "home_only"}
    assert Guard.NONE.label is None


def test_a_home_alone_is_never_an_identity() -> None:
    weigher = Weigher(MODEL)
    home, dated = (pattern(home="address_same_postcode_same", **more) for more in ({}, {"date_of_birth": "exact"}))

    assert weigher.guarded(home, np.zeros(1), np.array([-99.0]), np.array([20.0]), HOMES).tolist() == [Guard.HOME_ONLY]
    assert not weigher.promising(20.0)[home[0]]
    assert weigher.guarded(dated, np.zeros(1), np.array([-99.0]), np.array([20.0]), HOMES).tolist() == [Guard.NONE]


def test_promising_counts_an_open_level_as_the_best_that_a_filter_may_say() -> None:
    worse = {"address_close_postcode_different": 1e-9, "address_different_postcode_different": 0.5}
    home = next(c for c in MODEL.comparisons if c.name == "home")
    m = tuple(worse.get(name, value) for name, value in zip(COMPARISONS["home"], home.m, strict=True))
    odd = MODEL.model_copy(
        update={"comparisons": tuple(c.model_copy(update={"m": m}) if c is home else c for c in MODEL.comparisons)}
    )
    weigher = Weigher(odd)
    still_open, settled = (
        pattern(date_of_birth="exact_same_sex", home=f"address_{state}_postcode_different")
        for state in ("close", "different")
    )
    prior = MODEL.emit_log2_odds - float(weigher.bits[settled][0]) + 1e-6

    assert weigher.bits[still_open][0] < weigher.bits[settled][0]
    assert weigher.promising(prior)[still_open].all()


def test_a_repeat_needs_more_than_a_number() -> None:
    weigher = Weigher(MODEL)

    assert weigher.repeats[pattern(nino="exact", date_of_birth="exact_same_sex", forename="exact")].all()
    assert weigher.repeats[
        pattern(nhs_number="exact", forename="exact", surname="close", date_of_birth="different")
    ].all()
    assert not weigher.repeats[pattern(nino="exact", surname="exact", forename="different")].any()
    assert not weigher.repeats[pattern(nino="exact", date_of_birth="exact", forename="different")].any()
    assert not weigher.repeats[pattern(forename="exact", surname="exact", date_of_birth="exact_same_sex")].any()
    assert not weigher.repeats[pattern(nino="different", nhs_number="exact", date_of_birth="exact")].any()


def test_promising_never_leaves_out_a_pair_that_would_be_emitted() -> None:
    table = Frequencies(column="token_surname", floor=1e-5, values={token_prefix(3): 0.01})
    weigher = Weigher(model_with(table))
    prior = -12.0
    best = log2(next(c for c in MODEL.comparisons if c.name == "surname").u[0] / 1e-5)
    numbers = np.flatnonzero(weigher.bits + best + prior >= MODEL.emit_log2_odds)
    allowed = numbers[~np.isin(weigher.guards[numbers], VETOES)]

    assert weigher.promising(prior)[allowed].all()


def test_a_pair_weighs_the_same_to_the_bit_in_any_batch() -> None:
    weigher = Weigher(MODEL)
    generator = np.random.default_rng(3)
    numbers = generator.integers(0, len(weigher.bits), 999).astype(np.int32)
    frequency = generator.normal(size=999)
    together = weigher.weigh(numbers, frequency, -14.0)

    for at in range(0, 999, 111):
        alone = weigher.weigh(numbers[at : at + 1], frequency[at : at + 1], -14.0)
        assert alone.tobytes() == together[at : at + 1].tobytes()
