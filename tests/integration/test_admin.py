"""The AdminService over real gRPC, bus, registry and lake: how far each role is, the books, and the snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest

from schemas.contracts.base import Feed
from schemas.errors import InputError, Reason
from schemas.topics import CONTENT, INTERNAL, LINKS, PERSONS, SUBJECTS, Topic
from services.admin.service import AdminService
from services.admin.status import LANDING_CONTENT, LANDING_LINKAGE, RoleStatus, drained, status
from services.bus import Outgoing
from services.bus.memory import MemoryBus
from services.lake.delta import DeltaZone
from services.pb.hwlink.v1 import admin_pb2, admin_pb2_grpc, core_pb2
from services.registry import Snapshot
from services.registry.sql import SqlRegistry, open_registry
from services.rpc.client import call
from services.rpc.server import RpcServer, Service

WELFARE = CONTENT[Feed.WELFARE]


@dataclass
class Line:
    """Bus, registry and lake, and the calls on them."""

    bus: MemoryBus
    registry: SqlRegistry
    linkage: DeltaZone
    content: DeltaZone
    stub: admin_pb2_grpc.AdminServiceStub

    def send(self, topic: Topic, messages: int = 1, partition: int = 0) -> None:
        """Put messages on a topic."""
        self.bus.producer().send([Outgoing(topic.name, partition, None, b"", {})] * messages)

    def read(self, group: str, topic: Topic) -> None:
        """Read everything there is as a group, and commit."""
        consumer = self.bus.consumer(group, [topic])
        while consumer.poll(100, 0):
            pass
        consumer.commit()
        consumer.close()

    def land(self, zone: DeltaZone, table: str, refs: list[int], offset: int, topic: Topic, batch: int = 0) -> None:
        """Put a landed message's rows into a zone."""
        rows = pl.DataFrame(
            {
                "subject_ref": [f"{ref:032x}" for ref in refs],
                "version": [1] * len(refs),
                "content_hash": [0] * len(refs),
            }
        ).with_columns(
            _topic=pl.lit(topic.name),
            _partition=pl.lit(0, pl.Int64),
            _offset=pl.lit(offset, pl.Int64),
            _stream=pl.lit("s1"),
            _batch=pl.lit(str(batch)),
        )
        zone.append(table, rows, {f"{topic.name}-0": offset})

    def lag(self) -> dict[str, int]:
        """What each role has still to do, from the functions and from the service, which must agree."""
        roles = status(self.bus, self.registry, self.content)
        told = call(self.stub.Status, admin_pb2.StatusRequest())
        lags = {role.role: role.lag_messages for role in roles}
        assert {role.role: role.lag_messages for role in told.roles} == lags
        assert told.drained == drained(roles) == (not any(lags.values()))
        return lags

    def behind(self) -> dict[str, int]:
        """The roles that have something to do, and how much."""
        return {role: lag for role, lag in self.lag().items() if lag}

    def snapshot(self, number: int, **of: Any) -> None:
        """Publish a snapshot."""
        values: dict[str, Any] = {
            "snapshot_id": f"2026-06-30.{number}",
            "published_at_ms": number,
            "as_of": date(2026, 6, 30),
            "tables": {},
            "model_id": None,
            "positions": {},
            "summary_json": '{"persons": 7}',
            **of,
        }
        self.registry.features.publish_snapshot(Snapshot(**values), {f"{PERSONS.name}-0": number}, number)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    bus = MemoryBus()
    bus.create_topics(INTERNAL)
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    linkage, content = DeltaZone(tmp_path / "lake", "linkage"), DeltaZone(tmp_path / "lake", "content")
    admin = AdminService(bus, registry, linkage, content)

    def add(server: grpc.Server) -> None:
        admin_pb2_grpc.add_AdminServiceServicer_to_server(admin, server)

    server = RpcServer("127.0.0.1:0", [Service("hwlink.v1.AdminService", add)])
    server.start()
    with grpc.insecure_channel(server.address) as channel:
        yield Line(bus, registry, linkage, content, admin_pb2_grpc.AdminServiceStub(channel))
    server.stop(0)
    registry.close()


# --- status


def test_before_anything_is_sent_everything_has_drained(line: Line) -> None:
    assert line.behind() == {}
    assert list(line.lag()) == ["landing-linkage", "landing-content", "matcher", "resolver", "features"]


def test_each_message_waits_for_each_of_its_readers(line: Line) -> None:
    line.send(SUBJECTS, 3)
    line.send(WELFARE, 2, partition=1)
    assert line.behind() == {"landing-linkage": 3, "landing-content": 2, "matcher": 3}
    line.read(LANDING_LINKAGE, SUBJECTS)
    line.read(LANDING_CONTENT, WELFARE)
    assert line.behind() == {"matcher": 3}


def test_the_slowest_shard_holds_the_matcher_back(line: Line) -> None:
    line.send(SUBJECTS, 3)
    line.read(LANDING_LINKAGE, SUBJECTS)
    line.registry.matcher.adopt_first_model("m", "{}")
    first, second = (line.registry.matcher.claim_shard("m", number, "test") for number in range(2))
    there = {f"{SUBJECTS.name}-0": 3}
    line.registry.matcher.advance_shard("m", 0, first.epoch, {}, there)
    assert line.behind() == {"matcher": 3}, "a shard that has not begun has everything to do"
    line.registry.matcher.advance_shard("m", 1, second.epoch, {}, {f"{SUBJECTS.name}-0": 2})
    assert line.behind() == {"matcher": 1}
    line.registry.matcher.advance_shard("m", 1, second.epoch, {f"{SUBJECTS.name}-0": 2}, there)
    assert line.behind() == {}


def test_links_and_transactions_wait_for_resolver_and_features(line: Line) -> None:
    line.send(LINKS, 2)
    line.send(PERSONS, 1)
    assert line.behind() == {"resolver": 2, "features": 1}


def test_landed_facts_wait_until_a_snapshot_was_made_from_them(line: Line) -> None:
    line.land(line.content, "welfare_demographics", [1, 2], 0, WELFARE)
    line.land(line.content, "welfare_arrears", [1], 1, WELFARE)
    assert line.behind() == {"features": 1}
    seen = {f"welfare_demographics:{WELFARE.name}-0": 0}
    line.snapshot(1, positions=seen)
    assert line.behind() == {"features": 1}, "of one table there is news"
    line.snapshot(2, positions={**seen, f"welfare_arrears:{WELFARE.name}-0": 1})
    assert line.behind() == {}
    line.land(line.content, "welfare_demographics", [3], 2, WELFARE)
    assert line.behind() == {"features": 1}


def test_without_the_zone_what_landing_committed_stands_for_what_has_landed(line: Line) -> None:
    line.send(WELFARE, 2)
    line.read(LANDING_CONTENT, WELFARE)

    def waits() -> bool:
        return not drained(status(line.bus, line.registry))

    assert waits()
    line.snapshot(1, positions={f"welfare_arrears:{WELFARE.name}-0": 1})
    assert not waits()


def test_positions_are_told_and_paged(line: Line) -> None:
    line.send(SUBJECTS, 3, partition=2)
    request = admin_pb2.StatusRequest(page_size=2)
    names = []
    while True:
        page = call(line.stub.Status, request)
        names += [role.role for role in page.roles]
        for role in page.roles:
            for position in role.positions:
                if role.role == "matcher":
                    assert (position.next_offset, position.end_offset) == (0, 3 if position.partition == 2 else 0)
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert names == sorted(line.lag())


def test_what_a_role_holds_back_counts_as_something_to_do() -> None:
    assert not drained([RoleStatus("resolver", (), unpublished=1)])


# --- books


def test_the_books_of_a_stream_that_landed_balance(line: Line) -> None:
    line.registry.ingest.open_stream("s1", "medway.shbe", "welfare", "{}")
    line.registry.ingest.record_batch("s1", 0, "d", accepted=2, refused={"FIELD_INVALID": 1}, fields={})
    request = admin_pb2.ReconcileRequest()
    told = call(line.stub.Reconcile, request)
    assert not told.agrees
    line.land(line.linkage, "subjects", [1, 2], 0, SUBJECTS)
    line.land(line.content, "welfare_demographics", [1, 2], 0, WELFARE)
    line.registry.ingest.complete_stream("s1")
    told = call(line.stub.Reconcile, request)
    [row] = told.streams
    assert told.agrees
    assert row.agrees
    assert row.completed
    assert (row.source, row.feed) == ("medway.shbe", core_pb2.FEED_WELFARE)
    assert (row.sent, row.accepted, row.refused, row.landed, row.suppressed, row.duplicate) == (3, 2, 1, 2, 0, 0)


def test_books_can_be_asked_for_one_source_and_in_pages(line: Line) -> None:
    for number in range(3):
        line.registry.ingest.open_stream(f"s{number}", f"x.{'ab'[number % 2]}", "health", "{}")
    one = call(line.stub.Reconcile, admin_pb2.ReconcileRequest(source="x.a"))
    assert [row.stream_id for row in one.streams] == ["s0", "s2"]
    first = call(line.stub.Reconcile, admin_pb2.ReconcileRequest(page_size=2))
    rest = admin_pb2.ReconcileRequest(page_size=2, page_token=first.next_page_token)
    assert [row.stream_id for row in call(line.stub.Reconcile, rest).streams] == ["s2"]
    rest.source = "x.a"
    with pytest.raises(InputError) as caught:
        call(line.stub.Reconcile, rest)
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


# --- snapshots


def test_snapshots_are_listed_newest_first(line: Line) -> None:
    for number in (1, 2):
        line.snapshot(number, model_id="m-1" if number == 2 else None)
    listed = call(line.stub.ListSnapshots, admin_pb2.ListSnapshotsRequest()).snapshots
    assert [(s.snapshot_id, s.model_id, s.people) for s in listed] == [
        ("2026-06-30.2", "m-1", 7),
        ("2026-06-30.1", "", 7),
    ]
    first = call(line.stub.ListSnapshots, admin_pb2.ListSnapshotsRequest(page_size=1))
    assert [s.snapshot_id for s in first.snapshots] == ["2026-06-30.2"]
    assert first.next_page_token
