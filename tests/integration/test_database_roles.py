"""The separation of roles, as PostgreSQL holds it: each role's right and wrong tables, tried one by one.

That the rights are enough is shown by the contract suite, whose parts connect as these roles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from schemas.errors import Reason, StateError
from services.registry.sql import open_registry
from services.registry.sql.database import Database
from services.registry.sql.rights import PREFIX, RIGHTS, roles_sql
from services.registry.sql.tables import metadata

ROLES_FILE = Path(__file__).parents[2] / "deploy" / "postgresql" / "roles.sql"
LINKAGE_ONLY = {"pairs", "overrides", "candidate_roster", "candidate_pairs", "candidate_moves", "shards", "drifts"}
WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")


def test_the_file_that_operators_apply_is_what_the_code_says() -> None:
    assert ROLES_FILE.read_text("utf-8") == roles_sql(), (
        "write it again: python -m services.registry.sql.rights > deploy/postgresql/roles.sql"
    )


def test_every_table_is_some_roles_and_none_is_named_that_is_not() -> None:
    assert {table for tables in RIGHTS.values() for table in tables} == set(metadata.tables)


def test_the_cohort_side_has_no_part_in_linkage() -> None:
    for role in ("features", "query"):
        assert LINKAGE_ONLY.isdisjoint(RIGHTS[role])
        assert not {"streams", "stream_batches", "source_fields", "adoptions", "outbox"} & set(RIGHTS[role])
        for table in {"roster", "persons", "models", "resolver_state"} & set(RIGHTS[role]):
            assert all(right.startswith("SELECT (") for right in RIGHTS[role][table])
    assert not any({"features_state", "releases"} & set(RIGHTS[role]) for role in ("ingest", "matcher", "resolver"))


def test_nobody_changes_the_audit_chain() -> None:
    assert {right.split()[0] for tables in RIGHTS.values() for right in tables.get("audit", ())} == {"SELECT", "INSERT"}
    assert {role for role, tables in RIGHTS.items() if "SELECT" in tables.get("audit", ())} == {"admin"}


@pytest.fixture
def url(postgresql_url: str) -> Iterator[str]:
    open_registry(postgresql_url).close()
    with closing(Database(postgresql_url)) as database:
        for _ in range(2):  # as after each release
            with database.writing() as connection:
                connection.exec_driver_sql(ROLES_FILE.read_text("utf-8"))
    return postgresql_url


@pytest.mark.brokers
@pytest.mark.parametrize("role", sorted(RIGHTS))
def test_a_role_reads_and_writes_its_tables_and_no_others(url: str, role: str) -> None:
    options = {"options": f"-c role={PREFIX}{role}"}
    own = make_url(url).update_query_dict(options).render_as_string(hide_password=False)
    with closing(Database(own)) as database:
        for table in metadata.tables:
            given = {right.split()[0]: right for right in RIGHTS[role].get(table, ())}
            columns = given.get("SELECT", "").partition("(")[2].rstrip(")") or "*"
            assert _may(database, f"SELECT {columns} FROM {table}") == ("SELECT" in given), f"{role} reads {table}"
            if columns != "*":
                assert not _may(database, f"SELECT * FROM {table}"), f"{role} reads all of {table}"
            for verb in WRITES:
                asked = f"SELECT has_table_privilege(current_user, '{table}', '{verb}')"
                with database.reading() as connection:
                    assert connection.exec_driver_sql(asked).scalar_one() == (verb in given), f"{role} {verb} {table}"
        assert not _may(database, "CREATE TABLE of_its_own (a INTEGER)")


def _may(database: Database, statement: str) -> bool:
    try:
        with database.writing() as connection:
            connection.exec_driver_sql(statement)
    except StateError as refused:
        return refused.reason is not Reason.SETTING_INVALID
    return True
