"""Tests share one server a run, which ends with the run; a missing one is loud, and a failure where CI asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300


class Inner:
    """A run of pytest within the test, on a project of its own that uses our fixtures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "conftest.py").write_text('pytest_plugins = ["tests.servers"]\n')
        (folder / "pytest.ini").write_text("[pytest]\nmarkers = brokers\n")

    def write(self, text: str) -> None:
        (self.folder / "test_inner.py").write_text(text)

    def command(self, *options: str) -> list[str]:
        return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *options, str(self.folder)]

    def run(self, *options: str, **environ: str) -> tuple[int, str]:
        done = subprocess.run(
            self.command(*options),
            cwd=ROOT,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def inner(tmp_path: Path) -> Inner:
    return Inner(tmp_path)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", "", 1), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return "refused" not in str(error)
    return True


NEEDS_KAFKA = "def test_shared(kafka_url): pass\n\ndef test_own(own_kafka): pass\n"
NO_JAVA = {"PATH": "/nowhere", "JAVA_HOME": "", "DOCKER_HOST": "unix:///nowhere"}


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_tests_without_a_server_are_skipped_and_the_summary_says_so(inner: Inner, options: tuple[str, ...]) -> None:
    inner.write(NEEDS_KAFKA)

    code, said = inner.run(*options, **NO_JAVA)

    assert code == 0, said
    assert "2 skipped" in said
    assert "NOT TESTED: real servers are missing" in said
    assert "2 tests skipped, no real server: No Kafka broker can be had here" in said
    assert "there is no Java" in said


def test_they_fail_where_servers_are_required(inner: Inner) -> None:
    inner.write(NEEDS_KAFKA)

    code, said = inner.run("--require-brokers", **NO_JAVA)

    assert code == 1, said
    assert "2 errors" in said
    assert "there is no Java" in said


NOTES_ITS_SERVER = """
import os
import pathlib

import pytest
from sqlalchemy import create_engine, make_url


@pytest.mark.parametrize("number", range(4))
def test_it(postgresql_url, number):
    create_engine(postgresql_url).connect().close()
    with (pathlib.Path(__file__).parent / "seen").open("a") as seen:
        print(os.getpid(), postgresql_url, file=seen)
    assert number != 3
"""


@pytest.mark.brokers
def test_all_workers_share_one_server_that_ends_with_the_run(inner: Inner, tmp_path: Path) -> None:
    inner.write(NOTES_ITS_SERVER)

    code, said = inner.run("-n", "2", "--dist", "each", "--require-brokers")

    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    assert code == 1, said  # a test failed, and all the same:
    assert len({worker for worker, _ in seen}) == 2, said
    assert len({url.rpartition("/")[0] for _, url in seen}) == 1
    assert len({url for _, url in seen}) == 8
    assert not _answers(seen[0][1])


HANGS = """
import pathlib
import time


def test_it(postgresql_url):
    part = pathlib.Path(__file__).with_name("part")
    part.write_text(postgresql_url)
    part.rename(part.with_name("seen"))
    time.sleep(600)
"""


@pytest.mark.brokers
def test_a_run_that_is_killed_leaves_no_server(inner: Inner, tmp_path: Path) -> None:
    inner.write(HANGS)
    silent = subprocess.DEVNULL  # the worker that is left behind complains
    run = subprocess.Popen(inner.command("-n", "1", "--require-brokers"), cwd=ROOT, stdout=silent, stderr=silent)
    seen = tmp_path / "seen"
    deadline = time.monotonic() + PATIENCE_S
    while not seen.exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    url = seen.read_text()
    before = _answers(url)

    run.kill()
    run.wait()

    assert before
    while _answers(url) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not _answers(url)
