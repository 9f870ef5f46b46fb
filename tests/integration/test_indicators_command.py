"""`hwlink indicators` over a query server: rates from its rounded counts and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from linkage.features import feature_columns
from schemas.errors import InputError
from services.cli.app import build
from services.consumers import ConsumerKeys
from services.lake.delta import DeltaZone
from services.query.service import CohortQuery
from services.query.states import States
from services.registry import Snapshot
from services.registry.sql import SqlRegistry, open_registry
from services.rpc.server import RpcServer

PEOPLE = 4_000


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(build(), list(arguments))
    if done.exception is not None:
        raise done.exception
    return done.output


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[SqlRegistry]:
    opened = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    yield opened
    opened.close()


@pytest.fixture
def address(tmp_path: Path, registry: SqlRegistry) -> Iterator[str]:
    """Half the people are old, and of those one in five was admitted, of the others one in twenty; Swale is older."""
    rows = pl.DataFrame({"n": range(PEOPLE)})
    old = pl.when(pl.col("n") % 2 == 0).then(pl.col("n") % 5 != 0).otherwise(pl.col("n") % 5 == 1)
    people = rows.with_columns(old=old).select(
        person_id=pl.format("{}", "n"),
        authority=pl.when(pl.col("n") % 2 == 0).then(pl.lit("swale")).otherwise(pl.lit("medway")),
        age=pl.when("old").then(75).otherwise(30).cast(pl.Int32),
        age_band=pl.when("old").then(pl.lit("75-79")).otherwise(pl.lit("30-34")),
        sex_code=pl.when(pl.col("n") // 40 % 2 == 0).then(pl.lit("1")).otherwise(pl.lit("2")),
        prio_group_copd_supplied=(pl.col("n") % 4).replace_strict({0: "1", 1: "2", 2: "3", 3: "none"}),
        prio_reviewed_copd=(pl.col("n") % 3 == 0) & ((pl.col("n") % 4 != 2) | (pl.col("n") < 20)),
        emergency_admissions_12m=(pl.col("n") % 40 < pl.when("old").then(8).otherwise(2)).cast(pl.Int32),
        in_health=pl.lit(True),
        in_welfare=pl.lit(False),
    )
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in feature_columns().items() if name not in people]
    zone = DeltaZone(tmp_path / "lake", "products")
    version = zone.replace("features", people.with_columns(missing).select(feature_columns().names()), {})
    snapshot = Snapshot("2026-01-01.1", 1, date(2026, 1, 1), {"features": version}, "m", {}, '{"reference": "ref-1"}')
    registry.features.publish_snapshot(snapshot, {}, 1)
    query = CohortQuery(States(zone, registry.query), registry.query, ConsumerKeys(tmp_path / "keys"))
    server = RpcServer("127.0.0.1:0", [query.service])
    server.start()
    yield server.address
    server.stop(0)


def test_rates_are_of_rounded_counts_by_area_and_standardised(address: str, registry: SqlRegistry) -> None:
    command = ["indicators", "rates", "--where", "emergency_admissions_12m >= 1", "--to", address, "--standardise"]
    told = json.loads(_run(*command, "--json"))
    assert (told["snapshot_id"], told["reference"]) == ("2026-01-01.1", "ref-1")
    crude = {row["authority"]: row for row in told["rates"]}
    assert crude["swale"]["of"] == crude["medway"]["of"] == 2000
    assert all(row["people"] is None or row["people"] % 5 == 0 for row in told["rates"])
    assert crude["swale"]["rate_per_1000"] > crude["medway"]["rate_per_1000"]
    ratios = {row["area"]: row for row in told["ratios"]}
    assert set(ratios) == {"medway", "swale"}
    assert ratios["swale"]["expected"] > ratios["medway"]["expected"]
    assert "2026-01-01.1" in told["standard"]
    # Every number came as a table of the service: the ledger has each of them.
    kinds = {json.loads(question.partition("\n")[2])["kind"] for question, _ in registry.query.released("2026-01-01.1")}
    assert kinds == {"table"}
    coarse = json.loads(_run(*command, "--ages", "life_stage", "--json"))
    assert coarse["standard"] == "snapshot 2026-01-01.1, by life_stage and sex_code"
    assert [row["ratio"] for row in coarse["ratios"]] == [None, None]  # nobody's stage is known here
    with pytest.raises(InputError, match="age_band, life_stage"):
        _run(*command, "--ages", "ward")
    shown = _run(*command)
    assert "per 1,000" in shown
    assert "expected" in shown


def test_progress_is_told_by_condition_and_group_and_two_reviewed_are_not(address: str) -> None:
    told = json.loads(_run("indicators", "progress", "--to", address, "--json"))
    copd = {row["group"]: row for row in told["progress"] if row["condition"] == "copd"}
    assert (copd[1]["identified"], copd[1]["reviewed"], copd[1]["percent"]) == (1000, 335, 33.5)
    assert (copd[3]["identified"], copd[3]["reviewed"], copd[3]["percent"]) == (1000, None, None)
    assert (copd[0]["identified"], copd[0]["reviewed"]) == (3000, 670)
    assert set(copd) == {0, 1, 2, 3}
    shown = _run("indicators", "progress", "--to", address, "--groups", "1", "--where", "age >= 65")
    assert "PG1" in shown
    assert "PG2" not in shown
    with pytest.raises(InputError, match="from 1 to 4"):
        _run("indicators", "progress", "--to", address, "--groups", "7")


def test_the_people_at_risk_can_be_narrowed(address: str) -> None:
    told = json.loads(
        _run(
            *("indicators", "rates", "--where", "emergency_admissions_12m >= 1 OR age < 18", "--among", "age >= 65"),
            *("--by", "sex_code", "--to", address, "--json"),
        )
    )
    by_sex = {row["sex_code"]: row for row in told["rates"]}
    assert by_sex["1"]["of"] + by_sex["2"]["of"] == pytest.approx(2_000, abs=20)
    assert "ratios" not in told
    where = ("indicators", "rates", "--where", "emergency_admissions_12m >= 1", "--to", address)
    both = json.loads(_run(*where, "--by", "authority,sex_code", "--json"))
    pairs = {(row["authority"], row["sex_code"]): row["of"] for row in both["rates"]}
    assert pairs["medway", "1"] + pairs["medway", "2"] == pytest.approx(2_000, abs=10)
    with pytest.raises(InputError, match="one feature at a time"):
        _run(*where, "--by", "authority,sex_code", "--standardise")


def test_records_are_ranked_and_wrong_ones_named(tmp_path: Path) -> None:
    header = "indicator_id,period_label,area,value,method,rag_2021,rag_2023,change_since_2021,trend,england_trend\n"
    file = tmp_path / "records.csv"
    file.write_text(
        header
        + "hip_fractures_65_plus,2021/22,Medway and Swale,,dsr,,worse,worse,,\n"
        + "acsc_admissions,2021/22,Medway and Swale,100.5,isr,similar,worse,worse,worse,better\n"
    )
    told = json.loads(_run("indicators", "rag", str(file), "--json"))
    assert [(row["indicator_id"], row["score"]) for row in told] == [
        ("acsc_admissions", 5),
        ("hip_fractures_65_plus", 4),
    ]
    assert "acsc_admissions" in _run("indicators", "rag", str(file))
    file.write_text(header + "acsc_admissions,2021/22,Medway and Swale,many,isr,,worse,purple,,\n")
    with pytest.raises(InputError, match="Record 1 is wrong at: change_since_2021, value"):
        _run("indicators", "rag", str(file))
    with pytest.raises(InputError, match="cannot be read"):
        _run("indicators", "rag", str(tmp_path / "none.csv"))
    assert len(json.loads(_run("indicators", "list", "--json"))) == 41
