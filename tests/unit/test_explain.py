"""Explanations add up to the odds that the matcher gave, and a subject's reach is what it could add up to."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.encode import ProjectKeys, encode
from linkage.explain import FREQUENCY, HOUSEHOLD, PRIOR, explain
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.reach import unlinkable
from linkage.subjects import Subjects
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
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
