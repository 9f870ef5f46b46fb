"""A line that loses everything, or its bus alone, while both feeds stream in, and goes on as the runbook says."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Sequence
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

SUBJECTS_AT_THE_LOSS = 1_300
"""Some of each feed: welfare has 1,200 or so, and was sent first."""


def sending(line: Any, feed: str, file: Path) -> Sequence[Any]:
    """Return the words that send a file: the same ones each time, so that it is the same stream."""
    return ("send", "--feed", feed, "--to", line.ingest, "--batch-rows", "20", file)


def start_midway(line: Any, health: Path, welfare: Path) -> Any:
    """Start everything and both feeds; return the sender that is still at it."""
    line.serve(line.root / "model.json")
    line.hwlink(*sending(line, "welfare", welfare))
    sender = line.start_command(*sending(line, "health", health))
    while not _resolved(line, SUBJECTS_AT_THE_LOSS):
        time.sleep(0.1)
    return sender


def go_on(line: Any, health: Path, welfare: Path) -> None:
    """Start everything again, and have both sources send the same files in the same way once more."""
    line.serve()
    # A stream goes on behind the last of its receipts that is left; one that lost none says that it is complete.
    line.hwlink(*sending(line, "welfare", welfare))
    line.hwlink(*sending(line, "health", health))
    line.drain()


def assert_nothing_is_lost(line: Any, then: pl.DataFrame, expected: set[frozenset[tuple[str, str]]]) -> None:
    """The persons are those of the offline link, under the ids they had, and all books agree."""
    assert line.partition() == expected
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


def back_up_midway_lose_everything_and_go_on(
    line: Any, as_groups: Any, after: dict[str, str], *, new_bus: bool = False
) -> None:
    """Whatever was known at the backup is as it was, and what was sent since is found again."""
    health, welfare, persons = line.feeds()
    sender = start_midway(line, health, welfare)
    backup = line.root / "backup"
    back_up(open_stores(_settings(line)), backup, lambda _: None)  # a command would take as long to start as the rest
    assert sender.wait(120) == 0
    line.drain()
    line.stop()
    then = known(backup)
    assert SUBJECTS_AT_THE_LOSS <= then.height < 5_200

    shutil.rmtree(line.root / "data")
    line.environ |= {"HWLINK_DATA_DIR": str(line.root / "restored"), **after}
    line.hwlink("store", "restore", backup)
    if new_bus:
        line.hwlink("store", "new-bus")
    go_on(line, health, welfare)

    assert_nothing_is_lost(line, then, as_groups(pl.read_parquet(persons), "subject"))
    with closing(open_registry(_settings(line))) as registry:
        # Above whatever consumers have seen of the time that is lost.
        assert int(registry.features.snapshots()[0].snapshot_id.rpartition(".")[2]) > 1_000


def lose_the_bus_midway_and_go_on(line: Any, as_groups: Any, after: dict[str, str]) -> None:
    """Everything dies at once, and the bus with all that was on its way is gone; registry and lake are left."""
    health, welfare, persons = line.feeds()
    sender = start_midway(line, health, welfare)
    os.killpg(line.server.pid, signal.SIGKILL)
    line.server.wait()
    line.server = None
    sender.kill()
    sender.wait()
    with closing(open_registry(_settings(line))) as registry:
        then = registry.resolver.persons().select("source", "subject_ref", "person_id")
    for path in (line.root / "data").glob("bus.db*"):
        path.unlink()
    line.environ |= after

    assert line.hwlink_json("store", "new-bus")["taken_back"]
    assert "OPTION_INVALID" in line.hwlink("store", "new-bus", fails=3)
    go_on(line, health, welfare)

    assert_nothing_is_lost(line, then, as_groups(pl.read_parquet(persons), "subject"))


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


@pytest.mark.slow
@pytest.mark.brokers
def test_a_backup_goes_on_with_another_kafka(line: Any, as_groups: Any, kafka_url: str, postgresql_url: str) -> None:
    line.environ |= {"HWLINK_BUS_URL": kafka_url}
    after = {"HWLINK_BUS_URL": f"{kafka_url}-other", "HWLINK_REGISTRY_URL": postgresql_url}
    back_up_midway_lose_everything_and_go_on(line, as_groups, after, new_bus=True)


@pytest.mark.slow
def test_a_line_whose_bus_is_gone_goes_on_with_an_empty_one(line: Any, as_groups: Any) -> None:
    lose_the_bus_midway_and_go_on(line, as_groups, {})


@pytest.mark.slow
@pytest.mark.brokers
def test_a_line_whose_kafka_is_gone_goes_on_with_an_empty_one(
    line: Any, as_groups: Any, kafka_url: str, postgresql_url: str
) -> None:
    line.environ |= {"HWLINK_BUS_URL": kafka_url, "HWLINK_REGISTRY_URL": postgresql_url}
    lose_the_bus_midway_and_go_on(line, as_groups, {"HWLINK_BUS_URL": f"{kafka_url}-other"})
