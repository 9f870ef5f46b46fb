"""`kill -9` of the ingest service and of its client in mid-stream: nothing acknowledged is lost or counts twice."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.topics import CONTENT, SUBJECTS, Topic
from schemas.wire import from_ipc
from services.bus.sqlite import SqliteBus
from services.lake.latest import latest
from services.registry.sql import open_registry

PEOPLE = 1_200
BATCH_ROWS = 10
SETTLED_S = 60.0


class Line:
    """An ingest service and a client as processes of the command line, over one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.environ = {
            **os.environ,
            "HWLINK_DATA_DIR": str(root / "data"),
            "HWLINK_INGEST_ADDRESS": self.address,
            "HWLINK_ACCEPT_TEST_AGREEMENT": "true",
        }
        self.server: subprocess.Popen[bytes] | None = None

    def hwlink(self, *words: Any) -> str:
        done = subprocess.run(self.command(*words), env=self.environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *words: Any) -> subprocess.Popen[bytes]:
        with (self.root / "log").open("ab") as log:
            return subprocess.Popen(self.command(*words), env=self.environ, stdout=log, stderr=log)

    def command(self, *words: Any) -> list[str]:
        return [sys.executable, "-m", "services.cli.app", *map(str, words)]

    def restart(self) -> None:
        """Kill the server if there is one, and start another."""
        if self.server is not None:
            self.server.send_signal(signal.SIGKILL)
            self.server.wait()
        self.server = self.start("serve", "ingest")

    def send(self, path: Path, *words: Any) -> list[Any]:
        return ["send", "--feed", "health", "--to", self.address, "--batch-rows", BATCH_ROWS, *words, path]

    def next_batch(self) -> int:
        """Return how many batches of the stream have a receipt."""
        if not (self.root / "data" / "registry.db").exists():
            return 0
        registry = open_registry(f"sqlite:///{self.root / 'data' / 'registry.db'}")
        try:
            return sum(row.next_batch for row in registry.ingest.streams())
        finally:
            registry.close()

    def wait_for_batches(self, count: int) -> None:
        deadline = time.monotonic() + SETTLED_S
        while self.next_batch() < count:
            assert time.monotonic() < deadline, (self.root / "log").read_text()
            time.sleep(0.02)

    def messages(self, topic: Topic, kind: str) -> pl.DataFrame:
        """Return the rows of one kind on a topic, and the batch that each came in."""
        consumer = SqliteBus(self.root / "data" / "bus.db").consumer("test", [topic])
        frames = []
        while batch := consumer.poll(1_000, 0):
            frames += [
                from_ipc(m.value or b"").with_columns(batch=pl.lit(int(m.headers["batch"])))
                for m in batch
                if m.headers["kind"] == kind
            ]
        consumer.close()
        return pl.concat(frames)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    if made.server is not None:
        made.server.kill()
        made.server.wait()


@pytest.fixture
def feed_file(line: Line) -> Path:
    line.hwlink("synthesise", line.root / "people", "--people", PEOPLE, "--claims", 50, "--seed", 5)
    line.hwlink("keys", "new", line.root / "key")
    path = line.root / "health.parquet"
    common = ("--agreement", "test", "--key-file", line.root / "key", "--source", "kmpt.gp", "--feed", "health")
    line.hwlink("pseudonymise", *common, line.root / "people" / "health.parquet", path)
    return path


def check_nothing_lost_or_doubled(line: Line, path: Path, report: dict[str, Any]) -> None:
    sent = pl.read_parquet(path)
    assert (report["accepted"], report["refused"]) == (sent.height, 0)
    registry = open_registry(f"sqlite:///{line.root / 'data' / 'registry.db'}")
    (row,) = registry.ingest.streams()
    registry.close()
    assert (row.accepted, row.refused, row.completed) == (sent.height, 0, True)
    assert row.next_batch == report["batches"]

    subjects = line.messages(SUBJECTS, "subjects")
    demographics = line.messages(next(iter(CONTENT.values())), "demographics")
    held = latest(subjects.lazy()).collect().sort("subject_ref")
    common = [name for name in held.columns if name in sent.columns]
    assert_frame_equal(held.select(common), sent.select(common).sort("subject_ref"))
    assert latest(demographics.lazy()).collect().height == sent.height
    # Where a batch was put on the topics twice, it is the same records twice: no third thing came of the kill.
    copies = subjects.group_by("batch", "subject_ref", "version", "content_hash").len()
    assert copies.height == sent.height
    facts = line.messages(next(iter(CONTENT.values())), "diagnoses").unique(["subject_ref", "version", "ordinal"])
    assert facts.height == sent["diagnoses"].list.len().sum()


@pytest.mark.slow
@pytest.mark.parametrize("entrance", [(), ("--rows",)], ids=["columns", "rows"])
def test_killing_the_service_in_mid_stream_loses_and_doubles_nothing(
    line: Line, feed_file: Path, entrance: tuple[str, ...]
) -> None:
    """The client stays, and resumes by itself each time the service is back."""
    line.restart()
    client = subprocess.Popen(
        line.command(*line.send(feed_file, *entrance, "--json")),
        env=line.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    batches = PEOPLE // BATCH_ROWS
    chance = random.Random(4)
    for part in (1, 2, 3):
        line.wait_for_batches(part * batches // 5 + chance.randrange(5))
        line.restart()
    said, _ = client.communicate(timeout=120)
    assert client.returncode == 0
    report = json.loads(said)
    assert report["reconnects"] >= 1
    check_nothing_lost_or_doubled(line, feed_file, report)


def test_killing_the_client_in_mid_stream_loses_and_doubles_nothing(line: Line, feed_file: Path) -> None:
    line.restart()
    batches = PEOPLE // BATCH_ROWS
    for part in (1, 2, 3):
        client = line.start(*line.send(feed_file))
        line.wait_for_batches(part * batches // 5)
        client.send_signal(signal.SIGKILL)
        client.wait()
    report = json.loads(line.hwlink(*line.send(feed_file, "--json")))
    assert report["first_batch"] >= 3 * batches // 5
    check_nothing_lost_or_doubled(line, feed_file, report)
    again = json.loads(line.hwlink(*line.send(feed_file, "--json")))
    assert (again["already_complete"], again["sent_rows"]) == (True, 0)
