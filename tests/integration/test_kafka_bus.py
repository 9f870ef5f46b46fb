"""What only Kafka can get wrong, on a real broker: sharing out, killed senders, its own retention and limits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, errors
from kafka import TopicPartition as Place
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.future import Future

from schemas.errors import InputError, Reason, StateError, TransientError
from schemas.topics import DAYS_MS, Topic
from services.bus import Message, Outgoing, TopicPartition
from services.bus.kafka import KafkaBus, parse_url
from services.bus.kafka_cluster import Timing
from services.bus.kafka_consumer import KafkaBusConsumer
from services.bus.kafka_topics import topic_settings

pytestmark = pytest.mark.brokers

EVENTS = Topic("test.events.v1", 4, "none", "bytes", ("reader",), retention_ms=DAYS_MS)
STATE = Topic("test.state.v1", 2, "id", "bytes", ("reader",), retention_ms=None, compacted=True)
PATIENT = Timing(session_s=30, block_s=0.5)
"""A busy machine keeps heartbeats back for seconds: only what is about silence has a short session."""
QUICK = Timing(session_s=4, block_s=0.5)
PATIENCE_S = 60


@pytest.fixture
def bus(kafka_url: str) -> Iterator[KafkaBus]:
    made = KafkaBus(kafka_url, timing=PATIENT)
    made.create_topics([EVENTS, STATE])
    yield made
    made.close()


@pytest.fixture
def quick_bus(kafka_url: str) -> Iterator[KafkaBus]:
    """A bus whose members are missed soon."""
    made = KafkaBus(kafka_url, timing=QUICK)
    made.create_topics([EVENTS, STATE])
    yield made
    made.close()


@pytest.fixture
def admin(kafka_url: str) -> Iterator[KafkaAdminClient]:
    with KafkaAdminClient(bootstrap_servers=parse_url(kafka_url)[0]) as client:
        yield client


def on_broker(kafka_url: str, topic: Topic) -> str:
    return f"{parse_url(kafka_url)[1]}.{topic.name}"


def out(value: bytes | None, partition: int = 0, topic: Topic = EVENTS, key: bytes | None = None) -> Outgoing:
    return Outgoing(topic.name, partition, key, value, {})


def drain(bus: KafkaBus, topic: Topic = EVENTS) -> list[Message]:
    consumer = bus.consumer("drain", [topic])
    messages: list[Message] = []
    while batch := consumer.poll(500, 0):
        messages += batch
    consumer.close()
    return messages


def settle(true: Callable[[], bool], *members: KafkaBusConsumer) -> list[Message]:
    """Poll the members in turn until `true`; return what came."""
    deadline = time.monotonic() + PATIENCE_S
    messages: list[Message] = []
    while not true():
        assert time.monotonic() < deadline, [member.position() for member in members]
        for member in members:
            messages += member.poll(100, 0.05)
    return messages


def test_members_share_the_partitions_and_start_where_they_say(bus: KafkaBus) -> None:
    bus.producer().send([out(b"%d" % n, n % 4) for n in range(40)])
    told: dict[str, list[TopicPartition]] = {"a": [], "b": []}

    def member(name: str) -> KafkaBusConsumer:
        def assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
            told[name] += partitions
            return dict.fromkeys(partitions, 7)

        return bus.consumer("g", [EVENTS], member=name, assigned=assigned)

    a = member("a")
    settle(lambda: len(a.position()) == 4, a)
    b = member("b")
    messages = settle(lambda: len(a.position()) == len(b.position()) == 2, a, b)
    assert not set(a.position()) & set(b.position())
    assert set(told["b"]) == set(b.position())
    messages += settle(lambda: set((a.position() | b.position()).values()) == {10}, a, b)
    assert {m.offset for m in messages} <= {7, 8, 9}
    deadline = time.monotonic() + PATIENCE_S
    while set(bus.committed("g", EVENTS).values()) != {10}:  # in the middle of a rebalance, nobody is heard
        assert time.monotonic() < deadline
        for one in (a, b):
            one.poll(1, 0.05)
            one.commit()
    assert bus.counts["rebalances"] >= 3


def test_a_member_that_ends_gives_its_partitions_up_once_its_name_was_silent_for_a_session(quick_bus: KafkaBus) -> None:
    quick_bus.producer().send([out(b"%d" % n, n % 4) for n in range(40)])

    def assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 7)

    a, b = (quick_bus.consumer("g", [EVENTS], member=name, assigned=assigned) for name in "ab")
    settle(lambda: len(a.position()) == len(b.position()) == 2, a, b)
    left = b.position()
    b.close()
    settle(lambda: len(a.position()) == 4, a)
    a.seek(dict.fromkeys(left, 9))
    assert {m.offset for m in settle(lambda: set(a.position().values()) == {10}, a)} <= {7, 8, 9}


def test_a_join_that_is_answered_between_two_polls_is_taken_by_the_next(bus: KafkaBus) -> None:
    """A role works between its polls, and the answer waits for whoever works longest."""
    member = bus.consumer("g", [EVENTS], member="a")
    deadline = time.monotonic() + PATIENCE_S
    while not member.position():
        assert time.monotonic() < deadline
        member.poll(1, 0)
        time.sleep(0.5)
    assert len(member.position()) == 4
    assert bus.counts["rejoins"] == 0


def test_a_member_that_stays_out_of_its_group_begins_anew(kafka_url: str) -> None:
    bus = KafkaBus(kafka_url, timing=Timing(session_s=1))
    bus.create_topics([EVENTS])
    bus.producer().send([out(b"%d" % n, n % 4) for n in range(40)])
    member = bus.consumer("g", [EVENTS], member="a", assigned=lambda partitions: dict.fromkeys(partitions, 7))
    former = member._client

    async def never() -> bytes:
        await Future()
        return b""

    former._coordinator._do_join_and_sync_async = never
    messages = settle(lambda: set(member.position().values()) == {10}, member)
    assert sorted((m.partition, m.offset) for m in messages) == [(p, o) for p in range(4) for o in (7, 8, 9)]
    assert bus.counts["rejoins"] >= 1
    assert member._client is not former
    bus.close()


def test_a_member_that_its_group_forgot_while_it_joined_reads_no_more_of_what_it_had(bus: KafkaBus) -> None:
    """Another may have its partitions; kafka-python would go on with them for as long as the join lasts."""
    bus.producer().send([out(b"%d" % n, n % 4) for n in range(4)])
    member = bus.consumer("g", [EVENTS], member="a")
    settle(lambda: set(member.position().values()) == {1}, member)
    coordinator = member._client._coordinator

    async def forgotten() -> bytes:
        coordinator.reset_generation()
        await Future()
        return b""

    coordinator._do_join_and_sync_async = forgotten
    coordinator.request_rejoin()
    settle(lambda: bus.counts["rejoins"] == 1, member)
    assert not member.position()
    settle(lambda: len(member.position()) == 4, member)


def test_a_member_may_go_back_on_a_partition_that_has_left_it(bus: KafkaBus) -> None:
    a = bus.consumer("g", [EVENTS], member="a")
    settle(lambda: len(a.position()) == 4, a)
    every = a.position()
    b = bus.consumer("g", [EVENTS], member="b")
    settle(lambda: len(a.position()) == len(b.position()) == 2, a, b)
    a.seek(every)
    assert len(a.position()) == 2
    with pytest.raises(InputError):
        a.seek({TopicPartition(STATE.name, 0): 0})


def test_a_member_that_returns_under_its_name_has_its_partitions_at_once(bus: KafkaBus) -> None:
    a, b = (bus.consumer("g", [EVENTS], member=name) for name in "ab")
    settle(lambda: len(a.position()) == len(b.position()) == 2, a, b)
    before, rebalances = b.position(), bus.counts["rebalances"]
    b.close()
    again = bus.consumer("g", [EVENTS], member="b")
    settle(lambda: len(again.position()) == 2, a, again)
    assert set(again.position()) == set(before)
    assert bus.counts["rebalances"] == rebalances + 1  # its own; the other member's partitions stayed where they were


def test_a_second_process_of_a_name_takes_over_from_the_first(quick_bus: KafkaBus) -> None:
    quick_bus.producer().send([out(b"x")])
    first = quick_bus.consumer("g", [EVENTS], member="name")
    settle(lambda: len(first.position()) == 4, first)
    second = quick_bus.consumer("g", [EVENTS], member="name")
    settle(lambda: len(second.position()) == 4, second)
    with pytest.raises(StateError) as caught:
        settle(lambda: False, first)
    assert caught.value.reason is Reason.OWNERSHIP_LOST
    assert len(second.position()) == 4


def test_a_position_that_a_rebalance_left_unheard_is_said_again(bus: KafkaBus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more need come for that: else the group would seem to lag for ever."""
    member = bus.consumer("g", [EVENTS], member="a")
    settle(lambda: len(member.position()) == 4, member)
    bus.producer().send([out(b"x", n) for n in range(4)])
    settle(lambda: sum(member.position().values()) == 4, member)
    commit = KafkaConsumer.commit

    def unheard(*given: Any, **named: Any) -> None:
        monkeypatch.setattr(KafkaConsumer, "commit", commit)
        raise errors.RebalanceInProgressError

    monkeypatch.setattr(KafkaConsumer, "commit", unheard)
    member.commit()
    assert sum(bus.committed("g", EVENTS).values()) == 0

    settle(lambda: sum(bus.committed("g", EVENTS).values()) == 4, member)
    member.close()


def test_who_is_no_member_cannot_move_a_position_that_members_keep(bus: KafkaBus) -> None:
    member = bus.consumer("g", [EVENTS], member="a")
    settle(lambda: len(member.position()) == 4, member)
    stranger = bus.consumer("g", [EVENTS])
    stranger.seek({TopicPartition(EVENTS.name, 0): 3})
    with pytest.raises(StateError) as caught:
        stranger.commit()
    assert caught.value.reason is Reason.ALREADY_RUNNING


def test_what_an_assignment_could_not_begin_begins_at_the_next_poll(bus: KafkaBus) -> None:
    bus.producer().send([out(b"%d" % n, n % 4) for n in range(8)])
    refusals = iter([TransientError(Reason.BUSY, "busy"), TransientError(Reason.BUSY, "busy")])

    def assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        for refusal in refusals:
            raise refusal
        return dict.fromkeys(partitions, 0)

    member = bus.consumer("g", [EVENTS], member="a", assigned=assigned)
    messages: list[Message] = []
    raised = 0
    deadline = time.monotonic() + PATIENCE_S
    while len(messages) < 8 and time.monotonic() < deadline:
        try:
            messages += member.poll(10, 0.2)
        except TransientError:
            raised += 1
    assert raised == 2
    assert sorted((m.partition, m.offset) for m in messages) == [(p, o) for p in range(4) for o in range(2)]


def test_a_start_that_fails_costs_nothing_of_the_partitions_already_held(quick_bus: KafkaBus) -> None:
    failures: list[int] = []

    def assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if joined and len(failures) < 5:
            failures.append(1)
            raise TransientError(Reason.BUSY, "busy")
        return dict.fromkeys(partitions, 0)

    joined = False
    a, b = (quick_bus.consumer("g", [EVENTS], member=name, assigned=assigned) for name in "ab")
    settle(lambda: len(a.position()) == len(b.position()) == 2, a, b)
    joined = True
    b.close()
    producer = quick_bus.producer()
    seen: list[tuple[int, int]] = []
    deadline = time.monotonic() + PATIENCE_S
    sent = 0
    while len(a.position()) < 4 or len(seen) < 4 * sent:
        assert time.monotonic() < deadline, (len(failures), a.position())
        if sent < 100:
            producer.send([out(b"%d" % sent, p) for p in range(4)])
            sent += 1
        try:
            seen += [(m.partition, m.offset) for m in a.poll(3, 0.01)]
        except TransientError:
            continue
    assert len(failures) == 5
    for partition in range(4):
        assert [offset for p, offset in seen if p == partition] == list(range(sent))


def test_retention_leaves_a_gap_that_readers_pass_and_offsets_that_never_come_again(
    bus: KafkaBus, admin: KafkaAdminClient, kafka_url: str
) -> None:
    producer = bus.producer()
    producer.send([out(b"%d" % n) for n in range(10)])
    behind = bus.consumer("behind", [EVENTS])
    admin.delete_records({Place(on_broker(kafka_url, EVENTS), 0): 6})
    assert bus.begin_offsets(EVENTS)[TopicPartition(EVENTS.name, 0)] == 6
    assert [m.offset for m in behind.poll(100, 5)] == [6, 7, 8, 9]
    admin.delete_records({Place(on_broker(kafka_url, EVENTS), 0): 10})
    assert bus.begin_offsets(EVENTS) == bus.end_offsets(EVENTS)
    assert producer.send([out(b"next")]) == [(TopicPartition(EVENTS.name, 0), 10)]
    assert bus.trim(2**53) == 0


def test_a_position_beyond_the_end_is_another_broker(bus: KafkaBus) -> None:
    consumer = bus.consumer("g", [EVENTS])
    consumer.seek({TopicPartition(EVENTS.name, 0): 5})
    with pytest.raises(StateError) as caught:
        consumer.poll(10, 5)
    assert caught.value.reason is Reason.NOT_RECONCILED


def test_topics_get_the_settings_of_the_table_and_the_clusters_replication(
    bus: KafkaBus, admin: KafkaAdminClient, kafka_url: str
) -> None:
    for topic in (EVENTS, STATE):
        name = on_broker(kafka_url, topic)
        found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)], config_filter="all")
        described = found["topic"][name]
        assert {key: described[key]["value"] for key in topic_settings(topic)} == topic_settings(topic)
        [found] = admin.describe_topics([name])
        assert len(found["partitions"]) == topic.partitions


def test_a_topic_whose_limit_was_lowered_refuses_with_what_to_do(
    bus: KafkaBus, admin: KafkaAdminClient, kafka_url: str
) -> None:
    name = on_broker(kafka_url, EVENTS)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {"max.message.bytes": "1000"})])
    producer = bus.producer()

    def send_until_refused() -> None:
        deadline = time.monotonic() + PATIENCE_S  # the broker takes a new setting a moment later
        while time.monotonic() < deadline:
            producer.send([out(os.urandom(5000))])

    with pytest.raises(InputError) as caught:
        send_until_refused()
    assert caught.value.reason is Reason.BATCH_TOO_LARGE
    assert "hwlink topics" in caught.value.message
    assert producer.send([out(b"small")])


def test_a_compacted_topic_that_this_process_did_not_make_refuses_what_has_no_key(
    bus: KafkaBus, kafka_url: str
) -> None:
    other = KafkaBus(kafka_url, timing=QUICK)
    with pytest.raises(InputError) as caught:
        other.producer().send([out(b"x", topic=STATE)])
    assert caught.value.reason is Reason.OPTION_INVALID
    other.close()


def test_a_tombstone_is_read_as_one(bus: KafkaBus) -> None:
    bus.producer().send([out(b"1", topic=STATE, key=b"a"), out(None, topic=STATE, key=b"a")])
    assert [(m.key, m.value) for m in drain(bus, STATE)] == [(b"a", b"1"), (b"a", None)]


def test_namespaces_see_nothing_of_one_another(bus: KafkaBus, kafka_url: str) -> None:
    bus.producer().send([out(b"mine")])
    reader = bus.consumer("g", [EVENTS])
    reader.poll(10, 1)
    reader.commit()
    other = KafkaBus(f"{kafka_url}-other", timing=QUICK)
    with pytest.raises(StateError):
        other.end_offsets(EVENTS)
    other.create_topics([EVENTS])
    assert drain(other) == []
    assert set(other.committed("g", EVENTS).values()) == {0}
    other.close()


def test_a_slow_reader_holds_little_of_what_waits(bus: KafkaBus) -> None:
    """Nothing is asked of the broker while as much as one poll takes is already here."""
    producer = bus.producer()
    value = os.urandom(1_000_000)
    for _ in range(8):
        producer.send([out(value, p) for p in range(4) for _ in range(2)])
    consumer = bus.consumer("g", [EVENTS])
    seen = 0
    while messages := consumer.poll(2, 1):
        seen += len(messages)
        held = sum(len(m.value or b"") for waiting in consumer._waiting.values() for m in waiting)
        assert held <= 40_000_000
    assert seen == 64


_WRITER = """
    import sys
    from services.bus import Outgoing
    from services.bus.kafka import KafkaBus
    producer = KafkaBus(sys.argv[1]).producer()
    for i in range(int(sys.argv[3])):
        value = b"%s-%d" % (sys.argv[2].encode(), i)
        sent = producer.send([Outgoing("test.events.v1", p, None, value, {}) for p in (0, 1)])
        print(i, *(offset for _, offset in sent), flush=True)
"""


def writer(url: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(_WRITER), url, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_nothing_acknowledged_dies_with_its_sender(bus: KafkaBus, kafka_url: str) -> None:
    victim, *others = [writer(kafka_url, "victim", 100_000), writer(kafka_url, "a", 60), writer(kafka_url, "b", 60)]
    acknowledged: list[str] = []
    assert victim.stdout is not None
    for line in victim.stdout:
        acknowledged.append(line)
        if len(acknowledged) == 40:
            os.kill(victim.pid, signal.SIGKILL)
            break
    acknowledged += victim.stdout.readlines()
    for process in (victim, *others):
        process.wait(PATIENCE_S)
        if process.stdout is not None:
            process.stdout.close()
    held = {(m.partition, m.offset): m.value for m in drain(bus)}
    for line in acknowledged:
        if len(fields := line.split()) == 3 and line.endswith("\n"):
            i, *offsets = (int(f) for f in fields)
            assert [held[p, o] for p, o in enumerate(offsets)] == [b"victim-%d" % i] * 2
    for name in (b"a", b"b"):  # in order, and nothing twice: the producer is idempotent
        for partition in (0, 1):
            mine = [value for (p, _), value in sorted(held.items()) if p == partition and value and value[:1] == name]
            assert mine == [b"%s-%d" % (name, i) for i in range(60)]


def test_threads_share_one_bound_of_what_is_on_its_way(kafka_url: str) -> None:
    bus = KafkaBus(kafka_url, timing=Timing(in_flight_bytes=300_000))
    bus.create_topics([EVENTS])
    producer = bus.producer()
    highest: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.001):
            highest.append(bus.counts["in_flight_bytes"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    senders = [
        threading.Thread(target=lambda: producer.send([out(os.urandom(100_000), n % 4) for n in range(20)]))
        for _ in range(4)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(PATIENCE_S)
    done.set()
    watcher.join()
    assert max(highest) <= 300_000
    assert len(drain(bus)) == 80
    assert bus.counts["in_flight_bytes"] == 0
    bus.close()
