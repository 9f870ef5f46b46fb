"""What holds of every clustering, whatever roster, pairs, constraints and order it is given."""

from __future__ import annotations

import itertools
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage import accept
from linkage.cluster import Resolution, resolve
from schemas.columns import columns
from schemas.contracts.links import PairLink, Roster
from schemas.decision import Constraint, ConstraintKind, DecisionPolicy, LoneBits, RecordsPerPerson

Key = tuple[str, str]
Case = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, DecisionPolicy]

SOURCES = ("a.one", "b.two", "c.three")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    unique = {source: draw(st.booleans()) for source in SOURCES}
    keys = [(draw(st.sampled_from(SOURCES)), f"{number:02}") for number in range(draw(st.integers(1, 12)))]
    claims = st.none() | st.sampled_from([b"1" * 16, b"2" * 16])
    roster = pl.DataFrame(
        [(*key, 1, "upsert", unique[key[0]], draw(claims), 0) for key in keys], columns(Roster), orient="row"
    )
    possible = [tuple(sorted(pair)) for pair in itertools.combinations(keys, 2)]
    chosen = draw(st.lists(st.sampled_from(possible), unique=True, max_size=25)) if possible else []
    odds = st.sampled_from([-3.0, -1.0, 0.0, 1.0, 2.0, 6.0, 6.0, 12.0, 30.0]) | st.floats(-5, 40)
    guards = st.sampled_from([None, None, None, "twin"])
    pairs = pl.DataFrame(
        [(*a, 1, *b, 1, 0, 0.0, draw(odds), draw(guards), "m", 0, 0, 0) for a, b in chosen],
        columns(PairLink),
        orient="row",
    )
    overridden = draw(st.lists(st.sampled_from(possible), max_size=4)) if possible else []
    constraints = pl.DataFrame(
        [(*a, *b, draw(st.sampled_from(ConstraintKind)).value) for a, b in overridden],
        columns(Constraint),
        orient="row",
    )
    lone = st.builds(
        LoneBits,
        left_source=st.sampled_from(SOURCES),
        right_source=st.sampled_from(SOURCES),
        bits=st.sampled_from([0.0, 1.0, 8.0]),
    )
    shares = st.lists(st.sampled_from([1e-4, 0.01, 0.2, 0.6]), min_size=2, max_size=6)
    repeats = st.dictionaries(st.sampled_from(SOURCES), shares.map(tuple), max_size=3)
    policy = DecisionPolicy(
        link_probability=draw(st.sampled_from([0.3, 0.5, 0.9])),
        review_probability=0.1,
        margin_bits=draw(st.sampled_from([0.0, 1.0, 4.0])),
        absent_bits=draw(st.sampled_from([0.0, 1.0, 3.0, 100.0])),
        lone=tuple(draw(st.lists(lone, max_size=3))),
        repeats=tuple(RecordsPerPerson(source=s, shares=each) for s, each in draw(repeats).items()),
    )
    return roster, pairs, constraints, policy


def _persons(resolution: Resolution) -> dict[int, set[Key]]:
    persons: dict[int, set[Key]] = {}
    for source, ref, label in resolution.labels.select("source", "subject_ref", "label").iter_rows():
        persons.setdefault(label, set()).add((source, ref))
    return persons


def _person_of(resolution: Resolution) -> dict[Key, int]:
    return {key: label for label, members in _persons(resolution).items() for key in members}


def _ends(frame: pl.DataFrame) -> list[tuple[Key, Key]]:
    rows = frame.select("left_source", "left_ref", "right_source", "right_ref").iter_rows()
    return [((a, b), (c, d)) for a, b, c, d in rows]


def _shuffled(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    return frame.sample(fraction=1.0, shuffle=True, seed=seed) if frame.height else frame


@settings(deadline=None)
@given(cases(), st.integers(0, 1000))
def test_order_and_repetition_do_not_matter(case: Case, seed: int) -> None:
    roster, pairs, constraints, policy = case
    once = resolve(roster, pairs, policy, constraints)
    again = resolve(
        _shuffled(pl.concat([roster, roster]), seed),
        _shuffled(pl.concat([pairs, pairs]), seed),
        policy,
        _shuffled(pl.concat([constraints, constraints]), seed),
    )
    assert again.labels.equals(once.labels)
    assert again.links.equals(once.links)


@settings(deadline=None)
@given(cases())
def test_hard_constraints_always_hold(case: Case) -> None:
    roster, pairs, constraints, policy = case
    resolution = resolve(roster, pairs, policy, constraints)
    about = {(r["source"], r["subject_ref"]): r for r in roster.iter_rows(named=True)}
    person = _person_of(resolution)
    assert set(person) == set(about)
    for members in _persons(resolution).values():
        for one, other in itertools.combinations(members, 2):
            if one[0] == other[0]:
                assert not about[one]["one_record_per_person"]
                claim = about[one]["claim_group"]
                assert claim is None or claim != about[other]["claim_group"]
    kinds = list(zip(_ends(constraints), constraints["kind"], strict=True))
    for (one, other), kind in kinds:
        if kind == ConstraintKind.CANNOT_LINK:
            assert person[one] != person[other]


@settings(deadline=None)
@given(cases())
def test_nobody_is_linked_without_cause(case: Case) -> None:
    """Eligible links or must-links within it connect a person; its pairs say `link`, and no others do."""
    roster, pairs, constraints, policy = case
    resolution = resolve(roster, pairs, policy, constraints)
    person = _person_of(resolution)
    usable = [ends for ends, kind in zip(_ends(constraints), constraints["kind"], strict=True) if kind == "must_link"]
    for ends, row in zip(_ends(resolution.links), resolution.links.iter_rows(named=True), strict=True):
        assert (row["decision"] == "link") == (person[ends[0]] == person[ends[1]])
        assert 0.0 <= row["probability"] <= 1.0
        if row["decision"] == "review":
            assert row["probability"] >= policy.review_probability
        if row["probability"] >= policy.link_probability and row["guard"] is None:
            usable.append(ends)
    for members in _persons(resolution).values():
        reached, frontier = set(), {min(members)}
        while frontier:
            reached |= frontier
            near = {b for a, b in usable if a in frontier} | {a for a, b in usable if b in frontier}
            frontier = (near & members) - reached
        assert reached == members


@settings(deadline=None)
@given(cases())
def test_a_component_alone_comes_out_as_among_all(case: Case) -> None:
    roster, pairs, constraints, policy = case
    whole = resolve(roster, pairs, policy, constraints)
    component = {key: {key} for key in _person_of(whole)}
    for one, other in (*_ends(pairs), *_ends(constraints)):
        joined = component[one] | component[other]
        for key in joined:
            component[key] = joined
    for keys in {frozenset(c) for c in component.values()}:
        chosen = pl.DataFrame(sorted(keys), {"source": pl.String, "subject_ref": pl.String}, orient="row")
        left = chosen.rename({"source": "left_source", "subject_ref": "left_ref"})
        alone = resolve(
            roster.join(chosen, on=["source", "subject_ref"], how="semi"),
            pairs.join(left, on=["left_source", "left_ref"], how="semi"),
            policy,
            constraints.join(left, on=["left_source", "left_ref"], how="semi"),
        )
        expected = {frozenset(m) for m in _persons(whole).values() if m <= keys}
        assert {frozenset(m) for m in _persons(alone).values()} == expected
        among = whole.links.join(left, on=["left_source", "left_ref"], how="semi")
        assert alone.links["decision"].to_list() == among["decision"].to_list()
        assert alone.links["probability"].to_list() == pytest.approx(among["probability"].to_list(), rel=1e-12)


@settings(deadline=None)
@given(cases())
def test_a_must_link_holds_unless_a_hard_constraint_stands_against_it(case: Case) -> None:
    roster, pairs, _, policy = case
    about = {(r["source"], r["subject_ref"]): r for r in roster.iter_rows(named=True)}
    for one, other in _ends(pairs):
        must = pl.DataFrame([(*one, *other, "must_link")], columns(Constraint), orient="row")
        person = _person_of(resolve(roster, pairs, policy, must))
        same_source = one[0] == other[0]
        claim = about[one]["claim_group"]
        forbidden = same_source and (
            about[one]["one_record_per_person"] or (claim is not None and claim == about[other]["claim_group"])
        )
        assert (person[one] == person[other]) is not forbidden


@settings(deadline=None)
@given(cases())
def test_the_shortcut_for_whole_components_changes_nothing(case: Case) -> None:
    """Most components are accepted whole, as columns; walking all of them link by link must come to the same."""
    roster, pairs, constraints, policy = case
    quick = resolve(roster, pairs, policy, constraints)
    with patch.object(accept, "_contested", lambda label, *_: np.ones(label.size, dtype=bool)):
        walked = resolve(roster, pairs, policy, constraints)
    assert walked.labels.equals(quick.labels)
    assert walked.links.equals(quick.links)
