"""Full names: how common they are counted, what they weigh, and that they never weigh more than names one by one."""

from __future__ import annotations

import hashlib
from math import log2

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage import frequency
from linkage.compare import LEVEL, PLACE, STRIDES
from linkage.explain import FREQUENCY, explain
from linkage.frequency import frequencies
from linkage.held import HeldSubjects
from linkage.subjects import TOKEN_POSITION, Subjects, UInt64Array, token_prefix
from linkage.weigh import FULL_NAME, Weigher, full_name_words
from schemas.columns import columns
from schemas.contracts.subject import Subject
from schemas.model import COMPARISONS, Dependence, Frequencies, default_model

MODEL = default_model()
LIFT_BITS = 2.0
BOTH = sum(LEVEL[name]["exact"] * STRIDES[PLACE[name]] for name in ("forename", "surname"))
SHARE = {"token_forename": 0.01, "token_surname": 0.002}


def token(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def held(*names: str, source: str = "a.gp", unique: bool = True) -> HeldSubjects:
    """Subjects of these full names, in one source."""
    rows = [
        {
            "source": source,
            "subject_ref": str(number),
            "version": 1,
            "operation": "upsert",
            "token_forename": token(name.split()[0]),
            "token_surname": token(name.split()[1]),
        }
        for number, name in enumerate(names)
    ]
    frame = pl.DataFrame(rows, schema_overrides=columns(Subject), infer_schema_length=None)
    store = HeldSubjects(MODEL)
    store.upsert(Subjects.from_frame(frame, {source: unique}))
    return store


def listed(store: HeldSubjects) -> Frequencies | None:
    return next((table for table in frequencies(store) if table.column == FULL_NAME), None)


def prefix(name: str) -> str:
    return token_prefix(int(full_name_words(held(name).subjects.table)[0]))


def tokens(forename: int = 11, surname: int = 12) -> UInt64Array:
    table = np.zeros((1, len(TOKEN_POSITION)), dtype=np.uint64)
    table[0, TOKEN_POSITION["token_forename"]], table[0, TOKEN_POSITION["token_surname"]] = forename, surname
    return table


def weigher(floor: float, values: dict[str, float] | None = None) -> Weigher:
    """The shipped model knowing both names, their going together, and full names of this floor."""
    names = tuple(
        Frequencies(column=column, floor=1e-6, values={token_prefix(word): SHARE[column]})
        for column, word in (("token_forename", 11), ("token_surname", 12))
    )
    lift = np.zeros((len(COMPARISONS["surname"]) + 1, len(COMPARISONS["forename"]) + 1))
    lift[LEVEL["surname"]["exact"], LEVEL["forename"]["exact"]] = LIFT_BITS
    together = Dependence(first="surname", second="forename", log2_strangers=tuple(map(tuple, lift.tolist())))
    full = Frequencies(column=FULL_NAME, floor=floor, values=values or {})
    return Weigher(MODEL.model_copy(update={"frequencies": (*names, full), "dependences": (together,)}))


def log2_strangers(made: Weigher) -> float:
    """The log2 share of strangers that a pair with both names is taken to be among, as its bits say."""
    pattern = np.array([BOTH], dtype=np.int32)
    m = made.m["forename"][0] * made.m["surname"][0]
    bits = made.bits[BOTH] + made.frequency_bits(pattern, tokens(), np.array([0]))[0]
    return log2(m) - float(bits)


def test_a_full_name_is_as_common_as_it_is_held_and_the_rest_as_namesakes_are_met() -> None:
    rest = [f"f{n} s{n}" for n in range(90)] + ["Ann Lee"] * 2
    table = listed(held(*["Jo Hill"] * 8, *rest))

    assert table is not None
    assert table.values == {prefix("Jo Hill"): pytest.approx(7 / 99)}
    assert table.floor == pytest.approx(2 * 1 / 92 / 99)


def test_names_count_only_where_a_source_holds_each_person_once() -> None:
    assert listed(held(*["Jo Hill"] * 8, *["Ann Lee"] * 2, unique=False)) is None
    assert listed(held("Jo Hill", "Ann Lee")) is None


def test_the_commonest_names_are_listed_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequency, "MOST_FULL_NAMES", 1)
    table = listed(held(*["Jo Hill"] * 9, *["Ann Lee"] * 5, *[f"f{n} s{n}" for n in range(300)]))

    assert table is not None
    assert list(table.values) == [prefix("Jo Hill")]
    assert table.floor == pytest.approx(5 * 4 / 305 / 313)


def test_a_name_without_one_half_is_no_full_name() -> None:
    assert full_name_words(np.concatenate([tokens(), tokens(0), tokens(11, 0)])).astype(bool).tolist() == [
        True,
        False,
        False,
    ]


def test_names_the_other_way_round_are_another_full_name() -> None:
    assert full_name_words(tokens(11, 12)) != full_name_words(tokens(12, 11))


@given(st.floats(1e-7, 0.5), st.floats(1e-7, 0.5), st.booleans())
def test_both_names_are_as_common_as_the_commoner_reading(floor: float, share: float, is_listed: bool) -> None:
    word = token_prefix(int(full_name_words(tokens())[0]))
    made = weigher(floor, {word: share} if is_listed else None)
    apart = SHARE["token_forename"] * SHARE["token_surname"] * 2**LIFT_BITS
    together = max(share, floor) if is_listed else floor

    assert log2_strangers(made) == pytest.approx(log2(max(apart, together)))


def test_a_full_name_says_nothing_where_one_name_differs() -> None:
    pattern = np.array([LEVEL["forename"]["exact"] * STRIDES[PLACE["forename"]]], dtype=np.int32)
    common, rare = weigher(0.4), weigher(1e-7)

    for made in (common, rare):
        u = made.u["forename"][0]
        found = made.frequency_bits(pattern, tokens(), np.array([0]))[0]
        assert found == pytest.approx(log2(u / SHARE["token_forename"]))


def test_an_explanation_names_what_its_frequency_counts() -> None:
    terms = {term.name: term for term in explain(weigher(0.01), BOTH, -3.0, -10.0, -20.0)}

    assert (terms[FREQUENCY].level, terms[FREQUENCY].weight_bits) == (FULL_NAME, -3.0)
