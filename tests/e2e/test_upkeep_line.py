"""Compaction and vacuum again and again while the whole line works, in a lake whose files grow old within seconds."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from schemas.errors import TransientError
from services.bootstrap import open_registry, open_zone
from services.cli.store import open_stores
from services.settings import Settings, read_settings
from services.store import upkeep

KEPT_H: Final = 24
KEPT_SNAPSHOTS: Final = 2
DAY_S: Final = 12.0
"""How long a day is here: a reader of a former version has so long."""

HOUR_MS: Final = 3_600_000


class Ageing:
    """Makes all files of a lake look old, and those that a table gave up `DAY_S` ago as if that had been a day ago."""

    def __init__(self, lake: Path) -> None:
        self._lake = lake
        self._aged: set[Path] = set()

    def step(self) -> None:
        """Age what is due."""
        now = time.time()
        for file in self._lake.rglob("*.parquet"):
            if "_delta_log" not in file.parts:
                os.utime(file, (now - 3 * 86_400,) * 2)
        for commit in self._lake.rglob("_delta_log/*.json"):
            if commit not in self._aged and commit.stat().st_mtime < now - DAY_S:
                actions = [json.loads(line) for line in commit.read_text().splitlines()]
                for action in actions:
                    if "remove" in action:
                        action["remove"]["deletionTimestamp"] -= (KEPT_H + 1) * HOUR_MS
                draft = self._lake / "draft"
                draft.write_text("".join(f"{json.dumps(action)}\n" for action in actions))
                draft.rename(commit)
                self._aged.add(commit)


def read_newest_snapshot(settings: Settings) -> None:
    """Read what a query of the newest snapshot would."""
    with closing(open_registry(settings)) as registry:
        for snapshot in registry.features.snapshots()[:1]:
            for table, version in snapshot.tables.items():
                scan = open_zone(settings, "products").scan(table, version)
                assert scan is not None
                scan.collect()


@pytest.mark.slow
def test_nothing_is_lost_when_stores_are_tidied_while_everything_runs(line: Any, as_groups: Any) -> None:
    health, welfare, persons = line.feeds()
    line.serve(line.root / "model.json")
    senders = [
        line.start_command("send", "--feed", feed, "--to", line.ingest, "--batch-rows", "10", file)
        for feed, file in (("health", health), ("welfare", welfare))
    ]
    settings = read_settings({name: value for name, value in line.environ.items() if name.startswith("HWLINK_")})
    stores = open_stores(settings)
    ageing = Ageing(line.root / "data" / "lake")
    deleted = rounds = killed = 0
    ends = time.monotonic() + 3 * DAY_S
    while any(sender.poll() is None for sender in senders) or time.monotonic() < ends:
        opened, slow = time.monotonic(), stores.zones["linkage"].scan("subjects")
        try:
            upkeep.compact(stores.zones, lambda _: None)
            with closing(open_registry(settings)) as registry:
                kept = registry.features.snapshots()[:KEPT_SNAPSHOTS]
            report = upkeep.vacuum(stores.zones, stores.registry, kept, KEPT_H, lambda _: None)
        except TransientError:
            continue
        deleted += sum(table.files for table in report)
        if slow is not None and time.monotonic() - opened < DAY_S:
            slow.collect()
        read_newest_snapshot(settings)
        ageing.step()
        rounds += 1
        if rounds % 8 == 0:  # its successor loads its index from the lake
            killed += line.kill("matcher")
        time.sleep(0.3)
    assert [sender.returncode for sender in senders] == [0, 0]
    assert (deleted > 0, killed > 0) == (True, True)
    line.drain()

    assert line.partition() == as_groups(pl.read_parquet(persons), "subject")
    assert "agrees" in line.hwlink("doctor", "--reconcile")
    with closing(open_registry(settings)) as registry:
        now = registry.resolver.persons()
        snapshot = registry.features.snapshots()[0]
    built = open_zone(settings, "products").scan("membership", snapshot.tables["membership"])
    assert built is not None
    told = built.select("source", "subject_ref", "person_id").collect()
    assert set(told.rows()) == set(now.select("source", "subject_ref", "person_id").rows())
    log = (line.root / "services.log").read_text().splitlines()
    ended = [json.loads(text) for text in log if '"role_exited"' in text]
    assert len(ended) == killed
    assert {event["role"] for event in ended} == {"matcher"}
