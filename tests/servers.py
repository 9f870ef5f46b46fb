"""Fixtures for real servers: one Kafka broker and one PostgreSQL for a whole test run, started when first needed.

`kafka_url` and `postgresql_url` give a test a part of its own of those servers; `own_kafka` and `own_postgresql` give
it a server that it may stop, kill and start again. Where none can be had the tests are skipped, and the summary says so
at the end; with `--require-brokers` they fail.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from schemas.errors import StateError
from services.stack import OwnServer, start_kafka, start_postgresql
from services.stack.process import runs

ROOT = Path(__file__).parents[1]
NO_SERVER = "no real server: "
"""How the reason of every such skip begins; the summary finds them by it."""
START_S = 1200
"""Longer than fetching Kafka's jars over a slow line and starting on a busy machine."""
STOP_S = 120
_FOLDER = pytest.StashKey[Path]()
_KEEPERS = pytest.StashKey[list["subprocess.Popen[bytes]"]]()
_OWNER = pytest.StashKey[int]()
_Any = TypeVar("_Any")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--require-brokers`."""
    parser.addoption(
        "--require-brokers",
        action="store_true",
        help="fail, rather than skip, tests marked `brokers` when no real Kafka broker or PostgreSQL server can be had",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say where the processes of this run find each other's servers: a folder that the first process makes."""
    given = getattr(config, "workerinput", None)
    config.stash[_KEEPERS] = []
    if given is None:
        config.stash[_FOLDER] = Path(tempfile.mkdtemp(prefix="hwlink-servers-"))
        config.stash[_OWNER] = os.getpid()
    else:
        config.stash[_FOLDER] = Path(given["servers_folder"])
        config.stash[_OWNER] = given["servers_owner"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist."""
    node.workerinput["servers_folder"] = str(node.config.stash[_FOLDER])
    node.workerinput["servers_owner"] = node.config.stash[_OWNER]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers of this run, and wait until they are stopped."""
    if _FOLDER not in config.stash or config.stash[_OWNER] != os.getpid():
        return
    folder = config.stash[_FOLDER]
    found = [json.loads(state.read_text("utf-8")) for state in folder.glob("*.json")]
    deadline = time.monotonic() + STOP_S
    for state in found:
        # Without a pid it says why there is no server.
        with contextlib.suppress(KeyError, psutil.NoSuchProcess):
            keeper = psutil.Process(state["pid"])
            keeper.terminate()
            while runs(keeper) and time.monotonic() < deadline:
                time.sleep(0.05)
    for ours in config.stash[_KEEPERS]:
        ours.wait(STOP_S)
    shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each server that was missing, and how many tests asked nothing because of it; and the real ones used."""
    for state in sorted(terminalreporter.config.stash[_FOLDER].glob("*.json")):
        terminalreporter.line(f"{state.stem}: {json.loads(state.read_text('utf-8')).get('what', 'none')}")
    missing: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        if reason.startswith(NO_SERVER):
            missing[reason] = missing.get(reason, 0) + 1
    if missing:
        terminalreporter.section("NOT TESTED: real servers are missing", red=True, bold=True)
        for reason, count in missing.items():
            terminalreporter.line(f"{count} tests skipped, {reason}")
        terminalreporter.line("With --require-brokers these are failures.")


@pytest.fixture
def kafka_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the bus URL of a namespace of its own on the run's one broker: kafka://HOST:PORT/NAMESPACE."""
    address = _shared(request.config, "kafka")
    from kafka import KafkaAdminClient  # here: every run of pytest loads this module, few need the drivers

    namespace = f"t{uuid.uuid4().hex[:12]}"
    yield f"{address}/{namespace}"
    admin = KafkaAdminClient(bootstrap_servers=address.removeprefix("kafka://").split(","))
    try:
        left = [topic for topic in admin.list_topics() if topic.startswith(f"{namespace}.")]
        if left:
            admin.delete_topics(left)
    finally:
        admin.close()


@pytest.fixture
def postgresql_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of an empty database of its own on the run's one server, for SQLAlchemy with psycopg 3."""
    import psycopg
    from psycopg import sql
    from sqlalchemy import make_url

    server = make_url(_shared(request.config, "postgresql"))
    name = f"hwlink_{uuid.uuid4().hex[:12]}"
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    yield server.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def own_kafka(request: pytest.FixtureRequest) -> Iterator[OwnServer]:
    """Return a broker for this test alone, which it may stop, kill and start again."""
    with _or_skip(request.config, start_kafka) as server:
        yield server


@pytest.fixture
def own_postgresql(request: pytest.FixtureRequest) -> Iterator[OwnServer]:
    """Return a PostgreSQL server for this test alone, which it may stop, kill and start again."""
    with _or_skip(request.config, start_postgresql) as server:
        yield server


def _shared(config: pytest.Config, server: str) -> str:
    """Return the address of the run's one `server`; the first process that asks has it started.

    It belongs to a process of its own, which ends with the run: the worker that asked first may end before the others.
    """
    folder = config.stash[_FOLDER]
    state, log = folder / f"{server}.json", folder / f"{server}.log"
    with (folder / f"{server}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not state.exists():
            command = [sys.executable, "-m", "services.stack", server]
            with log.open("wb") as said:
                keeper = subprocess.Popen(
                    [*command, "--owner", str(config.stash[_OWNER]), "--state", str(state)],
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                )
            config.stash[_KEEPERS].append(keeper)
            deadline = time.monotonic() + START_S
            while not state.exists() and keeper.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            if not state.exists():
                keeper.kill()
                pytest.fail(f"{server} was not started: {log.read_text('utf-8')[-2000:]}")
    found = json.loads(state.read_text("utf-8"))
    if "error" in found:
        _missing(config, found["error"])
    return str(found[server])


def _or_skip(config: pytest.Config, start: Callable[[], _Any]) -> _Any:
    try:
        return start()
    except StateError as error:
        _missing(config, error.message)


def _missing(config: pytest.Config, reason: str) -> None:
    if config.getoption("--require-brokers"):
        pytest.fail(NO_SERVER + reason, pytrace=False)
    pytest.skip(NO_SERVER + reason)
