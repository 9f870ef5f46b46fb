"""The commands of operators on a real Kafka broker and PostgreSQL: the same answers as on the embedded stores."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.facts import FACT_KINDS, FactEnvelope
from schemas.contracts.subject import Subject
from schemas.errors import HwlinkError, Reason, TransientError
from schemas.topics import SUBJECTS, WELFARE
from schemas.wire import to_ipc
from services.bootstrap import open_bus, open_registry, open_zone
from services.bus import Outgoing
from services.cli import dlq, operate, topics
from services.landing.role import Landing, Pace
from services.registry.sql import migrate
from services.settings import Settings, read_settings

pytestmark = pytest.mark.brokers
CANARY = "9434765919"
NOW = Pace(linger_s=0.2, poll_s=2.0)


@pytest.fixture
def settings(kafka_url: str, postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    environ = {
        "HWLINK_BUS_URL": kafka_url,
        "HWLINK_REGISTRY_URL": postgresql_url,
        "HWLINK_DATA_DIR": str(tmp_path),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = read_settings(environ)
    migrate(found.registry_url)
    return found


def told(*arguments: str) -> tuple[Any, HwlinkError | None]:
    app = typer.Typer()
    for group in (operate, topics, dlq):
        group.register(app)
    result = CliRunner().invoke(app, [*arguments, "--json"])
    if result.exception is not None and not isinstance(result.exception, HwlinkError):
        raise result.exception
    assert CANARY not in result.stdout
    return json.loads(result.stdout), result.exception


def land(settings: Settings) -> None:
    with closing(open_bus(settings)) as bus:
        for landing in (
            Landing.of_linkage(bus, open_zone(settings, "linkage"), NOW),
            Landing.of_content(bus, open_zone(settings, "content"), NOW),
        ):
            while landing.step():
                pass
            landing.close()


def send(settings: Settings, *messages: Outgoing) -> None:
    with closing(open_bus(settings)) as bus, closing(bus.producer()) as producer:
        producer.send(list(messages))


def rows(contracts: list[Any], ref: str) -> bytes:
    schema = {name: dtype for contract in contracts for name, dtype in columns(contract).items()}
    frame = pl.DataFrame({name: [None] for name in schema}, schema=schema).with_columns(
        source=pl.lit("medway.shbe"),
        subject_ref=pl.lit(ref),
        version=pl.lit(1, pl.Int64),
        operation=pl.lit("upsert"),
        content_hash=pl.lit(1, pl.Int64),
    )
    return to_ipc(frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items()))


def test_topics_are_applied_and_then_do_not_differ(settings: Settings) -> None:
    _, failure = told("topics", "diff")
    assert failure is not None
    assert failure.reason is Reason.NOT_RECONCILED
    report, failure = told("topics", "apply")
    assert failure is None
    assert report["mended"]
    assert told("topics", "diff") == ({"mended": [], "differences": [], "checks_rights": False}, None)


def test_a_dead_letter_is_listed_sent_again_and_put_aside_again(settings: Settings) -> None:
    told("topics", "apply")
    send(settings, Outgoing(SUBJECTS.name, 2, b"k", CANARY.encode(), {"kind": "subjects"}))
    land(settings)
    [first] = told("dlq", "list")[0]
    assert (first["id"], first["reason"]) == (f"{SUBJECTS.name}-2-0", "BATCH_UNREADABLE")
    assert told("dlq", "replay", first["id"]) == ([{"id": first["id"], "offset": 1}], None)
    land(settings)
    former, again = told("dlq", "list")[0]
    assert (former["replayed_to_offset"], again["replay_of"]) == (1, first["id"])
    assert told("dlq", "show", again["id"])[0] == again
    events = told("audit", "search", "--action", "dlq.replay")[0]
    assert [event["outcome"] for event in events] == ["started", "done"]
    assert told("audit", "verify")[0]["unbroken"] is True


def test_doctor_tells_who_is_behind_since_when_and_whether_the_books_balance(settings: Settings) -> None:
    told("topics", "apply")
    with closing(open_registry(settings)) as registry:
        registry.ingest.open_stream("s1", "medway.shbe", "welfare", "{}")
        registry.ingest.record_batch("s1", 0, "d", accepted=2, refused={}, fields={})
    headers = {"stream_id": "s1", "batch": "0"}
    facts = [FactEnvelope, FACT_KINDS[Feed.WELFARE]["demographics"]]
    sent = []
    for ref in ("1" * 32, "2" * 32):
        sent.append(Outgoing(SUBJECTS.name, 0, b"k", rows([Subject], ref), {**headers, "kind": "subjects"}))
        sent.append(Outgoing(WELFARE.name, 0, b"k", rows(facts, ref), {**headers, "kind": "demographics"}))
    send(settings, *sent)
    report, failure = told("doctor")
    assert failure is None
    assert report["drained"] is False
    waiting = {one["role"]: one for one in report["waiting"]}
    assert waiting["landing-linkage"]["lag_messages"] == 2
    assert 0 <= waiting["landing-content"]["age_s"] < 120
    _, failure = told("doctor", "--late-after", "0")
    assert isinstance(failure, TransientError)
    land(settings)
    books, failure = told("doctor", "--reconcile")
    assert failure is None
    [stream] = books["streams"]
    assert (stream["sent"], stream["landed"], stream["content_landed"], stream["agrees"]) == (2, 2, 2, True)
