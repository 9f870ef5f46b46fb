"""When the first message at or after an offset was sent: what every adapter of the bus answers alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topics import SUBJECTS
from services.bus import Bus, Outgoing, TopicPartition
from services.bus.memory import MemoryBus
from services.bus.sqlite import SqliteBus

FIRST, SECOND = TopicPartition(SUBJECTS.name, 0), TopicPartition(SUBJECTS.name, 1)
RESOLUTION_MS = 1000


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.brokers)])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    opened: Bus
    if request.param == "kafka":
        from services.bus.kafka import KafkaBus

        opened = KafkaBus(request.getfixturevalue("kafka_url"))
    else:
        opened = MemoryBus() if request.param == "memory" else SqliteBus(tmp_path / "bus.db")
    opened.create_topics([SUBJECTS])
    yield opened
    opened.close()


def test_each_offset_is_dated_by_the_message_that_comes_next(bus: Bus) -> None:
    producer = bus.producer()
    sent = []
    for count in (2, 1):
        before = time.time_ns() // 1_000_000
        producer.send([Outgoing(SUBJECTS.name, 0, b"k", b"v", {})] * count)
        sent.append((before, time.time_ns() // 1_000_000))
        time.sleep(2 * RESOLUTION_MS / 1000)
    producer.send([Outgoing(SUBJECTS.name, 1, b"k", b"v", {})])
    producer.close()
    for offset, (earliest, latest) in ((0, sent[0]), (1, sent[0]), (2, sent[1])):
        found = bus.sent_at_ms({FIRST: offset, SECOND: 0})
        assert earliest - RESOLUTION_MS <= found[FIRST] <= latest + RESOLUTION_MS
        assert found[SECOND] > found[FIRST]


def test_where_nothing_is_held_there_is_no_date(bus: Bus) -> None:
    assert bus.sent_at_ms({FIRST: 0}) == {}
    assert bus.sent_at_ms({}) == {}
    producer = bus.producer()
    producer.send([Outgoing(SUBJECTS.name, 0, b"k", b"v", {})])
    producer.close()
    assert set(bus.sent_at_ms({FIRST: 0, SECOND: 0})) == {FIRST}
    assert bus.sent_at_ms({FIRST: 1}) == {}
