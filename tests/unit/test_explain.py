"""Explanations add up to the odds that the matcher gave, and a subject's reach is what it could add up to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.decide import first_connected
from linkage.encode import ProjectKeys, encode
from linkage.explain import (
    FREQUENCY,
    HOUSEHOLD,
    PRIOR,
    RIVALS,
    SHARED,
    UNSEEN,
    ScoredPair,
    explain,
    explain_scored,
    log2_odds,
)
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.path import links_between
from linkage.reach import unlinkable
from linkage.reason import GUARD_WORDS, WORDS, Because, guard_words, reason
from linkage.subjects import Subjects
from linkage.weigh import Guard
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.decision import ConstraintKind, Decision, DecisionPolicy
from schemas.model import COMPARISONS, MISSING, Frequencies, default_model

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
MODEL = default_model().model_copy(update={"frequencies": (Frequencies(column="token_surname", floor=1e-4),)})

ANNA = {
    "forename": "Anna", "surname": "Kovacsik", "date_of_birth": "1980-05-13", "sex": "F",
    "postcode": "ME4 4AB", "address": "12 Medlar Way",
}  # fmt: skip


def held(*people: tuple[str, dict[str, str]], unique: bool = True) -> HeldSubjects:
    store = HeldSubjects(MODEL)
    for number, (source, person) in enumerate(people):
        clear = pl.DataFrame([{"record_id": str(number), **person}])
        frame = encode(clear, AGREEMENT, KEYS, Feed.HEALTH, True, source=source).frame
        store.upsert(Subjects.from_frame(frame.with_columns(source=pl.lit(source)), {source: unique}))
    return store


def reach(store: HeldSubjects) -> np.ndarray:
    matcher = Matcher(MODEL)
    return unlinkable(store, matcher.weigher, *matcher.priors(store.subjects.sources))


def test_the_terms_add_up_to_the_odds() -> None:
    store = held(("a.b", ANNA), ("c.d", {**ANNA, "forename": "Ann", "postcode": "ME4 4AX"}))
    matcher = Matcher(MODEL)
    pair = matcher.match(np.arange(2), store).row(0, named=True)
    frequency = matcher.weigher.frequency_bits(np.array([pair["pattern"]]), store.subjects.table, np.array([0]))
    terms = explain(
        matcher.weigher, pair["pattern"], float(frequency[0]), MODEL.default_log2_prior, MODEL.default_log2_relatives
    )

    assert [term.name for term in terms] == [PRIOR, *COMPARISONS, FREQUENCY, HOUSEHOLD]
    assert terms[-1].running_bits == pytest.approx(pair["log2_odds"])
    assert sum(term.weight_bits for term in terms) == pytest.approx(pair["log2_odds"])
    assert next(term.level for term in terms if term.name == "nino") == MISSING
    assert next(term.level for term in terms if term.name == FREQUENCY) == "surname"
    assert terms[-1].weight_bits < 0


def test_a_level_shows_the_probabilities_that_its_weight_is_made_of() -> None:
    matcher = Matcher(MODEL)
    terms = explain(matcher.weigher, 0, 0.0, -10.0, -60.0)

    assert all(term.m is None and term.u is None and term.weight_bits == 0 for term in terms[1:8])


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (ANNA, False),
        ({"sex": "F"}, True),
        ({"forename": "Anna"}, True),
        ({"date_of_birth": "1980-05-13"}, True),
        ({"date_of_birth": "1980-05-13", "sex": "F", "postcode": "ME4 4AB", "address": "12 Medlar Way"}, False),
        # Whoever lives there looks like this.
        ({"postcode": "ME4 4AB", "address": "12 Medlar Way"}, True),
    ],
)
def test_who_could_never_be_linked_is_unlinkable(person: dict[str, str], expected: bool) -> None:
    store = held(("a.b", ANNA), ("c.d", person))

    assert reach(store).tolist()[1] is expected


def test_a_field_that_no_other_source_fills_does_not_make_linkable() -> None:
    numbered = {"nhs_number": "9912003888"}

    assert reach(held(("a.b", numbered), ("c.d", ANNA))).tolist() == [True, True]
    assert reach(held(("a.b", numbered), ("c.d", {**ANNA, **numbered}))).tolist() == [False, False]


def test_alone_in_a_source_of_unique_people_nobody_is_linkable() -> None:
    assert reach(held(("a.b", ANNA))).tolist() == [True]
    assert reach(held(("a.b", ANNA), unique=False)).tolist() == [False]


def test_what_was_kept_of_a_pair_gives_its_terms_again_and_they_add_up_to_the_probability() -> None:
    store = held(("a.b", ANNA), ("c.d", {**ANNA, "postcode": "CT1 2EH", "address": "The Old Forge"}))
    matcher = Matcher(MODEL)
    pair = matcher.match(np.arange(2), store).row(0, named=True)
    exact = matcher.weigher.frequency_bits(np.array([pair["pattern"]]), store.subjects.table, np.array([0]))[0]
    rival_bits = 3.25
    probability = 1 / (1 + 2.0 ** (rival_bits - pair["log2_odds"]))
    kept = {name: pair[name] for name in ("pattern", "weight_bits", "log2_odds", "guard", "model_id")}
    scored = ScoredPair(sources=("a.b", "c.d"), probability=probability, decision=Decision.LINK, **kept)

    for of in (scored, replace(scored, rival_bits=rival_bits)):
        terms = explain_scored(matcher.weigher, of, MODEL.default_log2_relatives)
        bits = {term.name: term.weight_bits for term in terms}
        assert list(bits) == [PRIOR, *COMPARISONS, FREQUENCY, HOUSEHOLD, RIVALS]
        assert exact > 1
        assert bits[FREQUENCY] == pytest.approx(exact, abs=1 / 32)
        assert terms[-2].running_bits == pytest.approx(pair["log2_odds"])
        assert terms[-1].running_bits == pytest.approx(log2_odds(probability))
        assert sum(bits.values()) == pytest.approx(log2_odds(probability))


def test_a_frequency_that_a_household_hides_counts_nothing_and_the_sum_still_holds() -> None:
    store = held(("a.b", ANNA), ("c.d", {**ANNA, "forename": "Robert"}))
    matcher = Matcher(MODEL)
    pair = matcher.match(np.arange(2), store).row(0, named=True)
    kept = {name: pair[name] for name in ("pattern", "weight_bits", "log2_odds", "guard", "model_id")}
    scored = ScoredPair(("a.b", "c.d"), probability=0.0, decision=Decision.APART, **kept)
    terms = {t.name: t for t in explain_scored(matcher.weigher, scored, MODEL.default_log2_relatives)}

    assert (terms[FREQUENCY].level, terms[FREQUENCY].weight_bits) == (SHARED, 0.0)
    assert terms[HOUSEHOLD].running_bits == pytest.approx(pair["log2_odds"])
    assert terms[RIVALS].weight_bits == 0, "an exclusion has no rivals"


def test_the_way_between_two_subjects_is_the_shortest_then_the_one_whose_weakest_link_is_strongest() -> None:
    links = [("a", "b", 9.0), ("b", "d", 1.0), ("a", "c", 3.0), ("c", "d", 4.0), ("d", "e", 8.0), ("x", "y", 5.0)]

    assert links_between(("a", "d"), links) == [2, 3]
    assert links_between(("e", "b"), links) == [4, 1]
    assert links_between(("a", "x"), links) is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(-5, 20)), max_size=20))
def test_a_way_leads_from_end_to_end_over_links(links: list[tuple[int, int, float]]) -> None:
    found = links_between((0, 6), links)
    number = np.array([link[:2] for link in links], dtype=np.int64).reshape(-1, 2)
    together = first_connected(7, number[:, 0], number[:, 1])

    assert (found is not None) == bool(together[0] == together[6])
    here = 0
    for place in found or ():
        left, right, _ = links[place]
        assert here in (left, right)
        here = right if here == left else left
    assert here == (6 if found else 0)


POLICY = DecisionPolicy(link_probability=0.5, review_probability=0.3, margin_bits=1.0)


@pytest.mark.parametrize(
    ("decision", "own_odds", "rival_bits", "guard", "override", "expected"),
    [
        (Decision.LINK, 5.0, 0.0, None, None, Because.EVIDENCE),
        (Decision.LINK, -1.0, 0.0, None, None, Because.OTHERS),
        (Decision.LINK, 9.0, 0.0, "twin", None, Because.OTHERS),
        (Decision.LINK, -1.0, 0.0, None, ConstraintKind.MUST_LINK, Because.REVIEWER),
        (Decision.APART, 9.0, 0.0, None, ConstraintKind.CANNOT_LINK, Because.REVIEWER),
        (Decision.REVIEW, 9.0, 0.0, "twin", None, Because.GUARD),
        (Decision.REVIEW, -0.5, 0.0, None, None, Because.UNCERTAIN),
        (Decision.REVIEW, 9.0, 9.0, None, None, Because.RIVALS),
        (Decision.REVIEW, 9.0, 8.5, None, None, Because.RIVALS),
        (Decision.REVIEW, 9.0, 4.0, None, None, Because.GROUP),
        (Decision.APART, 9.0, 14.0, None, None, Because.RIVALS),
        (Decision.APART, -3.0, 0.0, None, None, Because.BELOW),
    ],
)
def test_each_decision_has_its_reason(
    decision: Decision,
    own_odds: float,
    rival_bits: float,
    guard: str | None,
    override: ConstraintKind | None,
    expected: Because,
) -> None:
    probability = 1 / (1 + 2.0 ** (rival_bits - own_odds))

    assert reason(decision, probability, own_odds, rival_bits, guard, override, POLICY) is expected


def test_what_is_known_to_be_two_people_is_excluded() -> None:
    assert reason(Decision.APART, 0.0, 9.0, 0.0, None, None, POLICY) is Because.EXCLUDED


def test_every_reason_and_guard_has_words() -> None:
    assert set(WORDS) == set(Because)
    assert {guard.label for guard in Guard if guard} == set(GUARD_WORDS)
    assert guard_words(None) == ""


def test_what_a_match_that_does_not_show_takes_is_a_term_of_its_own() -> None:
    store = held(("a.b", ANNA), ("c.d", ANNA))
    matcher = Matcher(MODEL)
    pair = matcher.match(np.arange(2), store).row(0, named=True)
    kept = {name: pair[name] for name in ("pattern", "weight_bits", "log2_odds", "guard", "model_id")}
    probability = 1 / (1 + 2.0 ** -pair["log2_odds"])
    scored = ScoredPair(("a.b", "c.d"), probability=probability, decision=Decision.LINK, **kept)
    terms = {t.name: t for t in explain_scored(matcher.weigher, scored, MODEL.default_log2_relatives, -1.5)}

    assert terms[UNSEEN].weight_bits == -1.5
    assert terms[PRIOR].weight_bits == pytest.approx(MODEL.default_log2_prior + 1.5)
    assert terms[UNSEEN].running_bits == pytest.approx(pair["log2_odds"])
