"""Laws of a made-up population that hold for every size, seed, overlap and scale of errors."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.synthesise import REFERENCE_DATE, SOURCES, feeds, population

SIZES = st.integers(1, 400)
SEEDS = st.integers(0, 2**32)


@settings(max_examples=40, deadline=None)
@given(people=SIZES, claims=SIZES, seed=SEEDS, overlap=st.floats(0, 1), scale=st.floats(0, 20))
def test_sizes_ids_and_truth_hold(people: int, claims: int, seed: int, overlap: float, scale: float) -> None:
    made = population(people, claims, seed=seed, overlap=overlap, error_scale=scale)
    assert (made.health.height, made.welfare.height) == (people, claims)
    assert made.health["record_id"].is_unique().all()
    assert made.welfare["record_id"].is_unique().all()
    assert made.truth["right_subject"].is_unique().all()
    assert made.truth["left_subject"].is_in(made.health["record_id"].implode()).all()
    assert made.truth["right_subject"].is_in(made.welfare["record_id"].implode()).all()
    claimants = made.welfare.group_by("claim_reference").agg((pl.col("claim_role") == "claimant").sum())
    assert (claimants["claim_role"] == 1).all()
    assert made.health["nhs_number"].drop_nulls().is_unique().all()


@settings(max_examples=10, deadline=None)
@given(people=SIZES, claims=SIZES, seed=SEEDS)
def test_the_same_arguments_give_the_same_files(people: int, claims: int, seed: int) -> None:
    one, again = population(people, claims, seed=seed), population(people, claims, seed=seed)
    assert one.health.equals(again.health)
    assert one.welfare.equals(again.welfare)
    assert one.truth.equals(again.truth)


@settings(max_examples=10, deadline=None)
@given(people=SIZES, claims=SIZES, seed=SEEDS, scale=st.floats(0, 20))
def test_errors_change_neither_the_people_nor_the_truth(people: int, claims: int, seed: int, scale: float) -> None:
    clean, dirty = (
        population(people, claims, seed=seed, error_scale=0.0),
        population(people, claims, seed=seed, error_scale=scale),
    )
    assert clean.truth.equals(dirty.truth)
    for name in ("claim_reference", "claim_role", "nino", "claims", "arrears"):
        assert clean.welfare[name].equals(dirty.welfare[name])
    for name in ("nhs_number", "date_of_death", "diagnoses", "encounters"):
        assert clean.health[name].equals(dirty.health[name])


@settings(max_examples=12, deadline=None)
@given(people=SIZES, claims=SIZES, seed=SEEDS, overlap=st.floats(0, 1), scale=st.floats(0, 20))
def test_feeds_hold_together_for_any_population(
    people: int, claims: int, seed: int, overlap: float, scale: float
) -> None:
    made = feeds(people, claims, seed=seed, overlap=overlap, error_scale=scale)
    assert tuple(made.frames) == SOURCES
    assert made.frames["kmicb.gp"].height == people
    assert made.truth.select("source", "record_id").is_unique().all()
    assert made.truth.height == sum(frame.height for frame in made.frames.values())
    for source, frame in made.frames.items():
        assert set(frame["record_id"]) == set(made.truth.filter(pl.col("source") == source)["record_id"])
        for name, dtype in frame.schema.items():
            if isinstance(dtype, pl.List):
                when = frame[name].explode().struct.unnest().select(pl.col(pl.Date)).to_series(0).drop_nulls()
                assert (when < REFERENCE_DATE).all()
