"""A broker that is killed, or stands still: every call ends with what to do; nothing is lost, nothing unbounded."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from schemas.contracts.base import Feed
from schemas.errors import Reason, TransientError
from schemas.topics import Topic
from services.bus import Message, Outgoing
from services.bus.kafka import KafkaBus
from services.bus.kafka_cluster import Timing
from services.send.file import FeedFile
from services.send.session import Sending, send
from services.stack import OwnServer

pytestmark = [pytest.mark.brokers, pytest.mark.slow]

EVENTS = Topic("test.events.v1", 2, "none", "bytes", ("reader",))
LIMIT_BYTES = 4_000_000
SHORT = Timing(request_s=1, delivery_s=3, block_s=0.5, session_s=2, in_flight_bytes=LIMIT_BYTES)
PATIENCE_S = 60
CANARY = b"CANARY"
T = TypeVar("T")


@pytest.fixture
def bus(own_kafka: OwnServer, kafka_said: list[str]) -> Iterator[KafkaBus]:
    made = KafkaBus(f"{own_kafka.url}/own", timing=SHORT)
    made.create_topics([EVENTS])
    yield made
    made.close()


def out(number: int, size: int = 100) -> Outgoing:
    return Outgoing(EVENTS.name, number % 2, b"key", CANARY + b"-%d-" % number + os.urandom(size), {"header": "CANARY"})


def numbers(messages: list[Message]) -> list[int]:
    return [int((m.value or b"").split(b"-")[1]) for m in messages]


def transient(call: Callable[[], object]) -> Reason:
    with pytest.raises(TransientError) as caught:
        call()
    assert "CANARY" not in caught.value.message
    assert caught.value.__cause__ is None
    # What the client said is not shown with it.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.reason


def patiently(call: Callable[[], T]) -> T:
    """Do as a role does: try again what is transient."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return call()
        except TransientError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_killed_broker_is_transient_for_everybody_and_loses_nothing_acknowledged(
    bus: KafkaBus, own_kafka: OwnServer, kafka_said: list[str]
) -> None:
    producer, consumer = bus.producer(), bus.consumer("g", [EVENTS])
    producer.send([out(n) for n in range(10)])
    assert len(consumer.poll(5, 5)) == 5
    own_kafka.kill()
    threads = threading.active_count()
    for call in (
        lambda: producer.send([out(10)]),
        lambda: bus.producer().send([out(10)]),
        lambda: [consumer.poll(10, 0) for _ in range(3)],  # the first may still hand out what had come
        lambda: bus.consumer("h", [EVENTS]),
        lambda: bus.end_offsets(EVENTS),
        lambda: bus.committed("g", EVENTS),
        consumer.commit,
        lambda: KafkaBus(f"{own_kafka.url}/own", timing=SHORT).create_topics([EVENTS]),
    ):
        assert transient(call) is Reason.UNAVAILABLE
    assert threading.active_count() <= threads + 1  # what could not connect left no thread behind
    assert bus.counts["failures"] >= 6
    own_kafka.restart()
    for n in range(10, 20):
        patiently(lambda n=n: producer.send([out(n)]))
    reader = patiently(lambda: bus.consumer("again", [EVENTS]))
    seen: set[int] = set()
    while not set(range(20)) <= seen:
        seen |= set(numbers(patiently(lambda: reader.poll(100, 1))))
    patiently(consumer.commit)
    assert sum(bus.committed("g", EVENTS).values()) >= 5
    assert not [line for line in kafka_said if "CANARY" in line]


def test_a_broker_that_stands_still_holds_senders_back_in_bounded_memory(bus: KafkaBus, own_kafka: OwnServer) -> None:
    producer = bus.producer()
    producer.send([out(0)])
    own_kafka.pause()
    first: list[Reason] = []
    sender = threading.Thread(
        target=lambda: first.append(transient(lambda: producer.send([out(n, LIMIT_BYTES // 4) for n in range(3)])))
    )
    sender.start()
    deadline = time.monotonic() + PATIENCE_S
    while bus.counts["in_flight_bytes"] < LIMIT_BYTES // 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert transient(lambda: producer.send([out(9, LIMIT_BYTES // 2)])) is Reason.BUSY
    assert bus.counts["in_flight_bytes"] <= LIMIT_BYTES
    sender.join(PATIENCE_S)
    assert first == [Reason.UNAVAILABLE]
    assert bus.counts["busy"] == 1
    assert bus.counts["in_flight_bytes"] == 0  # what was given up is on its way no more, the broker being as it is
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("network-thread")]
    own_kafka.resume()
    for n in range(10, 20):
        patiently(lambda n=n: producer.send([out(n)]))
    deadline = time.monotonic() + PATIENCE_S
    while bus.counts["in_flight_bytes"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    reader = bus.consumer("g", [EVENTS])
    came: list[Message] = []
    while messages := reader.poll(100, 1):
        came += messages
    in_order = [n for n in numbers(came) if n >= 10]
    for parity in (0, 1):  # within a partition, what was acknowledged is in the order of sending, once
        assert [n for n in in_order if n % 2 == parity] == list(range(10 + parity, 20, 2))


def test_members_outlive_a_restart_of_the_broker(bus: KafkaBus, own_kafka: OwnServer) -> None:
    members = [bus.consumer("g", [EVENTS], member=name) for name in "ab"]
    producer = bus.producer()

    def shared() -> bool:
        return [len(member.position()) for member in members] == [1, 1]

    def poll_all() -> list[Message]:
        came = []
        for member in members:
            came += patiently(lambda member=member: member.poll(10, 0.05))
        return came

    deadline = time.monotonic() + PATIENCE_S
    while not shared():
        assert time.monotonic() < deadline
        poll_all()
    own_kafka.kill()
    own_kafka.restart()
    for n in range(6):
        patiently(lambda n=n: producer.send([out(n)]))
    seen: set[int] = set()
    deadline = time.monotonic() + PATIENCE_S
    while not (set(range(6)) <= seen and shared()):
        assert time.monotonic() < deadline
        seen |= set(numbers(poll_all()))


def test_a_sender_at_the_door_is_held_back_while_the_broker_stands_still_and_loses_nothing(
    bus: KafkaBus, own_kafka: OwnServer, kit: Any, tmp_path: Path
) -> None:
    """What the bus cannot take now the door does not take either: its client waits, and sends the same again."""
    running = kit.start(tmp_path / "data", bus=bus)
    declared = kit.declaration(Feed.HEALTH)
    file = FeedFile(kit.write(tmp_path / "f.parquet", kit.records(Feed.HEALTH, 600), declared), Feed.HEALTH)
    resumed = threading.Timer(2 * SHORT.delivery_s, own_kafka.resume)

    def on_progress(done: int, _total: int) -> None:
        if done == 200:
            own_kafka.pause()
            resumed.start()

    report = send(file, declared, running.address, Sending(rows_a_batch=100, patience_s=60), on_progress)
    assert report.reconnects >= 1
    assert (report.accepted, report.refused) == (600, 0)
    assert running.subjects()["subject_ref"].n_unique() == 600
    resumed.join()
    kit.stop(running)
