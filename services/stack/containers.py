"""Servers in containers, where a Docker engine answers."""

from __future__ import annotations

import functools
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from services.stack.server import OwnServer, RungUnusableError, free_port

if TYPE_CHECKING:
    from testcontainers.core.container import DockerContainer

_KAFKA_IMAGE: Final = "confluentinc/cp-kafka:7.6.0"
"""The image whose start script testcontainers rewrites; it does not fit apache/kafka."""
_POSTGRESQL_IMAGE: Final = "postgres:17.6-alpine"
_PROBE_S: Final = 20
_CONNECT_S: Final = 5
_READY_S: Final = 180
_TICK_S: Final = 0.2
_KAFKA_PORT: Final = 9093
_POSTGRESQL_PORT: Final = 5432


class ServerContainer(OwnServer):
    """A container that is a server, on a port of the host that stays the same when it is started again."""

    def __init__(self, url: str, what: str, container: DockerContainer, answers: Callable[[], object]) -> None:
        """`answers` raises while the server does not answer; the container runs already."""
        super().__init__(url, what)
        self._container = container
        self._answers = answers
        self._closed = False
        try:
            self._await_answer()
        except BaseException:
            self.close()
            raise

    def stop(self) -> None:
        """Stop it in good order. Idempotent."""
        self._container.get_wrapped_container().stop(timeout=30)

    def kill(self) -> None:
        """Send SIGKILL to it. Idempotent."""
        if self._status() in ("running", "paused"):
            self._container.get_wrapped_container().kill()

    def restart(self) -> None:
        """Start it again with what it holds, and return when it answers."""
        self._container.get_wrapped_container().restart(timeout=30)
        self._await_answer()

    def pause(self) -> None:
        """Freeze it."""
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        """Let it go on, if it was paused."""
        if self._status() == "paused":
            self._container.get_wrapped_container().unpause()

    def close(self) -> None:
        """Remove it with its data. Idempotent."""
        if not self._closed:
            self._closed = True
            self._container.stop()

    def _status(self) -> str:
        wrapped = self._container.get_wrapped_container()
        wrapped.reload()
        return str(wrapped.status)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                self._answers()
            except Exception as error:  # each driver has its own for "not yet"
                if time.monotonic() > deadline:
                    raise RungUnusableError(f"it was not ready in time ({type(error).__name__})") from None
                time.sleep(_TICK_S)
            else:
                return


@functools.cache
def engine_answers() -> bool:
    """Say whether there is a Docker engine that testcontainers can use. Looked for once a process."""
    # In a process of its own: the client leaves sockets open when nothing answers, and may wait longer than we will.
    probe = "from testcontainers.core.docker_client import DockerClient; DockerClient().client.ping()"
    try:
        asked = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False, timeout=_PROBE_S)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


def kafka(properties: Mapping[str, str]) -> OwnServer:
    """Start a broker in a container; `properties` go over those of the image. RungUnusableError says why not."""
    _need_engine()
    from kafka import KafkaAdminClient
    from testcontainers.community.kafka import KafkaContainer

    container = KafkaContainer(_KAFKA_IMAGE, port=_KAFKA_PORT).with_kraft()
    container.with_bind_ports(_KAFKA_PORT, free_port())
    single = {
        "auto.create.topics.enable": "false",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.min.session.timeout.ms": "1000",
    }
    for key, value in {**single, **properties}.items():
        container.with_env("KAFKA_" + key.upper().replace(".", "_"), value)
    _run(container, timeout=_READY_S)
    address = container.get_bootstrap_server()
    return ServerContainer(
        f"kafka://{address}",
        f"a container of {_KAFKA_IMAGE}",
        container,
        lambda: KafkaAdminClient(bootstrap_servers=address).close(),
    )


def postgresql() -> OwnServer:
    """Start PostgreSQL in a container; RungUnusableError says why not."""
    _need_engine()
    import psycopg
    from testcontainers.community.postgres import PostgresContainer

    container = PostgresContainer(_POSTGRESQL_IMAGE, username="hwlink", dbname="postgres", driver="psycopg")
    container.with_bind_ports(_POSTGRESQL_PORT, free_port())
    container.with_command("postgres -c max_connections=200")
    _run(container)
    plain = container.get_connection_url(driver=None)
    return ServerContainer(
        container.get_connection_url(),
        f"a container of {_POSTGRESQL_IMAGE}",
        container,
        lambda: psycopg.connect(plain, connect_timeout=_CONNECT_S).close(),
    )


def _need_engine() -> None:
    if not engine_answers():
        raise RungUnusableError("no Docker engine answers")


def _run(container: DockerContainer, **options: Any) -> None:
    try:
        container.start(**options)
    except (
        Exception
    ) as error:  # no image, no network, no space: docker, requests and testcontainers each have their own
        container.stop()
        raise RungUnusableError(f"it could not be started ({type(error).__name__})") from None
