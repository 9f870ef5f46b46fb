"""Several landing processes share a real broker's partitions: each message lands once, whoever is killed or late."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from schemas.columns import columns
from schemas.contracts.subject import Subject
from schemas.errors import Reason, StateError
from schemas.topics import INTERNAL, SUBJECTS
from schemas.wire import to_ipc
from services.bus import Outgoing
from services.bus.kafka import KafkaBus
from services.bus.kafka_cluster import Timing
from services.lake.delta import DeltaZone
from services.landing.role import Landing, Pace

pytestmark = pytest.mark.brokers

QUICK = Timing(session_s=4)
SMALL_STEPS = Pace(batch_messages=5, linger_s=0, poll_s=0.1)
PARTITIONS = SUBJECTS.partitions
PATIENCE_S = 60


@pytest.fixture
def bus(kafka_url: str) -> Iterator[KafkaBus]:
    made = KafkaBus(kafka_url, timing=QUICK)
    made.create_topics(INTERNAL)
    yield made
    made.close()


@pytest.fixture
def zone(tmp_path: Path) -> DeltaZone:
    return DeltaZone(tmp_path / "lake", "linkage")


def message(number: int, partition: int) -> Outgoing:
    schema = columns(Subject)
    known = {
        "source": "x.a",
        "subject_ref": f"{number:032x}",
        "version": 1,
        "operation": "upsert",
        "content_hash": 0,
    }
    frame = pl.DataFrame([dict.fromkeys(schema) | known], schema=schema)
    headers = {"kind": "subjects", "source": "x.a", "stream_id": "s1", "one_record_per_person": "true"}
    return Outgoing(SUBJECTS.name, partition, b"x.a", to_ipc(frame), headers)


def fill(bus: KafkaBus, first: int, count: int) -> None:
    bus.producer().send([message(n, n % PARTITIONS) for n in range(first, first + count)])


def refs(zone: DeltaZone) -> list[int]:
    scan = zone.scan("subjects")
    return [] if scan is None else sorted(int(ref, 16) for ref in scan.select("subject_ref").collect().to_series())


def until(true: Callable[[], bool], say: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, say
        time.sleep(0.05)


class Running:
    """A landing that runs in a thread of its own until it is told to stop."""

    def __init__(self, bus: KafkaBus, zone: DeltaZone, member: str) -> None:
        self.landing = Landing.of_linkage(bus, zone, SMALL_STEPS, member)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.landing.run, args=(self._stop,))
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


@pytest.mark.slow
def test_members_come_and_go_and_each_message_lands_once(bus: KafkaBus, zone: DeltaZone) -> None:
    fill(bus, 0, 200)
    first = Running(bus, zone, "first")
    until(lambda: bool(refs(zone)), "the first member landed nothing")
    second = Running(bus, zone, "second")
    fill(bus, 200, 200)
    until(lambda: bool(second.landing.counts["messages"]), "the second member got no partition")
    first.stop()
    fill(bus, 400, 100)
    until(lambda: len(refs(zone)) >= 500, "not everything landed")
    second.stop()
    assert refs(zone) == list(range(500))
    assert bus.committed("landing-linkage", SUBJECTS) == bus.end_offsets(SUBJECTS)
    assert zone.offsets("subjects") == {
        f"{p.topic}-{p.partition}": end - 1 for p, end in bus.end_offsets(SUBJECTS).items()
    }


def test_a_writer_that_was_taken_over_adds_nothing_twice(
    bus: KafkaBus, zone: DeltaZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands still between reading and writing; meanwhile another process of its name lands the same and more."""
    fill(bus, 0, 40)
    late = DeltaZone(zone._folder.parent, "linkage")
    landing = Landing.of_linkage(bus, late, SMALL_STEPS, "member")
    about_to_write, go_on = threading.Event(), threading.Event()
    append = late.append

    def slow_append(*given: object) -> bool:
        about_to_write.set()
        assert go_on.wait(PATIENCE_S)
        return append(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(late, "append", slow_append)
    raised: list[StateError] = []

    def run() -> None:
        try:
            landing.run(threading.Event())
        except StateError as error:
            raised.append(error)

    zombie = threading.Thread(target=run)
    zombie.start()
    assert about_to_write.wait(PATIENCE_S)
    successor = Running(bus, zone, "member")
    until(lambda: len(refs(zone)) == 40, "the successor did not land everything")
    go_on.set()
    zombie.join(PATIENCE_S)
    assert [error.reason for error in raised] == [Reason.OWNERSHIP_LOST]
    fill(bus, 40, 20)
    until(lambda: len(refs(zone)) >= 60, "the successor was stopped by what came late")
    successor.stop()
    assert refs(zone) == list(range(60))
    assert landing.counts["replayed"] == 1


_LANDING = """
    import sys, threading
    from pathlib import Path
    from services.bus.kafka import KafkaBus
    from services.bus.kafka_cluster import Timing
    from services.lake.delta import DeltaZone
    from services.landing.role import Landing, Pace
    url, root, member = sys.argv[1:]
    bus = KafkaBus(url, timing=Timing(session_s=4))
    pace = Pace(batch_messages=5, linger_s=0, poll_s=0.1)
    Landing.of_linkage(bus, DeltaZone(Path(root), "linkage"), pace, member).run(threading.Event())
"""


@pytest.mark.slow
def test_what_a_killed_member_had_goes_to_the_others(
    bus: KafkaBus, zone: DeltaZone, kafka_url: str, tmp_path: Path
) -> None:
    fill(bus, 0, 300)
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(_LANDING), kafka_url, str(tmp_path / "lake")]
    members = [subprocess.Popen([*command, name], cwd=Path(__file__).parents[2]) for name in ("a", "b")]
    try:
        until(lambda: len(refs(zone)) >= 20, "nothing landed")
        os.kill(members[0].pid, signal.SIGKILL)
        members[0].wait(PATIENCE_S)
        fill(bus, 300, 300)
        until(lambda: len(refs(zone)) >= 600, "what the killed member had was left")
        until(
            lambda: bus.committed("landing-linkage", SUBJECTS) == bus.end_offsets(SUBJECTS), "the position stayed back"
        )
    finally:
        for member in members:
            member.kill()
            member.wait(PATIENCE_S)
    assert refs(zone) == list(range(600))
