"""The broker is away for two minutes while clients keep sending: no role's memory, threads or files grow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from services.stack import OwnServer
from tests.robustness import oracle
from tests.robustness.feeder import Feeder
from tests.robustness.line import Line
from tests.robustness.records import make_records
from tests.robustness.storm import settle

OUTAGE_S = 120.0
ADAPTED_S = 60.0
"""By then messages have been given up (after 30 s), clients have opened their streams anew and sent again, and each
role is in its retries."""

SENDERS = 8
RECORDS = 90_000
BATCH_ROWS = 500
"""So that what all clients have on its way when the broker goes, a window of eight batches each, is a quarter of it
all: a fast machine has given receipts for that much before the gate opens."""
MIB = 2**20

HELD_MIB = 64 + SENDERS * 2
"""What the outage itself may make ingest hold: `Timing.in_flight_bytes` of messages, and of each client a window of
eight batches of some 0.25 MiB each."""

CREEP_MIB = 12
"""Between the two looks: an allocator's unrest. What the clients still have to send is several times as much."""


@dataclass(frozen=True)
class Size:
    """Of one process: resident memory in MiB, threads, open files and sockets."""

    rss_mib: float
    threads: int
    files: int


def sizes(line: Line) -> dict[str, Size]:
    found = {}
    for worker in line.workers.values():
        assert worker.process is not None, f"{worker.name} is down\n{line.last_words()}"
        process = psutil.Process(worker.process.pid)
        found[worker.name] = Size(process.memory_info().rss / MIB, process.num_threads(), process.num_fds())
    return found


def wait(line: Line, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        line.tick()
        assert not line.failures, line.failures
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.brokers
def test_nothing_grows_while_the_broker_is_away(
    tmp_path: Path, own_kafka: OwnServer, own_postgresql: OwnServer
) -> None:
    made = make_records(tmp_path, RECORDS, seed=2, batch_rows=BATCH_ROWS)
    crew = {"ingest": 1, "landing": 1, "matcher": 1, "resolver": 1, "features": 1}
    with Line(tmp_path, own_kafka, own_postgresql, crew) as line:
        try:
            line.start()
            with Feeder(made.streams, line.address, at_once=SENDERS) as feeder:
                feeder.let_through(0.1)
                while feeder.share < 0.05:
                    wait(line, 0.5)
                wait(line, 5)
                before = sizes(line)
                own_kafka.stop()
                feeder.let_through(1.0)
                wait(line, ADAPTED_S)
                early = sizes(line)
                wait(line, OUTAGE_S - ADAPTED_S)
                late = sizes(line)
                sent = feeder.share
                own_kafka.restart()
                while not feeder.is_done:
                    wait(line, 0.5)
                assert not feeder.failures, feeder.failures
            settle(line, 300)
            oracle.check_receipts(line, made)
        except BaseException as error:
            error.add_note("\n".join([*line.failures, *line.story, line.last_words()]))
            raise
    told = "\n".join(f"{name}: {before[name]} -> {early[name]} -> {late[name]}" for name in before)
    print(told)
    assert sent < 0.5, "the clients had too little left to send for this to mean anything"
    for name in before:
        assert late[name].rss_mib <= before[name].rss_mib + (HELD_MIB if name == "ingest-1" else CREEP_MIB * 2), told
        assert late[name].rss_mib <= early[name].rss_mib + CREEP_MIB, told
        assert late[name].threads <= early[name].threads + 4, told
        assert late[name].files <= early[name].files + 8, told
