"""What the files say about health and benefits: consistent in itself, and leaning with deprivation."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from linkage.synthesise import REFERENCE_DATE, Population, geography, population
from linkage.synthesise.health import REGISTERS
from linkage.synthesise.hospital import ENCOUNTER_DAYS
from linkage.synthesise.listing import element, nested
from schemas.contracts.facts_health import Diagnosis, Encounter


@pytest.fixture(scope="module")
def made() -> Population:
    return population(30_000, 8_000, seed=4)


def listed(frame: pl.DataFrame, column: str, *keep: str) -> pl.DataFrame:
    """Return the elements of a list column as rows, with the record's own columns `keep`."""
    return frame.filter(pl.col(column).list.len() > 0).select("record_id", *keep, column).explode(column).unnest(column)


@pytest.fixture(scope="module")
def diagnoses(made: Population) -> pl.DataFrame:
    return listed(made.health, "diagnoses", "date_of_birth", "date_of_death", "lsoa")


@pytest.fixture(scope="module")
def encounters(made: Population) -> pl.DataFrame:
    return listed(made.health, "encounters", "date_of_birth", "date_of_death")


@pytest.fixture(scope="module")
def claims(made: Population) -> pl.DataFrame:
    return listed(made.welfare.rename({"claim_reference": "reference"}), "claims", "reference", "claim_role", "lsoa")


def test_every_register_occurs_and_some_resolve(diagnoses: pl.DataFrame) -> None:
    assert set(diagnoses["condition"]) == {condition.value for condition in REGISTERS}
    status = diagnoses["status"].value_counts(normalize=True)
    assert 0.01 < status.filter(pl.col("status") == "resolved")["proportion"].item() < 0.15


def test_a_condition_resolves_after_it_was_recorded(diagnoses: pl.DataFrame) -> None:
    spans = diagnoses.pivot("status", index=["record_id", "condition"], values="recorded_on", aggregate_function="max")
    ended = spans.drop_nulls(["active", "resolved"])
    assert ended.height > 50
    assert (ended["resolved"] >= ended["active"]).all()
    assert spans["active"].null_count() == 0


def test_nothing_happens_before_birth_or_after_death(diagnoses: pl.DataFrame, encounters: pl.DataFrame) -> None:
    clean = population(20_000, 500, seed=4, error_scale=0.0).health
    for column, day in (("diagnoses", "recorded_on"), ("encounters", "started_on")):
        facts = listed(clean, column, "date_of_birth", "date_of_death").with_columns(
            pl.col("date_of_birth", "date_of_death").str.to_date()
        )
        assert facts.select((pl.col(day) >= pl.col("date_of_birth")).all()).item()
        dead = facts.drop_nulls("date_of_death")
        assert dead.height > 5
        assert dead.select((pl.col(day) <= pl.col("date_of_death")).all()).item()
    assert diagnoses["recorded_on"].max() <= REFERENCE_DATE
    assert encounters["ended_on"].max() <= REFERENCE_DATE


def test_encounters_lie_in_their_window(encounters: pl.DataFrame) -> None:
    assert encounters["started_on"].min() >= REFERENCE_DATE - timedelta(days=ENCOUNTER_DAYS)
    assert encounters["started_on"].max() < REFERENCE_DATE
    assert (encounters["ended_on"] >= encounters["started_on"]).all()


def test_admissions_have_a_method_and_a_diagnosis(encounters: pl.DataFrame) -> None:
    admitted = encounters.filter(pl.col("kind") == "admission")
    others = encounters.filter(pl.col("kind") != "admission")
    assert set(others["kind"]) == {"ae_attendance", "outpatient"}
    assert admitted.select(pl.col("admission_method", "primary_diagnosis").null_count()).row(0) == (0, 0)
    assert others.select(pl.col("admission_method", "primary_diagnosis").is_null().all()).row(0) == (True, True)
    emergency = admitted["admission_method"].str.starts_with("2")
    assert 0.45 < emergency.mean() < 0.75
    births = admitted.filter(pl.col("admission_method") == "31")
    assert births.height > 20
    assert births["primary_diagnosis"].str.starts_with("O").all()
    # Ambulatory care sensitive ones are among them.
    for prefix in ("J44", "I50", "J45", "E1"):
        assert admitted.filter(pl.col("primary_diagnosis").str.starts_with(prefix)).height > 0


def test_facts_are_valid_for_their_contracts(diagnoses: pl.DataFrame, encounters: pl.DataFrame) -> None:
    for facts, contract in ((diagnoses, Diagnosis), (encounters, Encounter)):
        fields = list(contract.model_fields)
        for row in facts.select(fields).unique(fields[:2] + fields[3:]).head(300).to_dicts():
            contract.model_validate(row)


def test_one_claimant_a_claim_and_members_who_differ(made: Population) -> None:
    groups = made.welfare.group_by("claim_reference").agg(
        (pl.col("claim_role") == "claimant").sum().alias("claimants"),
        (pl.col("claim_role") == "partner").sum().alias("partners"),
    )
    assert (groups["claimants"] == 1).all()
    assert groups["partners"].max() == 1
    members = made.truth.join(
        made.welfare.select("record_id", "claim_reference"), left_on="right_subject", right_on="record_id"
    )
    assert members.select("left_subject", "claim_reference").is_unique().all()


def test_amounts_stand_on_the_claimants_row_only(claims: pl.DataFrame) -> None:
    claimant = claims["claim_role"] == "claimant"
    for amount in ("weekly_award_pence", "weekly_income_pence"):
        assert claims.filter(claimant)[amount].null_count() == 0
        assert claims.filter(~claimant)[amount].is_null().all()
        assert claims[amount].min() > 0
    assert (claims["role"] == claims["claim_role"]).all()


def test_everybody_in_the_welfare_file_is_in_a_claim(made: Population, claims: pl.DataFrame) -> None:
    assert (made.welfare["claims"].list.len() >= 1).all()
    assert set(claims["benefit"]) == {"hb", "ctr", "uc"}
    housing = claims.filter(pl.col("benefit") != "uc")
    assert (housing["claim_reference"] == housing["reference"]).all()
    credit = claims.filter(pl.col("benefit") == "uc")
    assert (credit["claim_reference"] != credit["reference"]).all()
    assert "non_dependant" not in set(credit["role"])


def test_claim_dates_are_in_order(claims: pl.DataFrame) -> None:
    assert claims["started_on"].max() < REFERENCE_DATE
    ended = claims.filter(pl.col("status") == "other")
    assert ended["ended_on"].null_count() == 0
    assert (ended["ended_on"] > ended["started_on"]).all()
    assert claims.filter(pl.col("status") != "other")["ended_on"].is_null().all()
    assert claims["status"].eq("in_payment").mean() > 0.9


def test_debts_are_the_claimants_and_fit_the_tenure(made: Population, claims: pl.DataFrame) -> None:
    debts = listed(made.welfare, "arrears", "claim_role")
    assert set(debts["claim_role"]) == {"claimant"}
    assert debts["balance_pence"].min() > 0
    assert debts["oldest_debt_on"].max() < REFERENCE_DATE
    tenure = claims.group_by("record_id").agg(pl.col("tenure").first())
    council = debts.filter(pl.col("kind") == "rent_council").join(tenure, on="record_id")
    assert council.height > 20
    assert set(council["tenure"]) == {"council"}


def test_deprivation_leans_everything(made: Population, diagnoses: pl.DataFrame) -> None:
    fifth = geography.table().select("lsoa", fifth=(pl.col("imd_decile") + 1) // 2)
    health, welfare = (frame.join(fifth, on="lsoa") for frame in (made.health, made.welfare))
    people = health.group_by("fifth").len().sort("fifth")["len"]
    claiming = welfare.group_by("fifth").len().sort("fifth")["len"] / people
    assert claiming[0] > 3 * claiming[4]
    emergency = pl.col("encounters").list.eval(pl.element().struct.field("kind") == "ae_attendance").list.sum()
    attended = health.group_by("fifth").agg(emergency.mean().alias("n")).sort("fifth")["n"]
    assert attended[0] > 1.3 * attended[4]
    # The most deprived fifth has more COPD although it is younger.
    copd = diagnoses.filter(pl.col("condition") == "copd").join(fifth, on="lsoa").group_by("fifth").len()
    rate = copd.sort("fifth")["len"] / people
    assert rate[0] > rate[4]


def test_some_people_have_died(made: Population) -> None:
    died = made.health["date_of_death"].drop_nulls()
    assert 0.001 < len(died) / made.health.height < 0.01
    assert died.str.to_date().max() < REFERENCE_DATE


def test_lists_keep_their_owner_and_order() -> None:
    facts = pl.DataFrame(
        {"condition": ["af", "dm", "chd"], "status": ["active"] * 3, "recorded_on": [REFERENCE_DATE] * 3}
    )
    column = nested("diagnoses", np.array([2, 0, 2]), facts, 4, element(Diagnosis))
    names = [[fact["condition"] for fact in facts_of] for facts_of in column.to_list()]
    assert names == [["dm"], [], ["af", "chd"], []]
    assert nested("diagnoses", np.zeros(0, dtype=np.int64), facts.head(0), 2, element(Diagnosis)).to_list() == [[], []]
