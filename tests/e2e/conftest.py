"""A whole line for end-to-end tests: real processes, real TCP, real files, driven by the command line alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

STARTED_WITHIN_S = 60
COMMAND_TIMEOUT_S = 240


def free_address() -> str:
    """Return a loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Line:
    """One data folder with its services, which may be down. `hwlink` runs a command and returns its standard output."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ingest, self.query, self.review = free_address(), free_address(), free_address()
        self.environ = {
            **os.environ,
            "HWLINK_DATA_DIR": str(root / "data"),
            "HWLINK_INGEST_ADDRESS": self.ingest,
            "HWLINK_QUERY_ADDRESS": self.query,
            "HWLINK_REVIEW_ADDRESS": self.review,
            "HWLINK_ACCEPT_TEST_AGREEMENT": "true",
            "HWLINK_AS_OF": "2026-06-30",
        }
        self.server: subprocess.Popen[bytes] | None = None

    def hwlink(self, *arguments: str | Path, fails: int = 0) -> str:
        """Run a command; its exit code must be `fails`."""
        done = subprocess.run(
            self.words(*arguments),
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == fails, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if fails == 0 else done.stderr

    def hwlink_json(self, *arguments: str | Path) -> Any:
        """Run a command with --json and return what it says."""
        return json.loads(self.hwlink(*arguments, "--json"))

    def start_command(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start a command and leave it running."""
        with (self.root / "commands.log").open("ab") as log:
            return subprocess.Popen(self.words(*arguments), env=self.environ, stdout=log, stderr=log)

    def serve(self, model: Path | None = None) -> None:
        """Start every role and wait until the services listen."""
        if model is not None:
            self.environ["HWLINK_MODEL_PATH"] = str(model)
        with (self.root / "services.log").open("ab") as log:
            self.server = subprocess.Popen(
                self.words("serve", "all"), env=self.environ, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + STARTED_WITHIN_S
        while not all(map(_listens, (self.ingest, self.query, self.review))):
            assert self.server.poll() is None, (self.root / "services.log").read_text()
            assert time.monotonic() < deadline, (self.root / "services.log").read_text()
            time.sleep(0.1)

    def role(self, name: str) -> psutil.Process | None:
        """Return the process of a role, None while there is none."""
        assert self.server is not None
        for child in psutil.Process(self.server.pid).children(recursive=True):
            try:
                words = child.cmdline()
            except psutil.Error:
                continue
            if "serve" in words and words[words.index("serve") + 1] == name:
                return child
        return None

    def kill(self, name: str) -> bool:
        """Kill a role with SIGKILL; say whether there was one."""
        process = self.role(name)
        if process is not None:
            process.send_signal(signal.SIGKILL)
        return process is not None

    def stop(self) -> None:
        """Stop the services gracefully."""
        if self.server is not None:
            self.server.terminate()
            try:
                self.server.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.server.pid, signal.SIGKILL)
                raise
            self.server = None

    def feeds(self) -> tuple[Path, Path, Path]:
        """Make two pseudonymised files and a model (`model.json`); return health, welfare and the offline link's
        persons.
        """
        self.hwlink("synthesise", self.root / "people", "--people", "4000", "--claims", "1200", "--seed", "12")
        self.hwlink("keys", "new", self.root / "project.key")
        files = []
        for source, feed in (("kmpt.gp", "health"), ("medway.shbe", "welfare")):
            clear, coded = self.root / "people" / f"{feed}.parquet", self.root / f"{feed}.parquet"
            key = ("--agreement", "test", "--key-file", self.root / "project.key")
            self.hwlink("pseudonymise", *key, "--source", source, "--feed", feed, clear, coded)
            files.append(coded)
        out, model = self.root / "linked", self.root / "model.json"
        self.hwlink("model", "fit", *files, "--unique", "left", "--out", model)
        self.hwlink("link", *files, "--unique", "left", "--model", model, "--out", out)
        return files[0], files[1], out / "persons.parquet"

    def drain(self, timeout_s: int = 120) -> None:
        """Wait until every role has drained."""
        self.hwlink("doctor", "--wait", str(timeout_s))

    def partition(self) -> set[frozenset[tuple[str, str]]]:
        """Return the persons that the services hold, as sets of (source, subject_ref)."""
        from services.bootstrap import open_registry
        from services.settings import read_settings

        own = {name: value for name, value in self.environ.items() if name.startswith("HWLINK_")}
        with closing(open_registry(read_settings(own))) as registry:
            return groups(registry.resolver.persons(), "subject_ref")

    @staticmethod
    def words(*arguments: str | Path) -> list[str]:
        """Return the command line of `hwlink`."""
        return [sys.executable, "-m", "services.cli.app", *map(str, arguments)]


def groups(persons: pl.DataFrame, subject: str) -> set[frozenset[tuple[str, str]]]:
    """Return persons as sets of (source, subject), whatever their ids are."""
    together: dict[str, list[tuple[str, str]]] = {}
    for person, source, ref in persons.select("person_id", "source", subject).rows():
        together.setdefault(person, []).append((source, ref))
    return {frozenset(members) for members in together.values()}


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, int(port))) == 0


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """A fresh line, its services down."""
    made = Line(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def kafka_line(tmp_path: Path, kafka_url: str) -> Iterator[Line]:
    """A fresh line whose bus is a namespace of its own on a real Kafka broker, its services down."""
    made = Line(tmp_path)
    made.environ["HWLINK_BUS_URL"] = kafka_url
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """A line that the tests of a module share, since starting the services takes seconds; down at first."""
    made = Line(tmp_path_factory.mktemp("line"))
    yield made
    made.stop()


@pytest.fixture
def as_groups() -> Callable[[pl.DataFrame, str], set[frozenset[tuple[str, str]]]]:
    """Return `groups`, for tests that read persons from a file."""
    return groups
