"""Canary identifiers down every failure path of the door and of gRPC: they come out nowhere.

Searched for: everything the server logs at the most talkative level, its metrics, both standard streams, what the
client is told (status, message, every byte of the trailing metadata, receipts), and every file of bus and registry,
dead letters too.
"""

from __future__ import annotations

import io
import logging
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import polars as pl
import pytest
from pydantic import BaseModel

from schemas.agreement import shipped_agreement
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.records import RECORDS
from schemas.topics import INTERNAL
from schemas.wire import to_ipc
from services.bus.sqlite import SqliteBus
from services.figures import Durations
from services.ingest.service import service
from services.ingest.stream import Door, Limits
from services.lake.delta import DeltaZone
from services.metrics.exporter import Exporter
from services.pb.hwlink.v1 import ingest_pb2, ingest_pb2_grpc
from services.registry.sql import open_registry
from services.rpc.client import open_channel
from services.rpc.logging import configure_logging
from services.rpc.server import RpcServer

CANARIES = (
    "9434765919",  # an NHS number of the test range
    "943 476 5919",
    "QQ123456C",
    "Zebedee-Canary",
    "ME7 1ZZ",
    "zebedee@canary.example",
    "07700 900123",
    "1931-02-17",
)
HEALTH = Feed.HEALTH
TEST = shipped_agreement("test")
STRINGS = [name for name, dtype in columns(RECORDS[HEALTH]).items() if dtype == pl.String()]
BYTES = [name for name, dtype in columns(RECORDS[HEALTH]).items() if dtype == pl.Binary()]


@dataclass
class Watched:
    """A running door whose every output is kept."""

    folder: Path
    door: Door
    address: str
    logged: io.StringIO
    told: list[str]
    calls: Durations

    def exchange(self, *requests: ingest_pb2.HealthIngestRequest) -> None:
        """Send requests; keep whatever the client gets to see."""
        with open_channel(self.address, retries=False) as channel:
            responses = ingest_pb2_grpc.IngestServiceStub(channel).IngestHealth(iter(requests), timeout=30)
            try:
                self.told += [str(response) for response in responses]
            except grpc.RpcError as error:
                self.told += [repr(error), str(error.details()), repr(error.trailing_metadata())]
                self.told.append(error.code().name)

    def outputs(self, capfd: pytest.CaptureFixture[str]) -> Iterator[tuple[str, str]]:
        yield "log", self.logged.getvalue()
        yield "client", "\n".join(self.told)
        with (
            Exporter("127.0.0.1:0", {"ingest": self.door.figures, "grpc": self.calls.now}) as exporter,
            urllib.request.urlopen(f"http://{exporter.address}/metrics", timeout=10) as page,
        ):
            yield "metrics", page.read().decode()
        yield "standard streams", "".join(capfd.readouterr())
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes().decode("latin-1")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    logged = io.StringIO()
    configure_logging("DEBUG", logged)
    bus = SqliteBus(tmp_path / "bus.db")
    bus.create_topics([*INTERNAL, *(topic.dead for topic in INTERNAL)])
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    zone = DeltaZone(tmp_path / "lake", "linkage")
    door = Door(bus, registry.ingest, zone, {TEST.agreement_id: TEST}, Limits())
    server = RpcServer("127.0.0.1:0", [service(door)])
    server.start()
    yield Watched(tmp_path, door, server.address, logged, [], server.calls)
    server.stop(0)
    door.close()
    bus.close()
    registry.close()
    root.handlers[:] = before
    root.setLevel(level)


def opening(**changes: Any) -> ingest_pb2.HealthIngestRequest:
    stated: dict[str, Any] = {
        "stream_id": "stream-1",
        "controller": "kmpt",
        "source": "kmpt.gp",
        "agreement_id": TEST.agreement_id,
        "agreement_hash": TEST.content_hash,
        "key_epoch": TEST.key_epoch,
        "legal_basis": "section 251",
        "purpose": "population health",
        "data_sharing_agreement": "DSA-1",
        "extract_date": "2026-06-30",
        "full_extract": False,
        "one_record_per_person": True,
    }
    return ingest_pb2.HealthIngestRequest(open=ingest_pb2.StreamOpening(**(stated | changes)))


def batch(frame: pl.DataFrame) -> ingest_pb2.HealthIngestRequest:
    return ingest_pb2.HealthIngestRequest(columns=ingest_pb2.ColumnBatch(batch=0, arrow_ipc=to_ipc(frame)))


def records(**values: Any) -> pl.DataFrame:
    """Return one record for each canary, or with these columns."""
    count = len(CANARIES)
    plain: dict[str, Any] = {"subject_ref": [f"f{n:x}" * 16 for n in range(count)], "version": [1] * count}
    return pl.DataFrame(plain | values)


def in_string_columns(watched: Watched) -> None:
    watched.exchange(opening(), batch(records(**{name: list(CANARIES) for name in STRINGS})))


def in_byte_columns(watched: Watched) -> None:
    watched.exchange(opening(), batch(records(**{name: [c.encode() for c in CANARIES] for name in BYTES})))


def as_text_in_byte_columns(watched: Watched) -> None:
    watched.exchange(opening(), batch(records(**{name: list(CANARIES) for name in BYTES})))


def in_facts(watched: Watched) -> None:
    facts = [[{"condition": c, "status": c, "recorded_on": c}] for c in CANARIES]
    watched.exchange(opening(), batch(records(diagnoses=facts)))


def in_numbers(watched: Watched) -> None:
    watched.exchange(opening(), batch(records(version=[9434765919] * len(CANARIES))))


def in_rows(watched: Watched) -> None:
    made = [
        ingest_pb2.HealthRecord(
            subject_ref=c,
            version=9434765919,
            claim_role=c,
            linkage=ingest_pb2.LinkageVariables(**{name: c.encode() for name in BYTES if name != "claim_group"}),
            demographics=ingest_pb2.Demographics(sex=c, lsoa=c, birth_year_month=c, practice_code=c),
            diagnoses=[ingest_pb2.Diagnosis(condition=c, status=c, recorded_on=c)],
            encounters=[ingest_pb2.Encounter(kind=c, started_on=c, ended_on=c, primary_diagnosis=c)],
        )
        for c in CANARIES
    ]
    rows = ingest_pb2.HealthRowBatch(batch=0, records=made)
    watched.exchange(opening(), ingest_pb2.HealthIngestRequest(rows=rows))


def in_column_names(watched: Watched) -> None:
    watched.exchange(opening(), batch(records(**{c: [1] * len(CANARIES) for c in CANARIES})))


def in_fields_of_facts(watched: Watched) -> None:
    facts = [[dict.fromkeys(CANARIES, "x") | {"condition": "af"}] for _ in CANARIES]
    watched.exchange(opening(), batch(records(diagnoses=facts)))


def in_damaged_batches(watched: Watched) -> None:
    data = to_ipc(records(sex=list(CANARIES)))
    for damaged in (" ".join(CANARIES).encode(), data[:-20], data[:60] + "".join(CANARIES).encode() + data[60:]):
        column = ingest_pb2.ColumnBatch(batch=0, arrow_ipc=damaged)
        watched.exchange(opening(stream_id=f"stream-{len(damaged)}"), ingest_pb2.HealthIngestRequest(columns=column))


def in_the_opening(watched: Watched) -> None:
    """Without the name and the date: the frame of a feed is free text, where no rule could tell them from others."""
    stated = opening().open
    for field in stated.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            for canary in set(CANARIES) - {"Zebedee-Canary", "1931-02-17"}:
                watched.exchange(opening(**{field.name: canary}))


def in_an_exception_of_the_bus(watched: Watched) -> None:
    class Failing:
        def send(self, messages: Any) -> Any:
            raise ValueError(f"cannot write {CANARIES}")

        def close(self) -> None: ...

    watched.door.producer = Failing()  # type: ignore[assignment]
    watched.exchange(opening(), batch(records()))


def in_an_exception_of_pydantic(watched: Watched) -> None:
    class Person(BaseModel):
        age: int

    def fails(*_: Any, **__: Any) -> Any:
        try:
            Person.model_validate({"age": CANARIES[3]})
        except ValueError as error:
            raise RuntimeError(CANARIES[0]) from error

    watched.door.registry = type("Failing", (), {"__getattr__": lambda *_: fails})()  # type: ignore[assignment]
    watched.exchange(opening(), batch(records()))


def in_an_exception_of_polars_while_staging(watched: Watched) -> None:
    import services.ingest.stream as stream

    def fails(*_: Any) -> Any:
        return pl.Series(list(CANARIES)).cast(pl.Int64)

    original, stream.stage_columns = stream.stage_columns, fails
    try:
        watched.exchange(opening(), batch(records()))
    finally:
        stream.stage_columns = original


def after_the_client_has_gone(watched: Watched) -> None:
    """A failure that nobody is left to hear of: grpc itself would print its text."""
    import threading

    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def send(self, messages: Any) -> Any:
            begun.set()
            go_on.wait(20)
            raise ValueError(f"cannot write {CANARIES}")

        def close(self) -> None: ...

    watched.door.producer = Slow()  # type: ignore[assignment]
    with open_channel(watched.address, retries=False) as channel:
        call = ingest_pb2_grpc.IngestServiceStub(channel).IngestHealth(iter([opening(), batch(records())]), timeout=30)
        assert begun.wait(20)
        call.cancel()
    go_on.set()
    threading.Event().wait(0.5)


PATHS: list[Callable[[Watched], None]] = [
    in_string_columns,
    in_byte_columns,
    as_text_in_byte_columns,
    in_facts,
    in_numbers,
    in_rows,
    in_column_names,
    in_fields_of_facts,
    in_damaged_batches,
    in_the_opening,
    in_an_exception_of_the_bus,
    in_an_exception_of_pydantic,
    in_an_exception_of_polars_while_staging,
    after_the_client_has_gone,
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_no_canary_comes_out(path: Callable[[Watched], None], watched: Watched, capfd: Any) -> None:
    path(watched)
    assert watched.told or path is after_the_client_has_gone
    for place, text in watched.outputs(capfd):
        for canary in CANARIES:
            assert canary not in text, f"{canary} in {place}"


def test_the_search_itself_finds_canaries(watched: Watched, capfd: Any) -> None:
    """A test that could not fail would prove nothing: each place is shown to be looked at."""
    watched.logged.write(CANARIES[0])
    watched.told.append(CANARIES[1])
    print(CANARIES[2])
    watched.door.registry.open_stream("stream-1", "kmpt.gp", "health", CANARIES[3])
    found = {canary for _, text in watched.outputs(capfd) for canary in CANARIES if canary in text}
    assert found >= set(CANARIES[:4])
