"""Rows of persons: nobody stands out by what an outsider could know."""

from __future__ import annotations

import polars as pl

from linkage.disclosure import k_anonymise

QUASI = ["ward", "ethnic_group_5", "sex_code"]


def _people(*groups: tuple[int, str, str, str]) -> pl.DataFrame:
    rows = [
        {"person_id": f"{n}-{at}", "ward": ward, "ethnic_group_5": group, "sex_code": sex}
        for n, (count, ward, group, sex) in enumerate(groups)
        for at in range(count)
    ]
    return pl.DataFrame(rows)


def test_large_classes_leave_as_they_are() -> None:
    people = _people((10, "W1", "white", "1"), (12, "W2", "asian", "2"))
    done = k_anonymise(people, QUASI, 10)
    assert done.rows.equals(people)
    assert (done.generalised, done.withheld) == (0, 0)


def test_a_small_class_gives_up_the_first_column_first() -> None:
    done = k_anonymise(_people((6, "W1", "white", "1"), (6, "W2", "white", "1")), QUASI, 10)
    assert done.rows["ward"].null_count() == 12
    assert done.rows["ethnic_group_5"].unique().to_list() == ["white"]
    assert done.generalised == 12


def test_who_fits_nowhere_is_withheld_and_counted() -> None:
    done = k_anonymise(_people((10, "W1", "white", "1"), (3, "W2", "asian", "2")), QUASI, 10)
    assert len(done.rows) == 10
    assert done.withheld == 3


def test_every_class_that_leaves_is_large_enough() -> None:
    people = _people(*[(n % 7 + 1, f"W{n % 5}", "white" if n % 3 else "asian", str(n % 2 + 1)) for n in range(40)])
    done = k_anonymise(people, QUASI, 10)
    assert done.rows.group_by(QUASI).len()["len"].min() >= 10
    assert len(done.rows) + done.withheld == len(people)
    assert done.rows["person_id"].n_unique() == len(done.rows)


def test_without_quasi_identifiers_the_whole_must_be_large_enough() -> None:
    people = _people((9, "W1", "white", "1"))
    assert k_anonymise(people, [], 10).withheld == 9
    assert k_anonymise(people, [], 9).withheld == 0
