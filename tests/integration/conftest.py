"""A door over real adapters in a temporary folder, records that nobody is behind, and a client that speaks plainly."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pa_parquet
import pytest

from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.records import RECORDS, FileDeclaration
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.topics import CONTENT, INTERNAL, SUBJECTS, Topic
from schemas.wire import from_ipc
from services.bus import Bus, Message
from services.bus.sqlite import SqliteBus
from services.ingest.service import service
from services.ingest.stream import Door, Limits
from services.lake.delta import DeltaZone
from services.pb.hwlink.v1 import ingest_pb2, ingest_pb2_grpc
from services.registry.sql import SqlRegistry, open_registry
from services.rpc.client import open_channel
from services.rpc.server import RpcServer

TEST = shipped_agreement("test")
SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}


def made_records(feed: Feed, count: int, seed: int = 1, version: int = 1_750_000_000_000) -> pl.DataFrame:
    """Return valid records of chance bytes: present and missing values, empty and filled lists."""
    chance = np.random.default_rng(seed)

    def maybe(share: float, value: Callable[[], Any]) -> list[Any]:
        return [value() if chance.random() < share else None for _ in range(count)]

    def day() -> date:
        return date(2015, 1, 1) + timedelta(days=int(chance.integers(0, 4_000)))

    def pick(*values: str) -> Callable[[], str]:
        return lambda: str(chance.choice(values))

    data: dict[str, list[Any]] = {name: maybe(0.9, lambda: chance.bytes(16)) for name in TOKEN_COLUMNS}
    # About three bits in ten set, as the agreement's recipe gives.
    data |= {name: maybe(0.9, lambda: np.packbits(chance.random(512) < 0.3).tobytes()) for name in FILTER_COLUMNS}
    data |= {
        "subject_ref": [chance.bytes(16).hex() for _ in range(count)],
        "version": [version] * count,
        "operation": ["upsert"] * count,
        "birth_year_month": maybe(0.9, pick("1950-01", "1987-12", "2015-06")),
        "sex": maybe(0.9, pick("1", "2", "9", "X")),
        "ethnic_category": maybe(0.7, pick("A", "K", "99")),
        "lsoa": maybe(0.8, pick("E01016039", "E01024567")),
        "death_year_month": maybe(0.05, pick("2024-02")),
    }
    if feed is Feed.HEALTH:
        data["practice_code"] = maybe(0.8, pick("G82113", "G82744"))
        data["diagnoses"] = [
            [{"condition": pick("af", "dm")(), "status": "active", "recorded_on": day()} for _ in range(n)]
            for n in chance.integers(0, 3, count)
        ]
        data["encounters"] = [
            [
                {
                    "kind": "admission",
                    "started_on": day(),
                    "ended_on": day() if chance.random() < 0.5 else None,
                    "admission_method": pick("21", "2A")(),
                    "primary_diagnosis": None,
                }
                for _ in range(n)
            ]
            for n in chance.integers(0, 2, count)
        ]
    else:
        data["claim_group"] = maybe(0.9, lambda: chance.bytes(16))
        data["claim_role"] = maybe(0.9, pick("claimant", "partner", "child"))
        data["claims"] = [
            [
                {
                    "claim_ref": chance.bytes(16).hex(),
                    "benefit": "hb",
                    "role": "claimant",
                    "status": "in_payment",
                    "started_on": day(),
                    "ended_on": None,
                    "tenure": pick("council", "private_rent")(),
                    "weekly_award_pence": int(chance.integers(0, 30_000)),
                    "weekly_income_pence": None,
                }
                for _ in range(n)
            ]
            for n in chance.integers(0, 3, count)
        ]
        data["arrears"] = [
            [{"kind": "council_tax", "balance_pence": 12_345, "oldest_debt_on": day(), "recovery_stage": "summons"}]
            if chance.random() < 0.2
            else []
            for _ in range(count)
        ]
    schema = columns(RECORDS[feed])
    return pl.DataFrame({name: data.get(name, [None] * count) for name in schema}, schema=schema)


def made_declaration(feed: Feed, **changes: Any) -> FileDeclaration:
    """Return a whole declaration under the test agreement."""
    stated: dict[str, Any] = {
        "feed": feed,
        "source": SOURCES[feed],
        "agreement_id": TEST.agreement_id,
        "agreement_hash": TEST.content_hash,
        "key_epoch": TEST.key_epoch,
        "one_record_per_person": feed is Feed.HEALTH,
        "legal_basis": "NHS Act 2006 section 251",
        "purpose": "population health",
        "data_sharing_agreement": "DSA-1",
        "extract_date": date(2026, 6, 30),
    }
    return FileDeclaration(**(stated | changes))


def write_file(path: Path, frame: pl.DataFrame, declaration: FileDeclaration | None, group_rows: int = 1_000) -> Path:
    """Write a pseudonymised file, whatever its columns are."""
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    metadata = {} if declaration is None else {b"hwlink": declaration.model_dump_json(exclude_none=True).encode()}
    pa_parquet.write_table(
        table.replace_schema_metadata(metadata), path, row_group_size=group_rows, write_page_checksum=True
    )
    return path


@dataclass
class RunningDoor:
    """An ingest server on a free port, and what stands behind it."""

    bus: Bus
    registry: SqlRegistry
    zone: DeltaZone
    door: Door
    server: RpcServer
    _readers: int = field(default=0)

    @property
    def address(self) -> str:
        return self.server.address

    def messages(self, topic: Topic) -> list[Message]:
        """Return every message of a topic."""
        self._readers += 1
        consumer = self.bus.consumer(f"reader-{self._readers}", [topic])
        found: list[Message] = []
        while batch := consumer.poll(1_000, 0):
            found += batch
        consumer.close()
        return found

    def rows(self, topic: Topic, kind: str) -> pl.DataFrame:
        """Return all rows of one kind on a topic, in an order that does not depend on how they were batched."""
        frames = [from_ipc(m.value or b"") for m in self.messages(topic) if m.headers["kind"] == kind]
        if not frames:
            return pl.DataFrame()
        keys = [k for k in ("subject_ref", "version", "ordinal") if k in frames[0].columns]
        return pl.concat(frames).sort(keys)

    def subjects(self) -> pl.DataFrame:
        return self.rows(SUBJECTS, "subjects")

    def facts(self, feed: Feed, kind: str) -> pl.DataFrame:
        return self.rows(CONTENT[feed], kind)


def start_door(folder: Path, port: int = 0, bus: Bus | None = None, **limits: Any) -> RunningDoor:
    """Start a server over the adapters' files in a folder, or a bus of one's own; again, it finds what was there."""
    bus = bus or SqliteBus(folder / "bus.db")
    bus.create_topics(INTERNAL)
    registry = open_registry(f"sqlite:///{folder / 'registry.db'}")
    zone = DeltaZone(folder / "lake", "linkage")
    door = Door(bus, registry.ingest, zone, {TEST.agreement_id: TEST}, Limits(**limits))
    server = RpcServer(f"127.0.0.1:{port}", [service(door)])
    server.start()
    return RunningDoor(bus, registry, zone, door, server)


def stop_door(running: RunningDoor, grace_s: float = 5.0) -> None:
    running.door.stop.set()
    running.server.stop(grace_s)
    running.door.close()
    running.bus.close()
    running.registry.close()


class PlainClient:
    """Sends exactly the requests it is given, and returns the responses: a client that may misbehave."""

    def __init__(self, address: str) -> None:
        self.channel = open_channel(address, retries=False)
        self.stub = ingest_pb2_grpc.IngestServiceStub(self.channel)

    def exchange(self, feed: Feed, requests: Any) -> list[ingest_pb2.IngestResponse]:
        method = self.stub.IngestHealth if feed is Feed.HEALTH else self.stub.IngestWelfare
        return list(method(iter(requests), timeout=60))


@dataclass
class Kit:
    """What tests of ingest and send work with; functions, so that a test says what it needs."""

    records: Callable[..., pl.DataFrame]
    declaration: Callable[..., FileDeclaration]
    write: Callable[..., Path]
    start: Callable[..., RunningDoor]
    stop: Callable[..., None]
    client: Callable[[str], PlainClient]


@pytest.fixture
def kafka_said() -> Iterator[list[str]]:
    """What kafka-python logs, as text, while connections fail, for tests that make them.

    Its records hold exceptions, and those the sockets of failed connections, which it leaves to the garbage collector:
    so nobody else keeps them, and what there is goes before other tests treat warnings as errors.
    """

    class Texts(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    said: list[str] = []
    handler, logger = Texts(logging.WARNING), logging.getLogger("kafka")
    logger.addHandler(handler)
    logger.propagate = False
    yield said
    logger.propagate = True
    logger.removeHandler(handler)
    gc.collect()


@pytest.fixture
def kit() -> Iterator[Kit]:
    clients: list[PlainClient] = []

    def client(address: str) -> PlainClient:
        clients.append(PlainClient(address))
        return clients[-1]

    yield Kit(made_records, made_declaration, write_file, start_door, stop_door, client)
    for one in clients:
        one.channel.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningDoor]:
    """A running ingest server."""
    made = start_door(tmp_path / "data", landing_timeout_s=5.0)
    yield made
    stop_door(made)
