"""`hwlink synthesise`: what it writes and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from linkage.synthesise import SOURCES, feeds, geography, population
from linkage.synthesise.feeds.published import published
from schemas.errors import InputError, Reason
from services.cli.synthesise import register


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return app


def run(app: typer.Typer, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["synthesise", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


SMALL = ("--people", "200", "--claims", "80", "--seed", "4")


def test_parquet_holds_the_population(app: typer.Typer, tmp_path: Path) -> None:
    said = run(app, str(tmp_path / "new" / "out"), *SMALL)
    made = population(200, 80, seed=4)
    out = tmp_path / "new" / "out"
    assert pl.read_parquet(out / "health.parquet").equals(made.health)
    assert pl.read_parquet(out / "welfare.parquet").equals(made.welfare)
    assert pl.read_csv(out / "truth.csv").equals(made.truth)
    assert pl.read_csv(out / "geography.csv").equals(geography.table())
    assert "200 records" in said
    assert sorted(path.name for path in out.iterdir()) == [
        "geography.csv",
        "health.parquet",
        "truth.csv",
        "welfare.parquet",
    ]


def test_csv_holds_lists_as_json(app: typer.Typer, tmp_path: Path) -> None:
    run(app, str(tmp_path), *SMALL, "--csv")
    made = population(200, 80, seed=4)
    for name, frame, column in (("health", made.health, "encounters"), ("welfare", made.welfare, "claims")):
        text = pl.read_csv(tmp_path / f"{name}.csv", infer_schema=False)
        assert text.columns == frame.columns
        assert text["surname"].equals(frame["surname"])
        for written, meant in zip(text[column], frame[column].to_list(), strict=True):
            as_text = [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in fact.items()} for fact in meant]
            assert json.loads(written) == as_text


def test_the_report_can_be_json(app: typer.Typer, tmp_path: Path) -> None:
    said = json.loads(run(app, str(tmp_path), *SMALL, "--error-scale", "0.5", "--overlap", "0", "--json"))
    assert said["error_scale"] == 0.5
    assert {Path(file["path"]).name: file["rows"] for file in said["files"]} == {
        "health.parquet": 200,
        "welfare.parquet": 80,
        "truth.csv": 0,
        "geography.csv": 259,
    }


def test_feeds_are_written_beside_and_leave_the_other_files_as_they_are(app: typer.Typer, tmp_path: Path) -> None:
    plain, whole = tmp_path / "plain", tmp_path / "whole"
    run(app, str(plain), *SMALL)
    said = json.loads(run(app, str(whole), *SMALL, "--feeds", "--json"))
    for path in plain.iterdir():
        assert (whole / path.name).read_bytes() == path.read_bytes()
    made = feeds(200, 80, seed=4)
    for source in SOURCES:
        assert pl.read_parquet(whole / "feeds" / f"{source}.parquet").equals(made.frames[source])
    assert pl.read_csv(whole / "feeds" / "truth.csv").equals(made.truth)
    areas = pl.read_csv(whole / "feeds" / "geography.csv", schema=made.geography.schema)
    assert areas.equals(made.geography)
    assert pl.read_csv(whole / "feeds" / "practices.csv").equals(made.practices)
    for kind, frame in published().items():
        assert pl.read_csv(whole / "feeds" / "reference" / f"{kind}.csv").height == frame.height
    assert len(said["files"]) == 4 + len(SOURCES) + 3 + len(published())


def test_feeds_can_be_csv(app: typer.Typer, tmp_path: Path) -> None:
    run(app, str(tmp_path), *SMALL, "--feeds", "--csv")
    text = pl.read_csv(tmp_path / "feeds" / "kmicb.gp.csv", infer_schema=False)
    assert json.loads(text["measurements"][0]) is not None
    assert set(text["interpreter_needed"].drop_nulls()) <= {"true", "false"}


def test_a_folder_that_cannot_be_made_is_an_error_with_a_reason(app: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError) as caught:
        run(app, str(tmp_path / "taken"), *SMALL)
    assert caught.value.reason is Reason.OPTION_INVALID
    assert "name a folder" in caught.value.message


def test_impossible_numbers_are_an_error_with_a_reason(app: typer.Typer, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        run(app, str(tmp_path / "out"), "--people", "0")
    assert caught.value.reason is Reason.OPTION_INVALID
    assert not (tmp_path / "out").exists()
