"""A consumer's exported tables: permitted features under its own ids, replaced whole, read by DuckDB as documented."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from linkage.features import FEATURES, feature_columns
from linkage.features.permitted import permitted_features
from linkage.rekey import rekey
from schemas.errors import InputError, PolicyError, Reason, StateError
from schemas.features import Sensitivity
from schemas.purposes import shipped_purposes
from services.bootstrap import consumer_keys, open_bus
from services.cli.app import build
from services.lake.delta import DeltaZone
from services.registry import Snapshot
from services.registry.sql import open_registry
from services.settings import read_settings

README = Path(__file__).parents[2] / "services" / "exports" / "README.md"
PURPOSE = shipped_purposes()["segmentation"]


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(build(), list(arguments))
    if done.exception is not None:
        raise done.exception
    return done.output


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment in `hwlink-data` with two snapshots of three and of two people, and the present folder above it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path / "hwlink-data"))
    monkeypatch.setenv("HWLINK_EXPORTS_DIR", str(tmp_path / "exports"))
    settings = read_settings({"HWLINK_DATA_DIR": str(tmp_path / "hwlink-data")})
    zone = DeltaZone(settings.data_dir / "lake", "products")
    registry = open_registry(settings.registry_url)
    for number, ids in enumerate((["c", "a", "b"], ["a", "b"]), 1):
        known = pl.DataFrame({"person_id": ids}).with_columns(
            age_band=pl.lit("40-44"), reg_copd=pl.col("person_id") == "a", core20=pl.lit(True)
        )
        rest = [pl.lit(None, dtype).alias(name) for name, dtype in feature_columns().items() if name not in known]
        version = zone.replace("features", known.with_columns(rest).select(feature_columns().names()), {})
        day = date(2026, 1, number)
        snapshot = Snapshot(f"{day}.{number}", number, day, {"features": version}, "m", {}, "{}")
        registry.features.publish_snapshot(snapshot, {}, number)
    registry.close()
    open_bus(settings)
    return tmp_path


def _read(folder: Path, table: str = "features") -> pl.DataFrame:
    return pl.read_delta(str(folder / "exports" / "phm" / table))


def test_the_newest_snapshot_is_exported_under_the_consumers_ids(deployed: Path) -> None:
    told = json.loads(_run("export", "segmentation", "--json"))
    assert told == {
        "consumer": "phm",
        "snapshot_id": "2026-01-02.2",
        "people": 2,
        "features": len(permitted_features(PURPOSE)),
        "version": 0,
    }
    rows = _read(deployed)
    key = consumer_keys(read_settings({"HWLINK_DATA_DIR": str(deployed / "hwlink-data")})).key("phm")
    assert rows["person_id"].to_list() == sorted(rekey(pl.Series("id", ["a", "b"]), key))
    assert rows["reg_copd"].sum() == 1
    assert rows["as_of"].to_list() == [date(2026, 1, 2)] * 2
    assert rows["reg_dm"].to_list() == [None, None]


def test_only_what_the_topic_carries_leaves_and_each_column_is_explained(deployed: Path) -> None:
    _run("export", "segmentation")
    names = permitted_features(PURPOSE)
    assert _read(deployed).columns == ["person_id", "snapshot_id", "as_of", *names]
    assert _read(deployed, "catalogue")["feature"].to_list() == names
    assert "lsoa" not in names
    assert "link_probability" not in names
    assert all(FEATURES[name].sensitivity is not Sensitivity.INCLUSION for name in names)


def test_an_export_replaces_the_one_before_in_one_commit(deployed: Path) -> None:
    _run("export", "segmentation", "--snapshot", "2026-01-01.1")
    assert len(_read(deployed)) == 3
    told = _run("export", "segmentation")
    assert "2 people" in told
    assert (len(_read(deployed)), _read(deployed)["snapshot_id"][0]) == (2, "2026-01-02.2")


def test_every_export_is_audited(deployed: Path) -> None:
    _run("export", "segmentation")
    found = json.loads(_run("audit", "search", "--json"))
    [event] = [event for event in found if event["action"] == "export.write"]
    assert event["detail"]["consumer"] == "phm"
    assert "reg_copd" in event["detail"]["columns"]


def test_purposes_without_features_and_missing_snapshots_are_refused(deployed: Path) -> None:
    with pytest.raises(PolicyError) as refused:
        _run("export", "planning")
    assert refused.value.reason is Reason.PURPOSE_NOT_PERMITTED
    with pytest.raises(InputError, match="no such snapshot"):
        _run("export", "segmentation", "--snapshot", "2031-01-01.1")
    assert not (deployed / "exports").exists()


def test_nothing_is_exported_before_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path / "data"))
    settings = read_settings({"HWLINK_DATA_DIR": str(tmp_path / "data")})
    open_registry(settings.registry_url).close()
    open_bus(settings)
    with pytest.raises(StateError, match="No snapshot"):
        _run("export", "segmentation")


def test_the_documented_duckdb_example_runs(deployed: Path) -> None:
    _run("export", "segmentation", "--snapshot", "2026-01-01.1")
    _run("export", "segmentation")
    [code] = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["bands"] == [("40-44", 2, 1)]
