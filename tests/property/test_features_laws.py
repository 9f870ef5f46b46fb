"""Laws of features, over random facts and memberships: some equals all, order is nothing, strangers change nothing."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from linkage.features import FEATURES, FeatureTables, affected_persons, changed_rows, compute
from linkage.features.change import household_rows, needed_subjects
from schemas.features import FeatureType
from tests.features.worlds import AS_OF, GEOGRAPHY, PRACTICES, SOURCES, Facts, worlds

FEW = settings(deadline=None, max_examples=15)
"""One example computes every feature several times; `test_..._in_many_worlds` take their time."""
MANY = settings(deadline=None, max_examples=150)


def _tables(facts: Facts, coverage: pl.DataFrame | None = None) -> FeatureTables:
    return FeatureTables.from_facts(facts, GEOGRAPHY, coverage, PRACTICES)


def _some_give_their_rows_of_all(world: tuple[Facts, pl.DataFrame], data: st.DataObject) -> None:
    facts, membership = world
    tables = _tables(facts)
    whole = compute(tables, membership, AS_OF)
    some = pl.Series(
        "person_id", data.draw(st.lists(st.sampled_from(["p1", "p2", "p3", "p9"]), unique=True)), dtype=pl.String
    )
    expected = whole.filter(pl.col("person_id").is_in(some.implode()))
    assert_frame_equal(compute(tables, membership, AS_OF, some), expected)
    # And from no more than the facts of those persons and of who shares a household with them.
    needed = needed_subjects(some, household_rows(facts), membership)
    fewer = {kind: rows.join(needed, on=["source", "subject_ref"], how="semi") for kind, rows in facts.items()}
    assert_frame_equal(compute(_tables(fewer, tables.coverage), membership, AS_OF, some), expected)


test_computing_some_persons_gives_their_rows_of_computing_all = FEW(
    given(worlds(), st.data())(_some_give_their_rows_of_all)
)
test_computing_some_persons_gives_their_rows_in_many_worlds = pytest.mark.slow(
    MANY(given(worlds(), st.data())(_some_give_their_rows_of_all))
)


@FEW
@given(worlds(), st.integers(0, 1000))
def test_the_order_of_rows_means_nothing(world: tuple[dict[str, pl.DataFrame], pl.DataFrame], seed: int) -> None:
    facts, membership = world
    shuffled = {kind: rows.sample(fraction=1.0, shuffle=True, seed=seed) for kind, rows in facts.items()}
    first = compute(_tables(facts), membership, AS_OF)
    again = compute(_tables(shuffled), membership.sample(fraction=1.0, shuffle=True, seed=seed), AS_OF)
    assert_frame_equal(first, again)


@FEW
@given(worlds())
def test_every_value_is_one_that_the_registry_lists(world: tuple[dict[str, pl.DataFrame], pl.DataFrame]) -> None:
    facts, membership = world
    computed = compute(_tables(facts), membership, AS_OF)
    assert computed["person_id"].to_list() == sorted(membership["person_id"].unique())
    for name, definition in FEATURES.items():
        values = set(computed[name].drop_nulls())
        if definition.values:
            assert values <= set(definition.values), name
        if definition.type is FeatureType.INTEGER:
            assert all(value >= definition.band_edges[0] for value in values), name


@FEW
@given(worlds())
def test_a_fact_is_unknown_exactly_where_no_source_of_the_person_delivers_it(
    world: tuple[dict[str, pl.DataFrame], pl.DataFrame],
) -> None:
    facts, membership = world
    tables = _tables(facts)
    computed = compute(tables, membership, AS_OF)
    delivered = {(row["source"], row["fact"]) for row in tables.coverage.to_dicts()}
    there = set(tables.facts["demographics"].select("source", "subject_ref").collect().iter_rows())
    for person in computed.to_dicts():
        sources = {
            source
            for who, source, ref, _ in membership.iter_rows()
            if who == person["person_id"] and (source, ref) in there
        }
        for name in ("reg_copd", "hb_in_payment"):
            [fact] = FEATURES[name].covered_by
            assert (person[name] is not None) == any((source, fact) in delivered for source in sources), name
        # Hospitals' files hold nobody who was not there: to be known to health and not to them says that one was not.
        in_health = any(SOURCES[source] == "health" for source in sources)
        for name in ("ae_attendances_12m", "acsc_admissions_12m", "outpatient_12m"):
            [fact] = FEATURES[name].covered_by
            assert (person[name] is not None) == (in_health and fact in {f for _, f in delivered}), name


def _only_affected_persons_change(
    before: tuple[dict[str, pl.DataFrame], pl.DataFrame],
    later: tuple[dict[str, pl.DataFrame], pl.DataFrame],
    data: st.DataObject,
) -> None:
    """Some subjects get the facts of another world, some move: whoever changes is among those named as affected."""
    facts, membership = before
    named = membership.select("source", "subject_ref").rows()
    touched = pl.DataFrame(
        data.draw(st.lists(st.sampled_from(named), unique=True)), schema=["source", "subject_ref"], orient="row"
    ).cast(pl.String)
    on = ["source", "subject_ref"]
    changed = {}
    for kind in {*facts, *later[0]}:
        kept = facts[kind].join(touched, on=on, how="anti") if kind in facts else None
        new = later[0][kind].join(touched, on=on, how="semi") if kind in later[0] else None
        changed[kind] = pl.concat([f for f in (kept, new) if f is not None], how="diagonal_relaxed")
    moving = data.draw(st.sampled_from(named))
    after = membership.with_columns(
        pl.when((pl.col("source") == moving[0]) & (pl.col("subject_ref") == moving[1]))
        .then(pl.lit("p5"))
        .otherwise(pl.col("person_id"))
        .alias("person_id")
    )
    tables = [_tables(f) for f in (facts, changed)]
    everything = pl.concat([t.coverage for t in tables]).unique()
    old, new = (compute(_tables(f, everything), m, AS_OF) for f, m in ((facts, membership), (changed, after)))
    households = pl.concat([household_rows(f) for f in (facts, changed)]).unique()
    moved = pl.concat([membership, after]).join(
        pl.DataFrame([moving], schema=["source", "subject_ref"], orient="row"), on=on, how="semi"
    )["person_id"]
    affected = affected_persons(touched, households, after, moved)
    assert set(changed_rows(old, new)) <= set(affected)
    assert set(old["person_id"]) - set(new["person_id"]) <= set(affected)


test_only_affected_persons_change_when_facts_and_moves_come = FEW(
    given(worlds(), worlds(), st.data())(_only_affected_persons_change)
)
test_only_affected_persons_change_in_many_worlds = pytest.mark.slow(
    MANY(given(worlds(), worlds(), st.data())(_only_affected_persons_change))
)
