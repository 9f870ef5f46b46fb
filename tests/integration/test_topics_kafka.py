"""Topics and rights on a real broker with an authorizer: applied, shown to differ, mended, and obeyed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from schemas.errors import PolicyError, Reason, StateError
from schemas.topics import DAYS_MS, HEALTH, LINKS, SUBJECTS, Topic
from services.admin.layout import DESCRIBERS, Difference, apply, every_topic, plan, settled
from services.bootstrap import open_bus
from services.bus import Outgoing
from services.bus.kafka import KafkaBus
from services.bus.kafka_admin import KafkaAdmin
from services.bus.layout import Operation, Resource, Right
from services.settings import read_settings
from services.stack import start_kafka

pytestmark = [pytest.mark.brokers]
NAMES = ("admin", *(f"hwlink-{role}" for role in DESCRIBERS))
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
TABLE = every_topic()


@dataclass(frozen=True)
class Cluster:
    """A broker on which everybody has to say who they are, and the file by which each of them does."""

    url: str
    folder: Path

    def as_(self, name: str) -> Path:
        """Return the security file of a principal."""
        return self.folder / f"{name}.toml"


@pytest.fixture(scope="module")
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("identities")
    for name in NAMES:
        secret = folder / f"{name}.password"
        secret.touch(0o600)
        secret.write_text(f"of-{name}")
        (folder / f"{name}.toml").write_text(
            f'[sasl]\nmechanism = "PLAIN"\nusername = "{name}"\npassword_file = "{secret.name}"\n'
        )
    users = " ".join(f'user_{name}="of-{name}"' for name in NAMES)
    login = f'{PLAIN} required username="admin" password="of-admin" {users};'
    try:
        server = start_kafka(
            {
                "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
                "sasl.enabled.mechanisms": "PLAIN",
                "sasl.mechanism.inter.broker.protocol": "PLAIN",
                "listener.name.plaintext.plain.sasl.jaas.config": login,
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:admin;User:ANONYMOUS",  # the controller's own listener asks nobody
            }
        )
    except StateError as error:
        if request.config.getoption("--require-brokers"):
            raise
        pytest.skip(f"no real server: {error.message}")
    with server:
        yield Cluster(server.url, folder)


@pytest.fixture
def cluster(broker: Cluster) -> Cluster:
    """A namespace of its own on that broker."""
    return replace(broker, url=f"{broker.url}/n{uuid.uuid4().hex[:8]}")


@pytest.fixture
def admin(cluster: Cluster) -> Iterator[KafkaAdmin]:
    with closing(KafkaAdmin(cluster.url, cluster.as_("admin"))) as opened:
        apply(opened, plan(opened, TABLE))
        assert settled(opened, TABLE).differences == ()
        yield opened


def assert_may_not_read(bus: KafkaBus, group: str, topic: Topic) -> None:
    def read() -> None:
        with closing(bus.consumer(group, [topic])) as consumer:
            consumer.poll(1, 5)

    with pytest.raises(StateError) as refused:
        read()
    assert refused.value.reason is Reason.SETTING_INVALID


def test_what_was_applied_is_there_and_applying_again_changes_nothing(admin: KafkaAdmin) -> None:
    again = plan(admin, TABLE)
    assert again.checks_rights
    assert (again.create, again.alter, again.grant, again.revoke) == ({}, {}, frozenset(), frozenset())


def test_drift_is_shown_and_mended_but_partitions_are_never_taken_away(admin: KafkaAdmin) -> None:
    [links] = [topic for topic in TABLE if topic == LINKS]
    other = [replace(links, partitions=6, retention_ms=DAYS_MS)]
    stray = Right("User:hwlink-query", Operation.READ, Resource.TOPIC, SUBJECTS.name)
    lost = Right("User:hwlink-landing", Operation.READ, Resource.TOPIC, HEALTH.name)
    elsewhere = Right("User:somebody-else", Operation.READ, Resource.TOPIC, SUBJECTS.name)
    admin.alter({topic.name: admin.wanted(topic) for topic in other})
    admin.grant([stray, elsewhere])
    admin.revoke([lost])
    wanted = {
        Difference(LINKS.name, "partitions", "4", "6", mendable=False),
        Difference(LINKS.name, "retention.ms", str(7 * DAYS_MS), str(DAYS_MS)),
        Difference(f"topic {SUBJECTS.name}", "read by User:hwlink-query", "not given", "given"),
        Difference(f"topic {HEALTH.name}", "read by User:hwlink-landing", "given", "missing"),
    }
    deadline = time.monotonic() + 10
    while set((found := plan(admin, TABLE)).differences) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    assert set(found.differences) == wanted
    apply(admin, found)
    assert [difference.what for difference in settled(admin, TABLE).differences] == ["partitions"]
    assert admin.rights("User:somebody-else") == {elsewhere}
    admin.revoke([elsewhere])


def test_each_role_may_do_what_the_table_says_and_nothing_else(admin: KafkaAdmin, cluster: Cluster) -> None:
    message = Outgoing(SUBJECTS.name, 0, b"k", b"v", {})
    ingest = KafkaBus(cluster.url, cluster.as_("hwlink-ingest"))
    producer = ingest.producer()
    assert producer.send([message])[0][1] == 0
    with pytest.raises(StateError) as refused:
        producer.send([Outgoing(LINKS.name, 0, b"k", b"v", {})])
    assert refused.value.reason is Reason.SETTING_INVALID
    producer.close()
    ingest.close()

    landing = KafkaBus(cluster.url, cluster.as_("hwlink-landing"))
    landing.create_topics(TABLE[:3])  # they are there: a role needs no right to make topics
    consumer = landing.consumer("landing-linkage", [SUBJECTS])
    assert [m.value for m in consumer.poll(1, 20)] == [b"v"]
    consumer.commit()
    consumer.close()
    assert_may_not_read(landing, "landing-linkage", LINKS)
    producer = landing.producer()
    with pytest.raises(StateError):
        producer.send([message])
    producer.close()
    landing.close()


@pytest.mark.parametrize("role", DESCRIBERS)
def test_whoever_opens_the_bus_may(role: str, admin: KafkaAdmin, cluster: Cluster, tmp_path: Path) -> None:
    environ = {
        "HWLINK_BUS_URL": cluster.url,
        "HWLINK_KAFKA_SECURITY_PATH": str(cluster.as_(f"hwlink-{role}")),
        "HWLINK_DATA_DIR": str(tmp_path),
    }
    with closing(open_bus(read_settings(environ))) as bus:
        assert set(bus.end_offsets(LINKS).values()) == {0}


def test_the_operator_sees_how_far_everybody_is_without_reading_anything(admin: KafkaAdmin, cluster: Cluster) -> None:
    operator = KafkaBus(cluster.url, cluster.as_("hwlink-operator"))
    assert set(operator.end_offsets(SUBJECTS)) == set(operator.committed("landing-linkage", SUBJECTS))
    operator.sent_at_ms(dict.fromkeys(operator.end_offsets(SUBJECTS), 0))
    assert_may_not_read(operator, "operator", SUBJECTS)
    operator.close()
    as_operator = KafkaAdmin(cluster.url, cluster.as_("hwlink-operator"))
    with pytest.raises(PolicyError) as refused:
        as_operator.create({"hwlink.new.v1": as_operator.wanted(SUBJECTS)})
    assert "administrator" in refused.value.message
    as_operator.close()


def test_a_broker_without_an_authorizer_is_said_to_check_nothing(kafka_url: str) -> None:
    admin = KafkaAdmin(kafka_url)
    apply(admin, plan(admin, TABLE))
    found = settled(admin, TABLE)
    assert (found.checks_rights, found.differences) == (False, ())
    admin.close()
