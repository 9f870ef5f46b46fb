"""`--areas`: small areas by postcode, looked up where postcodes are clear."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from schemas.errors import InputError, Reason
from services.cli.app import build
from services.pseudonymise import Report, new_key_file
from services.pseudonymise.areas import Areas
from services.pseudonymise.reading import Chunk


def filled(directory: Path, frame: pl.DataFrame) -> tuple[list[str | None], Report]:
    report = Report("out")
    rows = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    return Areas(directory).apply(Chunk(frame, rows), report).frame["lsoa"].to_list(), report


@pytest.mark.parametrize("header", ["pcds,lsoa21cd", "PCD,LSOA11", "postcode,lsoa"])
def test_a_postcode_gives_its_area_however_it_is_written(tmp_path: Path, header: str) -> None:
    """What a source says itself stays; a postcode that is not there, or is none, gives nothing."""
    path = tmp_path / "directory.csv"
    path.write_text(f"{header}\nME4 4TZ,E01016123\nME1  1AA,E01016124\n", encoding="utf-8")
    frame = pl.DataFrame(
        {"postcode": ["me44tz", "ME1 1AA", "ME9 9ZZ", None, "ME4 4TZ"], "lsoa": [None, None, None, None, "E01099999"]}
    )
    areas, report = filled(path, frame)

    assert areas == ["E01016123", "E01016124", None, None, "E01099999"]
    assert report.layout_counts == {"records given a small area by their postcode": 2}
    assert filled(path, frame.drop("lsoa"))[0] == ["E01016123", "E01016124", None, None, "E01016123"]


def test_another_table_is_refused(tmp_path: Path) -> None:
    """By the columns that it lacks."""
    path = tmp_path / "directory.csv"
    path.write_text("place,code\nME4 4TZ,E01016123\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        Areas(path)

    assert refused.value.reason is Reason.COLUMNS_WRONG
    assert "lsoa21cd" in refused.value.message


def test_an_extract_without_areas_gets_them_on_the_way(tmp_path: Path) -> None:
    """By the command, which needs no more than the directory."""
    key, source, directory = tmp_path / "key", tmp_path / "awards.csv", tmp_path / "directory.csv"
    new_key_file(key)
    source.write_text("person_reference,kind,awarded_on,postcode\nP1,dhp,2026-01-02,ME4 4TZ\n", encoding="utf-8")
    directory.write_text("pcds,lsoa21cd\nME4 4TZ,E01016123\n", encoding="utf-8")
    (tmp_path / "unit.toml").write_text('unit = "pence"\n', encoding="utf-8")
    done = CliRunner().invoke(
        build(),
        ["pseudonymise", str(source), str(tmp_path / "out.parquet"), "--agreement", "test", "--key-file", str(key),
         "--source", "medway.awards", "--layout", "awards", "--layout-settings", str(tmp_path / "unit.toml"),
         "--areas", str(directory), "--extract-date", "2026-06-30"],
        catch_exceptions=False,
    )  # fmt: skip

    assert done.exit_code == 0
    assert pl.read_parquet(tmp_path / "out.parquet")["lsoa"].to_list() == ["E01016123"]
