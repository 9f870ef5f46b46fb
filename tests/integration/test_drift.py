"""Drift: a feed that changed raises an alarm that names what changed, a calm one raises none, and no decision moves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from linkage.drift import has_shifted, stability_index
from linkage.encode import ProjectKeys, encode
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.subject import TOKEN_COLUMNS
from schemas.model import default_model
from schemas.topics import INTERNAL
from services.admin.service import AdminService
from services.admin.status import DriftAlarm, drift_alarms
from services.bus.memory import MemoryBus
from services.bus.sqlite import SqliteBus
from services.cli.app import build
from services.ingest.split import Origin, split
from services.lake.delta import DeltaZone
from services.matcher.drift import buckets
from services.matcher.role import Matcher
from services.pb.hwlink.v1 import admin_pb2
from services.registry import AuditEvent
from services.registry.sql import SqlRegistry, open_registry

AGREEMENT = shipped_agreement("test")
SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}
WINDOW = 200


def encoded(clear: pl.DataFrame, feed: Feed, key: bytes = bytes(range(32))) -> pl.DataFrame:
    identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
    return encode(identity, AGREEMENT, ProjectKeys(key, AGREEMENT.key_epoch), feed, False, source=SOURCES[feed]).frame


class Line:
    """A matcher over a registry file; `feed` sends records and lets it match them."""

    def __init__(self, folder: Path) -> None:
        self.bus, self.zone = MemoryBus(), DeltaZone(folder / "lake", "linkage")
        self.bus.create_topics(INTERNAL)
        self.registry: SqlRegistry = open_registry(f"sqlite:///{folder / 'registry.db'}")
        self.matcher = self.start()

    def start(self) -> Matcher:
        self.matcher = Matcher(
            self.bus, self.registry.matcher, self.zone, default_model(), owner="m", shards=2, batch_messages=3, poll_s=0
        )
        return self.matcher

    def feed(self, feed: Feed, frame: pl.DataFrame) -> None:
        origin = Origin(SOURCES[feed], "s", "hwlink-test-1", "e", feed is Feed.HEALTH, 0)
        for rows in frame.iter_slices(100):
            self.bus.producer().send(split(rows, feed, origin))
        while self.matcher.step():
            pass

    def alarms(self) -> list[DriftAlarm]:
        return drift_alarms(self.registry)


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("services.matcher.drift.Drift.__init__.__defaults__", (WINDOW,))
    made = Line(tmp_path)
    yield made
    made.registry.close()


def people(seed: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Health records, and welfare records in two parts: what a source sent so far, and what it sends next."""
    made = population(2_500, 1_500, seed=seed)
    welfare = made.welfare.sample(fraction=1.0, shuffle=True, seed=seed)
    half = welfare.height * 2 // 3
    return made.health.sample(fraction=1.0, shuffle=True, seed=seed), welfare.head(half), welfare.tail(-half)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_calm_feed_raises_no_alarm(line: Line, seed: int) -> None:
    health, before, then = people(seed)
    for feed, part in ((Feed.HEALTH, health), (Feed.WELFARE, before), (Feed.WELFARE, then)):
        for rows in encoded(part, feed).iter_slices(700):
            line.feed(feed, rows)
            assert line.alarms() == []
    windows = json.loads(line.registry.matcher.drift()["medway.shbe"])["reference"]
    assert sum(windows["outcome"]) >= 2 * WINDOW


def test_a_feed_whose_key_changed_is_told(line: Line) -> None:
    health, before, then = people(4)
    line.feed(Feed.HEALTH, encoded(health, Feed.HEALTH))
    line.feed(Feed.WELFARE, encoded(before, Feed.WELFARE))
    assert line.alarms() == []
    line.feed(Feed.WELFARE, encoded(then, Feed.WELFARE, key=bytes(32)))
    told = {alarm.measure: alarm for alarm in line.alarms()}
    assert {alarm.source for alarm in told.values()} == {"medway.shbe"}
    assert told["known_surname"].share < 0.1 < 0.5 < told["known_surname"].usual_share
    assert told["outcome"].bucket == "link"
    assert not any(measure.startswith("field") for measure in told), "every field is as full as it was"


def test_an_alarm_outlives_a_restart_and_what_raised_it_stays_unknown(line: Line) -> None:
    health, before, then = people(8)
    line.feed(Feed.HEALTH, encoded(health, Feed.HEALTH))
    line.feed(Feed.WELFARE, encoded(before, Feed.WELFARE))
    line.start()
    assert line.alarms() == []
    foreign = encoded(then, Feed.WELFARE, key=bytes(32))
    for version in range(3):  # the same names each time, by another matcher
        line.feed(Feed.WELFARE, foreign.with_columns(pl.col("version") + version))
        told = {alarm.measure: alarm for alarm in line.alarms()}
        assert told["known_surname"].share < 0.1 < 0.5 < told["known_surname"].usual_share
        line.start()
        assert {alarm.measure for alarm in line.alarms()} == set(told)
    for version in (3, 4):
        line.feed(Feed.WELFARE, encoded(then, Feed.WELFARE).with_columns(pl.col("version") + version))
        assert line.alarms() == []
        line.start()


def test_a_field_that_goes_missing_is_told_and_stays_so_until_it_is_back(line: Line) -> None:
    health, before, then = people(5)
    line.feed(Feed.HEALTH, encoded(health, Feed.HEALTH))
    line.feed(Feed.WELFARE, encoded(before, Feed.WELFARE))
    broken = encoded(then, Feed.WELFARE).with_columns(token_postcode=pl.lit(None, pl.Binary))
    line.feed(Feed.WELFARE, broken)
    for version in (0, 1):
        (alarm,) = [alarm for alarm in line.alarms() if alarm.measure == "field token_postcode"]
        assert (alarm.bucket, alarm.share) in (("present", 0.0), ("missing", 1.0))
        assert abs(alarm.usual_share - alarm.share) > 0.8
        assert alarm.index > 0.25
        if not version:  # the same again, as newer versions, by another matcher
            line.start()
            line.feed(Feed.WELFARE, broken.with_columns(pl.col("version") + 1))
    line.feed(Feed.WELFARE, encoded(then, Feed.WELFARE).with_columns(pl.col("version") + 2))
    assert line.alarms() == []


def test_counts_are_written_with_the_position_and_stay_bounded(line: Line) -> None:
    health, _, _ = people(6)
    frame = encoded(health, Feed.HEALTH)
    line.feed(Feed.HEALTH, frame.head(150))
    first = json.loads(line.registry.matcher.drift()["kmpt.gp"])
    assert first["records"] == 150
    assert first["open"]["field token_surname"][1] == 150 - frame.head(150)["token_surname"].null_count()
    line.start()
    line.feed(Feed.HEALTH, frame.head(150))  # repeats say nothing and count nothing
    assert json.loads(line.registry.matcher.drift()["kmpt.gp"]) == first
    line.feed(Feed.HEALTH, frame)
    after = json.loads(line.registry.matcher.drift()["kmpt.gp"])
    assert sum(after["reference"]["outcome"]) + after["records"] == frame.height
    assert set(after["reference"]) == set(first["open"])
    assert len(line.registry.matcher.drift()["kmpt.gp"]) < 8_000


def test_the_alarms_of_a_model_go_with_it(line: Line) -> None:
    health, _, _ = people(7)
    line.feed(Feed.HEALTH, encoded(health, Feed.HEALTH).head(100))
    event = AuditEvent("o", "operation", "model.adopt", "done", {})
    begun = line.registry.adoptions.begin("new", "{}", event)
    line.registry.matcher.claim_shard("new", 0, "m")
    line.registry.matcher.advance_shard("new", 0, 1, {}, {"t-0": 1}, {"kmpt.gp": "{}"})
    assert line.registry.matcher.drift("new") == {"kmpt.gp": "{}"}
    line.registry.adoptions.abandon(begun.serial, event)
    assert line.registry.matcher.drift("new") == {}
    assert list(line.registry.matcher.drift()) == ["kmpt.gp"]


def test_operators_are_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = {"measure": "outcome", "bucket": "link", "usual_share": 0.6, "share": 0.05, "index": 1.5}
    bus, registry = SqliteBus(tmp_path / "bus.db"), open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    bus.create_topics(INTERNAL)
    registry.matcher.adopt_first_model("m", "{}")
    registry.matcher.claim_shard("m", 0, "m")
    registry.matcher.advance_shard("m", 0, 1, {}, {"t-0": 1}, {"kmpt.gp": json.dumps({"alarms": [alarm]})})
    zones = [DeltaZone(tmp_path / "lake", name) for name in ("linkage", "content")]
    status = AdminService(bus, registry, *zones).Status(admin_pb2.StatusRequest(page_size=1), None)
    (told,) = status.drift
    assert (told.source, told.measure, told.bucket, told.usual_share, told.share) == (
        "kmpt.gp", "outcome", "link", 0.6, 0.05,
    )  # fmt: skip
    registry.close()
    bus.close()

    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    words = CliRunner().invoke(build(), ["doctor"], catch_exceptions=False).stdout
    assert "kmpt.gp has drifted: outcome, link 5%, usually 60%" in words
    assert "hwlink model fit" in words
    said = json.loads(CliRunner().invoke(build(), ["doctor", "--json"], catch_exceptions=False).stdout)
    assert said["drift"] == [{"source": "kmpt.gp", **alarm}]


counts = st.lists(st.integers(0, 5_000), min_size=2, max_size=12)


@given(counts, st.randoms(use_true_random=False))
def test_the_index_is_a_symmetric_divergence(one: list[int], chance: Any) -> None:
    other = [chance.randrange(5_000) for _ in one]
    a, b = np.array(one), np.array(other)
    assert stability_index(a, b) == pytest.approx(stability_index(b, a))
    assert stability_index(a, b) >= 0
    assert stability_index(a, a) == pytest.approx(0, abs=1e-12)


def test_chance_alone_shifts_next_to_nothing() -> None:
    generator = np.random.default_rng(1)
    shares = generator.dirichlet(np.ones(10))
    drawn = [(generator.multinomial(m, shares), generator.multinomial(n, shares)) for m, n in [(60, 30)] * 500]
    assert sum(has_shifted(reference, window) for reference, window in drawn) <= 1
    assert has_shifted(np.array([900, 100]), np.array([400, 600]))
    assert not has_shifted(np.array([9, 1]), np.array([0, 10])), "too few to say"


def test_every_token_column_is_watched() -> None:
    assert {buckets(f"field {name}") for name in TOKEN_COLUMNS} == {("missing", "present")}
