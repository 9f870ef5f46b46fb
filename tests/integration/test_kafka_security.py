"""TLS, SASL and rights on a real broker that asks for all three."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)

from schemas.errors import HwlinkError, PolicyError, Reason, StateError, TransientError
from schemas.topics import Topic
from services.bus import Outgoing
from services.bus.kafka import KafkaBus
from services.bus.kafka_cluster import Timing
from services.bus.kafka_security import client_options
from services.stack import OwnServer, start_kafka

pytestmark = [pytest.mark.brokers, pytest.mark.slow]

EVENTS = Topic("test.events.v1", 1, "none", "bytes", ("reader",))
SHORT = Timing(request_s=3, delivery_s=5, block_s=1)
PASSWORD = "CANARY-password"
ADMIN = "CANARY-admin"


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of an authority, of a broker at 127.0.0.1, and of another authority that nobody trusts."""
    made = tmp_path_factory.mktemp("certificates")
    for name in ("ca", "other"):
        _openssl(
            made,
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=hwlink test {name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
        )
    _openssl(
        made, *("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker"), "-keyout", "b.key", "-out", "b.csr"
    )
    (made / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    _openssl(
        made,
        *("x509", "-req", "-in", "b.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"),
        *("-extfile", "names", "-out", "b.pem"),
    )
    return made


def _one_line(path: Path) -> str:
    """A PEM file as a value in a Java properties file."""
    return path.read_text().strip().replace("\n", "\\n")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[OwnServer]:
    """A broker whose one listener speaks TLS, wants a password, and lets nobody do what no rule allows."""
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    properties = {
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_SSL",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.plaintext.plain.sasl.jaas.config": f'{plain} username="admin" password="{ADMIN}" '
        f'user_admin="{ADMIN}" user_plain="{PASSWORD}";',
        "listener.name.plaintext.scram-sha-512.sasl.jaas.config": f"{scram};",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": _one_line(folder / "b.key"),
        "ssl.keystore.certificate.chain": _one_line(folder / "b.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": _one_line(folder / "ca.pem"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:ANONYMOUS",
    }
    with start_kafka(properties) as started:
        options = client_options(_security(folder, "admin", ADMIN, "PLAIN"), [_address(started)])
        with KafkaAdminClient(bootstrap_servers=_address(started), **options) as admin:
            admin.alter_user_scram_credentials([UserScramCredentialUpsertion("reader", "SCRAM-SHA-512", PASSWORD)])
        yield started


def _address(server: OwnServer) -> str:
    return server.url.removeprefix("kafka://")


def _security(folder: Path, user: str, password: str, mechanism: str = "SCRAM-SHA-512", ca: str = "ca.pem") -> Path:
    secret = folder / f"{user}-{mechanism}.password"
    secret.write_text(password)
    secret.chmod(0o600)
    path = folder / f"{user}-{mechanism}-{ca}.toml"
    path.write_text(
        f'[tls]\nca_file = "{ca}"\n\n'
        f'[sasl]\nmechanism = "{mechanism}"\nusername = "{user}"\npassword_file = "{secret.name}"\n'
    )
    return path


@pytest.fixture
def open_bus(server: OwnServer, kafka_said: list[str]) -> Iterator[Callable[[Path | None], KafkaBus]]:
    opened: list[KafkaBus] = []

    def make(security: Path | None) -> KafkaBus:
        opened.append(KafkaBus(f"{server.url}/safe", security, SHORT))
        return opened[-1]

    yield make
    for bus in opened:
        bus.close()


def refused(call: Callable[[], object]) -> Reason:
    with pytest.raises(HwlinkError) as caught:
        call()
    assert "CANARY" not in caught.value.message
    assert "HWLINK_KAFKA_SECURITY_PATH" in caught.value.message
    assert isinstance(caught.value, StateError | PolicyError | TransientError)
    return caught.value.reason


def test_a_principal_reads_and_sends_what_it_may_and_no_more(
    folder: Path, server: OwnServer, open_bus: Callable[[Path | None], KafkaBus], kafka_said: list[str]
) -> None:
    own = _security(folder, "admin", ADMIN, "PLAIN")
    bus = open_bus(own)
    bus.create_topics([EVENTS])
    bus.producer().send([Outgoing(EVENTS.name, 0, None, b"CANARY value", {})])

    stranger = open_bus(_security(folder, "reader", PASSWORD))
    for call in (
        lambda: stranger.end_offsets(EVENTS),
        lambda: stranger.producer().send([Outgoing(EVENTS.name, 0, None, b"CANARY", {})]),
        lambda: stranger.consumer("g", [EVENTS]),
        lambda: stranger.create_topics([EVENTS]),
    ):
        assert refused(call) is Reason.SETTING_INVALID

    def allow(kind: ResourceType, name: str, operation: ACLOperation) -> ACL:
        return ACL("User:reader", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))

    with KafkaAdminClient(bootstrap_servers=_address(server), **client_options(own, [_address(server)])) as admin:
        admin.create_acls(
            [
                allow(ResourceType.TOPIC, f"safe.{EVENTS.name}", ACLOperation.READ),
                allow(ResourceType.GROUP, "safe.g", ACLOperation.READ),
            ]
        )
    reader = open_bus(_security(folder, "reader", PASSWORD))
    consumer = reader.consumer("g", [EVENTS])
    assert [m.value for m in consumer.poll(10, 10)] == [b"CANARY value"]
    consumer.commit()
    assert refused(lambda: reader.producer().send([Outgoing(EVENTS.name, 0, None, b"CANARY", {})])) is (
        Reason.SETTING_INVALID
    )
    assert refused(lambda: reader.consumer("other", [EVENTS])) is Reason.SETTING_INVALID
    assert refused(lambda: reader.consumer("other", [EVENTS], member="m").poll(1, 5)) is Reason.SETTING_INVALID
    assert not [line for line in kafka_said if "CANARY" in line]


def test_a_wrong_password_is_a_setting_to_mend(folder: Path, open_bus: Callable[[Path | None], KafkaBus]) -> None:
    bus = open_bus(_security(folder, "plain", "CANARY-wrong"))
    for _ in range(2):
        # The client does not always read the broker's last words before the connection ends.
        assert refused(lambda: bus.create_topics([EVENTS])) in (Reason.SETTING_INVALID, Reason.UNAVAILABLE)


def test_a_broker_with_another_certificate_is_not_talked_to(
    folder: Path, open_bus: Callable[[Path | None], KafkaBus]
) -> None:
    bus = open_bus(_security(folder, "admin", ADMIN, "PLAIN", ca="other.pem"))
    assert refused(lambda: bus.create_topics([EVENTS])) is Reason.SETTING_INVALID


def test_a_broker_that_wants_tls_is_not_reached_without(open_bus: Callable[[Path | None], KafkaBus]) -> None:
    bus = open_bus(None)
    assert refused(lambda: bus.create_topics([EVENTS])) is Reason.UNAVAILABLE
