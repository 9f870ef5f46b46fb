"""What every bus adapter does alike. One suite, each adapter supplies only its constructor."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import HwlinkError, InputError, Reason, StateError, TransientError
from schemas.topics import Topic
from services.bus import Bus, Message, Outgoing, TopicPartition
from services.bus.counts import COUNTS
from services.bus.kafka import KafkaBus
from services.bus.memory import MemoryBus
from services.bus.rules import MESSAGE_LIMIT_BYTES, TOMBSTONE_RETENTION_MS
from services.bus.sqlite import SqliteBus

HOUR_MS = 60 * 60 * 1000
EVENTS = Topic("test.events.v1", 3, "none", "bytes", ("reader",), retention_ms=HOUR_MS)
OTHER = Topic("test.other.v1", 1, "none", "bytes", ("reader",))
STATE = Topic("test.state.v1", 2, "id", "bytes", ("reader",), retention_ms=None, compacted=True)

Open = Callable[[], Bus]


@pytest.fixture(params=["memory", "sqlite", pytest.param("kafka", marks=pytest.mark.brokers)])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    opened: Bus
    if request.param == "kafka":
        opened = KafkaBus(request.getfixturevalue("kafka_url"))
    else:
        opened = MemoryBus() if request.param == "memory" else SqliteBus(tmp_path / "bus.db")
    opened.create_topics([EVENTS, OTHER, STATE])
    yield opened
    opened.close()


@pytest.fixture(params=["memory", "sqlite"])
def trimming(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bus]:
    """A bus that applies retention itself, when asked to; a Kafka broker does so by its own clock."""
    opened: Bus = MemoryBus() if request.param == "memory" else SqliteBus(tmp_path / "bus.db")
    opened.create_topics([EVENTS, OTHER, STATE])
    yield opened
    opened.close()


def out(value: bytes | None, partition: int = 0, topic: Topic = EVENTS, key: bytes | None = None) -> Outgoing:
    return Outgoing(topic.name, partition, key, value, {})


def drain(bus: Bus, topic: Topic = EVENTS, group: str = "drain") -> list[Message]:
    """Everything a topic holds, read by a group of its own that never commits."""
    consumer = bus.consumer(group, [topic])
    messages: list[Message] = []
    while batch := consumer.poll(100, 0):
        messages += batch
    consumer.close()
    return messages


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_what_is_sent_is_read_back_whole(bus: Bus) -> None:
    producer = bus.producer()
    headers = {"kind": "subjects", "naïve": "résumé"}
    sent = producer.send([Outgoing(EVENTS.name, 1, b"k\x00", b"\x00\xff", headers), out(None, 2, key=b"gone")])
    assert sent == [(TopicPartition(EVENTS.name, 1), 0), (TopicPartition(EVENTS.name, 2), 0)]
    before = now_ms()
    first, second = sorted(drain(bus), key=lambda m: m.partition)
    assert (first.key, first.value, dict(first.headers)) == (b"k\x00", b"\x00\xff", headers)
    assert (second.key, second.value) == (b"gone", None)
    assert abs(first.timestamp_ms - before) < HOUR_MS
    producer.close()


def test_offsets_count_from_0_in_each_partition_in_the_order_of_sending(bus: Bus) -> None:
    producer = bus.producer()
    sent = producer.send([out(b"a", 0), out(b"b", 1), out(b"c", 0)])
    assert [(p.partition, o) for p, o in sent] == [(0, 0), (1, 0), (0, 1)]
    assert [(p.partition, o) for p, o in producer.send([out(b"d", 0)])] == [(0, 2)]
    assert [m.value for m in drain(bus) if m.partition == 0] == [b"a", b"c", b"d"]
    assert bus.end_offsets(EVENTS) == {TopicPartition(EVENTS.name, p): n for p, n in enumerate((3, 1, 0))}


def test_sending_nothing_is_nothing(bus: Bus) -> None:
    assert bus.producer().send([]) == []


def test_topics_that_exist_stay_as_they_are(bus: Bus) -> None:
    bus.producer().send([out(b"a")])
    bus.create_topics([EVENTS, Topic(EVENTS.name, 9, "none", "bytes", ())])
    assert len(bus.end_offsets(EVENTS)) == EVENTS.partitions
    assert [m.value for m in drain(bus)] == [b"a"]


def test_an_unknown_topic_is_refused_everywhere(bus: Bus) -> None:
    unknown = Topic("test.unknown.v1", 1, "none", "bytes", ())
    calls: list[Callable[[], object]] = [
        lambda: bus.producer().send([out(b"a", topic=unknown)]),
        lambda: bus.consumer("g", [unknown]),
        lambda: bus.end_offsets(unknown),
        lambda: bus.begin_offsets(unknown),
        lambda: bus.committed("g", unknown),
    ]
    for call in calls:
        with pytest.raises(StateError) as caught:
            call()
        assert caught.value.reason is Reason.STORE_MISSING


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (out(b"x" * (MESSAGE_LIMIT_BYTES + 1)), Reason.BATCH_TOO_LARGE),
        (out(b"x", partition=3), Reason.OPTION_INVALID),
        (out(b"x", partition=-1), Reason.OPTION_INVALID),
        (out(b"x", topic=STATE), Reason.OPTION_INVALID),
        (out(None), Reason.OPTION_INVALID),
    ],
    ids=["too large", "partition too high", "partition negative", "no key to compact by", "tombstone without key"],
)
def test_what_cannot_be_sent_is_refused_and_nothing_is_written(bus: Bus, message: Outgoing, reason: Reason) -> None:
    with pytest.raises(InputError) as caught:
        bus.producer().send([out(b"good"), message])
    assert caught.value.reason is reason
    assert drain(bus) == []


def test_a_message_at_the_limit_passes(bus: Bus) -> None:
    bus.producer().send([out(b"x" * MESSAGE_LIMIT_BYTES)])
    assert len(drain(bus)[0].value or b"") == MESSAGE_LIMIT_BYTES


def test_poll_returns_at_most_what_was_asked_for_and_goes_on_from_there(bus: Bus) -> None:
    bus.producer().send([out(bytes([i])) for i in range(7)])
    consumer = bus.consumer("g", [EVENTS])
    batches = [consumer.poll(3, 0) for _ in range(4)]
    assert [len(b) for b in batches] == [3, 3, 1, 0]
    assert [m.offset for b in batches for m in b] == list(range(7))
    assert consumer.position()[TopicPartition(EVENTS.name, 0)] == 7


def test_no_partition_starves_while_another_never_ends(bus: Bus) -> None:
    bus.producer().send([out(b"busy", 0) for _ in range(50)] + [out(b"quiet", 2)])
    consumer = bus.consumer("g", [EVENTS])
    first = [m for _ in range(EVENTS.partitions) for m in consumer.poll(5, 0)]
    assert b"quiet" in {m.value for m in first}


def test_one_consumer_reads_several_topics(bus: Bus) -> None:
    bus.producer().send([out(b"a"), out(b"b", topic=OTHER)])
    assert {m.topic for m in bus.consumer("g", [EVENTS, OTHER]).poll(10, 0)} == {EVENTS.name, OTHER.name}


def test_poll_waits_for_the_first_message(bus: Bus) -> None:
    consumer = bus.consumer("g", [EVENTS])
    got: list[Message] = []
    reader = threading.Thread(target=lambda: got.extend(consumer.poll(10, 20)))
    reader.start()
    bus.producer().send([out(b"late", 1)])
    reader.join(20)
    assert [m.value for m in got] == [b"late"]


def test_poll_gives_up_when_nothing_comes(bus: Bus) -> None:
    assert bus.consumer("g", [EVENTS]).poll(10, 0.05) == []


def test_a_group_goes_on_where_it_committed_and_not_where_it_read(bus: Bus) -> None:
    bus.producer().send([out(bytes([i])) for i in range(4)])
    consumer = bus.consumer("g", [EVENTS])
    consumer.poll(2, 0)
    consumer.commit()
    consumer.poll(1, 0)
    consumer.close()
    assert bus.committed("g", EVENTS)[TopicPartition(EVENTS.name, 0)] == 2
    assert [m.offset for m in bus.consumer("g", [EVENTS]).poll(10, 0)] == [2, 3]
    assert len(bus.consumer("another", [EVENTS]).poll(10, 0)) == 4
    assert set(bus.committed("another", EVENTS).values()) == {0}


def test_seek_goes_back_and_forth(bus: Bus) -> None:
    bus.producer().send([out(bytes([i])) for i in range(4)])
    consumer = bus.consumer("g", [EVENTS])
    partition = TopicPartition(EVENTS.name, 0)
    consumer.seek({partition: 3})
    assert [m.offset for m in consumer.poll(10, 0)] == [3]
    consumer.seek({partition: 1})
    assert [m.offset for m in consumer.poll(10, 0)] == [1, 2, 3]
    with pytest.raises(InputError):
        consumer.seek({TopicPartition(OTHER.name, 0): 0})


def test_a_lone_member_reads_every_partition_from_where_it_says(bus: Bus) -> None:
    bus.producer().send([out(b"%d" % i, p) for i in range(3) for p in range(3)])
    before = bus.consumer("g", [EVENTS])
    before.seek({TopicPartition(EVENTS.name, p): 2 for p in range(3)})
    before.commit()
    before.close()
    came: list[TopicPartition] = []

    def assigned(partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        came.extend(partitions)
        return {TopicPartition(EVENTS.name, 0): 1}  # of the others, the group's offset holds

    consumer = bus.consumer("g", [EVENTS], member="only", assigned=assigned)
    messages: list[Message] = []
    while len(messages) < 4:
        messages += consumer.poll(10, 20)
    assert sorted((m.partition, m.offset) for m in messages) == [(0, 1), (0, 2), (1, 2), (2, 2)]
    assert sorted(came, key=lambda p: p.partition) == [TopicPartition(EVENTS.name, p) for p in range(3)]
    assert consumer.position() == {TopicPartition(EVENTS.name, p): 3 for p in range(3)}
    consumer.commit()
    assert bus.committed("g", EVENTS) == consumer.position()
    consumer.close()


def test_assigned_is_asked_without_a_member_too(bus: Bus) -> None:
    bus.producer().send([out(b"%d" % i) for i in range(3)])
    consumer = bus.consumer("g", [EVENTS], assigned=lambda partitions: {p: 2 for p in partitions if p.partition == 0})
    assert [m.offset for m in consumer.poll(10, 0)] == [2]
    consumer.close()


def test_what_happens_is_counted(bus: Bus) -> None:
    assert set(bus.counts) == set(COUNTS)
    bus.producer().send([out(b"abc"), out(b"de")])
    consumer = bus.consumer("g", [EVENTS])
    consumer.poll(1, 0)
    assert bus.counts["lag"] == 1
    while consumer.poll(1, 0):
        pass
    consumer.commit()
    counts = bus.counts
    assert {name: counts[name] for name in ("sent", "sent_bytes", "read", "read_bytes", "commits")} == {
        "sent": 2,
        "sent_bytes": 5,
        "read": 2,
        "read_bytes": 5,
        "commits": 1,
    }
    assert counts["lag"] == counts["in_flight_bytes"] == counts["failures"] == 0
    consumer.close()


def test_retention_drops_the_old_and_never_gives_an_offset_again(trimming: Bus) -> None:
    producer = trimming.producer()
    producer.send([out(b"a"), out(b"b"), out(b"c", 1)])
    assert trimming.trim(now_ms()) == 0
    assert trimming.trim(now_ms() + 2 * HOUR_MS) == 3
    assert drain(trimming) == []
    ends = trimming.end_offsets(EVENTS)
    assert trimming.begin_offsets(EVENTS) == ends
    assert producer.send([out(b"d")]) == [(TopicPartition(EVENTS.name, 0), 2)]
    assert trimming.begin_offsets(EVENTS)[TopicPartition(EVENTS.name, 0)] == 2
    # A reader that was behind goes on at the earliest that is left.
    assert [m.offset for m in trimming.consumer("behind", [EVENTS]).poll(10, 0)] == [2]


def test_topics_without_retention_keep_everything(trimming: Bus) -> None:
    trimming.create_topics([Topic("test.kept.v1", 1, "none", "bytes", (), retention_ms=None)])
    kept = Topic("test.kept.v1", 1, "none", "bytes", ())
    trimming.producer().send([out(b"a", topic=kept)])
    assert trimming.trim(now_ms() + 1000 * HOUR_MS) == 0
    assert len(drain(trimming, kept)) == 1


def test_compaction_keeps_the_last_of_each_key_and_drops_tombstones_late(trimming: Bus) -> None:
    send = trimming.producer().send
    for key, value in ((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"c", b"1"), (b"b", None)):
        send([out(value, topic=STATE, key=key)])
    assert trimming.trim(now_ms()) == 2
    assert [(m.key, m.value, m.offset) for m in drain(trimming, STATE)] == [
        (b"a", b"2", 2),
        (b"c", b"1", 3),
        (b"b", None, 4),
    ]
    assert trimming.trim(now_ms() + TOMBSTONE_RETENTION_MS + HOUR_MS) == 1
    assert [m.key for m in drain(trimming, STATE)] == [b"a", b"c"]


def test_a_producer_serves_many_threads(bus: Bus) -> None:
    producer = bus.producer()
    threads = [
        threading.Thread(target=lambda n=n: [producer.send([out(b"%d-%d" % (n, i), n % 3)]) for i in range(20)])
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    messages = drain(bus)
    assert len({m.value for m in messages}) == 120
    assert len({(m.partition, m.offset) for m in messages}) == 120
    for n in range(6):  # each thread's own messages stay in order
        mine = [int(m.value.split(b"-")[1]) for m in messages if m.value and m.value.startswith(b"%d-" % n)]
        assert mine == list(range(20))


_SERIAL = itertools.count()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=8),
    st.lists(st.integers(1, 5), max_size=8),
    st.data(),
)
def test_any_interleaving_of_sends_polls_and_restarts_delivers_everything_in_order(
    bus: Bus, sends: list[list[int]], polls: list[int], data: st.DataObject
) -> None:
    topic = Topic(f"test.law{next(_SERIAL)}.v1", 3, "none", "bytes", ())
    bus.create_topics([topic])
    producer = bus.producer()
    consumer = bus.consumer("law", [topic])
    sent: dict[int, list[bytes]] = {0: [], 1: [], 2: []}
    kept: dict[int, list[bytes]] = {0: [], 1: [], 2: []}
    since_commit: dict[int, list[bytes]] = {0: [], 1: [], 2: []}

    def read(count: int) -> int:
        messages = consumer.poll(count, 0)
        for m in messages:
            since_commit[m.partition].append(m.value or b"")
        return len(messages)

    def keep() -> None:
        consumer.commit()
        for p, values in since_commit.items():
            kept[p] += values
            values.clear()

    for i, partitions in enumerate(sends):
        batch = [out(b"%d.%d" % (i, j), p, topic) for j, p in enumerate(partitions)]
        producer.send(batch)
        for message in batch:
            sent[message.partition].append(message.value or b"")
        if i < len(polls):
            read(polls[i])
            if data.draw(st.booleans()):
                keep()
            elif data.draw(st.booleans()):  # a crash: what was read since the commit comes again
                consumer.close()
                consumer = bus.consumer("law", [topic])
                for values in since_commit.values():
                    values.clear()
    while read(100):
        pass
    keep()
    assert kept == sent
    consumer.close()
    producer.close()


# What only the file has: several processes, kill -9, other people's files.


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "bus.db"


def open_events(path: Path, busy_timeout_s: float = 30) -> SqliteBus:
    bus = SqliteBus(path, busy_timeout_s)
    bus.create_topics([EVENTS])
    return bus


def test_a_file_outlives_its_process_and_is_the_owners_alone(path: Path) -> None:
    bus = open_events(path)
    bus.producer().send([out(b"a")])
    bus.close()
    assert [m.value for m in drain(SqliteBus(path))] == [b"a"]
    assert {p.stat().st_mode & 0o777 for p in path.parent.iterdir()} == {0o600}


_WRITER = """
    import os, sys
    from pathlib import Path
    from services.bus import Outgoing
    from services.bus.sqlite import SqliteBus
    producer = SqliteBus(Path(sys.argv[1])).producer()
    for i in range(int(sys.argv[3])):
        value = b"%s-%d" % (sys.argv[2].encode(), i)
        sent = producer.send([Outgoing("test.events.v1", p, None, value, {}) for p in (0, 1)])
        print(i, *(offset for _, offset in sent), flush=True)
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(_WRITER), str(path), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_processes_send_and_read_at_once_and_nothing_acknowledged_dies_with_them(path: Path) -> None:
    bus = open_events(path)
    writers = [writer(path, "victim", 100_000), writer(path, "a", 60), writer(path, "b", 60)]
    victim = writers[0]
    acknowledged: list[str] = []
    assert victim.stdout is not None
    for line in victim.stdout:
        acknowledged.append(line)
        if len(acknowledged) == 40:
            os.kill(victim.pid, signal.SIGKILL)
            break
    acknowledged += victim.stdout.readlines()
    for process in writers:
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
    held = {(m.partition, m.offset): m.value for m in drain(bus)}
    for line in acknowledged:
        if len(fields := line.split()) == 3 and line.endswith("\n"):
            i, *offsets = (int(f) for f in fields)
            assert [held[p, o] for p, o in enumerate(offsets)] == [b"victim-%d" % i] * 2
    assert {b"%s-%d" % (n, i) for n in (b"a", b"b") for i in range(60)} <= set(held.values())
    # Whole transactions only, and no offset left out or given twice.
    assert sum(p == 0 for p, _ in held) == sum(p == 1 for p, _ in held)
    assert sorted(o for p, o in held if p == 0) == list(range(len(held) // 2))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_bus_crosses_into_child_processes(path: Path, method: str) -> None:
    bus = open_events(path)
    made = Topic("test.child.v1", 1, "none", "bytes", ())
    child = multiprocessing.get_context(method).Process(target=bus.create_topics, args=([made],))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert bus.end_offsets(made) == {TopicPartition(made.name, 0): 0}
    assert pickle.loads(pickle.dumps(bus)).end_offsets(made) == bus.end_offsets(made)


def test_a_forked_producer_leaves_its_parents_connection_alone(path: Path) -> None:
    bus = open_events(path)
    producer = bus.producer()
    producer.send([out(b"parent")])
    child = multiprocessing.get_context("fork").Process(target=producer.send, args=([out(b"child")],))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    producer.send([out(b"parent again")])
    assert [m.value for m in drain(bus)] == [b"parent", b"child", b"parent again"]


def test_a_locked_file_is_transient_and_the_send_left_nothing(path: Path) -> None:
    bus = open_events(path, busy_timeout_s=0.05)
    producer = bus.producer()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientError) as caught:
        producer.send([out(b"a")])
    assert caught.value.reason is Reason.BUSY
    other.execute("ROLLBACK")
    other.close()
    producer.send([out(b"b")])
    assert [m.value for m in drain(bus)] == [b"b"]


def test_an_exclusively_locked_file_is_transient_at_opening(path: Path) -> None:
    open_events(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TransientError):
        SqliteBus(path, busy_timeout_s=0.05)
    other.close()


def _write_text(path: Path) -> None:
    path.write_bytes(b"not a data base " * 100)


def _write_foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()


def _write_later_version(path: Path) -> None:
    open_events(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()


def _damage(path: Path) -> None:
    bus = open_events(path)
    producer = bus.producer()
    producer.send([out(b"x" * 200_000)])
    producer.close()
    bus.close()
    raw = bytearray(path.read_bytes())
    raw[16 * 1024 :] = b"\xaa" * (len(raw) - 16 * 1024)
    path.write_bytes(raw)


@pytest.mark.parametrize("spoil", [_write_text, _write_foreign, _write_later_version, _damage])
def test_a_file_that_is_no_bus_is_refused(path: Path, spoil: Callable[[Path], None]) -> None:
    path.parent.mkdir()
    spoil(path)
    with pytest.raises(HwlinkError) as caught:
        drain(SqliteBus(path))
    assert caught.value.reason is Reason.STORE_VERSION


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError) as caught:
        SqliteBus(tmp_path / "file" / "bus.db")
    assert caught.value.reason is Reason.STORE_MISSING


def test_trimming_gives_the_space_back_and_leaves_no_bytes_behind(path: Path) -> None:
    bus = open_events(path)
    secret = b"secret-token-0123456789"
    bus.producer().send([out(secret * 5000, p) for p in range(3) for _ in range(20)] + [out(secret)])
    assert path.stat().st_size + path.with_name("bus.db-wal").stat().st_size > 5_000_000
    assert bus.trim(now_ms() + 2 * HOUR_MS) == 61
    assert path.stat().st_size < 500_000
    for file in path.parent.iterdir():
        assert secret not in file.read_bytes()
