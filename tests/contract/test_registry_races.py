"""Writers of one registry at once, threads and processes: whoever comes second sees what the first one did."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import Reason, StateError
from services.registry import AuditEvent, Registry, ResolverChange, Snapshot
from services.registry.chain import first_break
from services.registry.resolver import PAIR_COLUMNS, SUBJECT_COLUMNS
from services.registry.sql import open_registry

WRITERS = 6


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.brokers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that nothing has been written to."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'registry.db'}"


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    with closing(open_registry(url)) as registry:
        yield registry


def at_once(act: Callable[[int], object]) -> list[object]:
    """Call `act` in so many threads at once, and return what each returned or raised."""
    results: list[object] = [None] * WRITERS
    line = threading.Barrier(WRITERS)

    def run(number: int) -> None:
        line.wait()
        try:
            results[number] = act(number)
        except StateError as error:
            results[number] = error.reason

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_an_empty_database_is_made_ready_once(url: str) -> None:
    def opened(_: int) -> int:
        with closing(open_registry(url)) as registry:
            return len(registry.ingest.streams())

    assert at_once(opened) == [0] * WRITERS


def test_a_stream_that_many_open_is_one(registry: Registry) -> None:
    found = at_once(lambda _: registry.ingest.open_stream("s", "a.one", "health", "{}").stream_id)
    assert found == ["s"] * WRITERS
    other = at_once(lambda n: registry.ingest.open_stream("t", "a.one", "health", f'{{"n":{n}}}').stream_id)
    assert sorted(map(str, other)) == [*[str(Reason.STREAM_NOT_OPENED)] * (WRITERS - 1), "t"]


def test_a_batch_that_many_record_counts_once_and_no_count_is_lost(registry: Registry) -> None:
    for number in range(WRITERS):
        registry.ingest.open_stream(f"s{number}", "a.one", "health", "{}")
    registry.ingest.open_stream("all", "a.one", "health", "{}")

    def record(number: int) -> None:
        for batch in range(5):
            for stream in ("all", f"s{number}"):
                registry.ingest.record_batch(
                    stream, batch, f"d{batch}", accepted=2, refused={"FIELD_INVALID": 1}, fields={"token_surname": 1}
                )

    assert at_once(record) == [None] * WRITERS
    streams = {s.stream_id: (s.next_batch, s.accepted, s.refused) for s in registry.ingest.streams()}
    assert set(streams.values()) == {(5, 10, 5)}
    assert registry.ingest.refusals("all") == {"FIELD_INVALID": 5}
    assert registry.ingest.field_counts("a.one") == {"_records": 10 * (WRITERS + 1), "token_surname": 5 * (WRITERS + 1)}


def test_of_many_models_one_is_the_first(registry: Registry) -> None:
    results = at_once(lambda n: registry.matcher.adopt_first_model(f"m{n}", "{}"))
    assert results.count(None) == 1
    assert results.count(Reason.MODEL_MISMATCH) == WRITERS - 1


def test_every_claim_of_a_shard_has_an_epoch_of_its_own_and_the_last_one_holds(registry: Registry) -> None:
    matcher = registry.matcher
    matcher.adopt_first_model("m", "{}")
    claimed = at_once(lambda n: matcher.claim_shard("m", 0, f"w{n}").epoch)
    assert sorted(map(int, map(str, claimed))) == list(range(1, WRITERS + 1))

    def advance(epoch: int) -> str:
        matcher.advance_shard("m", 0, epoch + 1, {}, {"t-0": epoch + 1}, {"a.one": f'{{"by":{epoch}}}'})
        return "moved"

    results = at_once(advance)
    assert results == [*[Reason.OWNERSHIP_LOST] * (WRITERS - 1), "moved"]
    assert [dict(s.position) for s in matcher.shards()] == [{"t-0": WRITERS}]


def test_a_position_moves_once_from_where_it_stands_and_each_shard_counts_its_drift(registry: Registry) -> None:
    matcher = registry.matcher
    matcher.adopt_first_model("m", "{}")
    epochs = [matcher.claim_shard("m", shard, "w").epoch for shard in range(WRITERS)]
    results = at_once(lambda n: matcher.advance_shard("m", 0, epochs[0], {}, {"t-0": n + 1}))
    assert results.count(None) == 1
    own = at_once(lambda n: n and matcher.advance_shard("m", n, epochs[n], {}, {"t-0": 1}, {"a.one": f"[{n}]"}))
    assert set(own[1:]) == {None}
    assert len(matcher.drift("m")) == 1


def _step(registry: Registry, state: object, number: int) -> str:
    subjects = pl.DataFrame(
        [(number + 1, "a.one", f"{number:032x}", 1, False, 0, True, None, 1, None, None)], SUBJECT_COLUMNS, orient="row"
    )
    none = pl.DataFrame(schema=PAIR_COLUMNS)
    registry.resolver.apply(
        ResolverChange(
            before=state,  # type: ignore[arg-type]
            after=replace(state, sequence=1, position={"l-0": number}),  # type: ignore[type-var]
            subjects_added=subjects,
            subjects_changed=subjects.head(0),
            pairs_removed=none.select("left_serial", "right_serial"),
            pairs_written=none,
            persons_added=pl.DataFrame(schema={"serial": pl.Int64, "person_id": pl.String}),
            persons_retired=pl.DataFrame(schema={"serial": pl.Int64, "superseded_by": pl.Int64}),
            transaction=None,
        )
    )
    return "written"


def test_of_many_steps_from_one_state_one_is_written(registry: Registry) -> None:
    epochs = at_once(lambda n: registry.resolver.claim(f"r{n}").epoch)
    assert sorted(map(int, map(str, epochs))) == list(range(1, WRITERS + 1))
    state = registry.resolver.claim("last")
    results = at_once(lambda n: _step(registry, state, n))
    assert sorted(map(str, results)) == [*[str(Reason.OWNERSHIP_LOST)] * (WRITERS - 1), "written"]
    keys = pl.DataFrame({"source": ["a.one"] * WRITERS, "subject_ref": [f"{n:032x}" for n in range(WRITERS)]})
    assert registry.resolver.subjects(keys).height == 1


def test_overrides_and_the_audit_chain_have_no_gap_and_no_fork(registry: Registry) -> None:
    _step(registry, registry.resolver.claim("one"), 0)
    state = registry.resolver.claim("one")
    second = pl.DataFrame([(2, "a.one", "b", 1, False, 0, True, None, 1, None, None)], SUBJECT_COLUMNS, orient="row")
    pairs = pl.DataFrame(schema=PAIR_COLUMNS)
    registry.resolver.apply(
        ResolverChange(
            state,
            state,
            second,
            second.head(0),
            pairs.select("left_serial", "right_serial"),
            pairs,
            pl.DataFrame(schema={"serial": pl.Int64, "person_id": pl.String}),
            pl.DataFrame(schema={"serial": pl.Int64, "superseded_by": pl.Int64}),
            None,
        )
    )

    def decide(number: int) -> list[int]:
        event = AuditEvent(f"r{number}", "p", "decide", "done", {})
        return [registry.review.override(1, 2, "must_link", event) for _ in range(5)]

    made = [serial for serials in at_once(decide) for serial in serials]  # type: ignore[attr-defined]
    assert sorted(made) == list(range(1, 5 * WRITERS + 1))
    events = registry.query.audit_events()
    assert (len(events), first_break(events)) == (5 * WRITERS, None)


def test_of_many_adoptions_one_is_begun(registry: Registry) -> None:
    registry.matcher.adopt_first_model("old", "{}")
    event = AuditEvent("o", "p", "adopt", "done", {})
    results = at_once(lambda n: registry.adoptions.begin(f"m{n}", "{}", event).model_id)
    assert results.count(Reason.MODEL_MISMATCH) == WRITERS - 1
    adoption = registry.adoptions.in_use().adoption
    assert adoption is not None
    assert adoption.model_id in results


def test_a_snapshot_is_published_beside_others(registry: Registry) -> None:
    from datetime import date

    def publish(number: int) -> None:
        snapshot = Snapshot(f"s{number}", 1, date(2026, 1, 1), {}, None, {}, "{}")
        registry.features.publish_snapshot(snapshot, {"t-0": number}, number)

    assert at_once(publish) == [None] * WRITERS
    newest = registry.features.snapshots()[0].snapshot_id
    assert registry.features.features_position() == ({"t-0": int(newest[1:])}, int(newest[1:]))


RECORD = """
import sys
from services.registry import AuditEvent
from services.registry.sql import open_registry

url, name = sys.argv[1:]
registry = open_registry(url)
registry.ingest.open_stream("shared", "a.one", "health", "{}")
registry.ingest.open_stream(name, "a.one", "health", "{}")
for batch in range(30):
    for stream in ("shared", name):
        registry.ingest.record_batch(stream, batch, "d", accepted=1, refused={}, fields={"token_nino": 1})
    registry.query.audit(AuditEvent(name, "p", str(batch), "done", {}))
registry.close()
"""


def test_two_ingest_processes_give_each_batch_one_receipt(url: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", RECORD, url, name]) for name in ("one", "two")]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    with closing(open_registry(url)) as registry:
        streams = {s.stream_id: (s.next_batch, s.accepted) for s in registry.ingest.streams()}
        assert streams == dict.fromkeys(("shared", "one", "two"), (30, 30))
        assert registry.ingest.field_counts("a.one") == {"_records": 90, "token_nino": 90}
        events = registry.query.audit_events()
        assert (len(events), first_break(events)) == (60, None)
