"""A backup taken while both feeds stream in, everything lost, and the line going on from the backup."""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from services.bootstrap import open_registry, open_zone
from services.cli.store import open_stores
from services.registry.chain import first_break
from services.settings import Settings, read_settings
from services.store.backup import back_up


def feeds(line: Any) -> tuple[Path, Path, Path]:
    """Make two pseudonymised files and a model; return health, welfare and the offline link's persons."""
    line.hwlink("synthesise", line.root / "people", "--people", "4000", "--claims", "1200", "--seed", "12")
    line.hwlink("keys", "new", line.root / "project.key")
    files = []
    for source, feed in (("kmpt.gp", "health"), ("medway.shbe", "welfare")):
        clear, coded = line.root / "people" / f"{feed}.parquet", line.root / f"{feed}.parquet"
        key = ("--agreement", "test", "--key-file", line.root / "project.key")
        line.hwlink("pseudonymise", *key, "--source", source, "--feed", feed, clear, coded)
        files.append(coded)
    out = line.root / "linked"
    model = line.root / "model.json"
    line.hwlink("model", "fit", *files, "--unique", "left", "--out", model)
    line.hwlink("link", *files, "--unique", "left", "--model", model, "--out", out)
    return files[0], files[1], out / "persons.parquet"


def back_up_midway_lose_everything_and_go_on(line: Any, as_groups: Any, after: dict[str, str]) -> None:
    """Whatever was known at the backup is as it was, and what was sent since is found again."""
    health, welfare, persons = feeds(line)
    line.serve(line.root / "model.json")
    line.hwlink("send", "--feed", "welfare", "--to", line.ingest, welfare)
    sender = line.start_command("send", "--feed", "health", "--to", line.ingest, "--batch-rows", "20", health)
    while not _resolved(line, 1_300):
        time.sleep(0.1)
    backup = line.root / "backup"
    back_up(open_stores(_settings(line)), backup, lambda _: None)  # a command would take as long to start as the rest
    assert sender.wait(120) == 0
    line.drain()
    line.stop()
    then = known(backup)
    assert 1_300 <= then.height < 5_200

    shutil.rmtree(line.root / "data")
    line.environ |= {"HWLINK_DATA_DIR": str(line.root / "restored"), **after}
    line.hwlink("store", "restore", backup)
    line.serve()
    # The file once more in the same way is the same stream: it goes on behind the last receipt that was restored.
    line.hwlink("send", "--feed", "health", "--to", line.ingest, "--batch-rows", "20", health)
    line.drain()

    assert line.partition() == as_groups(pl.read_parquet(persons), "subject")
    assert "agrees" in line.hwlink("doctor", "--reconcile")
    settings = _settings(line)
    with closing(open_registry(settings)) as registry:
        now = registry.resolver.persons()
        gone = set(then["person_id"]) - set(now["person_id"])
        assert all(registry.resolver.lineage(person_id) is not None for person_id in gone)
        assert all(registry.resolver.lineage(person_id)[0] for person_id in gone)  # type: ignore[index]
        both = then.join(now, on=["source", "subject_ref"], suffix="_now")
        assert both.height == then.height
        moved = both.filter(pl.col("person_id") != pl.col("person_id_now"))
        assert set(moved["person_id"]) <= gone | set(now["person_id"])
        kept = both.filter(~pl.col("person_id").is_in(sorted(gone)))
        assert (kept["person_id"] == kept["person_id_now"]).mean() > 0.99  # a split moves the younger part
        assert first_break(registry.query.audit_events()) is None
        snapshot = registry.features.snapshots()[0]
        built = open_zone(settings, "products").scan("membership", snapshot.tables["membership"])
        assert built is not None
        told = built.select("source", "subject_ref", "person_id").collect()
        assert set(told.rows()) == set(now.select("source", "subject_ref", "person_id").rows())
        assert int(snapshot.snapshot_id.rpartition(".")[2]) > 1_000


def _settings(line: Any) -> Settings:
    return read_settings({name: value for name, value in line.environ.items() if name.startswith("HWLINK_")})


def _resolved(line: Any, subjects: int) -> bool:
    with closing(open_registry(_settings(line))) as registry:
        return sum(registry.resolver.summary().subjects_by_source.values()) >= subjects


def known(backup: Path) -> pl.DataFrame:
    """Return who was in which person at the backup."""
    roster, persons = (pl.read_parquet(backup / "registry" / f"{name}.parquet") for name in ("roster", "persons"))
    joined = roster.join(persons, left_on="person", right_on="serial")
    return joined.select("source", "subject_ref", "person_id")


@pytest.mark.slow
def test_a_line_goes_on_from_a_backup_that_was_taken_while_it_ran(line: Any, as_groups: Any) -> None:
    back_up_midway_lose_everything_and_go_on(line, as_groups, {})


@pytest.mark.slow
@pytest.mark.brokers
def test_an_embedded_line_goes_on_with_postgresql(line: Any, as_groups: Any, postgresql_url: str) -> None:
    back_up_midway_lose_everything_and_go_on(line, as_groups, {"HWLINK_REGISTRY_URL": postgresql_url})


@pytest.mark.slow
@pytest.mark.brokers
def test_a_line_on_kafka_and_postgresql_goes_on_where_kafka_stayed(
    line: Any, as_groups: Any, kafka_url: str, postgresql_url: str
) -> None:
    line.environ |= {"HWLINK_BUS_URL": kafka_url, "HWLINK_REGISTRY_URL": postgresql_url}
    restored = f"sqlite:///{line.root / 'restored' / 'registry.db'}"
    back_up_midway_lose_everything_and_go_on(line, as_groups, {"HWLINK_REGISTRY_URL": restored})
