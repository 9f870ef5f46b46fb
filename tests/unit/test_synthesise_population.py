"""The files of a made-up population: sizes, columns, identifiers, truth, seeds."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from linkage.identifiers import nhs_check_digit_holds
from linkage.synthesise import HEALTH_COLUMNS, WELFARE_COLUMNS, Population, geography, population
from linkage.synthesise.identifiers import nhs_numbers, ninos
from schemas.codes import EthnicCategory
from schemas.columns import columns
from schemas.contracts.facts_health import Diagnosis, Encounter
from schemas.contracts.facts_welfare import Arrears, ClaimMembership
from schemas.errors import InputError, Reason

PEOPLE, CLAIMS = 6_000, 2_000


@pytest.fixture(scope="module")
def made() -> Population:
    return population(PEOPLE, CLAIMS, seed=3)


def test_files_have_the_asked_sizes_and_columns(made: Population) -> None:
    assert made.health.height == PEOPLE
    assert made.welfare.height == CLAIMS
    assert tuple(made.health.columns) == HEALTH_COLUMNS
    assert tuple(made.welfare.columns) == WELFARE_COLUMNS
    assert made.truth.columns == ["left_subject", "right_subject"]


def test_neither_file_holds_the_other_files_identifier(made: Population) -> None:
    assert "nino" not in made.health.columns
    assert "nhs_number" not in made.welfare.columns


@pytest.mark.parametrize(
    ("column", "contract"),
    [("diagnoses", Diagnosis), ("encounters", Encounter), ("claims", ClaimMembership), ("arrears", Arrears)],
)
def test_list_columns_have_the_fields_of_their_contract(made: Population, column: str, contract: type) -> None:
    frame = made.health if column in made.health.columns else made.welfare
    expected = {"claim_reference" if name == "claim_ref" else name: dtype for name, dtype in columns(contract).items()}
    assert frame.schema[column] == pl.List(pl.Struct(expected))
    assert frame[column].null_count() == 0


def test_clear_values_are_text(made: Population) -> None:
    for frame in (made.health, made.welfare):
        assert all(dtype == pl.String for dtype in frame.schema.values() if not dtype.is_nested())


def test_record_ids_are_unique_and_tell_nothing(made: Population) -> None:
    assert made.health["record_id"].str.contains(r"^H\d{8}$").all()
    assert made.welfare["record_id"].str.contains(r"^W\d{8}$").all()
    assert made.health["record_id"].n_unique() == PEOPLE
    assert made.welfare["record_id"].n_unique() == CLAIMS
    # Neither the order of the rows nor the number of one id says anything about the other of a pair.
    numbers = made.truth.select(pl.all().str.slice(1).cast(pl.Int64)).to_numpy().T
    assert abs(np.corrcoef(numbers)[0, 1]) < 0.1
    order = made.truth.join(made.health.with_row_index("l"), left_on="left_subject", right_on="record_id").join(
        made.welfare.with_row_index("r"), left_on="right_subject", right_on="record_id"
    )
    assert abs(np.corrcoef(order["l"].to_numpy(), order["r"].to_numpy())[0, 1]) < 0.1


def test_truth_joins_records_of_both_files(made: Population) -> None:
    truth = made.truth
    assert truth.is_unique().all()
    assert truth["left_subject"].is_in(made.health["record_id"].implode()).all()
    assert truth["right_subject"].is_in(made.welfare["record_id"].implode()).all()
    # A welfare record is one person's; a person may have two of them, never three.
    assert truth["right_subject"].is_unique().all()
    assert truth.group_by("left_subject").len()["len"].max() <= 2


def test_overlap_is_the_share_of_claiming_people_with_a_health_record(made: Population) -> None:
    assert made.truth.height / CLAIMS == pytest.approx(0.93, abs=0.01)
    assert population(800, 300, overlap=0.0).truth.height == 0
    assert population(800, 300, overlap=1.0).truth.height == 300
    # There cannot be more pairs of people than health records.
    small = population(20, 400)
    assert small.health.height == 20
    assert small.truth["left_subject"].n_unique() == 20


def test_the_seed_decides_everything() -> None:
    one, again, other = population(300, 120, seed=5), population(300, 120, seed=5), population(300, 120, seed=6)
    for name in ("health", "welfare", "truth"):
        assert getattr(one, name).equals(getattr(again, name))
        assert not getattr(one, name).equals(getattr(other, name))


def test_nhs_numbers_are_valid_and_never_issued(made: Population) -> None:
    numbers = made.health["nhs_number"]
    present = numbers.drop_nulls()
    assert 0.001 < numbers.null_count() / PEOPLE < 0.012
    assert present.is_unique().all()
    assert present.str.contains(r"^9\d{9}$").all()
    assert present.to_frame().select(nhs_check_digit_holds(pl.col("nhs_number"))).to_series().all()


def test_check_digits_are_those_of_the_published_rule() -> None:
    for number in nhs_numbers(np.random.default_rng(1), 200):
        weighted = sum(int(digit) * weight for digit, weight in zip(number[:9], range(10, 1, -1), strict=True))
        assert (11 - weighted % 11) % 11 == int(number[9])


def test_ninos_are_synthetic_or_dummy(made: Population) -> None:
    numbers = made.welfare["nino"].drop_nulls()
    assert numbers.str.contains(r"^(QQ\d{6}[A-D]|XX999\d{3}A)$").all()
    real = numbers.filter(numbers.str.starts_with("QQ"))
    twice = real.value_counts().filter(pl.col("count") > 1)
    # Only people in two claims bear a number twice.
    assert twice.height <= 8
    children = made.welfare.filter(pl.col("claim_role") == "child")
    assert children["nino"].is_not_null().mean() < 0.03
    assert made.welfare.filter(pl.col("claim_role") == "claimant")["nino"].is_not_null().mean() > 0.93


def test_more_ninos_than_there_are_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        ninos(np.random.default_rng(1), 1_000_001)
    assert caught.value.reason is Reason.OPTION_INVALID


def test_homes_have_valid_forms(made: Population) -> None:
    postcodes = pl.concat([made.health["postcode"], made.welfare["postcode"]]).drop_nulls()
    assert postcodes.str.contains(r"^[A-Z]{1,2}\d{1,2} ?\d[ABD-HJLNP-UW-Z]{2}$").all()
    assert postcodes.str.starts_with("ME").mean() > 0.97
    uprns = pl.concat([made.health["uprn"], made.welfare["uprn"]])
    assert uprns.drop_nulls().str.contains(r"^9\d{11}$").all()
    assert made.health["uprn"].is_not_null().mean() == pytest.approx(0.95, abs=0.02)
    assert made.welfare["uprn"].is_not_null().mean() == pytest.approx(0.85, abs=0.03)
    inside = made.health["lsoa"].is_in(geography.table()["lsoa"].implode())
    assert inside.mean() > 0.97
    assert made.health["lsoa"].str.contains(r"^E019\d{5}$").all()
    assert made.health["practice_code"].str.contains(r"^Y9\d{4}$").all()


def test_one_dwelling_has_one_uprn_one_postcode_and_one_area() -> None:
    made = population(3_000, 800, error_scale=0.0)
    by_uprn = made.health.drop_nulls("uprn").group_by("uprn").agg(pl.col("postcode", "lsoa").n_unique())
    assert by_uprn["postcode"].max() == 1
    assert by_uprn["lsoa"].max() == 1


def test_codes_are_those_of_the_lists(made: Population) -> None:
    known = [category.value for category in EthnicCategory]
    for frame in (made.health, made.welfare):
        assert frame["ethnic_category"].is_in(known).all()
    assert made.health["sex"].is_in(["1", "2", "X"]).all()
    assert made.welfare["sex"].is_in(["M", "F", "X"]).all()
    assert made.welfare["claim_role"].is_in(["claimant", "partner", "child", "non_dependant"]).all()


@pytest.mark.parametrize(("people", "claims"), [(50, 10), (1, 1), (10, 500), (500, 1)])
def test_small_and_lopsided_populations_work(people: int, claims: int) -> None:
    made = population(people, claims)
    assert (made.health.height, made.welfare.height) == (people, claims)


@pytest.mark.parametrize(
    ("people", "claims", "options"),
    [
        (0, 10, {}),
        (10, 0, {}),
        (4_000_000, 10, {}),
        (10, 2_000_000, {}),
        (10, 10, {"overlap": 1.5}),
        (10, 10, {"error_scale": -1.0}),
        (10, 10, {"error_scale": float("nan")}),
        (10, 10, {"seed": -1}),
    ],
)
def test_impossible_populations_are_refused(people: int, claims: int, options: dict[str, float]) -> None:
    with pytest.raises(InputError) as caught:
        population(people, claims, **options)
    assert caught.value.reason is Reason.OPTION_INVALID


SETTLED = "9080f868ea85b6320f2aeb609a2bb288b0b9b72e41c5c33d3fc68e0046904a37"


def test_the_settled_population_has_not_changed() -> None:
    """Accuracy figures are compared over versions: whoever changes who the people are must say so and set this anew."""
    made = population(400, 200, seed=7)
    identity = [
        made.health.select(HEALTH_COLUMNS[:11]),
        made.welfare.select(WELFARE_COLUMNS[:11]),
        made.truth,
    ]
    digest = hashlib.sha256("".join(frame.write_csv() for frame in identity).encode()).hexdigest()
    assert digest == SETTLED
