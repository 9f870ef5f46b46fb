"""The servers that tests are given are real ones, and come back where they were."""

from __future__ import annotations

import threading
from itertools import islice

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import UnknownTopicOrPartitionError
from sqlalchemy import create_engine, text

from services.stack import OwnServer

pytestmark = pytest.mark.brokers


def _address(url: str) -> str:
    return url.removeprefix("kafka://").partition("/")[0]


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)


def _make_topic(url: str, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=_address(url))
    admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    admin.close()


def _send(url: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=_address(url), acks="all")
    producer.send(topic, value, partition=0).get(60)
    producer.close()


def _read(url: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=_address(url),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=60_000,
    )
    values = [message.value for message in islice(consumer, count)]
    consumer.close()
    return values


def test_a_transaction_on_the_broker_is_seen_whole_or_not_at_all(kafka_url: str) -> None:
    topic = f"{kafka_url.rpartition('/')[2]}.taken"
    _make_topic(kafka_url, topic)
    producer = KafkaProducer(bootstrap_servers=_address(kafka_url), transactional_id=topic)
    producer.init_transactions()

    producer.begin_transaction()
    producer.send(topic, b"dropped", partition=0).get(60)
    producer.abort_transaction()
    producer.begin_transaction()
    producer.send(topic, b"kept", partition=0)
    producer.send(topic, b"kept too", partition=1)
    producer.commit_transaction()
    producer.close()

    assert sorted(_read(kafka_url, topic, 2)) == [b"kept", b"kept too"]


def test_the_broker_makes_no_topic_by_itself(kafka_url: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=_address(kafka_url))

    with pytest.raises(UnknownTopicOrPartitionError):
        admin.delete_topics([f"{kafka_url.rpartition('/')[2]}.never-made"])
    admin.close()


def test_two_connections_to_postgresql_see_what_is_committed(postgresql_url: str) -> None:
    engine = create_engine(postgresql_url)
    with engine.connect() as one, engine.connect() as other:
        one.execute(text("CREATE TABLE kept (name text)"))
        one.commit()
        one.execute(text("INSERT INTO kept VALUES ('first')"))

        assert other.execute(text("SELECT count(*) FROM kept")).scalar() == 0
        other.rollback()
        one.commit()
        assert other.execute(text("SELECT name FROM kept")).scalar() == "first"
    engine.dispose()


@pytest.mark.parametrize("time", [1, 2])
def test_every_test_gets_an_empty_database(postgresql_url: str, time: int) -> None:
    with psycopg.connect(_plain(postgresql_url)) as connection:
        connection.execute("CREATE TABLE mine (time int)")  # fails the second time, were it the same database
        assert time in (1, 2)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_broker_of_ones_own_comes_back_with_what_it_held(own_kafka: OwnServer, end: str) -> None:
    _make_topic(own_kafka.url, "held")
    _send(own_kafka.url, "held", b"before")

    getattr(own_kafka, end)()
    getattr(own_kafka, end)()
    own_kafka.restart()
    _send(own_kafka.url, "held", b"after")

    assert _read(own_kafka.url, "held", 2) == [b"before", b"after"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_postgresql_of_ones_own_comes_back_with_what_it_held(own_postgresql: OwnServer, end: str) -> None:
    with psycopg.connect(_plain(own_postgresql.url)) as connection:
        connection.execute("CREATE TABLE held AS SELECT 1 AS one")
    open_one = psycopg.connect(_plain(own_postgresql.url))

    getattr(own_postgresql, end)()
    getattr(own_postgresql, end)()
    with pytest.raises(psycopg.OperationalError):
        open_one.execute("SELECT 1")
    open_one.close()
    own_postgresql.restart()

    with psycopg.connect(_plain(own_postgresql.url)) as connection:
        assert connection.execute("SELECT one FROM held").fetchall() == [(1,)]


def test_a_paused_broker_answers_once_it_goes_on(own_kafka: OwnServer) -> None:
    _make_topic(own_kafka.url, "paused")
    own_kafka.pause()
    sender = threading.Thread(target=_send, args=(own_kafka.url, "paused", b"late"))
    sender.start()
    sender.join(1.0)
    waited = sender.is_alive()

    own_kafka.resume()
    sender.join(60)

    assert waited
    assert _read(own_kafka.url, "paused", 1) == [b"late"]
