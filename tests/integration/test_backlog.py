"""How long what waits has waited, by reader and shard, and what becomes late: on memory and on a data folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from schemas.errors import Reason, TransientError
from schemas.topics import INTERNAL, LINKS, SUBJECTS
from services.admin.backlog import backlogs, late, oldest_age_s
from services.admin.status import LANDING_LINKAGE, status
from services.bootstrap import open_bus, open_registry
from services.bus import Bus, Outgoing, TopicPartition
from services.bus.memory import MemoryBus
from services.cli.operate import register
from services.registry.sql import SqlRegistry
from services.registry.sql import open_registry as open_sql
from services.settings import read_settings

HOUR_S = 3600.0
MODEL = "m-1"


@pytest.fixture
def registry(tmp_path: Path) -> SqlRegistry:
    return open_sql(f"sqlite:///{tmp_path / 'registry.db'}")


@pytest.fixture
def bus() -> MemoryBus:
    bus = MemoryBus()
    bus.create_topics(INTERNAL)
    return bus


def sent_ms(bus: Bus, partition: int = 0) -> int:
    bus.producer().send([Outgoing(SUBJECTS.name, partition, b"k", b"v", {})])
    place = TopicPartition(SUBJECTS.name, partition)
    return bus.sent_at_ms({place: 0})[place]


def test_nothing_waits_on_an_empty_line(bus: MemoryBus, registry: SqlRegistry) -> None:
    assert backlogs(bus, registry, status(bus, registry)) == []
    assert late([]) == []


def test_the_oldest_unread_message_of_each_reader_is_dated(bus: MemoryBus, registry: SqlRegistry) -> None:
    now_ms = sent_ms(bus) + int(HOUR_S * 1000)
    found = backlogs(bus, registry, status(bus, registry), now_ms)
    assert {(one.role, one.shard, one.lag_messages, one.age_s) for one in found} >= {
        ("landing-linkage", None, 1, HOUR_S)
    }
    [landing] = [one for one in found if one.role == "landing-linkage"]
    assert landing.retention_share == pytest.approx(1 / (7 * 24))
    consumer = bus.consumer(LANDING_LINKAGE, [SUBJECTS])
    consumer.poll(10, 0)
    consumer.commit()
    assert "landing-linkage" not in oldest_age_s(backlogs(bus, registry, status(bus, registry), now_ms))


def test_each_shard_is_told_apart(bus: MemoryBus, registry: SqlRegistry) -> None:
    registry.matcher.adopt_first_model(MODEL, "{}")
    for shard in (0, 1):
        registry.matcher.claim_shard(MODEL, shard, "t")
    now_ms = sent_ms(bus) + 1000
    bus.producer().send([Outgoing(SUBJECTS.name, 0, b"k", b"v", {})])
    held = next(s for s in registry.matcher.shards() if s.shard == 1)
    registry.matcher.advance_shard(MODEL, 1, held.epoch, held.position, {f"{SUBJECTS.name}-0": 1}, {})
    found = {one.shard: one for one in backlogs(bus, registry, status(bus, registry), now_ms) if one.role == "matcher"}
    assert (found[0].lag_messages, found[1].lag_messages) == (2, 1)
    assert found[0].reader == "matcher shard 0"
    assert found[0].age_s >= found[1].age_s


def test_what_has_waited_for_half_of_its_retention_or_longer_than_asked_is_late(
    bus: MemoryBus, registry: SqlRegistry
) -> None:
    week_ms = SUBJECTS.retention_ms or 0
    roles = status(bus, registry)
    sent_at_ms = sent_ms(bus)
    roles = status(bus, registry)
    for share, waits in ((0.49, False), (0.5, True), (2.0, True)):
        found = backlogs(bus, registry, roles, sent_at_ms + int(share * week_ms))
        assert bool(late(found)) is waits
    found = backlogs(bus, registry, roles, sent_at_ms + 60_000)
    assert late(found, age_s=61.0) == []
    assert late(found, age_s=60.0) == found


def test_a_reader_of_what_retention_took_has_no_age(bus: MemoryBus, registry: SqlRegistry) -> None:
    sent_ms(bus)
    bus.trim(10**15)
    assert backlogs(bus, registry, status(bus, registry)) == []


def test_doctor_shows_since_when_and_fails_when_it_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    settings = read_settings({}, data_dir=tmp_path)
    bus, registry = open_bus(settings), open_registry(settings)
    bus.producer().send([Outgoing(LINKS.name, 0, b"k", b"v", {})])
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 0
    [waits] = json.loads(result.stdout)["waiting"]
    assert (waits["role"], waits["topic"], waits["lag_messages"]) == ("resolver", LINKS.name, 1)
    printed = CliRunner().invoke(app, ["doctor"]).stdout
    assert "1 to do, the oldest for" in printed
    result = CliRunner().invoke(app, ["doctor", "--late-after", "0"])
    assert isinstance(result.exception, TransientError)
    assert result.exception.reason is Reason.DEADLINE
    assert "resolver" in result.exception.message
    bus.close()
    registry.close()
