"""Landing over real topics and real Delta tables: each message once, whatever is repeated, killed or damaged."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import FactEnvelope
from schemas.contracts.facts_health import Diagnosis
from schemas.contracts.subject import Subject
from schemas.errors import Reason, StateError, TransientError
from schemas.topics import HEALTH, INTERNAL, SUBJECTS, WELFARE, Topic
from schemas.wire import to_ipc
from services.bus import Assigned, Message, Outgoing
from services.bus.memory import MemoryBus, MemoryConsumer
from services.bus.sqlite import SqliteBus
from services.lake.delta import DeltaZone
from services.lake.latest import latest
from services.landing.role import Landing, Pace
from services.landing.routes import LINKAGE_ROUTES

TOKEN = b"0123456789abcdef"

NOW = Pace(linger_s=0, poll_s=0)
"""Land what is there and wait for nothing."""


@pytest.fixture
def bus() -> MemoryBus:
    made = MemoryBus()
    made.create_topics(INTERNAL)
    return made


@pytest.fixture
def zone(tmp_path: Path) -> DeltaZone:
    return DeltaZone(tmp_path / "lake", "linkage")


def rows(contracts: Sequence[type[Contract]], **values: object) -> pl.DataFrame:
    """One row of the contracts' columns: null but for `values`."""
    schema = {n: t for c in contracts for n, t in columns(c).items()}
    return pl.DataFrame([dict.fromkeys(schema) | values], schema=schema)


def subject(ref: int, version: int = 1, operation: str = "upsert") -> pl.DataFrame:
    return rows(
        [Subject],
        source="x.a",
        subject_ref=f"{ref:032x}",
        version=version,
        operation=operation,
        token_surname=TOKEN,
        content_hash=0,
    )


def diagnosis(ref: int) -> pl.DataFrame:
    values = {"source": "x.a", "subject_ref": f"{ref:032x}", "version": 1, "operation": "upsert", "content_hash": 0}
    return rows([FactEnvelope, Diagnosis], ordinal=0, condition="chd", status="active", **values)


def message(frame: pl.DataFrame, partition: int = 0, topic: Topic = SUBJECTS, kind: str = "subjects") -> Outgoing:
    headers = {"kind": kind, "source": "x.a", "stream_id": "s1", "one_record_per_person": "true"}
    return Outgoing(topic.name, partition, b"x.a", to_ipc(frame), headers)


def refs(zone: DeltaZone, table: str = "subjects") -> list[int]:
    scan = zone.scan(table)
    assert scan is not None
    return sorted(int(ref, 16) for ref in scan.select("subject_ref").collect().to_series())


def drain(landing: Landing) -> int:
    done = 0
    while step := landing.step():
        done += step
    return done


def test_subjects_land_with_where_they_came_from(bus: MemoryBus, zone: DeltaZone) -> None:
    bus.producer().send([message(subject(1)), message(subject(2), 3)])
    landing = Landing.of_linkage(bus, zone, NOW)
    assert landing.step() == 2
    scan = zone.scan("subjects")
    assert scan is not None
    row = scan.filter(pl.col("_partition") == 3).collect().to_dicts()[0]
    assert row["token_surname"] == TOKEN
    assert (row["_topic"], row["_offset"], row["_stream"]) == (SUBJECTS.name, 0, "s1")
    assert row["_one_record_per_person"] is True
    assert zone.offsets("subjects") == {f"{SUBJECTS.name}-0": 0, f"{SUBJECTS.name}-3": 0}
    assert set(landing.lag().values()) == {0}
    assert landing.counts == {"messages": 2, "rows": 2}


def test_each_kind_of_fact_has_its_table(bus: MemoryBus, tmp_path: Path) -> None:
    zone = DeltaZone(tmp_path / "lake", "content")
    fact = rows([FactEnvelope], source="x.a", subject_ref="0" * 32, version=1, operation="upsert", ordinal=0)
    bus.producer().send(
        [
            message(diagnosis(1), topic=HEALTH, kind="diagnoses"),
            message(fact, topic=HEALTH, kind="demographics"),
            message(fact, topic=WELFARE, kind="demographics"),
            message(fact, topic=WELFARE, kind="arrears"),
        ]
    )
    drain(Landing.of_content(bus, zone, NOW))
    assert zone.tables() == ["health_demographics", "health_diagnoses", "welfare_arrears", "welfare_demographics"]
    scan = zone.scan("health_diagnoses")
    assert scan is not None
    assert scan.select("condition", "status").collect().rows() == [("chd", "active")]
    assert {Feed.HEALTH, Feed.WELFARE} == {Feed(t.partition("_")[0]) for t in zone.tables()}


def test_a_batch_is_one_commit(bus: MemoryBus, zone: DeltaZone) -> None:
    bus.producer().send([message(subject(n), n % 4) for n in range(20)])
    landing = Landing.of_linkage(bus, zone, NOW)
    assert landing.step() == 20
    assert landing.step() == 0
    assert zone.version("subjects") == 0


def test_a_step_takes_a_bounded_number_of_messages(bus: MemoryBus, zone: DeltaZone) -> None:
    bus.producer().send([message(subject(n)) for n in range(5)])
    landing = Landing.of_linkage(bus, zone, replace(NOW, batch_messages=2))
    assert [landing.step() for _ in range(4)] == [2, 2, 1, 0]
    assert refs(zone) == list(range(5))


def test_a_new_instance_goes_on_where_the_last_one_stopped(bus: MemoryBus, zone: DeltaZone) -> None:
    producer = bus.producer()
    producer.send([message(subject(1))])
    drain(Landing.of_linkage(bus, zone, NOW))
    producer.send([message(subject(2))])
    second = Landing.of_linkage(bus, zone, NOW)
    assert drain(second) == 1
    assert refs(zone) == [1, 2]


class CrashError(Exception):
    """Stands for the process dying here."""


class CrashingZone(DeltaZone):
    """A zone whose process dies before it writes the table named, once."""

    def __init__(self, root: Path, before: str) -> None:
        super().__init__(root, "content")
        self.before: str | None = before

    def append(self, table: str, frame: pl.DataFrame, offsets: Mapping[str, int]) -> bool:
        if table == self.before:
            self.before = None
            raise CrashError
        return super().append(table, frame, offsets)


@pytest.mark.parametrize("before", ["health_diagnoses", "health_demographics"])
def test_a_crash_between_the_tables_of_a_batch_loses_and_doubles_nothing(
    bus: MemoryBus, tmp_path: Path, before: str
) -> None:
    facts = [(diagnosis(n), "diagnoses") for n in range(3)] + [
        (rows([FactEnvelope], source="x.a", subject_ref=f"{n:032x}", version=1, operation="upsert"), "demographics")
        for n in range(3)
    ]
    bus.producer().send([message(f, n % 2, HEALTH, kind) for n, (f, kind) in enumerate(facts)])
    zone = CrashingZone(tmp_path / "lake", before)
    with pytest.raises(CrashError):
        Landing.of_content(bus, zone, NOW).step()
    assert set(bus.committed("landing-content", HEALTH).values()) == {0}
    drain(Landing.of_content(bus, zone, NOW))
    assert refs(zone, "health_diagnoses") == refs(zone, "health_demographics") == [0, 1, 2]


def test_a_crash_between_the_tables_and_the_position_loses_and_doubles_nothing(
    bus: MemoryBus, zone: DeltaZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.producer().send([message(subject(n), n % 4) for n in range(6)])
    first = Landing.of_linkage(bus, zone, NOW)

    def die() -> None:
        raise CrashError

    monkeypatch.setattr(first._consumer, "commit", die)
    with pytest.raises(CrashError):
        first.step()
    bus.producer().send([message(subject(6))])
    second = Landing.of_linkage(bus, zone, NOW)
    drain(second)
    assert refs(zone) == list(range(7))
    assert zone.version("subjects") == 1


def test_the_same_instance_tries_a_failed_batch_again(
    bus: MemoryBus, zone: DeltaZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.producer().send([message(subject(1))])
    landing = Landing.of_linkage(bus, zone, NOW)

    def busy(*_: object) -> bool:
        raise TransientError(Reason.BUSY, "busy")

    with monkeypatch.context() as patched:
        patched.setattr(zone, "append", busy)
        with pytest.raises(TransientError):
            landing.step()
    assert landing.step() == 1
    assert refs(zone) == [1]


def test_messages_that_were_landed_long_ago_are_skipped(bus: MemoryBus, zone: DeltaZone) -> None:
    """The group's position was lost altogether, and the topic is read from its beginning."""
    bus.producer().send([message(subject(n), n % 4) for n in range(9)])
    drain(Landing.of_linkage(bus, zone, NOW))
    again = Landing(bus, zone, LINKAGE_ROUTES, "landing-linkage-reset", replace(NOW, batch_messages=2))
    assert drain(again) == 9
    assert again.counts["replayed"] > 0
    assert refs(zone) == list(range(9))
    assert zone.version("subjects") == 0


class Restless(MemoryBus):
    """A bus that takes every partition from its reader at every other poll, and gives it back at once."""

    def consumer(
        self, group: str, topics: Sequence[Topic], *, member: str | None = None, assigned: Assigned | None = None
    ) -> MemoryConsumer:
        consumer = super().consumer(group, topics, member=member, assigned=assigned)
        poll, turns = consumer.poll, itertools.count()

        def restless_poll(max_messages: int, timeout_s: float) -> list[Message]:
            if next(turns) % 2 and assigned is not None:
                consumer.seek(assigned(list(consumer.position())))
            return poll(min(max_messages, 3), timeout_s)

        consumer.poll = restless_poll  # type: ignore[method-assign]
        return consumer


def test_partitions_that_come_anew_within_a_step_double_nothing(zone: DeltaZone) -> None:
    bus = Restless()
    bus.create_topics(INTERNAL)
    bus.producer().send([message(subject(n), n % 2) for n in range(20)])
    landing = Landing.of_linkage(bus, zone, NOW, "member")
    while set(landing.lag().values()) != {0}:
        landing.step()
    assert refs(zone) == list(range(20))


@pytest.mark.parametrize("batch_messages", [1, 7, 64])
def test_two_instances_at_once_land_each_message_once(tmp_path: Path, batch_messages: int) -> None:
    bus = SqliteBus(tmp_path / "bus.db")
    bus.create_topics(INTERNAL)
    zone = DeltaZone(tmp_path / "lake", "linkage")
    bus.producer().send([message(subject(n), n % 4) for n in range(40)])
    landings = [Landing.of_linkage(bus, zone, replace(NOW, batch_messages=batch_messages)) for _ in range(2)]
    threads = [threading.Thread(target=drain, args=(landing,)) for landing in landings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refs(zone) == list(range(40))


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (Outgoing(SUBJECTS.name, 0, b"k", b"CANARY no arrow", {"kind": "subjects"}), Reason.BATCH_UNREADABLE),
        (Outgoing(SUBJECTS.name, 0, b"k", None, {"kind": "subjects"}), Reason.BATCH_UNREADABLE),
        (message(subject(9), kind="CANARY"), Reason.FIELD_INVALID),
        (Outgoing(SUBJECTS.name, 0, b"k", to_ipc(subject(9)), {}), Reason.FIELD_INVALID),
        (message(subject(9).with_columns(version=pl.lit("CANARY"))), Reason.COLUMNS_WRONG),
        (message(subject(9).drop("subject_ref")), Reason.COLUMNS_WRONG),
        (message(subject(9).with_columns(source=pl.lit(None, dtype=pl.String))), Reason.COLUMNS_WRONG),
    ],
    ids=["no arrow", "no value", "unknown kind", "no kind", "wrong type", "no column", "null"],
)
def test_a_message_that_cannot_be_landed_is_put_aside_without_its_values(
    bus: MemoryBus, zone: DeltaZone, poison: Outgoing, reason: Reason, caplog: pytest.LogCaptureFixture
) -> None:
    bus.producer().send([message(subject(1)), poison, message(subject(2))])
    landing = Landing.of_linkage(bus, zone, NOW)
    assert drain(landing) == 3
    assert refs(zone) == [1, 2]
    letters = bus.consumer("operator", [SUBJECTS.dead]).poll(10, 0)
    assert [json.loads(m.value or b"") for m in letters] == [
        {"topic": SUBJECTS.name, "partition": 0, "offset": 1, "role": "landing", "reason": reason.value, "headers": {}}
    ]
    assert landing.counts["dead"] == 1
    assert "CANARY" not in caplog.text
    assert b"CANARY" not in b"".join(m.value or b"" for m in letters)


def test_an_older_sender_may_lack_columns_that_came_later(bus: MemoryBus, zone: DeltaZone) -> None:
    bus.producer().send([message(subject(1).drop("content_hash", "claim_group"))])
    drain(Landing.of_linkage(bus, zone, NOW))
    scan = zone.scan("subjects")
    assert scan is not None
    assert scan.select("content_hash").collect().item() is None


def test_a_bus_that_is_behind_the_lake_is_refused(bus: MemoryBus, zone: DeltaZone) -> None:
    bus.producer().send([message(subject(n)) for n in range(3)])
    drain(Landing.of_linkage(bus, zone, NOW))
    other = MemoryBus()
    other.create_topics(INTERNAL)
    other.producer().send([message(subject(7))])
    with pytest.raises(StateError) as caught:
        Landing.of_linkage(other, zone)
    assert caught.value.reason is Reason.NOT_RECONCILED


def test_messages_that_retention_took_before_landing_are_reported(
    bus: MemoryBus, zone: DeltaZone, caplog: pytest.LogCaptureFixture
) -> None:
    producer = bus.producer()
    producer.send([message(subject(1))])
    drain(Landing.of_linkage(bus, zone, NOW))
    producer.send([message(subject(2)), message(subject(3))])
    bus.trim(2**53)
    producer.send([message(subject(4))])
    landing = Landing.of_linkage(bus, zone, NOW)
    assert landing.counts["lost"] == 2
    assert "before they were landed: 2" in caplog.text
    drain(landing)
    assert refs(zone) == [1, 4]


def test_retention_that_overtakes_a_working_instance_is_reported(bus: MemoryBus, zone: DeltaZone) -> None:
    producer = bus.producer()
    landing = Landing.of_linkage(bus, zone, NOW)
    producer.send([message(subject(1)), message(subject(2))])
    bus.trim(2**53)
    producer.send([message(subject(3))])
    drain(landing)
    assert landing.counts["lost"] == 2
    assert refs(zone) == [3]


def test_files_stay_few(bus: MemoryBus, zone: DeltaZone, tmp_path: Path) -> None:
    landing = Landing.of_linkage(bus, zone, replace(NOW, compact_every=4))
    producer = bus.producer()
    for n in range(9):
        producer.send([message(subject(n))])
        landing.step()
    zone.vacuum("subjects", [], 0)
    files = list((tmp_path / "lake" / "linkage" / "subjects").glob("*.parquet"))
    assert len(files) == 2
    assert refs(zone) == list(range(9))


def test_the_latest_view_over_what_landed_settles_versions(bus: MemoryBus, zone: DeltaZone) -> None:
    bus.producer().send(
        [message(subject(1, 2)), message(subject(1, 1)), message(subject(2, 5)), message(subject(2, 5, "withdraw"))]
    )
    drain(Landing.of_linkage(bus, zone, NOW))
    scan = zone.scan("subjects")
    assert scan is not None
    held = latest(scan).sort("subject_ref").select("version", "operation").collect().rows()
    assert held == [(2, "upsert"), (5, "withdraw")]


def test_run_lands_until_it_is_stopped_and_waits_out_transient_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = SqliteBus(tmp_path / "bus.db")
    bus.create_topics(INTERNAL)
    zone = DeltaZone(tmp_path / "lake", "linkage")
    landing = Landing.of_linkage(bus, zone, NOW)
    monkeypatch.setattr("services.loop.RETRY_S", 0.01)
    real, failures, landed, stop = zone.append, iter([True]), threading.Event(), threading.Event()

    def fail_once(table: str, frame: pl.DataFrame, offsets: Mapping[str, int]) -> bool:
        if next(failures, False):
            raise TransientError(Reason.BUSY, "busy")
        written = real(table, frame, offsets)
        landed.set()
        return written

    monkeypatch.setattr(zone, "append", fail_once)
    thread = threading.Thread(target=landing.run, args=(stop,))
    thread.start()
    bus.producer().send([message(subject(1))])
    assert landed.wait(20)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert refs(zone) == [1]
