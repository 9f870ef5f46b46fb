"""What the compose file gives Kafka: its configuration and certificates, on a real broker, let in whom they should."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from schemas.errors import HwlinkError, StateError
from schemas.topics import LINKS, SUBJECTS
from services.admin.layout import apply, every_topic, plan, settled
from services.bus import Outgoing
from services.bus.kafka import KafkaBus
from services.bus.kafka_admin import KafkaAdmin
from services.stack import start_kafka

pytestmark = [
    pytest.mark.brokers,
    pytest.mark.slow,
    # kafka-python (3.0.12) leaves TLS sockets to the garbage collector when its client is closed.
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]
COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run([COMPOSE / "certificates.sh", folder], check=True, timeout=120)
    if os.getuid() == 0:  # as in the containers, each key is its user's own; here that is whoever runs the tests
        for path in folder.iterdir():
            os.chown(path, 0, 0)
    return folder


@pytest.fixture(scope="module")
def url(secrets: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A broker with the properties of the compose file, but for its addresses and its folder."""
    lines = (COMPOSE / "kafka" / "server.properties").read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    properties = {
        name: value.replace("/etc/kafka/secrets", str(secrets))
        for name, value in given.items()
        if name.startswith("ssl.") or name in {"authorizer.class.name", "super.users", "auto.create.topics.enable"}
    }
    try:
        server = start_kafka({**properties, "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SSL"})
    except StateError as error:
        if request.config.getoption("--require-brokers"):
            raise
        pytest.skip(f"no real server: {error.message}")
    with server:
        yield server.url


def test_each_role_comes_in_by_its_certificate_and_does_what_the_table_says(url: str, secrets: Path) -> None:
    with closing(KafkaAdmin(url, secrets / "admin.toml")) as admin:
        apply(admin, plan(admin, every_topic()))
        assert settled(admin, every_topic()).differences == ()
    with closing(KafkaBus(url, secrets / "ingest.toml")) as bus, closing(bus.producer()) as producer:
        assert producer.send([Outgoing(SUBJECTS.name, 0, b"k", b"v", {})])[0][1] == 0
        with pytest.raises(StateError):
            producer.send([Outgoing(LINKS.name, 0, b"k", b"v", {})])
    with (
        closing(KafkaBus(url, secrets / "landing.toml")) as bus,
        closing(bus.consumer("landing-linkage", [SUBJECTS])) as consumer,
    ):
        assert [message.value for message in consumer.poll(1, 20)] == [b"v"]


def test_nobody_comes_in_without_a_certificate(url: str, secrets: Path) -> None:
    nobody = secrets / "nobody.toml"
    nobody.write_text('[tls]\nca_file = "ca.pem"\n')

    def ask() -> None:
        with closing(KafkaBus(url, nobody)) as bus:
            bus.end_offsets(SUBJECTS)

    with pytest.raises(HwlinkError):
        ask()


def test_making_certificates_again_leaves_them_as_they_are(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    subprocess.run([COMPOSE / "certificates.sh", secrets], check=True, timeout=120)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets.glob("*.key"))
