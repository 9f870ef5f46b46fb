"""Person ids are stable: they outlive growth, merges keep the oldest, splits keep them for the oldest member's part."""

from __future__ import annotations

from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from services.resolver.persons import Assignment, assign, carry_over

SCHEMA = {"serial": pl.Int64, "person": pl.Int64, "label": pl.Int64}
NEXT = 100


@st.composite
def components(draw: st.DrawFn) -> pl.DataFrame:
    """Subjects with the person that each was in, if any, and its cluster now, if it is still there."""
    count = draw(st.integers(0, 10))
    person, label = st.none() | st.integers(1, 4), st.none() | st.integers(0, 4)
    rows = [(serial, draw(person), draw(label)) for serial in range(count)]
    return pl.DataFrame(draw(st.permutations(rows)), SCHEMA, orient="row")


def _members(frame: pl.DataFrame, column: str) -> dict[int, set[int]]:
    groups: dict[int, set[int]] = {}
    for name, serial in frame.select(column, "serial").drop_nulls().iter_rows():
        groups.setdefault(name, set()).add(serial)
    return groups


def _assigned(subjects: pl.DataFrame) -> Assignment:
    assignment = assign(subjects, NEXT)
    assert assignment.subjects["serial"].to_list() == subjects["serial"].to_list()
    return assignment


@settings(deadline=None)
@given(components())
def test_each_cluster_is_one_person_and_each_person_one_cluster(subjects: pl.DataFrame) -> None:
    result = _assigned(subjects)
    here = result.subjects.filter(pl.col("label").is_not_null())
    assert set(map(frozenset, _members(here, "label").values())) == set(map(frozenset, _members(here, "now").values()))
    assert result.subjects.filter(pl.col("label").is_null())["now"].null_count() == subjects["label"].null_count()
    old = set(subjects["person"].drop_nulls())
    assert set(here["now"]) <= old | set(result.added)
    assert result.added.to_list() == list(range(NEXT, NEXT + result.added.len()))


@settings(deadline=None)
@given(components())
def test_an_id_lives_on_where_its_oldest_subject_is_unless_an_older_id_is_there(subjects: pl.DataFrame) -> None:
    result = _assigned(subjects)
    here = result.subjects.filter(pl.col("label").is_not_null())
    now = dict(here.select("serial", "now").iter_rows())
    ends = dict(result.retired.iter_rows())
    for person, members in _members(subjects, "person").items():
        remaining = members & now.keys()
        if not remaining:
            assert ends[person] is None
            continue
        heir = now[min(remaining)]
        assert heir <= person
        assert (heir == person) == (person not in ends)
        if heir != person:
            assert ends[person] == heir


@settings(deadline=None)
@given(components())
def test_every_move_is_told_as_a_merge_a_split_or_a_retirement(subjects: pl.DataFrame) -> None:
    result = _assigned(subjects)
    told = {(person, heir) for _, person, heir in result.events.iter_rows()}
    assert len(told) == result.events.height
    moves = result.subjects.filter(pl.col("person").is_not_null() & pl.col("now").is_not_null())
    assert {(p, n) for p, n in moves.select("person", "now").iter_rows() if p != n} == {t for t in told if t[1]}
    ended = {person for kind, person, _ in result.events.iter_rows() if kind != "split"}
    assert ended == set(result.retired["serial"])


@settings(deadline=None)
@given(components(), st.integers(0, 10))
def test_new_subjects_change_nobodys_id(subjects: pl.DataFrame, newcomers: int) -> None:
    """A person that only grows keeps its id: here every cluster is an old person, with new subjects added to some."""
    grown = subjects.filter(pl.col("person").is_not_null()).with_columns(label="person")
    labels = grown["label"].unique().sort().to_list() or [0]
    new = pl.DataFrame(
        [(50 + number, None, labels[number % len(labels)]) for number in range(newcomers)], SCHEMA, orient="row"
    )
    result = _assigned(pl.concat([grown, new]))
    kept = result.subjects.filter(pl.col("person").is_not_null())
    assert kept["now"].to_list() == kept["person"].to_list()
    assert result.events.is_empty()


# --- a model is adopted: everybody is clustered anew ------------------------------------------------------------------
def _greedy(subjects: pl.DataFrame) -> dict[int, int]:
    """Which id each cluster keeps, by the rule as it is worded: the largest overlap first, then the oldest."""
    ids, clusters = _members(subjects, "person"), _members(subjects, "label")
    shared = sorted(
        (-len(members & ids[person]), person, min(members), label)
        for label, members in clusters.items()
        for person in ids
        if members & ids[person]
    )
    kept: dict[int, int] = {}
    for _, person, _, label in shared:
        if label not in kept and person not in kept.values():
            kept[label] = person
    return kept


@settings(deadline=None)
@given(components())
def test_ids_carry_over_by_largest_overlap_then_oldest(subjects: pl.DataFrame) -> None:
    result = carry_over(subjects, NEXT)
    here = result.subjects.filter(pl.col("label").is_not_null())
    now = {label: person for label, person in here.select("label", "now").iter_rows() if person < NEXT}
    assert now == _greedy(subjects)
    assert set(map(frozenset, _members(here, "label").values())) == set(map(frozenset, _members(here, "now").values()))


@settings(deadline=None)
@given(components(), st.randoms(use_true_random=False), st.permutations(range(5)))
def test_carry_over_does_not_depend_on_order_or_labels(subjects: pl.DataFrame, chance: Any, labels: list[int]) -> None:
    order = list(range(subjects.height))
    chance.shuffle(order)
    relabelled = subjects[order].with_columns(pl.col("label").replace(dict(enumerate(labels))))
    one, other = carry_over(subjects, NEXT), carry_over(relabelled, NEXT)
    told = ("serial", "person", "now")
    assert one.subjects.select(told).sort("serial").equals(other.subjects.select(told).sort("serial"))
    assert one.added.equals(other.added)
    assert one.retired.equals(other.retired)
    assert one.events.equals(other.events)


@settings(deadline=None)
@given(components())
def test_every_move_of_an_adoption_is_told(subjects: pl.DataFrame) -> None:
    result = carry_over(subjects, NEXT)
    told = {(person, heir) for _, person, heir in result.events.iter_rows()}
    moves = result.subjects.filter(pl.col("person").is_not_null() & pl.col("now").is_not_null())
    assert {(p, n) for p, n in moves.select("person", "now").iter_rows() if p != n} <= told
    assert len(told) == result.events.height
    ended = {person for kind, person, _ in result.events.iter_rows() if kind != "split"}
    assert ended == set(result.retired["serial"])
    assert ended == set(subjects["person"].drop_nulls()) - set(result.subjects["now"].drop_nulls())


def test_carrying_over_what_stayed_changes_nothing() -> None:
    subjects = pl.DataFrame([(1, 5, 2), (2, 5, 2), (3, 1, 0), (4, 7, 1)], SCHEMA, orient="row")
    result = carry_over(subjects, NEXT)
    assert result.subjects["now"].to_list() == subjects["person"].to_list()
    assert (result.added.len(), result.retired.height, result.events.height) == (0, 0, 0)
