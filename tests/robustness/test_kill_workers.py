"""Matchers and resolvers as processes, killed and paused in mid-stream: no pair is missed, and the persons are those of
one batch.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import select

from linkage.cluster import resolve
from linkage.encode import ProjectKeys, encode
from linkage.held import HeldSubjects
from linkage.match import Matcher as PairMatcher
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.columns import conform
from schemas.contracts.base import Feed
from schemas.contracts.subject import Subject
from schemas.model import default_model
from schemas.topics import LINKS, SUBJECTS, Topic
from services.bootstrap import open_bus
from services.bus import Bus
from services.ingest.split import Origin, pieces_of, split
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS
from services.registry.sql import open_registry
from services.registry.sql.database import Database
from services.registry.sql.fetching import large_frame
from services.registry.sql.tables import pairs, roster
from services.settings import Settings, read_settings

SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}
AGREEMENT = shipped_agreement("test")
PAIR = ("left_source", "left_ref", "right_source", "right_ref", "left_hash", "right_hash", "pattern", "weight_bits")
SHARDS = 8
BATCH_ROWS = 250
PAUSE_S = 14.0
"""Longer than a lease: others take the paused one's shards, and it goes on as if it still had them."""
SETTLED_S = 600.0


def feeds(people: int, claims: int) -> dict[Feed, pl.DataFrame]:
    """Encoded records of both feeds, some of the people in both."""
    made = population(people, claims, seed=people, error_scale=1.0)
    keys = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
    encoded = {}
    for feed, clear in ((Feed.HEALTH, made.health), (Feed.WELFARE, made.welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        encoded[feed] = encode(identity, AGREEMENT, keys, feed, False, source=SOURCES[feed]).frame
    return encoded


class Workers:
    """Processes of `hwlink serve`, by role, and a schedule of what happens to them."""

    def __init__(self, settings: dict[str, str], log: Path, seed: int) -> None:
        self._environ = {**os.environ, **settings}
        self._log = log
        self._chance = random.Random(seed)
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._paused: list[tuple[float, subprocess.Popen[bytes]]] = []
        self._due: list[tuple[float, str]] = []
        self.kills = self.pauses = 0

    def start(self, *roles: str) -> None:
        with self._log.open("ab") as log:
            for role in roles:
                words = [sys.executable, "-m", "services.cli.app", "serve", role]
                process = subprocess.Popen(words, env=self._environ, stdout=log, stderr=log)
                self._running.append((role, process))

    def misfortune(self) -> None:
        """Kill or pause one; one that is killed comes back, at once or after its lease."""
        role, process = self._chance.choice(self._running)
        if any(process is paused for _, paused in self._paused):
            return
        if self._chance.random() < 0.3:
            process.send_signal(signal.SIGSTOP)
            self._paused.append((time.monotonic() + PAUSE_S, process))
            self.pauses += 1
            return
        process.kill()
        process.wait()
        self._running.remove((role, process))
        self._due.append((time.monotonic() + self._chance.choice([0.0, 0.0, PAUSE_S]), role))
        self.kills += 1

    def look_after(self, *, at_once: bool = False) -> None:
        """Start again and resume whatever it is time for, or everything."""
        now = float("inf") if at_once else time.monotonic()
        for _, process in [paused for paused in self._paused if paused[0] <= now]:
            process.send_signal(signal.SIGCONT)
        self._paused = [paused for paused in self._paused if paused[0] > now]
        self.start(*(role for when, role in self._due if when <= now))
        self._due = [due for due in self._due if due[0] > now]
        for role, process in self._running:
            assert process.poll() is None, f"{role} ended by itself: {self._log.read_text()[-3000:]}"

    def stop(self) -> None:
        for _, process in self._paused:
            process.send_signal(signal.SIGCONT)
        for _, process in self._running:
            process.terminate()
        for _, process in self._running:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def workers() -> Iterator[list[Workers]]:
    made: list[Workers] = []
    yield made
    for one in made:
        one.stop()


def ends(bus: Bus, topic: Topic) -> dict[str, int]:
    return {f"{place.topic}-{place.partition}": end for place, end in bus.end_offsets(topic).items()}


def wait_until_settled(settings: Settings, bus: Bus, workers: Workers) -> None:
    registry = open_registry(settings.registry_url)
    deadline = time.monotonic() + SETTLED_S
    while True:
        workers.look_after()
        subjects, held = ends(bus, SUBJECTS), registry.matcher.shards()
        matched = len(held) == SHARDS and all(dict(shard.position) == subjects for shard in held)
        if matched and registry.resolver.position() == ends(bus, LINKS):
            break
        assert time.monotonic() < deadline, "the workers did not come to an end"
        time.sleep(0.5)
    registry.close()


def stored(url: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The roster and the pairs that the resolver keeps, with the keys of both ends."""
    database = Database(url)
    with database.reading() as connection:
        subjects = large_frame(connection, select(*(roster.c[name] for name in SUBJECT_COLUMNS)), SUBJECT_COLUMNS)
        kept = large_frame(connection, select(*(pairs.c[name] for name in PAIR_COLUMNS)), PAIR_COLUMNS)
    database.close()
    for side in ("left", "right"):
        named = subjects.select(
            **{f"{side}_serial": "serial", f"{side}_source": "source", f"{side}_ref": "subject_ref"}
        )
        kept = kept.join(named, on=f"{side}_serial")
    return subjects, kept


def groups(frame: pl.DataFrame, person: str) -> set[frozenset[tuple[str, str]]]:
    together: dict[Any, set[tuple[str, str]]] = {}
    for key, source, ref in frame.drop_nulls(person).select(person, "source", "subject_ref").rows():
        together.setdefault(key, set()).add((source, ref))
    return {frozenset(members) for members in together.values()}


def check_no_pair_is_missed_while_workers_die(
    folder: Path, workers: list[Workers], bus_url: str, registry_url: str, people: int, seed: int
) -> None:
    environ = {
        "HWLINK_DATA_DIR": str(folder / "data"),
        "HWLINK_SHARDS": str(SHARDS),
        "HWLINK_MATCHERS": "3",
        **({"HWLINK_BUS_URL": bus_url, "HWLINK_REGISTRY_URL": registry_url} if bus_url else {}),
    }
    settings = read_settings(environ)
    records = feeds(people, people // 4)
    bus = open_bus(settings)
    running = Workers(environ, folder / "log", seed)
    workers.append(running)
    running.start("landing", *["matcher"] * 3, *(["resolver"] * 2 if bus_url else ["resolver"]))
    producer = bus.producer()
    chance = random.Random(seed)
    batches = [
        split(rows, feed, Origin(SOURCES[feed], "s", AGREEMENT.agreement_id, "e", feed is Feed.HEALTH, 0))
        for feed, frame in records.items()
        for part in (frame, frame.sample(fraction=0.2, seed=seed))
        for rows in part.iter_slices(BATCH_ROWS)
    ]
    chance.shuffle(batches)
    every = max(1, len(batches) // 12)
    for number, batch in enumerate(batches):
        producer.send(batch)
        running.look_after()
        if number % every == every - 1:
            time.sleep(chance.uniform(1, 5))  # so that some are killed while they load and some while they work
            running.misfortune()
    wait_until_settled(settings, bus, running)
    running.look_after(at_once=True)
    assert running.kills + running.pauses > 6

    subjects = pl.concat(
        conform(piece.rows, Subject)
        for feed, frame in records.items()
        for piece in pieces_of(frame, feed, SOURCES[feed])
        if piece.kind == "subjects"
    )
    held = HeldSubjects(default_model())
    rows = held.upsert(Subjects.from_frame(subjects, {SOURCES[Feed.HEALTH]: True}))
    expected = PairMatcher(default_model()).match(rows, held)
    known, kept = stored(settings.registry_url)
    assert set(kept.select(PAIR).rows()) == set(expected.select(PAIR).rows())
    assert kept.height == expected.height > people // 10

    about = subjects.select(
        "source", "subject_ref", "claim_group", one_record_per_person=pl.col("source") == SOURCES[Feed.HEALTH]
    )
    labels = resolve(about, expected, default_model().policy).labels
    assert groups(known, "person") == groups(labels, "label")
    bus.close()


@pytest.mark.slow
def test_on_one_machines_files(tmp_path: Path, workers: list[Workers]) -> None:
    check_no_pair_is_missed_while_workers_die(tmp_path, workers, "", "", people=2_000, seed=1)


@pytest.mark.slow
@pytest.mark.brokers
@pytest.mark.parametrize("people", [4_000, 48_000])
def test_on_kafka_and_postgresql(
    tmp_path: Path, workers: list[Workers], kafka_url: str, postgresql_url: str, people: int
) -> None:
    check_no_pair_is_missed_while_workers_die(tmp_path, workers, kafka_url, postgresql_url, people, seed=people)
