"""What the registry says when its PostgreSQL is away, slow, full of somebody else's locks, or lets nobody in."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import URL, make_url

from schemas.errors import HwlinkError, Reason, TransientError
from services.registry import Registry
from services.registry.sql import open_registry
from services.registry.sql.database import Database
from services.registry.sql.engine import translated
from services.registry.sql.storing import insert_rows, update_rows
from services.registry.sql.tables import roster
from services.stack import OwnServer

SECRET = "CanarySecret9434765919"

pytestmark = pytest.mark.brokers


def _failure(call: Callable[[], object]) -> HwlinkError:
    with pytest.raises(HwlinkError) as caught:
        call()
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


@pytest.fixture
def registry(postgresql_url: str) -> Iterator[Registry]:
    with closing(open_registry(postgresql_url)) as registry:
        yield registry


def test_a_server_that_goes_and_comes_back_is_waited_for(own_postgresql: OwnServer) -> None:
    with closing(open_registry(own_postgresql.url)) as registry:
        registry.ingest.open_stream("before", "a.one", "health", "{}")
        for end in (own_postgresql.stop, own_postgresql.kill):
            end()
            failure = _failure(lambda: registry.ingest.open_stream("during", "a.one", "health", "{}"))
            assert isinstance(failure, TransientError)
            assert failure.reason is Reason.UNAVAILABLE
            own_postgresql.restart()
            assert [s.stream_id for s in registry.ingest.streams()] == ["before"]
        registry.ingest.open_stream("after", "a.one", "health", "{}")
        assert len(registry.ingest.streams()) == 2


def test_a_transaction_that_the_server_ends_is_transient_and_leaves_nothing(
    registry: Registry, postgresql_url: str
) -> None:
    database, other = Database(postgresql_url), Database(postgresql_url)

    def ended() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO source_fields VALUES ('a.one', 'x', 1)")
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with other.reading() as killer:
                killer.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
            insert_rows(connection, roster, pl.DataFrame({"serial": [1]}))

    with closing(database), closing(other):
        failure = _failure(ended)
        assert (type(failure), failure.reason) == (TransientError, Reason.UNAVAILABLE)
        assert registry.ingest.field_counts("a.one") == {}
        with database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO source_fields VALUES ('a.one', 'x', 1)")
    assert registry.ingest.field_counts("a.one") == {"x": 1}


def test_a_lock_that_another_holds_is_busy_not_a_wait_for_ever(registry: Registry, postgresql_url: str) -> None:
    registry.ingest.open_stream("s", "a.one", "health", f'"{SECRET}"')
    with (
        closing(open_registry(postgresql_url, busy_timeout_s=0.2)) as hasty,
        closing(Database(postgresql_url)) as holder,
    ):
        with holder.writing() as connection:
            connection.exec_driver_sql("SELECT * FROM streams FOR UPDATE")
            failure = _failure(lambda: hasty.ingest.complete_stream("s"))
            assert (type(failure), failure.reason) == (TransientError, Reason.BUSY)
        hasty.ingest.complete_stream("s")


def test_writers_that_wait_for_one_another_are_told_to_try_again(registry: Registry, postgresql_url: str) -> None:
    for name in ("a", "b"):
        registry.ingest.open_stream(name, "a.one", "health", "{}")
    database, line, failures = Database(postgresql_url), threading.Barrier(2), []

    def cross(first: str, second: str) -> None:
        try:
            with database.writing() as connection:
                connection.exec_driver_sql(f"UPDATE streams SET accepted = 1 WHERE stream_id = '{first}'")
                line.wait()
                connection.exec_driver_sql(f"UPDATE streams SET accepted = 1 WHERE stream_id = '{second}'")
        except TransientError as error:
            failures.append(error.reason)

    threads = [threading.Thread(target=cross, args=names) for names in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert failures == [Reason.BUSY]


def test_a_statement_that_takes_too_long_is_ended(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    with closing(Database(url.render_as_string(hide_password=False))) as database:

        def slow() -> None:
            with database.writing() as connection:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 50")
                connection.exec_driver_sql("SELECT pg_sleep(60)")

        assert _failure(slow).reason is Reason.BUSY


def test_a_reader_sees_one_state_and_writes_nothing(registry: Registry, postgresql_url: str) -> None:
    with closing(Database(postgresql_url)) as database:
        with database.reading() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM streams").scalar_one() == 0
            registry.ingest.open_stream("s", "a.one", "health", "{}")
            assert connection.exec_driver_sql("SELECT count(*) FROM streams").scalar_one() == 0

        def write() -> None:
            with database.reading() as connection:
                connection.exec_driver_sql("DELETE FROM streams")

        assert _failure(write).reason is Reason.UNAVAILABLE
    assert len(registry.ingest.streams()) == 1


def test_who_is_not_let_in_hears_why_and_no_password(postgresql_url: str, own_postgresql: OwnServer) -> None:
    def opening(url: URL) -> Reason:
        return _failure(lambda: open_registry(url.render_as_string(hide_password=False))).reason

    right = make_url(postgresql_url)
    assert opening(right.set(password=SECRET)) is Reason.SETTING_INVALID
    assert opening(right.set(database="there_is_none")) is Reason.SETTING_INVALID
    assert opening(right.set(username="nobody_known")) is Reason.SETTING_INVALID
    own_postgresql.stop()
    away = make_url(own_postgresql.url).set(password=SECRET)
    assert opening(away) is Reason.UNAVAILABLE
    assert opening(away.set(host="nowhere.invalid")) is Reason.UNAVAILABLE


@pytest.mark.parametrize(
    ("state", "text", "reason"),
    [
        ("28P01", "", Reason.SETTING_INVALID),
        (None, f'FATAL:  password authentication failed for user "{SECRET}"', Reason.SETTING_INVALID),
        (None, "FATAL:  the database system is starting up", Reason.UNAVAILABLE),
        ("53300", "", Reason.UNAVAILABLE),
        ("53100", "", Reason.UNAVAILABLE),
        ("40P01", "", Reason.BUSY),
        ("42501", "", Reason.SETTING_INVALID),
        ("42P01", "", Reason.STORE_VERSION),
        ("23505", f"Key (subject_ref)=({SECRET}) already exists.", Reason.INTERNAL),
    ],
)
def test_each_kind_of_failure_has_its_reason(state: str | None, text: str, reason: Reason) -> None:
    failure = Exception(text)
    failure.sqlstate = state  # type: ignore[attr-defined]
    assert translated(failure).reason is reason
    assert SECRET not in translated(failure).message


def test_text_bytes_and_nulls_arrive_as_they_were(registry: Registry, postgresql_url: str) -> None:
    texts = ["", "\\N", "\\.", 'a"b', "c,d", "e\nf", "\u00e9\u4e2d", "\\x00", "\t"]
    rows = pl.DataFrame(
        {
            "serial": range(len(texts)),
            "source": ["a.one"] * len(texts),
            "subject_ref": texts,
            "version": [-(2**63)] * len(texts),
            "withdrawn": [True, False, True] * 3,
            "content_hash": [2**63 - 1] * len(texts),
            "one_record_per_person": [True] * len(texts),
            "claim_group": [b"", None, b"\\N", b"\x00\xff", b"\n", b'"', b",", b"a", None],
            "passed": [0] * len(texts),
            "link_probability": [0.1, None, 1e-300, float("inf"), -0.0, 1 / 3, 5e-324, 1.7976931348623157e308, 0.5],
        },
        schema_overrides={"serial": pl.Int64},
    )
    database = Database(postgresql_url)
    with closing(database):
        with database.writing() as connection:
            insert_rows(connection, roster, rows)
        found = registry.resolver.subjects(rows.select("source", "subject_ref")).sort("serial")
        assert found.select(rows.columns).rows() == rows.rows()
        with database.writing() as connection:
            update_rows(connection, roster, rows.select("serial", claim_group=pl.lit(b"\\x")), ["serial"])
        found = registry.resolver.subjects(rows.select("source", "subject_ref"))
        assert set(found["claim_group"]) == {b"\\x"}


def test_importing_the_registry_needs_no_driver_of_postgresql(tmp_path: Path) -> None:
    code = (
        "import sys; from services.registry.sql import open_registry; "
        "open_registry(sys.argv[1]).close(); assert 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{tmp_path / 'r.db'}"], check=True, timeout=60)
