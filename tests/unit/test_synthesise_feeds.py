"""All feeds of one population: shapes, contracts, and one life behind all that the sources say of a person."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from linkage.synthesise import REFERENCE_DATE, SOURCES, Feeds, feeds
from linkage.synthesise.feeds import HEALTH_SOURCES
from linkage.synthesise.feeds.facts import CLEAR_NAMES
from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import LISTED_FACTS

_NATIONAL = ("kmicb.sus", "kmicb.ecds", "kmpt.mhsds", "kcht.csds")
_CLEAR = {clear: name for name, clear in CLEAR_NAMES.items()}


@pytest.fixture(scope="module")
def made() -> Feeds:
    return feeds(6_000, 2_500, seed=3, error_scale=0.0)


def feed_of(source: str) -> Feed:
    return Feed.HEALTH if source in HEALTH_SOURCES else Feed.WELFARE


def lists(made: Feeds) -> Iterator[tuple[str, str, type[Contract], pl.DataFrame]]:
    """Return each list column of each source: source, name, contract, and its facts as rows with their record_id."""
    for source, frame in made.frames.items():
        for name, contract in LISTED_FACTS[feed_of(source)].items():
            if name in frame.columns:
                held = frame.filter(pl.col(name).list.len() > 0).select(pl.col("record_id").alias("record"), name)
                yield source, name, contract, held.explode(name).unnest(name)


def clear_names(contract: type[Contract]) -> dict[str, pl.DataType]:
    return {CLEAR_NAMES.get(name, name): dtype for name, dtype in columns(contract).items()}


def test_every_source_is_there_and_has_people(made: Feeds) -> None:
    assert tuple(made.frames) == SOURCES
    assert all(frame.height > 5 for frame in made.frames.values())


def test_record_ids_are_unique_and_truth_covers_every_record(made: Feeds) -> None:
    for source, frame in made.frames.items():
        assert frame["record_id"].is_unique().all()
        truth = made.truth.filter(pl.col("source") == source)
        assert set(truth["record_id"]) == set(frame["record_id"])
        assert truth.height == frame.height


def test_list_columns_have_the_fields_of_their_contracts_and_are_not_empty(made: Feeds) -> None:
    seen = set()
    for source, name, contract, facts in lists(made):
        assert made.frames[source].schema[name] == pl.List(pl.Struct(clear_names(contract)))
        assert made.frames[source][name].null_count() == 0
        assert facts.height > 0, (source, name)
        seen.add(name)
    everything = {name for kinds in LISTED_FACTS.values() for name in kinds}
    assert seen == everything


def test_facts_are_valid_for_their_contracts(made: Feeds) -> None:
    for source, name, contract, facts in lists(made):
        keyed = {clear: pl.lit("0" * 32).alias(field) for clear, field in _CLEAR.items() if clear in facts.columns}
        rows = facts.drop("record", *keyed).with_columns(list(keyed.values()))
        for row in rows.sample(min(rows.height, 200), seed=1).to_dicts():
            contract.model_validate(row)
        assert source in SOURCES, name


def test_columns_without_lists_are_text_or_flags(made: Feeds) -> None:
    for frame in made.frames.values():
        plain = [dtype for dtype in frame.schema.values() if not dtype.is_nested()]
        assert all(dtype in (pl.String, pl.Boolean) for dtype in plain)


def test_national_data_sets_hold_no_names(made: Feeds) -> None:
    for source in _NATIONAL:
        assert not {"forename", "surname", "address", "uprn", "nino"} & set(made.frames[source].columns)
    for source, frame in made.frames.items():
        assert ("nino" in frame.columns) == (source not in HEALTH_SOURCES)
        assert ("nhs_number" in frame.columns) == (source in HEALTH_SOURCES)


def test_nothing_happens_before_birth_after_death_or_after_the_extract(made: Feeds) -> None:
    gp = made.frames["kmicb.gp"].select("record_id", "date_of_birth", "date_of_death")
    born = made.truth.filter(pl.col("source") == "kmicb.gp").join(gp, on="record_id").drop("source", "record_id")
    born = born.with_columns(pl.col("date_of_birth", "date_of_death").str.to_date())
    assert born["date_of_death"].drop_nulls().len() > 3
    for source, name, contract, facts in lists(made):
        day = next(field for field, dtype in columns(contract).items() if dtype == pl.Date)
        assert facts[day].null_count() == 0
        assert facts[day].max() < REFERENCE_DATE
        truth = made.truth.filter(pl.col("source") == source)
        whole = facts.join(truth, left_on="record", right_on="record_id").join(born, on="person")
        assert (whole[day] >= whole["date_of_birth"]).all(), (source, name)
        dead = whole.drop_nulls("date_of_death")
        assert (dead[day] <= dead["date_of_death"]).all(), (source, name)


def test_the_sources_agree_on_who_somebody_is(made: Feeds) -> None:
    rows = [
        frame.select(
            "record_id",
            "date_of_birth",
            pl.col("sex").replace({"M": "1", "F": "2"}),
            pl.lit(source).alias("source"),
        )
        for source, frame in made.frames.items()
    ]
    people = pl.concat(rows).join(made.truth, on=["source", "record_id"])
    held = people.group_by("person").agg(
        pl.col("date_of_birth", "sex").drop_nulls().n_unique(), pl.col("source").n_unique().alias("sources")
    )
    assert held["sources"].max() > 6
    assert held["date_of_birth"].max() == 1
    assert held["sex"].max() == 1


def test_one_person_has_one_nhs_number_and_one_national_insurance_number(made: Feeds) -> None:
    for name in ("nhs_number", "nino"):
        rows = [
            frame.select("record_id", name, pl.lit(source).alias("source"))
            for source, frame in made.frames.items()
            if name in frame.columns
        ]
        known = pl.concat(rows).drop_nulls(name).filter(~pl.col(name).str.starts_with("XX999"))
        pairs = known.join(made.truth, on=["source", "record_id"]).select("person", name).unique()
        assert pairs["person"].is_unique().all()
        assert pairs[name].is_unique().all()
        synthetic = "9" if name == "nhs_number" else "QQ"
        assert pairs[name].str.starts_with(synthetic).all()


def test_the_seed_decides_everything() -> None:
    one, again, other = feeds(300, 150, seed=5), feeds(300, 150, seed=5), feeds(300, 150, seed=6)
    for source in SOURCES:
        assert one.frames[source].equals(again.frames[source])
    assert one.truth.equals(again.truth)
    assert not one.frames["kmicb.gp"].equals(other.frames["kmicb.gp"])


def test_errors_change_neither_who_is_there_nor_what_is_said_of_them(made: Feeds) -> None:
    worse = feeds(6_000, 2_500, seed=3, error_scale=5.0)
    assert worse.truth.equals(made.truth)
    for source, frame in made.frames.items():
        for name in frame.columns:
            if frame.schema[name].is_nested():
                assert frame[name].equals(worse.frames[source][name]), (source, name)
    assert not made.frames["kmicb.gp"]["surname"].equals(worse.frames["kmicb.gp"]["surname"])
