"""The second population: the same for a seed, true to its truth, wrong as often as its sources say."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.populations.population import HEALTH_COLUMNS, WELFARE_COLUMNS, Population, population

ROOT = Path(__file__).parents[2]


@cache
def made(seed: int = 1, error_scale: float = 1.0) -> Population:
    return population(40_000, 12_000, seed=seed, error_scale=error_scale)


@cache
def pairs(seed: int = 1, error_scale: float = 1.0) -> pl.DataFrame:
    """Both records of each person in both files, the welfare one with the suffix `_w`; texts in capitals."""
    found = made(seed, error_scale)
    joined = found.truth.join(found.health, left_on="left_subject", right_on="record_id").join(
        found.welfare, left_on="right_subject", right_on="record_id", suffix="_w"
    )
    return joined.with_columns(pl.col(pl.String).str.to_uppercase())


def disagree(field: str, of: pl.DataFrame) -> tuple[float, int]:
    both = of.filter(pl.col(field).is_not_null() & pl.col(f"{field}_w").is_not_null())
    return float((both[field] != both[f"{field}_w"]).mean()), both.height  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_files() -> None:
    one, other = (population(1_500, 400, seed=5, repeats=0.1) for _ in range(2))

    for frame in ("health", "welfare", "truth", "persons"):
        assert_frame_equal(getattr(one, frame), getattr(other, frame))
    assert not one.health.equals(population(1_500, 400, seed=6, repeats=0.1).health)


@pytest.mark.parametrize("overlap", [0.0, 0.05, 0.6, 1.0])
@pytest.mark.parametrize("repeats", [0.0, 0.2])
def test_sizes_and_truth(overlap: float, repeats: float) -> None:
    found = population(2_000, 500, seed=3, overlap=overlap, repeats=repeats)

    assert tuple(found.health.columns) == HEALTH_COLUMNS
    assert tuple(found.welfare.columns) == WELFARE_COLUMNS
    assert (found.health.height, found.welfare.height) == (2_000, 500)
    person = dict(found.persons.iter_rows())
    assert len(person) == 2_500
    assert all(person[left] == person[right] for left, right in found.truth.iter_rows())
    in_health = {person[ref] for ref in found.health["record_id"]}
    in_welfare = {person[ref] for ref in found.welfare["record_id"]}
    assert len(in_health) == 2_000 - int(2_000 * repeats)
    assert len(in_welfare) == 500 - int(500 * repeats)
    assert len(in_health & in_welfare) == round(overlap * len(in_welfare))
    assert {person[left] for left in found.truth["left_subject"]} == in_health & in_welfare


def test_nobody_can_bear_an_identifier() -> None:
    found = made()

    numbers = found.health["nhs_number"].drop_nulls()
    assert numbers.str.contains("^9[0-9]{9}$").all()
    assert numbers.n_unique() == numbers.len()
    ninos = found.welfare["nino"].drop_nulls()
    dummies = ninos == "XX999999D"
    assert ninos.filter(~dummies).str.contains("^QQ[0-9]{6}[A-D]$").all()
    assert ninos.filter(~dummies).n_unique() == int((~dummies).sum())
    assert 0.003 < dummies.mean() < 0.01  # type: ignore[operator]
    assert {"nino"}.isdisjoint(found.health.columns)


def test_a_few_carry_the_other_files_number_where_asked() -> None:
    found = population(2_000, 1_000, seed=2, foreign_numbers=0.3)
    joined = found.truth.join(found.health, left_on="left_subject", right_on="record_id").join(
        found.welfare, left_on="right_subject", right_on="record_id", suffix="_w"
    )

    shared = joined.filter(pl.col("nhs_number").is_not_null() & pl.col("nhs_number_w").is_not_null())
    assert shared.height > 200
    assert (shared["nhs_number"] == shared["nhs_number_w"]).all()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("field", "cited", "spread"),
    # Families and clerks err together, so counts spread wider than single people would: by the second figure.
    [("surname", 0.18, 0.012), ("forename", 0.12, 0.010), ("postcode", 0.115, 0.015), ("date_of_birth", 0.0095, 0.003)],
)
def test_rates_are_as_cited(field: str, cited: float, spread: float, seed: int) -> None:
    rate, size = disagree(field, pairs(seed))

    assert size > 9_000
    assert abs(rate - cited) < spread


def test_groups_are_hit_unlike() -> None:
    """HESID and ALSPAC: more for minorities and the young."""
    both = pl.concat([pairs(1), pairs(2)])
    minority = pl.col("ethnic_category").is_in(list("CHJKLNRS"))

    for field in ("surname", "forename"):
        assert disagree(field, both.filter(minority))[0] > 1.25 * disagree(field, both.filter(~minority))[0]
    year = pl.col("date_of_birth").str.slice(0, 4).cast(pl.Int32)
    assert disagree("postcode", both.filter(year > 1995))[0] > disagree("postcode", both.filter(year < 1960))[0]


def test_errors_gather_in_records() -> None:
    """Independent omissions would meet by the product of their rates; those of careless clerks meet more often."""
    health = made(1, 5.0).health
    no_sex, no_date = health["sex"].is_null(), health["date_of_birth"].is_null()

    assert int((no_sex & no_date).sum()) > 2 * int(no_sex.sum()) * int(no_date.sum()) / health.height


def test_children_without_a_name_and_half_without_a_date() -> None:
    children = pl.concat([made(seed).welfare for seed in (1, 2)]).filter(pl.col("claim_role") == "child")
    unnamed = children.filter(pl.col("forename").is_null())

    assert abs(unnamed.height / children.height - 0.12) < 0.02
    assert abs(unnamed["date_of_birth"].is_null().mean() - 0.5) < 0.06  # type: ignore[operator]
    assert children.filter(pl.col("nino").is_not_null()).height < 0.15 * children.height


def test_birthdays_of_one_january_are_for_those_who_came() -> None:
    health = made().health.filter(pl.col("date_of_birth").is_not_null())
    new_year = pl.col("date_of_birth").str.ends_with("-01-01").mean()
    by_code = dict(health.group_by("ethnic_category").agg(new_year).iter_rows())

    assert by_code["A"] < 0.006
    assert by_code["S"] > 0.08
    assert by_code["K"] > 0.03


def test_names_are_concentrated_in_some_communities() -> None:
    health = made().health.filter(pl.col("sex") == "1")
    pakistani = health.filter(pl.col("ethnic_category") == "J")
    most = pakistani["surname"].value_counts(sort=True)["count"][0] / pakistani.height
    english = health.filter(pl.col("ethnic_category") == "A")
    least = english["surname"].value_counts(sort=True)["count"][0] / english.height

    assert most > 0.08
    assert least < 0.03


def test_twins_and_namesakes_share_homes() -> None:
    health = population(20_000, 500, seed=4, error_scale=0.0).health
    near = ["postcode", "surname"]
    born = health.group_by([*near, "date_of_birth"]).agg(pl.col("forename").n_unique())
    named = health.filter(sex="1").group_by([*near, "forename"]).agg(pl.col("date_of_birth").n_unique())

    assert born.filter(pl.col("forename") > 1).height > 30
    assert named.filter(pl.col("date_of_birth") > 1).height > 30
    assert health["address"].str.contains("Hostel|Home|Foyer").sum() > 50


def test_no_error_leaves_the_people_and_none_of_the_changes() -> None:
    clean, usual = made(1, 0.0), made(1, 1.0)

    assert_frame_equal(clean.truth, usual.truth)
    for field in ("postcode", "date_of_birth"):
        assert disagree(field, pairs(1, 0.0))[0] == 0.0
    assert disagree("surname", pairs(1, 2.0))[0] > 1.4 * disagree("surname", pairs(1))[0]
    before, after = (frame.sort("record_id")["nhs_number"] for frame in (clean.health, usual.health))
    assert before.equals(after, null_equal=True)


def test_records_of_one_person_repeat_where_asked() -> None:
    found = population(5_000, 1_000, seed=7, repeats=0.2)
    twice = found.persons.filter(pl.col("subject").str.starts_with("H"))["person"].value_counts()["count"]

    assert np.bincount(twice.to_numpy())[2] == 1_000


@pytest.mark.parametrize(
    "wrong", [{"people": 0}, {"claims": 0}, {"overlap": 1.1}, {"repeats": 0.5}, {"error_scale": -1.0}]
)
def test_numbers_that_make_no_population(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="people and claims"):
        population(**{"people": 100, "claims": 50, **wrong})  # type: ignore[arg-type]


def test_the_command_writes_the_files(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.populations", str(tmp_path / "out"), "--people", "500", "--claims", "100"],
        check=True,
        cwd=ROOT,
    )

    assert pl.read_parquet(tmp_path / "out" / "health.parquet").height == 500
    assert pl.read_csv(tmp_path / "out" / "truth.csv").columns == ["left_subject", "right_subject"]
    assert pl.read_csv(tmp_path / "out" / "persons.csv").columns == ["subject", "person"]
