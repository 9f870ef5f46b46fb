"""A frozen cohort is told by a digest of its people, and its people are found again however the linkage went on."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from linkage.cohorts.freeze import FROZEN, digest, found_again, frozen

CANONICAL = {"members": "reg_copd", "denominator": "TRUE", "excluded": "deceased"}


def _membership(**persons: list[str]) -> pl.DataFrame:
    rows = [(person, subject[0], subject) for person, subjects in persons.items() for subject in subjects]
    return pl.DataFrame(rows, schema=FROZEN, orient="row")


THEN = _membership(p1=["h1", "w1", "w2"], p2=["h2"], p3=["h3"])


def test_what_is_kept_is_who_was_in_it_and_of_which_subjects() -> None:
    kept = frozen(pl.Series(["p2", "p1", "p1"]), THEN)
    assert kept.schema == FROZEN
    assert kept.rows() == [("p1", "h", "h1"), ("p1", "w", "w1"), ("p1", "w", "w2"), ("p2", "h", "h2")]


def test_merged_split_and_withdrawn_people_are_found_or_not() -> None:
    kept = frozen(pl.Series(["p1", "p2"]), THEN)
    assert found_again(kept, THEN).to_list() == ["p1", "p2"]
    merged = _membership(p3=["h1", "w1", "w2", "h2", "h3"])
    assert found_again(kept, merged).to_list() == ["p3"]
    split = _membership(p1=["h1"], p9=["w1", "w2"], p2=["h2"])
    assert found_again(kept, split).to_list() == ["p2", "p9"]
    withdrawn = _membership(p1=["w1"])
    assert found_again(kept, withdrawn).to_list() == ["p1"]
    assert found_again(kept, _membership()).to_list() == []


def test_of_equal_parts_the_first_by_id_is_the_one() -> None:
    kept = frozen(pl.Series(["p1"]), _membership(p1=["h1", "w1"]))
    assert found_again(kept, _membership(p7=["h1"], p5=["w1"])).to_list() == ["p5"]


@given(st.permutations(["h1", "w1", "w2", "h2", "h3"]))
def test_a_digest_is_of_people_filters_and_snapshot_not_of_the_order_of_rows(order: list[str]) -> None:
    shuffled = THEN.join(pl.DataFrame({"subject_ref": order}), on="subject_ref", how="right").select(FROZEN.names())
    told = digest(CANONICAL, "s1", THEN)
    assert digest(CANONICAL, "s1", shuffled) == told
    assert digest(CANONICAL, "s2", THEN) != told
    assert digest({**CANONICAL, "excluded": "FALSE"}, "s1", THEN) != told
    assert digest(CANONICAL, "s1", THEN.head(4)) != told
