"""Connections that come to nothing leave no descriptor behind, whether or not the garbage collector runs."""

from __future__ import annotations

import gc
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from schemas.errors import Reason, TransientError
from schemas.topics import Topic
from services.bus import Outgoing
from services.bus.kafka import KafkaBus
from services.bus.kafka_cluster import Timing
from services.stack import OwnServer

EVENTS = Topic("test.events.v1", 2, "none", "bytes", ("reader",))
SHORT = Timing(request_s=1, delivery_s=2, block_s=0.5, session_s=2)
ATTEMPTS = 5
OUTAGE_S = 6.0


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is garbage stays, so that a socket that is left to the collector is seen to be left."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def descriptors() -> int:
    return int(psutil.Process().num_fds())


def unavailable(call: Callable[[], object]) -> None:
    with pytest.raises(TransientError) as caught:
        call()
    assert caught.value.reason is Reason.UNAVAILABLE


@pytest.fixture
def hanging_up() -> Iterator[tuple[int, list[int]]]:
    """A port whose server hangs up at once, as a proxy without a server behind it does, and how often it did."""
    times: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.close()
                times.append(1)

        server = threading.Thread(target=hang_up)
        server.start()
        yield listener.getsockname()[1], times
        listener.shutdown(socket.SHUT_RDWR)
        server.join()


def test_a_refused_connection_leaves_no_descriptor(no_collector: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    bus = KafkaBus(f"kafka://127.0.0.1:{port}", timing=SHORT)
    before = descriptors()
    for _ in range(2):
        unavailable(lambda: bus.end_offsets(EVENTS))
    assert descriptors() == before
    bus.close()


def test_a_handshake_that_fails_leaves_no_descriptor(
    no_collector: None, hanging_up: tuple[int, list[int]], tmp_path: Path
) -> None:
    security = tmp_path / "kafka.toml"
    security.write_text('[tls]\nca_file = "ca.pem"\n')
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout", "key", "-out"]
    subprocess.run([*command, "ca.pem"], cwd=tmp_path, check=True, capture_output=True)
    port, times = hanging_up
    bus = KafkaBus(f"kafka://127.0.0.1:{port}", security, SHORT)
    before = descriptors()
    while len(times) < ATTEMPTS:
        unavailable(lambda: bus.end_offsets(EVENTS))
    assert descriptors() == before
    bus.close()


@pytest.mark.brokers
@pytest.mark.slow
def test_descriptors_do_not_grow_while_the_broker_is_away(no_collector: None, own_kafka: OwnServer) -> None:
    """Of senders, readers, members and whoever asks for offsets, all of whom go on trying."""
    bus = KafkaBus(f"{own_kafka.url}/own", timing=SHORT)
    bus.create_topics([EVENTS])
    producer, reader = bus.producer(), bus.consumer("g", [EVENTS])
    member = bus.consumer("h", [EVENTS], member="a")
    message = Outgoing(EVENTS.name, 0, None, b"x", {})
    producer.send([message])
    while not member.poll(1, 1):
        reader.poll(1, 0.1)
    before = descriptors()
    own_kafka.kill()
    deadline = time.monotonic() + OUTAGE_S
    failures = 0
    while time.monotonic() < deadline:
        for call in (
            lambda: producer.send([message]),
            lambda: reader.poll(10, 0.2),
            lambda: member.poll(10, 0.2),
            lambda: bus.end_offsets(EVENTS),
        ):
            try:
                call()
            except TransientError:
                failures += 1
    assert failures >= ATTEMPTS
    assert descriptors() <= before
    bus.close()
