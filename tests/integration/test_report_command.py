"""`hwlink report` of a real run, by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pa_parquet
import pytest
import typer
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, encode
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.errors import InputError, Reason
from services.cli import link, report

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run with truth."""
    where = tmp_path_factory.mktemp("linked")
    people = population(1_500, 500, seed=3)
    people.truth.write_csv(where / "truth.csv")
    for clear, source, feed in (
        (people.health, "kmpt.gp", Feed.HEALTH),
        (people.welfare, "medway.shbe", Feed.WELFARE),
    ):
        identity = clear.select(name for name in clear.columns if clear[name].dtype == pl.String)
        declaration = FileDeclaration(
            feed=feed, source=source, agreement_id=AGREEMENT.agreement_id, agreement_hash=AGREEMENT.content_hash,
            key_epoch=AGREEMENT.key_epoch, ids_kept=True,
        )  # fmt: skip
        metadata = {b"hwlink": declaration.model_dump_json(exclude_none=True).encode()}
        encoded = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame.to_arrow()
        pa_parquet.write_table(encoded.replace_schema_metadata(metadata), where / f"{feed.value}.parquet")
    files = [str(where / "health.parquet"), str(where / "welfare.parquet")]
    invoke("link", *files, "--truth", str(where / "truth.csv"), "--out", str(where / "out"))
    return where / "out"


def invoke(*arguments: str) -> str:
    app = typer.Typer()
    for command in (link, report):
        command.register(app)
    result = CliRunner().invoke(app, [*arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_real_run_is_reported(linked: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    told: dict[str, Any] = json.loads(invoke("report", str(out), "--linked", str(linked), "--json"))
    page = out.read_text("utf-8")

    assert told["bytes"] == out.stat().st_size
    summary = json.loads((linked / "summary.json").read_text("utf-8"))
    assert told["model_id"] == summary["model"]["model_id"]
    for title in ("The run", "Against the truth", "Pairs", "Pairs explained", "The model", "Training", "Priors"):
        assert f"{title}</h" in page
    assert f"{summary['counts']['link']:,}" in page
    assert invoke("report", str(out), "--linked", str(linked)).startswith(f"wrote {out}")


@pytest.mark.parametrize("options", [[], ["--linked", "somewhere", "--to", "127.0.0.1:1"]])
def test_one_thing_is_reported_on(tmp_path: Path, options: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        invoke("report", str(tmp_path / "report.html"), *options)
    assert caught.value.reason is Reason.OPTION_INVALID


def test_a_folder_that_is_no_run_and_a_place_that_cannot_be_written_are_refused(linked: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        invoke("report", str(tmp_path / "report.html"), "--linked", str(tmp_path))
    assert caught.value.reason is Reason.FILE_UNREADABLE
    with pytest.raises(InputError) as caught:
        invoke("report", str(tmp_path), "--linked", str(linked))
    assert caught.value.reason is Reason.OPTION_INVALID
