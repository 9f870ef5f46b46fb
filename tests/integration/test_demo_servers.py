"""What the demo runs on: a file, a server that is named, or one that is found or started, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import make_url

from schemas.errors import InputError, Reason
from services.cli.demo import servers as module
from services.cli.demo.run import run
from services.cli.demo.servers import servers
from services.stack import Server

SECRET = "CanaryPassword9434765919"


class Fake(Server):
    """A server that notes when it is closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


def test_without_servers_nothing_is_set_or_said() -> None:
    said: list[str] = []
    with servers("sqlite", "sqlite", said.append) as environ:
        assert (environ, said) == ({}, [])


def test_servers_that_are_named_are_used_and_topics_stand_apart() -> None:
    database = f"postgresql+psycopg://hwlink:{SECRET}@127.0.0.1/demo"
    with servers("kafka://127.0.0.1:9092", database, pytest.fail) as environ:
        assert environ["HWLINK_BUS_URL"].startswith("kafka://127.0.0.1:9092/demo-")
        assert environ["HWLINK_REGISTRY_URL"] == database
    with servers("kafka://127.0.0.1:9092/mine", "sqlite", pytest.fail) as environ:
        assert environ == {"HWLINK_BUS_URL": "kafka://127.0.0.1:9092/mine"}


def test_servers_that_are_found_are_told_without_their_address_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Fake("kafka://127.0.0.1:1", "the broker that a variable names")
    database = Fake(f"postgresql+psycopg://hwlink:{SECRET}@127.0.0.1:2/postgres", "PostgreSQL 15 on this machine")
    found = {"kafka": ("HWLINK_BUS_URL", lambda: broker), "postgresql": ("HWLINK_REGISTRY_URL", lambda: database)}
    monkeypatch.setattr(module, "_FIND", found)
    said: list[str] = []
    with servers("kafka", "postgresql", said.append) as environ:
        assert environ["HWLINK_REGISTRY_URL"] == database.url
        assert [server.what in text for server, text in zip((broker, database), said, strict=True)] == [True, True]
        assert not broker.closed
    assert broker.closed
    assert database.closed
    assert SECRET not in "".join(said)


@pytest.mark.parametrize(("bus", "registry"), [("rabbit", "sqlite"), ("sqlite", "kafka"), ("postgresql", "sqlite")])
def test_anything_else_is_refused(bus: str, registry: str) -> None:
    with pytest.raises(InputError) as caught, servers(bus, registry, pytest.fail):
        pass
    assert caught.value.reason is Reason.OPTION_INVALID


@pytest.mark.slow
@pytest.mark.brokers
def test_the_demo_runs_on_kafka_and_postgresql(
    tmp_path: Path, kafka_url: str, postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with servers(kafka_url, postgresql_url, pytest.fail) as environ:
        result = run(tmp_path / "demo", people=4_000, claims=1_200, seed=1, quiet=False, environ=environ)
    told = capsys.readouterr().out
    assert result["reconciled"]
    assert result["quality"][0]["f1"] > 0.98
    assert "data/ (lake)" in told
    password = make_url(postgresql_url).password
    assert password is not None
    assert password not in told + (tmp_path / "demo" / "services.log").read_text() + json.dumps(result)
    assert not list((tmp_path / "demo" / "data").glob("*.db"))
