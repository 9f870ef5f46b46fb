"""`hwlink topics` on the embedded bus: the table, in what a bus differs from it, and bringing it there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from schemas.errors import HwlinkError, Reason, StateError
from schemas.topics import DAYS_MS, HEALTH, INTERNAL, LINKS, PERSONS, SUBJECTS, WELFARE, Topic
from services.admin.layout import every_topic, rights_of
from services.bus.layout import Operation, Resource
from services.bus.sqlite import SqliteBus
from services.cli.topics import register


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    for name in ("registry.db",):
        (tmp_path / name).touch()
    return tmp_path


def run(*arguments: str) -> tuple[str, HwlinkError | None]:
    app = typer.Typer()
    register(app)
    app.command("beside")(lambda: None)  # with one group alone, typer would leave its name out
    result = CliRunner().invoke(app, ["topics", *arguments])
    if result.exception is not None and not isinstance(result.exception, HwlinkError):
        raise result.exception
    return result.stdout, result.exception


def told(*arguments: str) -> tuple[Any, HwlinkError | None]:
    printed, failure = run(*arguments, "--json")
    return json.loads(printed), failure


def test_the_table_is_listed_with_dead_letters_and_the_topics_of_consumers() -> None:
    names = [topic["name"] for topic in told("list")[0]]
    assert {topic.name for topic in INTERNAL} < set(names)
    assert {topic.dead.name for topic in INTERNAL} < set(names)
    assert any(name.startswith("hwlink.features.") for name in names)
    assert len(names) == len(set(names)) == len(run("list")[0].splitlines())


def test_an_empty_folder_is_made_to_the_table_and_then_does_not_differ(folder: Path) -> None:
    (folder / "registry.db").unlink()
    report, failure = told("apply")
    assert failure is None
    assert len(report["mended"]) == len(every_topic())
    (folder / "registry.db").touch()
    assert told("diff") == ({"mended": [], "differences": [], "checks_rights": False}, None)
    assert told("apply")[0]["mended"] == []
    printed, _ = run("diff")
    assert "checks no rights" in printed
    assert printed.splitlines()[-1] == "the bus is as the table says"


def test_looking_makes_nothing(folder: Path) -> None:
    _, failure = run("diff")
    assert isinstance(failure, StateError)
    assert failure.reason is Reason.STORE_MISSING
    assert not (folder / "bus.db").exists()


def test_drift_is_named_is_an_exit_code_and_is_mended_but_partitions_stay(folder: Path) -> None:
    bus = SqliteBus(folder / "bus.db")
    drifted = [
        Topic(SUBJECTS.name, SUBJECTS.partitions, "k", "v", (), retention_ms=DAYS_MS),
        Topic(LINKS.name, 2, "k", "v", ()),
        Topic(PERSONS.name, 3, "k", "v", ()),
    ]
    bus.create_topics(drifted)
    bus.create_topics(every_topic())
    report, failure = told("diff")
    found = {(d["name"], d["what"], d["wanted"], d["found"], d["mendable"]) for d in report["differences"]}
    assert found == {
        (SUBJECTS.name, "retention.ms", str(7 * DAYS_MS), str(DAYS_MS), True),
        (LINKS.name, "partitions", "4", "2", True),
        (PERSONS.name, "partitions", "1", "3", False),
    }
    assert isinstance(failure, StateError)
    assert failure.exit_code == 6
    report, failure = told("apply")
    assert {d["name"] for d in report["mended"]} == {SUBJECTS.name, LINKS.name}
    assert [(d["name"], d["found"]) for d in report["differences"]] == [(PERSONS.name, "3")]
    assert failure is not None
    assert "more partitions" in failure.message
    assert len(SqliteBus(folder / "bus.db").end_offsets(LINKS)) == 4
    assert len(SqliteBus(folder / "bus.db").end_offsets(PERSONS)) == 3
    bus.close()


def test_rights_follow_the_table_and_keep_the_sides_apart() -> None:
    rights = rights_of(every_topic(), "User:x-")
    may = {(r.principal.removeprefix("User:x-"), r.operation, r.name) for r in rights if r.resource is Resource.TOPIC}
    assert ("landing", Operation.READ, SUBJECTS.name) in may
    assert ("landing", Operation.WRITE, SUBJECTS.dead.name) in may
    assert ("ingest", Operation.WRITE, HEALTH.name) in may
    content, linkage = {HEALTH.name, WELFARE.name}, {SUBJECTS.name, LINKS.name}
    for role, forbidden in (("matcher", content), ("resolver", content), ("features", linkage), ("query", linkage)):
        assert not any(who == role and name in forbidden and do is not Operation.DESCRIBE for who, do, name in may)
    both = {who for who, do, name in may if do is Operation.READ and name in linkage}
    both &= {who for who, do, name in may if do is Operation.WRITE and name == SUBJECTS.name}
    assert both == {"replay"}
    assert not any(who == "operator" and do is Operation.WRITE for who, do, _ in may)
    assert not any(who == "operator" and do is Operation.READ and not name.endswith(".dead") for who, do, name in may)
    groups = {(r.principal, r.name) for r in rights if r.resource is Resource.GROUPS and r.operation is Operation.READ}
    assert ("User:x-landing", "landing-linkage") in groups
    assert ("User:x-matcher", "matcher") in groups


def test_every_topic_of_the_table_has_a_reader_and_who_puts_aside_may_write_it() -> None:
    for topic in INTERNAL:
        assert topic.readers
        assert set(topic.dead.writers) == set(topic.readers) - {"replay"}
