"""Upgrades: from each earlier revision with rows in it, over both kinds of database; and that migrations only add."""

from __future__ import annotations

import ast
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, inspect, select

from services.registry.sql import migrate, open_registry, schema
from services.registry.sql.database import Database

VERSIONS = sorted((schema.MIGRATIONS / "versions").glob("r*.py"))
EARLIER = [path.name[1:5] for path in VERSIONS][:-1]
ADDS = {"create_table", "create_index", "add_column", "bulk_insert", "get_bind", "execute"}
REBUILT = {("r0002_adoption.py", "drop_table")}
"""The one exception, from before versions of hwlink could work beside one another: the key of `shards`."""

ROWS = {
    "streams": {"serial": 7, "stream_id": "s", "source": "a.one", "feed": "health", "declaration": "{}",
                "next_batch": 1, "accepted": 2, "refused": 3, "duplicate": 4, "completed": True},
    "models": {"model_id": "m", "document": "{}", "active": True},
    "persons": {"serial": 1, "person_id": "1" * 32, "retired": False},
    "roster": {"serial": 1, "source": "a.one", "subject_ref": "x", "version": -1, "withdrawn": False,
               "content_hash": -(2**63), "one_record_per_person": True, "claim_group": b"\x00\xff", "passed": 1,
               "person": 1},
    "features_state": {"id": 1, "position": '{"p-0":3}', "sequence": 5},
    "audit": {"serial": 1, "occurred_at_ms": 1, "principal": "a", "purpose": "p", "action": "x", "outcome": "done",
              "detail": "{}", "hash": "0"},
}  # fmt: skip
"""Rows that every revision's tables have room for; columns of later ones get their defaults."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.brokers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nothing has been written to."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.mark.parametrize("revision", EARLIER)
def test_a_registry_of_an_earlier_revision_is_brought_up_to_date_with_its_rows(url: str, revision: str) -> None:
    with closing(Database(url)) as database, database.writing() as connection:
        schema.upgrade(connection, revision)
        then = MetaData()
        then.reflect(connection)
        for table, row in ROWS.items():
            connection.execute(insert(then.tables[table]).values(row))

    assert migrate(url)

    with closing(open_registry(url)) as registry:
        (stream,) = registry.ingest.streams()
        assert (stream.stream_id, stream.accepted, stream.completed) == ("s", 2, True)
        assert registry.matcher.active_model() == ("m", "{}")
        assert registry.resolver.persons().rows() == [("1" * 32, "a.one", "x", None)]
        assert registry.features.features_position() == ({"p-0": 3}, 5)
        assert registry.features.last_revision() == 0
        assert len(registry.query.audit_events()) == 1
        assert registry.ingest.open_stream("t", "a.one", "health", "{}").next_batch == 0


def test_what_an_earlier_version_writes_still_finds_its_columns(url: str) -> None:
    """Code of the revision before names its columns, reads those, and knows of no others: both must go on working."""
    with closing(Database(url)) as database:
        with database.writing() as connection:
            schema.upgrade(connection, EARLIER[-1])
            before = MetaData()
            before.reflect(connection)
        assert migrate(url)
        with database.writing() as connection:
            for table, row in ROWS.items():
                connection.execute(insert(before.tables[table]).values(row))
            for table in before.sorted_tables:
                connection.execute(select(table)).all()
            now = inspect(connection)
            for table in before.sorted_tables:
                kept = {column["name"]: column for column in now.get_columns(table.name)}
                assert {column.name for column in table.columns} <= set(kept)
                added = [kept[name] for name in set(kept) - {column.name for column in table.columns}]
                assert all(column["nullable"] or column["default"] is not None for column in added), table.name


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_only_adds(path: Path) -> None:
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "op"
    }
    assert {(path.name, name) for name in called - ADDS} <= REBUILT
