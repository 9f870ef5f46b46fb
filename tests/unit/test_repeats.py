"""How many records people have, and what it says of whether two groups of records are one person."""

from __future__ import annotations

from math import comb

import numpy as np
import polars as pl
import pytest

from linkage.cluster import Resolution, resolve
from linkage.repeats import Joining, group_log2_odds, joining_bits, shares_by_size
from schemas.decision import DecisionPolicy, RecordsPerPerson

UP_TO_FIVE = (0.2, 0.2, 0.2, 0.2, 0.2, 1e-5)
PAIRS_AT_MOST = (0.6, 0.399, 0.001)


def _resolved(
    pairs: list[tuple[str, str, float]],
    shares: tuple[float, ...],
    *,
    guards: dict[tuple[str, str], str] | None = None,
    claims: dict[str, bytes] | None = None,
    unique: bool = False,
) -> Resolution:
    """Subjects h/1 to h/7 with these pairs (refs and log2 odds)."""
    refs = list("1234567")
    roster = pl.DataFrame(
        {"source": "h", "subject_ref": refs, "claim_group": [(claims or {}).get(r) for r in refs]},
        schema_overrides={"claim_group": pl.Binary},
    ).with_columns(one_record_per_person=pl.lit(unique))
    frame = pl.DataFrame(
        [("h", left, "h", right, odds, (guards or {}).get((left, right))) for left, right, odds in pairs],
        {
            "left_source": pl.String,
            "left_ref": pl.String,
            "right_source": pl.String,
            "right_ref": pl.String,
            "log2_odds": pl.Float64,
            "guard": pl.String,
        },
        orient="row",
    )
    repeats = (RecordsPerPerson(source="h", shares=shares),)
    return resolve(roster, frame, DecisionPolicy(repeats=repeats))


def _persons(resolution: Resolution) -> list[list[str]]:
    groups = resolution.labels.group_by("label", maintain_order=True).agg("subject_ref")["subject_ref"].to_list()
    return [group for group in groups if len(group) > 1]


FOUR = [("1", "2", 12.0), ("1", "3", 12.0), ("1", "4", 12.0), ("2", "3", 12.0), ("2", "4", 12.0), ("3", "4", 12.0)]
A_LITTLE = [(other, "5", -0.4) for other in "1234"]


def test_a_fifth_record_that_resembles_all_four_a_little_is_theirs_where_many_people_have_five() -> None:
    resolution = _resolved([*FOUR, *A_LITTLE], UP_TO_FIVE)
    linked = resolution.links.filter(pl.col("right_ref") == "5")

    assert _persons(resolution) == [["1", "2", "3", "4", "5"]]
    assert linked["probability"].n_unique() == 1
    assert linked["probability"].min() >= 0.5
    assert (linked["rival_bits"] < 0).all()


def test_it_is_nobodys_where_people_have_two_records_at_most() -> None:
    assert _persons(_resolved([("1", "2", 12.0), ("1", "3", -0.4), ("2", "3", -0.4)], UP_TO_FIVE)) == [["1", "2", "3"]]
    assert _persons(_resolved([("1", "2", 12.0), ("1", "3", -0.4), ("2", "3", -0.4)], PAIRS_AT_MOST)) == [["1", "2"]]


def test_a_third_record_needs_more_evidence_where_people_have_two_at_most() -> None:
    third = [("1", "2", 12.0), ("1", "3", 2.0), ("2", "3", 2.0)]

    assert _persons(_resolved(third, PAIRS_AT_MOST)) == [["1", "2"]]
    assert _persons(_resolved(third, UP_TO_FIVE)) == [["1", "2", "3"]]
    assert _persons(_resolved([*third[:1], ("1", "3", 9.0), ("2", "3", 9.0)], PAIRS_AT_MOST)) == [["1", "2", "3"]]


def test_one_likeness_among_several_that_are_absent_is_not_enough() -> None:
    assert _persons(_resolved([*FOUR, ("1", "5", -0.4)], UP_TO_FIVE)) == [["1", "2", "3", "4"]]


def test_between_two_persons_that_fit_alike_nothing_is_decided() -> None:
    two = [("1", "2", 12.0), ("3", "4", 12.0)]
    alike = [("1", "5", -0.2), ("2", "5", -0.2), ("3", "5", -0.4), ("4", "5", -0.4)]

    assert _persons(_resolved([*two, *alike], UP_TO_FIVE)) == [["1", "2"], ["3", "4"]]
    assert _persons(_resolved([*two, *alike[:2]], UP_TO_FIVE)) == [["1", "2", "5"], ["3", "4"]]


def test_guards_claims_and_declarations_hold() -> None:
    guarded = _resolved([*FOUR, *A_LITTLE], UP_TO_FIVE, guards={("2", "5"): "twin"})
    claimed = _resolved([*FOUR, *A_LITTLE], UP_TO_FIVE, claims={"3": b"c", "5": b"c"})

    assert _persons(guarded) == [["1", "2", "3", "4"]]
    assert "5" not in {ref for person in _persons(claimed) for ref in person}
    assert _persons(_resolved([*FOUR, *A_LITTLE], UP_TO_FIVE, unique=True)) == []


def test_bits_are_those_of_partitions_over_those_of_pairs() -> None:
    """Of 1,000 records 500 are single, 300 in pairs, 150 in threes, 50 in fives (and none in fours: half a record)."""
    records = {1: 500.0, 2: 300.0, 3: 150.0, 4: 0.5, 5: 50.0}
    total = sum(records.values())
    people = {size: count / size for size, count in records.items()}
    pairs = sum(size * (size - 1) / 2 * count for size, count in people.items())
    bits = joining_bits([count / total for count in records.values()] + [1e-9])

    for one in range(1, 5):
        for other in range(1, 6 - one):
            odds = comb(one + other, one) * people[one + other] / (people[one] * people[other])
            assert bits[one, other] == pytest.approx(np.log2(odds / (2 * pairs / total**2)), abs=1e-5)
    assert np.array_equal(bits, bits.T)
    assert (bits[6, 1:] <= 0).all()
    assert bits[5, 1] < 0


def test_shares_are_found_from_the_probabilities_of_candidates() -> None:
    """100 sampled records: 40 with one sure match, 30 with two, 30 with none but a doubtful one each."""
    row = np.concatenate([np.arange(40), np.repeat(np.arange(40, 70), 2), np.arange(70, 100)])
    probability = np.concatenate([np.ones(100), np.full(30, 0.5)])
    shares = shares_by_size(row, probability, 100)

    assert shares[:3] == pytest.approx((0.15, 0.55, 0.30), abs=0.01)
    assert len(shares) == 4
    assert sum(shares) == pytest.approx(1.0)


def test_nothing_to_learn_from_says_nothing_for_joining() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    shares = shares_by_size(nothing, np.zeros(0), 3)

    assert (joining_bits(shares)[2:, 1:] <= 0).all()
    assert RecordsPerPerson(source="h", shares=shares).shares == shares


def test_odds_of_groups_lie_between_their_best_pair_and_the_mean_of_all() -> None:
    group = np.asarray([0, 0, 1, 2])
    odds = group_log2_odds(group, np.asarray([4.0, -2.0, 3.0, 3.0]), np.asarray([2, 1, 2]), 6.0)

    assert 1.0 < odds[0] < 4.0
    assert odds[1] == 3.0
    assert odds[2] == pytest.approx(((3 - 1) + (3 - 6) / 2) / 2)


def test_the_worst_that_numbers_say_bounds_every_joining() -> None:
    joining = Joining((joining_bits(PAIRS_AT_MOST), None, joining_bits(UP_TO_FIVE)))
    for one in np.ndindex(4, 1, 4):
        for other in np.ndindex(4, 1, 4):
            size = min(sum(one) + sum(other), joining.worst_bits.size - 1)
            assert joining.bits(np.asarray(one), np.asarray(other)) >= joining.worst_bits[size] - 1e-9
