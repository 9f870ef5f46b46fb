"""What operators and governance type: doctor, config, topics, dlq, snapshot list, audit verify and search."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from schemas.errors import HwlinkError, InputError, PolicyError, Reason, StateError, TransientError
from schemas.topics import SUBJECTS, WELFARE
from services.bootstrap import open_bus, open_registry, open_zone
from services.bus import Bus, Outgoing
from services.cli.operate import register
from services.registry import AuditEvent, Registry, Snapshot
from services.rpc.server import RpcServer
from services.settings import Settings, read_settings


@dataclass
class Site:
    """One data folder with its stores open, and the commands run on it."""

    settings: Settings
    bus: Bus
    registry: Registry

    def land(self, refs: list[int], accepted: int) -> None:
        """Record a stream of one batch, and land its rows in both zones."""
        self.registry.ingest.open_stream("s1", "medway.shbe", "welfare", "{}")
        self.registry.ingest.record_batch("s1", 0, "d", accepted=accepted, refused={}, fields={})
        for zone, table, topic in (("linkage", "subjects", SUBJECTS), ("content", "welfare_demographics", WELFARE)):
            rows = pl.DataFrame(
                {
                    "subject_ref": [f"{ref:032x}" for ref in refs],
                    "version": [1] * len(refs),
                    "content_hash": [0] * len(refs),
                    "_topic": [topic.name] * len(refs),
                    "_partition": [0] * len(refs),
                    "_offset": [0] * len(refs),
                    "_stream": ["s1"] * len(refs),
                    "_batch": ["0"] * len(refs),
                }
            )
            open_zone(self.settings, zone).append(table, rows, {f"{topic.name}-0": 0})  # type: ignore[arg-type]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path / "data"))
    settings = read_settings({}, data_dir=tmp_path / "data")
    settings.data_dir.mkdir()
    bus, registry = open_bus(settings), open_registry(settings)
    yield Site(settings, bus, registry)
    bus.close()
    registry.close()


def run(*arguments: str) -> tuple[str, HwlinkError | None]:
    """Run a command in this process; return what it printed and its failure, if it is one of ours."""
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, HwlinkError):
        return result.stdout, result.exception
    if result.exception is not None:
        raise result.exception
    return result.stdout, None


def told(*arguments: str) -> Any:
    """Return a command's JSON."""
    printed, failure = run(*arguments, "--json")
    assert failure is None
    return json.loads(printed)


# --- doctor


def test_a_line_at_rest_has_drained(site: Site) -> None:
    printed, failure = run("doctor")
    assert failure is None
    assert printed.splitlines()[-1] == "drained"
    report = told("doctor", "--wait", "5")
    assert report["drained"] is True
    assert [role["role"] for role in report["roles"]] == [
        "landing-linkage", "landing-content", "matcher", "resolver", "features",
    ]  # fmt: skip


def test_who_is_behind_is_shown_and_waiting_ends_in_a_failure_of_its_own(site: Site) -> None:
    site.bus.producer().send([Outgoing(SUBJECTS.name, 0, None, b"", {})])
    printed, failure = run("doctor")
    assert failure is None
    assert "landing-linkage         1 to do" in printed
    assert printed.splitlines()[-1] == "not drained"
    _, failure = run("doctor", "--wait", "0.3")
    assert isinstance(failure, TransientError)
    assert failure.reason is Reason.DEADLINE


def test_a_folder_without_data_is_refused_and_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a mistyped folder would look like a line that has drained."""
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path / "mistyped"))
    for command in (["doctor"], ["doctor", "--reconcile"], ["snapshot", "list"], ["audit", "verify"]):
        _, failure = run(*command)
        assert isinstance(failure, StateError)
        assert failure.reason is Reason.STORE_MISSING
    assert list(tmp_path.iterdir()) == []


def test_waiting_begins_before_the_services_have_made_their_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path / "soon"))
    settings = read_settings({}, data_dir=tmp_path / "soon")

    def start() -> None:
        settings.data_dir.mkdir()
        open_bus(settings).close()
        open_registry(settings).close()

    timer = threading.Timer(0.5, start)
    timer.start()
    try:
        assert told("doctor", "--wait", "20")["drained"] is True
    finally:
        timer.join()


def test_the_books_are_shown_and_their_failure_is_one(site: Site) -> None:
    assert told("doctor", "--reconcile") == {"agrees": True, "streams": []}
    site.land([1, 2], accepted=2)
    assert told("doctor", "--reconcile")["agrees"] is True
    printed, _ = run("doctor", "--reconcile")
    assert printed.startswith("medway.shbe (s1): sent 2 = accepted 2 + refused 0; landed 2 ")
    site.registry.ingest.record_batch("s1", 1, "e", accepted=1, refused={}, fields={})
    printed, failure = run("doctor", "--reconcile", "--json")
    assert json.loads(printed)["agrees"] is False
    assert isinstance(failure, StateError)
    assert failure.reason is Reason.NOT_RECONCILED


# --- settings


def test_every_setting_is_listed_with_its_variable_and_meaning(site: Site) -> None:
    rows = {row["variable"]: row for row in told("config")}
    assert rows.keys() == {f"HWLINK_{name.upper()}" for name in Settings.model_fields}
    assert all(row["description"] for row in rows.values())
    assert rows["HWLINK_REVIEW_ADDRESS"]["value"] == "127.0.0.1:7403"
    printed, _ = run("config")
    assert "HWLINK_QUERY_ADDRESS=127.0.0.1:7402" in printed


def test_a_password_in_a_url_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWLINK_REGISTRY_URL", "postgresql+psycopg://hwlink:open-sesame@db.example:5432/hwlink")
    rows = {row["variable"]: row["value"] for row in told("config")}
    assert rows["HWLINK_REGISTRY_URL"] == "postgresql+psycopg://hwlink:***@db.example:5432/hwlink"
    assert "open-sesame" not in run("config")[0]


def test_names_are_shown_even_where_a_setting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWLINK_SHARD", "secret-text")
    printed, failure = run("config")
    assert isinstance(failure, StateError)
    assert failure.reason is Reason.SETTING_INVALID
    assert "HWLINK_SHARDS\n" in printed
    assert "secret-text" not in printed + failure.message


def test_an_unsafe_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWLINK_REVIEW_ADDRESS", "0.0.0.0:7403")
    _, failure = run("config")
    assert isinstance(failure, PolicyError)


# --- snapshots and audit


def test_snapshots_are_listed_newest_first(site: Site) -> None:
    assert run("snapshot", "list")[0] == "no snapshots yet\n"
    for number in (1, 2):
        snapshot = Snapshot(
            f"2026-06-30.{number}", number, date(2026, 6, 30), {}, "m-1", {}, json.dumps({"persons": 1000 * number})
        )
        site.registry.features.publish_snapshot(snapshot, {}, number)
    assert [(row["snapshot_id"], row["people"]) for row in told("snapshot", "list")] == [
        ("2026-06-30.2", 2000),
        ("2026-06-30.1", 1000),
    ]
    assert run("snapshot", "list")[0].splitlines()[0].endswith("model m-1  2,000 people")


def test_the_audit_is_searched_and_its_chain_verified(site: Site) -> None:
    events = [("review.next", "done"), ("review.decide", "done"), ("review.next", "refused")]
    for action, outcome in events:
        site.registry.query.audit(AuditEvent("local", "linkage-quality", action, outcome, {"left_serial": "1"}))
    assert told("audit", "verify") == {"events": 3, "unbroken": True, "first_break": None}
    assert run("audit", "verify")[0] == "3 events, chain unbroken\n"
    found = told("audit", "search", "--action", "review.next", "--outcome", "refused")
    assert [(event["serial"], event["detail"]) for event in found] == [(3, {"left_serial": "1"})]
    assert told("audit", "search", "--purpose", "planning") == []
    assert len(run("audit", "search", "--principal", "local")[0].splitlines()) == 3


def test_a_changed_event_breaks_the_chain(site: Site) -> None:
    for action in ("a", "b", "c"):
        site.registry.query.audit(AuditEvent("local", "planning", action, "done", {}))
    with sqlite3.connect(site.settings.data_dir / "registry.db") as changed:
        changed.execute("UPDATE audit SET outcome = 'refused' WHERE serial = 2")
    changed.close()
    printed, failure = run("audit", "verify", "--json")
    assert json.loads(printed) == {"events": 3, "unbroken": False, "first_break": 2}
    assert isinstance(failure, StateError)
    assert failure.reason is Reason.NOT_RECONCILED


# --- health


def test_a_role_that_serves_is_told_from_one_that_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    server = RpcServer("127.0.0.1:0", [])
    monkeypatch.setenv("HWLINK_QUERY_ADDRESS", server.address)
    server.start()
    assert told("health", "query") == {"role": "query", "serves": True}
    server.stop(0)
    _, failure = run("health", "query")
    assert isinstance(failure, TransientError)
    _, failure = run("health", "matcher")
    assert isinstance(failure, InputError)
