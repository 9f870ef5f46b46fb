"""`hwlink query` as people type it: against what ships, and against a server over TCP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from linkage.features import FEATURES, feature_columns
from schemas.cohort_documents import shipped_cohorts
from schemas.errors import HwlinkError, Reason
from services.cli import query
from services.consumers import ConsumerKeys
from services.lake.delta import DeltaZone
from services.query.service import CohortQuery
from services.query.states import States
from services.registry import Snapshot
from services.registry.sql import open_registry
from services.rpc.server import RpcServer


def _app() -> typer.Typer:
    app = typer.Typer()
    query.register(app)
    app.command("other")(lambda: None)  # so that typer keeps the group's name
    return app


def run(*words: str) -> str:
    result = CliRunner().invoke(_app(), ["query", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("query")
    schema = feature_columns()
    people = pl.DataFrame({"person_id": [f"p{n:04d}" for n in range(2_000)]}).with_columns(
        (pl.int_range(pl.len()) % 5 == 0).alias("reg_copd"),
        (pl.int_range(pl.len()) % 3 == 0).alias("core20"),
        pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("1")).otherwise(pl.lit("2")).alias("sex_code"),
        pl.lit("medway").alias("authority"),
        pl.lit(True).alias("in_health"),
        (pl.int_range(pl.len()) % 4 == 0).alias("in_welfare"),
        (pl.int_range(pl.len()) % 4 == 0).alias("linked"),
        pl.lit(False).alias("deceased"),
    )
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in people.columns]
    zone = DeltaZone(folder / "lake", "products")
    registry = open_registry(f"sqlite:///{folder / 'registry.db'}")
    version = zone.replace("features", people.with_columns(missing).select(schema.names()), {})
    snapshot = Snapshot("2026-01-01.1", 1, date(2026, 1, 1), {"features": version}, "model-1", {}, "{}")
    registry.features.publish_snapshot(snapshot, {}, 1)
    service = CohortQuery(States(zone, registry.query), registry.query, ConsumerKeys(folder / "keys"))
    server = RpcServer("127.0.0.1:0", [service.service])
    server.start()
    yield server.address
    server.stop(0)
    registry.close()


def test_features_and_cohorts_that_ship_need_no_server() -> None:
    listed = json.loads(run("features", "--json"))
    assert [entry["name"] for entry in listed] == [d.name for d in FEATURES.values() if d.leaves]
    assert all(entry["definition"] and entry["unknown_when"] for entry in listed)
    assert {entry["cohort_id"] for entry in json.loads(run("cohorts", "--json"))} == set(shipped_cohorts())
    assert "reg_copd" in run("features")
    assert "multimorbid_deprived" in run("cohorts")


def test_a_server_lists_what_it_offers(address: str) -> None:
    shipped = {entry["name"]: entry for entry in json.loads(run("features", "--json"))}
    for entry in json.loads(run("features", "--to", address, "--json")):
        assert entry.items() <= shipped[entry["name"]].items()
    offered = json.loads(run("cohorts", "--to", address, "--json"))
    assert {entry["cohort_id"] for entry in offered} == set(shipped_cohorts())


def test_a_count_for_people_and_for_programs(address: str) -> None:
    answer = json.loads(run("count", "--to", address, "--where", "reg_copd", "--json"))
    assert (answer["count"], answer["denominator"], answer["percent"]) == (400, 2000, 20.0)
    assert answer["context"]["linkage"][1] == {"feed": "welfare", "people": 500, "linked": 500, "percent": 100.0}
    shown = run("count", "--to", address, "--where", "reg_copd")
    assert "400" in shown
    assert "2026-01-01.1" in shown
    assert "Known to health: 2,000" in shown


def test_a_table_shows_withheld_cells_as_such(address: str) -> None:
    answer = json.loads(run("table", "--to", address, "--by", "sex_code, core20", "--json"))
    cells = {(cell["sex_code"], cell["core20"]): cell["count"] for cell in answer["cells"]}
    assert cells["1", "true"] == 335
    assert cells["9", "true"] in (0, None)
    assert cells["(total)", "(total)"] == 2000
    assert "*" in run("table", "--to", address, "--by", "sex_code,reg_copd")


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow"])
def test_rows_are_written_where_the_purpose_permits_them(address: str, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"rows{suffix}"
    words = ("--purpose", "segmentation", "--where", "reg_copd", "--features", "sex_code,core20", "--out", str(out))
    report = json.loads(run("members", "--to", address, *words, "--json"))
    rows = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".arrow": pl.read_ipc}[suffix](out)
    assert (report["rows"], len(rows), rows.columns) == (400, 400, ["person_id", "sex_code", "core20"])
    assert "rows in" in run("members", "--to", address, *words)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("count", "--where", "reg_cpod"), Reason.FEATURE_UNKNOWN),
        (("count", "--where", "age = (SELECT 1)"), Reason.FILTER_FORBIDDEN),
        (("count", "--cohort", "nobody"), Reason.COHORT_UNKNOWN),
        (("count", "--purpose", "curiosity"), Reason.PURPOSE_NOT_PERMITTED),
        (("table", "--by", ""), Reason.OPTION_INVALID),
        (("members", "--out", "x.parquet", "--purpose", "planning"), Reason.PURPOSE_NOT_PERMITTED),
        (("members", "--out", "x.docx", "--purpose", "segmentation"), Reason.OPTION_INVALID),
        (("members", "--out", "/nowhere/x.csv", "--purpose", "segmentation"), Reason.FILE_UNREADABLE),
    ],
)
def test_what_is_refused_is_refused_by_its_reason(address: str, words: tuple[str, ...], reason: Reason) -> None:
    with pytest.raises(HwlinkError) as caught:
        run(*words, "--to", address)
    assert caught.value.reason is reason
    assert caught.value.message.endswith(".")
