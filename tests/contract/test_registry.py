"""What every registry adapter must do alike: SQLite always, and a real PostgreSQL where one can be had."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, event, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from schemas.errors import HwlinkError, InputError, Reason, StateError, TransientError
from services.registry import (
    PAIR_COLUMNS,
    SUBJECT_COLUMNS,
    AuditEvent,
    PublishedTransaction,
    Registry,
    ResolverChange,
    ResolverState,
    Snapshot,
)
from services.registry.adoption import (
    CANDIDATE_COLUMNS,
    MOVE_COLUMNS,
    AdoptionState,
    CandidateStep,
    ModelsInUse,
    ModelSwitch,
)
from services.registry.chain import first_break
from services.registry.sql import adoption as adoption_module
from services.registry.sql import migrate, open_registry, schema
from services.registry.sql import reach as reach_module
from services.registry.sql import resolver as resolver_module
from services.registry.sql import storing as storing_module
from services.registry.sql.database import Database
from services.registry.sql.fetching import IN_CHUNK, matching, matching_sql
from services.registry.sql.rights import PREFIX, RIGHTS, roles_sql
from services.registry.sql.tables import metadata

CANARY = "CanaryValue9434765919"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.brokers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nothing has been written to."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'deep' / 'registry.db'}"


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    """A new registry; on PostgreSQL each part of it is opened under the role that uses it, with that role's rights."""
    with closing(open_registry(url)) as registry:
        if url.startswith("sqlite"):
            yield registry
        else:
            with closing(_ByRoles(url)) as by_roles:
                yield by_roles


class _ByRoles:
    """A registry whose parts connect as the database roles of `deploy/postgresql/roles.sql`."""

    def __init__(self, url: str) -> None:
        with closing(Database(url)) as database, database.writing() as connection:
            connection.exec_driver_sql(roles_sql())
        self._opened = {role: open_registry(as_role(url, role)) for role in RIGHTS}
        self.ingest = self._opened["ingest"].ingest
        self.matcher = self._opened["matcher"].matcher
        self.resolver = self._opened["resolver"].resolver
        self.features = self._opened["features"].features
        self.review = self._opened["review"].review
        self.leases = self._opened["matcher"].leases
        query, governance = self._opened["query"].query, self._opened["admin"].query
        self.query = SimpleNamespace(
            latest_snapshot=query.latest_snapshot,
            snapshot=query.snapshot,
            released=query.released,
            record_release=query.record_release,
            audit=query.audit,
            audit_events=governance.audit_events,
        )
        resolver, operator = self._opened["resolver"].adoptions, self._opened["admin"].adoptions
        self.adoptions = SimpleNamespace(
            in_use=resolver.in_use,
            document=resolver.document,
            subjects=resolver.subjects,
            pairs=resolver.pairs,
            hear=resolver.hear,
            candidate_state=resolver.candidate_state,
            ready=resolver.ready,
            switch=resolver.switch,
            adoption=operator.adoption,
            begin=operator.begin,
            confirm=operator.confirm,
            abandon=operator.abandon,
            would_move=operator.would_move,
        )

    def close(self) -> None:
        for registry in self._opened.values():
            registry.close()


def as_role(url: str, role: str) -> str:
    """Return the URL under which one connects as a role."""
    options = {"options": f"-c role={PREFIX}{role}"}
    return make_url(url).update_query_dict(options).render_as_string(hide_password=False)


def _reason(call: Callable[[], object]) -> Reason:
    with pytest.raises(HwlinkError) as caught:
        call()
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value.reason


# --- opening ----------------------------------------------------------------------------------------------------------
def test_an_empty_database_gets_its_tables_and_keeps_what_is_written(url: str) -> None:
    first = open_registry(url)
    first.ingest.open_stream("s", "a.one", "health", "{}")
    first.close()
    second = open_registry(url)
    assert [s.stream_id for s in second.ingest.streams()] == ["s"]
    second.close()
    assert migrate(url) is False


def test_the_migrations_lead_to_the_tables_that_the_code_uses(url: str) -> None:
    open_registry(url).close()
    database = Database(url)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_another_version_is_refused_and_a_later_one_is_not_migrated(url: str) -> None:
    open_registry(url).close()
    database = Database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    database.close()
    assert _reason(lambda: open_registry(url)) is Reason.STORE_VERSION
    assert _reason(lambda: migrate(url)) is Reason.STORE_VERSION


def test_a_database_of_something_else_is_refused(url: str) -> None:
    database = Database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE something_else (a INTEGER)")
    database.close()
    assert _reason(lambda: open_registry(url)) is Reason.STORE_VERSION
    assert _reason(lambda: migrate(url)) is Reason.STORE_VERSION


def test_a_registry_of_the_first_release_is_brought_up_to_date_with_what_it_holds(url: str) -> None:
    database = Database(url)
    with database.writing() as connection:
        command.upgrade(schema._config(connection), "0001")
        for statement in (
            "INSERT INTO models (model_id, document, active) VALUES ('m', '{}', TRUE)",
            "INSERT INTO shards (shard, epoch, owner, position) VALUES (0, 4, 'one', '{\"t-0\":7}')",
            "INSERT INTO shards (shard, epoch, owner, position) VALUES (1, 3, 'two', '{}')",
            "INSERT INTO resolver_state (id, epoch, owner, position, sequence, relayed, next_subject, next_person,"
            " overrides_applied) VALUES (1, 2, 'r', '{\"l-0\":5}', 9, 9, 12, 8, 1)",
        ):
            connection.exec_driver_sql(statement)
    database.close()

    assert _reason(lambda: open_registry(url)) is Reason.STORE_VERSION
    assert migrate(url) is True
    assert migrate(url) is False
    with closing(open_registry(url)) as registry:
        assert registry.matcher.active_model() == ("m", "{}")
        shards = [(s.shard, s.epoch, dict(s.position)) for s in registry.matcher.shards()]
        assert shards == [(0, 4, {"t-0": 7}), (1, 3, {})]
        assert registry.resolver.claim("r") == ResolverState(3, {"l-0": 5}, 9, 12, 8, 1, {})
    test_the_migrations_lead_to_the_tables_that_the_code_uses(url)


def test_migrate_makes_an_empty_database_ready(url: str) -> None:
    assert migrate(url) is True
    open_registry(url).close()


@pytest.mark.parametrize("bad", ["nonsense", "sqlite://", "mysql://host/db", f"oracle://{CANARY}@host/db"])
def test_an_unusable_url_is_refused_without_repeating_it(bad: str) -> None:
    assert _reason(lambda: open_registry(bad)) is Reason.OPTION_INVALID


# --- ingest -----------------------------------------------------------------------------------------------------------
def test_a_stream_keeps_its_first_declaration(registry: Registry) -> None:
    opened = registry.ingest.open_stream("s", "a.one", "health", '{"a":1}')
    assert (opened.next_batch, opened.accepted, opened.completed) == (0, 0, False)
    assert registry.ingest.open_stream("s", "a.one", "health", '{"a":1}') == opened
    other = f'{{"a":"{CANARY}"}}'
    assert _reason(lambda: registry.ingest.open_stream("s", "a.one", "health", other)) is Reason.STREAM_NOT_OPENED


def test_a_batch_counts_once_however_often_it_is_recorded(registry: Registry) -> None:
    ingest = registry.ingest
    ingest.open_stream("s", "a.one", "health", "{}")
    assert ingest.recorded_batch("s", 0) is None
    for _ in range(3):
        ingest.record_batch("s", 0, "d0", accepted=5, refused={"FIELD_INVALID": 2}, fields={"token_surname": 4})
    ingest.record_batch("s", 1, "d1", accepted=1, refused={"FIELD_INVALID": 1}, fields={"token_nino": 1})
    recorded = ingest.recorded_batch("s", 0)
    assert recorded is not None
    assert (recorded.digest, recorded.accepted, recorded.refused) == ("d0", 5, 2)
    (stream,) = ingest.streams()
    assert (stream.next_batch, stream.accepted, stream.refused, stream.duplicate) == (2, 6, 3, 0)
    assert ingest.refusals("s") == {"FIELD_INVALID": 3}
    assert ingest.field_counts("a.one") == {"_records": 6, "token_surname": 4, "token_nino": 1}
    assert ingest.field_counts("a.two") == {}
    ingest.record_duplicate("s", 0)
    assert ingest.streams()[0].duplicate == 7


def test_a_batch_number_with_other_content_is_refused(registry: Registry) -> None:
    registry.ingest.open_stream("s", "a.one", "health", "{}")
    registry.ingest.record_batch("s", 0, "d0", accepted=1, refused={}, fields={})
    again = lambda: registry.ingest.record_batch("s", 0, "d1", accepted=1, refused={}, fields={})  # noqa: E731
    assert _reason(again) is Reason.BATCH_OUT_OF_ORDER
    assert registry.ingest.streams()[0].accepted == 1


def test_the_next_batch_is_the_first_without_a_receipt(registry: Registry) -> None:
    registry.ingest.open_stream("s", "a.one", "health", "{}")
    for batch in (0, 2, 3):
        registry.ingest.record_batch("s", batch, f"d{batch}", accepted=1, refused={}, fields={})
    assert registry.ingest.streams()[0].next_batch == 1
    registry.ingest.record_batch("s", 1, "d1", accepted=1, refused={}, fields={})
    assert registry.ingest.streams()[0].next_batch == 4


def test_a_stream_that_was_never_opened_is_refused(registry: Registry) -> None:
    record = lambda: registry.ingest.record_batch("s", 0, "d", accepted=1, refused={}, fields={})  # noqa: E731
    assert _reason(record) is Reason.STREAM_NOT_OPENED
    assert _reason(lambda: registry.ingest.complete_stream("s")) is Reason.STREAM_NOT_OPENED
    registry.ingest.open_stream("s", "a.one", "health", "{}")
    for _ in range(2):
        registry.ingest.complete_stream("s")
    assert registry.ingest.streams()[0].completed


# --- matcher ----------------------------------------------------------------------------------------------------------
def test_the_first_model_stays(registry: Registry) -> None:
    assert registry.matcher.active_model() is None
    for _ in range(2):
        registry.matcher.adopt_first_model("m1", "{}")
    assert registry.matcher.active_model() == ("m1", "{}")
    assert _reason(lambda: registry.matcher.adopt_first_model("m2", "{}")) is Reason.MODEL_MISMATCH


def test_only_the_last_claimant_moves_a_shard_and_only_from_where_it_stands(registry: Registry) -> None:
    matcher = registry.matcher
    matcher.adopt_first_model("m", "{}")
    first = matcher.claim_shard("m", 0, "one")
    assert (first.epoch, dict(first.position)) == (1, {})
    matcher.advance_shard("m", 0, 1, {}, {"t-1": 4, "t-0": 3})
    second = matcher.claim_shard("m", 0, "two")
    assert (second.epoch, dict(second.position)) == (2, {"t-0": 3, "t-1": 4})
    former = lambda: matcher.advance_shard("m", 0, 1, {"t-0": 3, "t-1": 4}, {"t-0": 9})  # noqa: E731
    assert _reason(former) is Reason.OWNERSHIP_LOST
    assert _reason(lambda: matcher.advance_shard("m", 0, 2, {"t-0": 3}, {"t-0": 9})) is Reason.OWNERSHIP_LOST
    matcher.advance_shard("m", 0, 2, {"t-1": 4, "t-0": 3}, {"t-0": 5, "t-1": 4})
    assert [(s.shard, s.epoch, dict(s.position)) for s in matcher.shards()] == [(0, 2, {"t-0": 5, "t-1": 4})]
    matcher.release_shard("m", 0, 1)  # it is another's by now
    assert [s.owner for s in matcher.shards()] == ["two"]
    matcher.release_shard("m", 0, 2)
    assert [s.owner for s in matcher.shards()] == [""]


# --- workers ----------------------------------------------------------------------------------------------------------
def test_leases_tell_who_is_alive_in_the_order_of_joining(registry: Registry) -> None:
    leases = registry.leases
    assert list(leases.beat("matcher", "late").items()) == [("late", 1)]
    assert list(leases.beat("matcher", "early").items()) == [("late", 1), ("early", 1)]
    assert leases.beat("resolver", "late") == {"late": 1}  # a role of its own
    assert leases.beat("matcher", "late") == {"late": 2, "early": 1}
    leases.end("matcher", "late", seen=1)  # it has beaten since
    assert set(leases.beat("matcher", "early")) == {"late", "early"}
    leases.end("matcher", "late", seen=2)
    leases.end("matcher", "late")
    assert list(leases.beat("matcher", "early").items()) == [("early", 3)]
    assert list(leases.beat("matcher", "late").items()) == [("early", 3), ("late", 1)]  # the last again


def test_shards_of_which_all_is_asked_again_go_back_and_are_nobodys(registry: Registry) -> None:
    matcher, resolver = registry.matcher, registry.resolver
    matcher.adopt_first_model("m", "{}")
    for shard in (0, 1):
        matcher.claim_shard("m", shard, "one")
        matcher.advance_shard("m", shard, 1, {}, {"t-0": 7})
    assert set(resolver.counts_from().values()) == {0}
    former, state = resolver.claim("former"), resolver.claim("now")
    wanted = {("m", 1): {"t-0": 3}}
    assert _reason(lambda: resolver.ask_again(former, wanted)) is Reason.OWNERSHIP_LOST
    resolver.ask_again(state, wanted)
    assert [(s.shard, s.epoch, dict(s.position), s.owner) for s in matcher.shards()] == [
        (0, 1, {"t-0": 7}, "one"),
        (1, 2, {"t-0": 3}, ""),
    ]
    assert resolver.counts_from() == {("m", 0): 0, ("m", 1): 2}
    assert _reason(lambda: matcher.advance_shard("m", 1, 1, {"t-0": 7}, {"t-0": 9})) is Reason.OWNERSHIP_LOST
    assert matcher.claim_shard("m", 1, "two").epoch == 3  # what the new owner says counts


# --- resolver ---------------------------------------------------------------------------------------------------------
def _subjects(serials: range, person: int | None = None) -> pl.DataFrame:
    rows = [(n, "a.one", f"{n:032x}", 1, False, -(2**63) + n, True, b"%016d" % n, 1, person, None) for n in serials]
    return pl.DataFrame(rows, SUBJECT_COLUMNS, orient="row")


def _pairs(*rows: tuple[int, int, float, str]) -> pl.DataFrame:
    whole = [
        (left, right, 1, 1, -(2**63), 2**63 - 1, 7, 2.0, odds, None, "m", 0, 0.5, decision)
        for left, right, odds, decision in rows
    ]
    return pl.DataFrame(whole, PAIR_COLUMNS, orient="row")


def _change(before: ResolverState, after: ResolverState | None = None, **frames: pl.DataFrame) -> ResolverChange:
    nothing = {
        "subjects_added": pl.DataFrame(schema=SUBJECT_COLUMNS),
        "subjects_changed": pl.DataFrame(schema=SUBJECT_COLUMNS),
        "pairs_removed": pl.DataFrame(schema={"left_serial": pl.Int64, "right_serial": pl.Int64}),
        "pairs_written": pl.DataFrame(schema=PAIR_COLUMNS),
        "persons_added": pl.DataFrame(schema={"serial": pl.Int64, "person_id": pl.String}),
        "persons_retired": pl.DataFrame(schema={"serial": pl.Int64, "superseded_by": pl.Int64}),
    }
    return ResolverChange(before=before, after=after or before, transaction=None, **{**nothing, **frames})


def _people(*serials: int) -> pl.DataFrame:
    return pl.DataFrame({"serial": list(serials), "person_id": [f"{n:032d}" for n in serials]})


def test_a_step_is_written_whole_and_read_back(registry: Registry) -> None:
    resolver = registry.resolver
    before = resolver.claim("one")
    after = replace(before, position={"t-0": 2}, sequence=1, next_subject=4, next_person=3)
    added = pl.concat([_subjects(range(1, 3), 1), _subjects(range(3, 4), 2)])
    pairs = _pairs((1, 2, 9.5, "link"), (2, 3, 0.0, "review"))
    transaction = PublishedTransaction(1, b"\x00\xff", '[{"kind":"merge"}]', 3)
    change = _change(before, after, subjects_added=added, pairs_written=pairs, persons_added=_people(1, 2))
    resolver.apply(replace(change, transaction=transaction))

    keys = added.select("source", "subject_ref")
    assert resolver.subjects(keys).sort("serial").equals(added)
    assert resolver.outbox(0, 10) == [transaction]
    assert resolver.position() == {"t-0": 2}
    assert resolver.claim("one") == replace(after, epoch=2)
    assert resolver.persons().rows() == [
        (f"{1:032d}", "a.one", f"{1:032x}", None),
        (f"{1:032d}", "a.one", f"{2:032x}", None),
        (f"{2:032d}", "a.one", f"{3:032x}", None),
    ]
    sequence, membership = registry.features.membership()
    assert (sequence, membership.rows()) == (1, resolver.persons().rows())
    summary = resolver.summary()
    assert (summary.persons, summary.links, summary.reviews) == (2, 1, 1)
    assert dict(summary.subjects_by_source) == {"a.one": 3}
    assert (summary.persons_with_several_sources, dict(summary.linked_by_source)) == (0, {})
    sums = resolver.match_sums()
    assert sums["pairs"].sum() == summary.links + summary.reviews
    assert sums.select("left_source", "right_source").unique().rows() == [("a.one", "a.one")]
    assert (sums["swing"] <= sums["probability"]).all()
    ranked = resolver.match_sums([0.9, 0.3, 0.5])
    assert ranked.select("decision", "reached", "pairs").rows() == [("link", 2, 1), ("review", 2, 1)]
    assert not ranked["guarded"].any()


def test_changes_replace_rows_and_keep_keys(registry: Registry) -> None:
    resolver = registry.resolver
    state = resolver.claim("one")
    resolver.apply(
        _change(
            state,
            subjects_added=_subjects(range(1, 4), 1),
            pairs_written=_pairs((1, 2, 9.5, "link"), (2, 3, 0.0, "review")),
            persons_added=_people(1, 2),
        )
    )
    changed = _subjects(range(2, 3), 2).with_columns(
        pl.lit(5, pl.Int64).alias("version"),
        pl.lit(None, pl.Binary).alias("claim_group"),
        pl.lit(True).alias("withdrawn"),
    )
    removed = pl.DataFrame({"left_serial": [1], "right_serial": [2]})
    rewritten = _pairs((2, 3, -1.0, "apart"))
    retired = pl.DataFrame({"serial": [1], "superseded_by": [2]})
    resolver.apply(
        _change(
            state,
            subjects_changed=changed,
            pairs_removed=removed,
            pairs_written=rewritten,
            persons_retired=retired,
        )
    )
    hood = resolver.neighbourhood(pl.Series([3]))
    assert hood.pairs.equals(rewritten)
    assert hood.subjects.filter(serial=2).equals(changed)
    assert resolver.lineage(f"{1:032d}") == (True, f"{2:032d}")
    assert resolver.lineage(f"{2:032d}") == (False, None)
    assert resolver.lineage("nobody") is None


def test_a_neighbourhood_is_the_whole_component_however_long(registry: Registry) -> None:
    resolver = registry.resolver
    state = resolver.claim("one")
    length = IN_CHUNK + 10
    chain = _pairs(*((n, n + 1, 1.0, "apart") for n in range(1, 40)))
    star = _pairs(*((100, n, 1.0, "apart") for n in range(101, 101 + length)))
    resolver.apply(
        _change(state, subjects_added=_subjects(range(1, 102 + length)), pairs_written=pl.concat([chain, star]))
    )
    along = resolver.neighbourhood(pl.Series([20]))
    assert along.subjects["serial"].sort().to_list() == list(range(1, 41))
    assert along.pairs.height == 39
    around = resolver.neighbourhood(pl.Series([101]))
    assert around.subjects.height == length + 1
    assert around.pairs.height == length
    assert resolver.neighbourhood(pl.Series([99])).subjects["serial"].to_list() == [99]


def test_a_neighbourhood_goes_through_claims(registry: Registry) -> None:
    resolver = registry.resolver
    state = resolver.claim("one")
    subjects = _subjects(range(1, 7)).with_columns(
        claim_group=pl.Series([None, b"one", b"one", b"two", b"two", None], dtype=pl.Binary)
    )
    linked = _pairs((1, 2, 5.0, "link"), (3, 4, 5.0, "link"))
    resolver.apply(_change(state, subjects_added=subjects, pairs_written=linked))

    assert sorted(resolver.neighbourhood(pl.Series([1])).subjects["serial"]) == [1, 2, 3, 4, 5]
    of_claim = resolver.neighbourhood(pl.Series([], dtype=pl.Int64), pl.Series([b"two"]))
    assert sorted(of_claim.subjects["serial"]) == [1, 2, 3, 4, 5]
    assert of_claim.pairs.height == 2
    assert resolver.neighbourhood(pl.Series([6])).subjects["serial"].to_list() == [6]


def test_a_former_resolver_writes_no_more(registry: Registry) -> None:
    resolver = registry.resolver
    former = resolver.claim("one")
    current = resolver.claim("two")
    change = _change(former, replace(former, next_subject=2), subjects_added=_subjects(range(1, 2)))
    assert _reason(lambda: resolver.apply(change)) is Reason.OWNERSHIP_LOST
    assert resolver.subjects(_subjects(range(1, 2)).select("source", "subject_ref")).is_empty()
    moved = replace(current, position={"t-0": 1}, sequence=1)
    resolver.apply(_change(current, moved))
    assert _reason(lambda: resolver.apply(_change(current, moved))) is Reason.OWNERSHIP_LOST


def test_the_outbox_is_read_in_order_until_it_is_relayed(registry: Registry) -> None:
    resolver = registry.resolver
    state = resolver.claim("one")
    for sequence in range(1, 6):
        after = replace(state, sequence=sequence)
        resolver.apply(replace(_change(state, after), transaction=PublishedTransaction(sequence, b"x", "[]", 1)))
        state = after
    assert [t.sequence for t in resolver.outbox(1, 3)] == [2, 3, 4]
    resolver.mark_relayed(3)
    assert resolver.relayed() == 3
    assert [t.sequence for t in resolver.outbox(0, 10)] == [4, 5]
    resolver.mark_relayed(2)
    assert resolver.relayed() == 3


def test_an_override_needs_known_subjects_and_the_last_one_holds(registry: Registry) -> None:
    resolver = registry.resolver
    resolver.apply(_change(resolver.claim("one"), subjects_added=_subjects(range(1, 4))))
    event = AuditEvent("reviewer", "linkage-review", "override", "recorded", {})
    assert registry.review.override(2, 1, "must_link", event) == 1
    assert registry.review.override(1, 2, "cannot_link", event) == 2
    assert _reason(lambda: registry.review.override(1, 9, "must_link", event)) is Reason.NOT_FOUND
    assert _reason(lambda: registry.review.override(1, 2, CANARY, event)) is Reason.NOT_FOUND
    last, named = resolver.overrides_after(1)
    assert (last, named.to_list()) == (2, [1, 2])
    assert resolver.overrides_after(2)[0] == 2
    assert resolver.neighbourhood(pl.Series([1])).overrides.rows() == [(1, 2, "cannot_link")]
    assert len(registry.query.audit_events()) == 2


def test_reviews_are_listed_page_by_page(registry: Registry) -> None:
    resolver = registry.resolver
    rows = [(1, 2, 0.0, "review"), (1, 3, 0.0, "link"), (1, 4, 0.0, "review"), (2, 3, 0.0, "review")]
    resolver.apply(_change(resolver.claim("one"), subjects_added=_subjects(range(1, 5)), pairs_written=_pairs(*rows)))
    first = registry.review.reviews((0, 0), 2)
    assert first.select("left_serial", "right_serial").rows() == [(1, 2), (1, 4)]
    assert registry.review.reviews((1, 4), 2).select("left_serial", "right_serial").rows() == [(2, 3)]


# --- adoption ---------------------------------------------------------------------------------------------------------
_ADOPT = AuditEvent("operator", "operation", "model.adopt", "done", {"model_id": "new"})


def _in_force(registry: Registry) -> ResolverState:
    """Make "old" the model in force, with a shard, three subjects of two persons, and two pairs."""
    registry.matcher.adopt_first_model("old", '{"old":1}')
    registry.matcher.claim_shard("old", 0, "m")
    registry.matcher.advance_shard("old", 0, 1, {}, {"t-0": 5})
    before = registry.resolver.claim("one")
    after = replace(before, next_subject=4, next_person=3, heard={"old/0": {"t-0": 5}})
    registry.resolver.apply(
        _change(
            before,
            after,
            subjects_added=pl.concat([_subjects(range(1, 3), 1), _subjects(range(3, 4), 2)]),
            pairs_written=_pairs((1, 2, 9.5, "link"), (2, 3, 0.0, "review")),
            persons_added=_people(1, 2),
        )
    )
    return after


def _shown(*serials: int) -> pl.DataFrame:
    return _subjects(range(1, 10)).filter(pl.col("serial").is_in(serials)).select(CANDIDATE_COLUMNS.names())


def _step(before: ResolverState, adoption: int, **frames: pl.DataFrame) -> CandidateStep:
    nothing = {
        "subjects_added": pl.DataFrame(schema=SUBJECT_COLUMNS),
        "shown": pl.DataFrame(schema=CANDIDATE_COLUMNS),
        "pairs": pl.DataFrame(schema=PAIR_COLUMNS),
    }
    return CandidateStep(before=before, after=before, adoption=adoption, **{**nothing, **frames})


def test_one_model_is_adopted_at_a_time_and_by_steps(registry: Registry) -> None:
    adoptions = registry.adoptions
    assert adoptions.in_use() == ModelsInUse(None, None)
    assert _reason(lambda: adoptions.begin("new", "{}", _ADOPT)) is Reason.MODEL_MISMATCH
    _in_force(registry)
    assert _reason(lambda: adoptions.begin("old", "{}", _ADOPT)) is Reason.MODEL_MISMATCH
    begun = adoptions.begin("new", '{"new":1}', _ADOPT)
    assert (begun.state, dict(begun.target), dict(begun.preview)) == (AdoptionState.PREPARING, {"t-0": 5}, {})
    assert adoptions.begin("new", '{"new":1}', _ADOPT) == begun
    assert adoptions.in_use() == registry.matcher.in_use() == ModelsInUse("old", begun)
    assert (adoptions.document("new"), registry.matcher.document("old")) == ('{"new":1}', '{"old":1}')
    assert _reason(lambda: adoptions.begin("third", "{}", _ADOPT)) is Reason.MODEL_MISMATCH
    assert _reason(lambda: adoptions.confirm(begun.serial, _ADOPT)) is Reason.MODEL_MISMATCH
    assert _reason(lambda: adoptions.adoption(99)) is Reason.STORE_MISSING

    moves = pl.DataFrame([(3, 1), (2, None)], MOVE_COLUMNS, orient="row")
    adoptions.ready(begun.serial, moves, {"subjects": 3})
    adoptions.ready(begun.serial, moves.head(0), {})  # once: it is not being prepared any more
    assert adoptions.adoption(begun.serial).preview == {"subjects": 3}
    one, two = f"{1:032d}", f"{2:032d}"
    assert adoptions.would_move().rows() == [
        ("a.one", f"{2:032x}", one, None),
        ("a.one", f"{3:032x}", two, one),
    ]
    for _ in range(2):
        adoptions.confirm(begun.serial, _ADOPT)
    assert adoptions.adoption(begun.serial).state is AdoptionState.CONFIRMED
    for _ in range(2):
        adoptions.abandon(begun.serial, _ADOPT)
    assert adoptions.in_use() == ModelsInUse("old", None)
    assert adoptions.would_move().is_empty()
    assert _reason(lambda: adoptions.confirm(begun.serial, _ADOPT)) is Reason.MODEL_MISMATCH
    assert [event.action for _, event, _ in registry.query.audit_events()] == ["model.adopt"] * 3
    assert adoptions.begin("third", "{}", _ADOPT).serial == begun.serial + 1


def test_each_model_in_use_has_shards_of_its_own(registry: Registry) -> None:
    _in_force(registry)
    matcher = registry.matcher
    assert _reason(lambda: matcher.claim_shard("new", 0, "m")) is Reason.MODEL_MISMATCH
    begun = registry.adoptions.begin("new", "{}", _ADOPT)
    assert matcher.claim_shard("new", 0, "m").epoch == 1
    matcher.advance_shard("new", 0, 1, {}, {"t-0": 2})
    assert [dict(s.position) for s in matcher.shards()] == [{"t-0": 5}]
    assert [dict(s.position) for s in matcher.shards("new")] == [{"t-0": 2}]
    registry.adoptions.abandon(begun.serial, _ADOPT)
    assert [dict(s.position) for s in matcher.shards("new")] == [{}], "whoever adopts it again begins at nothing"
    assert _reason(lambda: matcher.advance_shard("new", 0, 1, {"t-0": 2}, {"t-0": 3})) is Reason.OWNERSHIP_LOST


def test_what_was_counted_is_written_with_its_position_and_goes_with_its_model(registry: Registry) -> None:
    _in_force(registry)
    matcher = registry.matcher
    assert matcher.drift() == {}
    begun = registry.adoptions.begin("new", "{}", _ADOPT)
    matcher.claim_shard("new", 0, "m")
    matcher.advance_shard("new", 0, 1, {}, {"t-0": 1}, {"b.two": "1", "a.one": "1"})
    lost = lambda: matcher.advance_shard("new", 0, 1, {}, {"t-0": 9}, {"a.one": "9"})  # noqa: E731
    assert _reason(lost) is Reason.OWNERSHIP_LOST
    matcher.advance_shard("new", 0, 1, {"t-0": 1}, {"t-0": 2}, {"a.one": "2"})
    assert list(matcher.drift("new").items()) == [("a.one", "2"), ("b.two", "1")]
    assert matcher.drift() == {}, "of the model in force, which has counted nothing"
    registry.adoptions.abandon(begun.serial, _ADOPT)
    assert matcher.drift("new") == {}


def test_what_the_candidate_says_is_kept_apart(registry: Registry) -> None:
    state = _in_force(registry)
    adoptions = registry.adoptions
    begun = adoptions.begin("new", "{}", _ADOPT)
    keys = _subjects(range(1, 5)).select("source", "subject_ref")
    assert adoptions.subjects(keys)["version"].to_list() == [-1, -1, -1]
    unseen = _subjects(range(4, 5)).with_columns(version=pl.lit(-1, pl.Int64), passed=pl.lit(0, pl.Int64))
    pairs = _pairs((1, 4, 3.0, "link")).with_columns(probability=pl.lit(None), decision=pl.lit(None))
    step = _step(state, begun.serial, subjects_added=unseen, shown=_shown(1, 4), pairs=pairs.cast(dict(PAIR_COLUMNS)))
    adoptions.hear(step)
    adoptions.hear(replace(step, subjects_added=unseen.head(0)))  # the same again changes nothing
    told = adoptions.subjects(keys).sort("serial")
    assert told["version"].to_list() == [1, -1, -1, 1]
    assert told["person"].to_list() == [1, 1, 2, None]
    assert adoptions.pairs(pl.Series([1])).equals(pairs.cast(dict(PAIR_COLUMNS)))
    assert adoptions.pairs(pl.Series([2])).is_empty()
    stored = adoptions.candidate_state()
    assert (stored.roster.height, stored.shown.height, stored.pairs.height, stored.decided.height) == (4, 2, 1, 2)
    assert registry.resolver.neighbourhood(pl.Series([1])).pairs.height == 2
    assert registry.resolver.persons().height == 3

    registry.resolver.claim("two")
    assert _reason(lambda: adoptions.hear(step)) is Reason.OWNERSHIP_LOST


def test_what_is_said_for_an_adoption_that_ended_moves_the_position_only(registry: Registry) -> None:
    state = _in_force(registry)
    begun = registry.adoptions.begin("new", "{}", _ADOPT)
    registry.adoptions.abandon(begun.serial, _ADOPT)
    moved = replace(state, position={"links-0": 9})
    registry.adoptions.hear(replace(_step(state, begun.serial, shown=_shown(1)), after=moved))
    assert registry.resolver.position() == {"links-0": 9}
    assert registry.adoptions.candidate_state().shown.is_empty()


def _switch(state: ResolverState, adoption: int) -> ModelSwitch:
    return ModelSwitch(
        before=state,
        after=replace(state, sequence=2, next_person=4, heard={}),
        adoption=adoption,
        subjects_changed=_subjects(range(2, 3), 3),
        pairs=_pairs((1, 3, 4.0, "apart")),
        persons_added=_people(3),
        persons_retired=pl.DataFrame({"serial": [2], "superseded_by": [1]}),
        transactions=(PublishedTransaction(1, b"x", "[]", 1), PublishedTransaction(2, b"y", "[]", 1)),
    )


def test_a_switch_is_one_transaction_and_only_of_a_confirmed_adoption(registry: Registry) -> None:
    state = _in_force(registry)
    adoptions = registry.adoptions
    begun = adoptions.begin("new", '{"new":1}', _ADOPT)
    registry.matcher.claim_shard("new", 0, "m")
    adoptions.hear(_step(state, begun.serial, shown=_shown(1)))
    adoptions.ready(begun.serial, pl.DataFrame(schema=MOVE_COLUMNS), {})
    assert adoptions.switch(_switch(state, begun.serial)) is False
    adoptions.confirm(begun.serial, _ADOPT)
    assert adoptions.switch(_switch(state, begun.serial + 1)) is False
    broken = replace(_switch(state, begun.serial), subjects_changed=_subjects(range(2, 3), 99))
    assert _reason(lambda: adoptions.switch(broken)) is Reason.INTERNAL
    assert adoptions.in_use().active == "old"
    assert registry.resolver.outbox(0, 9) == []

    assert adoptions.switch(_switch(state, begun.serial)) is True
    assert adoptions.in_use() == ModelsInUse("new", None)
    assert registry.matcher.active_model() == ("new", '{"new":1}')
    assert [dict(s.position) for s in registry.matcher.shards("old")] == [{}]
    assert len(registry.matcher.shards()) == 1
    assert adoptions.switch(_switch(state, begun.serial)) is False
    stored = adoptions.candidate_state()
    assert (stored.shown.height, stored.pairs.height) == (0, 0)
    assert stored.decided.rows() == [(1, 3, "apart")]
    assert [t.sequence for t in registry.resolver.outbox(0, 9)] == [1, 2]
    assert registry.resolver.lineage(f"{2:032d}") == (True, f"{1:032d}")
    assert registry.resolver.claim("one").sequence == 2
    assert [event.action for _, event, _ in registry.query.audit_events()][-1] == "model.switch"
    assert _reason(lambda: adoptions.abandon(begun.serial, _ADOPT)) is Reason.MODEL_MISMATCH
    adoptions.confirm(begun.serial, _ADOPT)  # whoever confirms twice hears no error
    # Whoever starts with the former model goes on with the adopted one; an unknown one is refused still.
    registry.matcher.adopt_first_model("old", "{}")
    assert _reason(lambda: registry.matcher.adopt_first_model("third", "{}")) is Reason.MODEL_MISMATCH


def test_the_number_of_shards_changes_only_while_nothing_is_under_way(registry: Registry) -> None:
    matcher = registry.matcher
    matcher.settle_shards(2, {}, {})  # no model is in force yet
    _in_force(registry)
    for count in (1, 1):
        matcher.settle_shards(count, {"t-0": 9}, {"l-0": 9})  # it is what it was
    for subjects_end, links_end in (({"t-0": 6}, {}), ({"t-0": 5}, {"l-0": 1})):
        refused = lambda s=subjects_end, e=links_end: matcher.settle_shards(2, s, e)  # noqa: E731
        assert _reason(refused) is Reason.SETTING_INVALID
    begun = registry.adoptions.begin("new", "{}", _ADOPT)
    assert _reason(lambda: matcher.settle_shards(2, {"t-0": 5}, {})) is Reason.SETTING_INVALID
    registry.adoptions.abandon(begun.serial, _ADOPT)
    matcher.settle_shards(2, {"t-0": 5}, {})
    assert [(s.shard, s.epoch, dict(s.position)) for s in matcher.shards()] == [(0, 1, {"t-0": 5}), (1, 1, {"t-0": 5})]
    assert matcher.claim_shard("old", 0, "m").epoch == 2


# --- features, query, governance --------------------------------------------------------------------------------------
def _snapshot(name: str) -> Snapshot:
    return Snapshot(name, 1_700_000_000_000, date(2025, 4, 1), {"features": 3}, "m", {"t-0": 2}, '{"persons":1}')


def test_a_snapshot_and_its_position_are_published_together(registry: Registry) -> None:
    assert registry.features.features_position() == ({}, 0)
    assert registry.query.latest_snapshot() is None
    registry.features.publish_snapshot(_snapshot("one"), {"t-0": 4}, 7)
    registry.features.publish_snapshot(_snapshot("two"), {"t-0": 5}, 8)
    assert registry.features.features_position() == ({"t-0": 5}, 8)
    assert registry.features.snapshots() == [_snapshot("two"), _snapshot("one")]
    assert registry.query.latest_snapshot() == _snapshot("two")
    assert registry.query.snapshot("one") == _snapshot("one")
    assert registry.query.snapshot("none") is None


def test_a_release_and_its_audit_event_are_one(registry: Registry) -> None:
    event = AuditEvent("analyst", "population-health", "count", "released", {"cohort": "c1"}, 5)
    registry.query.record_release("one", "q1", "d1", event)
    registry.query.record_release("one", "q2", "d2", event)
    assert list(registry.query.released("one")) == [("q1", "d1"), ("q2", "d2")]
    assert list(registry.query.released("two")) == []
    assert [(serial, found) for serial, found, _ in registry.query.audit_events()] == [(1, event), (2, event)]


def test_the_audit_chain_shows_any_change(registry: Registry, url: str) -> None:
    for number in range(4):
        registry.query.audit(AuditEvent("a", "p", f"act {number}", "done", {"n": str(number)}))
    events = registry.query.audit_events()
    assert first_break(events) is None
    assert all(event.occurred_at_ms for _, event, _ in events)
    assert first_break([*events[:1], *events[2:]]) == 2
    database = Database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE audit SET outcome = 'denied' WHERE serial = 3")
    database.close()
    assert first_break(registry.query.audit_events()) == 3


# --- several processes, kills, errors ---------------------------------------------------------------------------------
WRITE_MANY = """
import sys
from services.registry import AuditEvent
from services.registry.sql import open_registry

url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
registry = open_registry(url)
for number in range(count):
    registry.query.audit(AuditEvent(name, "p", str(number), "done", {}))
    registry.ingest.open_stream(f"{name}-{number}", "a.one", "health", "{}")
"""

DIE_WHILE_WRITING = """
import os, sys
from services.registry import AuditEvent
from services.registry.sql import open_registry
from services.registry.sql.database import Database

registry = open_registry(sys.argv[1])
registry.query.audit(AuditEvent("a", "p", "kept", "done", {}))
with Database(sys.argv[1]).writing() as connection:
    connection.exec_driver_sql("DELETE FROM audit")
    os._exit(9)
"""


def test_two_processes_write_one_chain(url: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITE_MANY, url, name, "40"]) for name in ("one", "two")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    registry = open_registry(url)
    events = registry.query.audit_events()
    assert len(events) == 80
    assert first_break(events) is None
    assert [e.action for _, e, _ in events if e.principal == "two"] == [str(n) for n in range(40)]
    assert len(registry.ingest.streams()) == 80
    registry.close()


def test_threads_share_a_registry(registry: Registry) -> None:
    def write(name: str) -> None:
        for number in range(20):
            registry.query.audit(AuditEvent(name, "p", str(number), "done", {}))

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first_break(registry.query.audit_events()) is None
    assert len(registry.query.audit_events()) == 80


def test_a_killed_writer_leaves_what_was_committed_and_nothing_else(url: str) -> None:
    assert subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, url], timeout=60, check=False).returncode == 9
    registry = open_registry(url)
    assert [event.action for _, event, _ in registry.query.audit_events()] == ["kept"]
    registry.query.audit(AuditEvent("a", "p", "after", "done", {}))
    registry.close()


def test_an_error_rolls_the_whole_transaction_back(registry: Registry) -> None:
    resolver = registry.resolver
    state = resolver.claim("one")
    unknown_person = _subjects(range(1, 2), person=99)
    change = _change(state, replace(state, sequence=1), subjects_added=unknown_person, persons_added=_people(1))
    assert _reason(lambda: resolver.apply(change)) is Reason.INTERNAL
    assert resolver.claim("one").sequence == 0
    assert resolver.person_ids(pl.Series([1])).is_empty()


def test_a_locked_file_is_busy_and_a_foreign_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = open_registry(f"sqlite:///{path}", busy_timeout_s=0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransientError) as caught:
        registry.ingest.open_stream("s", "a.one", "health", f'"{CANARY}"')
    assert caught.value.reason is Reason.BUSY
    assert registry.ingest.streams() == []
    holder.execute("ROLLBACK")
    holder.close()
    registry.close()

    foreign = tmp_path / "foreign.db"
    foreign.write_bytes(CANARY.encode() * 400)
    assert _reason(lambda: open_registry(f"sqlite:///{foreign}")) is Reason.STORE_VERSION


def test_a_folder_that_cannot_be_made_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((StateError, InputError)) as caught:
        open_registry(f"sqlite:///{tmp_path / 'file' / 'registry.db'}")
    assert caught.value.reason is Reason.STORE_MISSING


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    open_registry(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o077 == 0


# --- one schema, one SQL ----------------------------------------------------------------------------------------------
def test_every_statement_is_one_that_postgresql_takes_too(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the suite's largest calls send is compiled for PostgreSQL as well; there is no SQL text of our own."""
    other = postgresql.dialect(paramstyle="format")
    seen: list[str] = []

    def note(_connection: object, statement: Any, *_: object) -> None:
        seen.append(str(statement.compile(dialect=other)))

    def each_too(connection: Any, statement: Any, rows: pl.DataFrame) -> None:
        compiled = statement.compile(dialect=other, column_keys=rows.columns)
        assert set(compiled.positiontup) <= set(rows.columns)
        seen.append(str(compiled))
        each(connection, statement, rows)

    def matching_too(connection: Any, column: Any, values: pl.Series, schema: Any, **fixed: str) -> pl.DataFrame:
        seen.append(matching_sql(other, column, tuple(schema), tuple(fixed), 16))
        return matching(connection, column, values, schema, **fixed)

    for module in (reach_module, resolver_module, adoption_module):
        monkeypatch.setattr(module, "matching", matching_too)
    each = storing_module._each
    monkeypatch.setattr(storing_module, "_each", each_too)
    alone: tuple[Callable[[Registry], None], ...] = (
        test_a_step_is_written_whole_and_read_back,
        test_changes_replace_rows_and_keep_keys,
        test_the_outbox_is_read_in_order_until_it_is_relayed,
        test_leases_tell_who_is_alive_in_the_order_of_joining,
        test_shards_of_which_all_is_asked_again_go_back_and_are_nobodys,
        test_an_override_needs_known_subjects_and_the_last_one_holds,
        test_reviews_are_listed_page_by_page,
        test_a_release_and_its_audit_event_are_one,
        test_one_model_is_adopted_at_a_time_and_by_steps,
        test_each_model_in_use_has_shards_of_its_own,
        test_what_was_counted_is_written_with_its_position_and_goes_with_its_model,
        test_what_the_candidate_says_is_kept_apart,
        test_what_is_said_for_an_adoption_that_ended_moves_the_position_only,
        test_a_switch_is_one_transaction_and_only_of_a_confirmed_adoption,
        test_the_number_of_shards_changes_only_while_nothing_is_under_way,
    )
    event.listen(Engine, "before_execute", note)
    try:
        test_a_batch_counts_once_however_often_it_is_recorded(registry)
        test_only_the_last_claimant_moves_a_shard_and_only_from_where_it_stands(registry)
        test_a_snapshot_and_its_position_are_published_together(registry)
        test_a_registry_of_the_first_release_is_brought_up_to_date_with_what_it_holds(
            f"sqlite:///{tmp_path / 'old.db'}"
        )
        for number, test in enumerate(alone):
            with closing(open_registry(f"sqlite:///{tmp_path / f'fresh-{number}.db'}")) as fresh:
                test(fresh)
    finally:
        event.remove(Engine, "before_execute", note)
    verbs = {sql.split()[0] for sql in seen}
    assert {"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"} <= verbs
    for table in metadata.tables:
        assert any(re.search(rf"\b(FROM|JOIN) {table}\b", sql) for sql in seen), f"{table} is never read"
        assert any(re.match(rf"(INSERT INTO|UPDATE) {table}\b", sql) for sql in seen), f"{table} is never written"
    assert any("FOR UPDATE" in sql for sql in seen)
    for table in metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=other)).strip().startswith("CREATE TABLE")
