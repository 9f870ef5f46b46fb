"""Dead letters from end to end: put aside, listed, shown, sent again, and put aside again where nothing was mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from schemas.columns import columns
from schemas.contracts.subject import Subject
from schemas.errors import HwlinkError, InputError, Reason, StateError
from schemas.topics import LINKS, SUBJECTS
from schemas.wire import to_ipc
from services.bootstrap import open_bus, open_registry, open_zone
from services.bus import Bus, Outgoing
from services.bus.dead import dead_letter
from services.cli.dlq import register
from services.landing.role import Landing, Pace
from services.registry import Registry
from services.settings import Settings, read_settings

CANARY = b"9434765919"


@dataclass
class Site:
    """A data folder, and landing on it."""

    settings: Settings
    bus: Bus
    registry: Registry

    def send(self, value: bytes, kind: str = "subjects") -> None:
        """Put a message on partition 2 of the subjects topic."""
        self.bus.producer().send([Outgoing(SUBJECTS.name, 2, None, value, {"kind": kind, "stream_id": "s1"})])

    def land(self) -> int:
        """Land what there is; return how many rows the lake then holds."""
        zone = open_zone(self.settings, "linkage")
        landing = Landing.of_linkage(self.bus, zone, Pace(linger_s=0, poll_s=0))
        while landing.step():
            pass
        landing.close()
        scan = zone.scan("subjects")
        return 0 if scan is None else scan.collect().height


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    settings = read_settings({}, data_dir=tmp_path)
    bus, registry = open_bus(settings), open_registry(settings)
    yield Site(settings, bus, registry)
    bus.close()
    registry.close()


def run(*arguments: str) -> tuple[str, HwlinkError | None]:
    app = typer.Typer()
    register(app)
    app.command("beside")(lambda: None)
    result = CliRunner().invoke(app, ["dlq", *arguments])
    if result.exception is not None and not isinstance(result.exception, HwlinkError):
        raise result.exception
    return result.stdout, result.exception


def told(*arguments: str) -> Any:
    printed, failure = run(*arguments, "--json")
    assert failure is None
    assert CANARY.decode() not in printed
    return json.loads(printed)


def one_subject() -> bytes:
    frame = pl.DataFrame(
        {name: [None] for name in columns(Subject)}, schema=columns(Subject), strict=False
    ).with_columns(
        source=pl.lit("medway.shbe"),
        subject_ref=pl.lit("1" * 32),
        version=pl.lit(1, pl.Int64),
        operation=pl.lit("upsert"),
    )
    return to_ipc(frame.cast(columns(Subject)))


def test_what_landing_put_aside_is_listed_each_time_and_shown(site: Site) -> None:
    assert told("list") == []
    site.send(CANARY)
    assert site.land() == 0
    for _ in range(2):
        [letter] = told("list")
        assert (letter["topic"], letter["partition"], letter["offset"]) == (SUBJECTS.name, 2, 0)
        assert (letter["reason"], letter["role"], letter["replay_of"]) == ("BATCH_UNREADABLE", "landing", None)
        assert letter["id"] == f"{SUBJECTS.name}-2-0"
    assert told("show", letter["id"]) == letter
    printed, _ = run("show", letter["id"])
    assert "put aside by landing at" in printed
    assert told("list", "--reason", "COLUMNS_WRONG") == []
    assert told("list", "--topic", LINKS.name) == []
    assert run("list")[0].splitlines()[-1] == "put aside as unusable: 1"


def test_a_letter_of_the_first_release_is_read_still(site: Site) -> None:
    old = {"topic": SUBJECTS.name, "partition": 1, "offset": 4, "reason": "COLUMNS_WRONG"}
    site.bus.producer().send([Outgoing(SUBJECTS.dead.name, 0, b"k", json.dumps(old).encode(), {})])
    [letter] = told("list")
    assert (letter["role"], letter["offset"]) == ("landing", 4)


def test_a_message_that_is_unusable_still_comes_back_as_a_letter_that_names_the_former(site: Site) -> None:
    site.send(CANARY)
    site.land()
    [first] = told("list")
    assert told("replay", first["id"]) == [{"id": first["id"], "offset": 1}]
    site.land()
    former, again = told("list")
    assert former["replayed_to_offset"] == 1
    assert (again["offset"], again["replay_of"], again["replayed_to_offset"]) == (1, first["id"], None)
    assert [letter["id"] for letter in told("replay", "--all")] == [again["id"]]
    assert told("replay", "--all") == []
    events = [event for _, event, _ in site.registry.query.audit_events()]
    assert [(event.action, event.outcome, event.detail["letter"]) for event in events] == [
        ("dlq.replay", outcome, letter) for letter in (first["id"], again["id"]) for outcome in ("started", "done")
    ]


def test_a_message_whose_reader_was_mended_lands_once_however_often_it_is_sent_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> pl.DataFrame:
        raise InputError(Reason.COLUMNS_WRONG, "An older reader; mend it.")

    site.send(one_subject())
    with monkeypatch.context() as broken:
        broken.setattr("services.landing.role.record_rows", fails)
        assert site.land() == 0
    [letter] = told("list")
    told("replay", letter["id"])
    assert site.land() == 1
    told("replay", letter["id"])
    site.land()
    from services.lake.latest import latest

    scan = open_zone(site.settings, "linkage").scan("subjects")
    assert scan is not None
    assert latest(scan).collect().height == 1


def test_what_cannot_be_sent_again_says_why(site: Site) -> None:
    _, failure = run("replay")
    assert isinstance(failure, InputError)
    _, failure = run("replay", "nothing-0-0")
    assert failure is not None
    assert failure.reason is Reason.NOT_FOUND
    site.bus.producer().send([Outgoing(LINKS.name, 0, b"k", CANARY, {})])
    reader = site.bus.consumer("t", [LINKS])
    [message] = reader.poll(1, 0)
    reader.close()
    site.bus.producer().send([dead_letter(message, Reason.BATCH_UNREADABLE, "resolver", LINKS.dead.name)])
    _, failure = run("replay", f"{LINKS.name}-0-0")
    assert isinstance(failure, InputError)
    assert "of one order" in failure.message


def test_a_message_that_retention_took_is_asked_of_its_source(site: Site) -> None:
    site.send(CANARY)
    site.land()
    site.bus.trim(10**15)
    site.send(one_subject())
    site.bus.producer().send(
        [
            Outgoing(
                SUBJECTS.dead.name,
                0,
                b"k",
                json.dumps({"topic": SUBJECTS.name, "partition": 2, "offset": 0, "reason": "COLUMNS_WRONG"}).encode(),
                {},
            )
        ]
    )
    _, failure = run("replay", f"{SUBJECTS.name}-2-0")
    assert isinstance(failure, StateError)
    assert failure.reason is Reason.STORE_MISSING
    assert "ask its source" in failure.message
