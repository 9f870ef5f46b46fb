"""The resolver role over a bus and a registry file: what it publishes, what it survives, who keeps which id."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from linkage.compare import LEVEL, PLACE, STRIDES
from schemas.columns import columns
from schemas.contracts.links import PairLink, Roster
from schemas.contracts.persons import MembershipChange, PersonEvent
from schemas.decision import DecisionPolicy
from schemas.errors import Reason, StateError, TransientError
from schemas.topics import LINKS, PERSONS, Topic
from schemas.wire import from_ipc, to_ipc
from services.bus import Message, Outgoing
from services.bus.memory import MemoryBus
from services.registry import AuditEvent
from services.registry.sql import SqlRegistry, open_registry
from services.resolver import Resolver

AT_ONE_HOME = LEVEL["home"]["address_same_postcode_same"] * STRIDES[PLACE["home"]]
CANARY = "CanaryValue9434765919"


class Line:
    """A bus, a registry and the resolver between them; `say` plays the matcher. Subjects are "source/ref"."""

    def __init__(self, folder: Path, shards: int = 1) -> None:
        self.bus = MemoryBus()
        self.bus.create_topics([LINKS, PERSONS])
        self.registry: SqlRegistry = open_registry(f"sqlite:///{folder / 'registry.db'}")
        self.shards = shards
        self.resolver = self.start()

    def start(self, **options: Any) -> Resolver:
        self.resolver = Resolver(
            self.bus,
            self.registry.resolver,
            DecisionPolicy(),
            owner="test",
            shards=self.shards,
            poll_s=0.0,
            **options,
        )
        return self.resolver

    def say(
        self,
        *subjects: str,
        pairs: tuple[tuple[str, str, float], ...] = (),
        version: int = 1,
        operation: str = "upsert",
        shard: int = 0,
        epoch: int = 1,
        whole: bool = True,
        unique: tuple[str, ...] = ("h",),
        content: int = 0,
    ) -> None:
        roster: list[tuple[Any, ...]] = [
            (*subject.split("/"), version, operation, subject.split("/")[0] in unique, None, content)
            for subject in subjects
        ]
        rows: list[tuple[Any, ...]] = [
            (*a.split("/"), version, *b.split("/"), version, 0, odds, odds, None, "m", shard, content, content)
            for a, b, odds in pairs
        ]
        headers = {"shard": str(shard), "epoch": str(epoch)}
        frames = [("roster", roster, Roster), ("pairs", rows, PairLink)]
        for kind, data, contract in frames if whole else frames[:1]:
            own = {**headers, "kind": kind, **({"position": "{}"} if kind == "pairs" else {})}
            value = to_ipc(pl.DataFrame(data, columns(contract), orient="row"))
            self.send(Outgoing(LINKS.name, shard % LINKS.partitions, b"0", value, own))

    def send(self, message: Outgoing) -> None:
        self.bus.producer().send([message])

    def drain(self) -> None:
        while self.resolver.step():
            pass

    def ids(self) -> dict[str, str]:
        persons = self.registry.resolver.persons()
        return {f"{s}/{r}": p for p, s, r in persons.select("person_id", "source", "subject_ref").iter_rows()}

    def read(self, topic: Topic) -> list[Message]:
        consumer = self.bus.consumer("reader", [topic])
        consumer.seek(self.bus.begin_offsets(topic))
        return consumer.poll(1000, 0.0)

    def events(self) -> list[PersonEvent]:
        return [PersonEvent(**e) for m in self.read(PERSONS) for e in json.loads(m.headers["events"])]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    line = Line(tmp_path)
    yield line
    line.registry.close()


def test_a_transaction_says_who_moved_and_how_sure_it_is(line: Line) -> None:
    line.say("h/1", "h/2", "w/1", pairs=(("h/1", "w/1", 10.0),))
    line.drain()
    (message,) = line.read(PERSONS)
    assert (message.key, message.partition) == (None, 0)
    assert {k: message.headers[k] for k in ("kind", "sequence", "events", "rows", "schema_version")} == {
        "kind": "transaction",
        "sequence": "1",
        "events": "[]",
        "rows": "3",
        "schema_version": "1",
    }
    changes = from_ipc(message.value or b"")
    assert changes.schema == columns(MembershipChange)
    ids = line.ids()
    assert ids["h/1"] == ids["w/1"] != ids["h/2"]
    assert all(len(p) == 32 and int(p, 16) >= 0 for p in ids.values())
    told = {(s, r): (p, was, sure) for s, r, p, was, sure in changes.iter_rows()}
    assert told[("h", "1")][:2] == (ids["h/1"], None)
    assert told[("h", "1")][2] == pytest.approx(1024 / 1025)
    assert told[("h", "2")] == (ids["h/2"], None, None)


def test_an_id_outlives_growth_and_a_merge_keeps_the_oldest(line: Line) -> None:
    line.say("h/1")
    line.say("w/1", "w/2")
    line.drain()
    first = line.ids()
    line.say("w/3", pairs=(("h/1", "w/3", 9.0),))
    line.drain()
    assert line.ids() == {**first, "w/3": first["h/1"]}
    line.say("w/2", version=2, pairs=(("h/1", "w/2", 9.0),))
    line.drain()
    assert line.ids()["w/2"] == first["h/1"]
    (event,) = line.events()
    assert (event.kind, event.person_id, event.superseded_by) == ("merge", first["w/2"], first["h/1"])
    assert line.registry.resolver.lineage(first["w/2"]) == (True, first["h/1"])


def test_a_split_keeps_the_id_where_the_oldest_subject_is(line: Line) -> None:
    line.say("h/1", "w/1", "w/2", pairs=(("h/1", "w/1", 9.0), ("w/1", "w/2", 9.0)))
    line.drain()
    (person,) = set(line.ids().values())
    line.say("w/1", version=2, pairs=(("w/1", "w/2", 9.0),))
    line.drain()
    ids = line.ids()
    assert ids["h/1"] == person != ids["w/1"] == ids["w/2"]
    (event,) = line.events()
    assert (event.kind, event.person_id, event.superseded_by) == ("split", person, ids["w/1"])


def test_a_withdrawn_subject_leaves_and_what_it_bridged_comes_apart(line: Line) -> None:
    line.say("w/1", "w/2", "w/3", pairs=(("w/1", "w/2", 9.0), ("w/2", "w/3", 9.0)))
    line.drain()
    (person,) = set(line.ids().values())
    line.say("w/2", version=2, operation="withdraw")
    line.drain()
    ids = line.ids()
    assert set(ids) == {"w/1", "w/3"}
    assert ids["w/1"] == person != ids["w/3"]
    last = from_ipc(line.read(PERSONS)[-1].value or b"")
    assert last.filter(subject_ref="2").rows() == [("w", "2", None, person, None)]
    # Late and repeated old versions do not bring it back; a newer one does, and its pairs with it.
    line.say("w/2", pairs=(("w/1", "w/2", 9.0),))
    line.drain()
    assert line.ids() == ids
    line.say("w/2", version=3, pairs=(("w/1", "w/2", 9.0),))
    line.drain()
    assert line.ids()["w/2"] == person


def test_a_person_whose_subjects_have_all_left_is_retired_for_good(line: Line) -> None:
    line.say("h/1")
    line.drain()
    person = line.ids()["h/1"]
    line.say("h/1", version=2, operation="withdraw")
    line.drain()
    assert line.ids() == {}
    line.say("h/1", version=3)
    line.drain()
    assert line.ids()["h/1"] != person
    retire = line.events()[0]
    assert (retire.kind, retire.person_id, retire.superseded_by) == ("retire", person, None)


def test_nothing_of_a_micro_batch_counts_before_it_is_whole(line: Line) -> None:
    line.say("h/1", "w/1", pairs=(("h/1", "w/1", 9.0),))
    line.drain()
    ids = line.ids()
    line.say("w/1", version=2, whole=False)
    line.drain()
    assert line.ids() == ids
    assert line.registry.resolver.position() == {"hwlink.links.v1-0": 2}
    line.start()  # a restart reads the beginning of the micro-batch again
    line.say(pairs=(("h/1", "w/1", 8.0),), version=2)
    line.drain()
    assert line.ids() == ids
    assert line.registry.resolver.position() == {"hwlink.links.v1-0": 5}


def test_what_a_lost_owner_began_is_dropped_when_the_next_one_speaks(line: Line) -> None:
    line.say("h/1", whole=False)
    line.drain()
    line.say("h/2", epoch=2)
    line.say("h/3", epoch=1)
    line.drain()
    assert set(line.ids()) == {"h/2"}
    assert line.registry.resolver.position() == {"hwlink.links.v1-0": 5}


def test_a_superseded_pair_holds_until_every_shard_has_passed_the_new_version(tmp_path: Path) -> None:
    line = Line(tmp_path, shards=2)
    everybody = ("w/1", "w/2", "w/3")
    line.say(*everybody, pairs=(("w/1", "w/2", 9.0), ("w/2", "w/3", 9.0)), shard=0)
    line.say(*everybody, shard=1)
    line.drain()
    (person,) = set(line.ids().values())
    # The new version of w/1 is no longer like w/2 (shard 0), but like w/3 (shard 1): it must not leave and come back.
    line.say("w/1", version=2, shard=0)
    line.drain()
    assert set(line.ids().values()) == {person}
    link = (("w/1", "w/3", 9.0),)
    line.say("w/1", version=2, pairs=link, shard=1)
    line.drain()
    assert set(line.ids().values()) == {person}
    assert line.events() == []
    pairs = line.registry.resolver.neighbourhood(pl.Series([1])).pairs
    assert pairs.select("left_serial", "right_serial").rows() in ([(1, 3), (2, 3)], [(2, 3), (1, 3)])
    line.registry.close()


def test_of_two_contents_of_one_version_only_the_higher_hash_keeps_its_pairs(line: Line) -> None:
    other = ("w/1", "w/2", 9.0)
    line.say("w/1", "w/2", "w/3", pairs=(other,), content=-5)
    line.drain()
    ids = line.ids()
    assert ids["w/1"] == ids["w/2"]
    line.say("w/1", content=7)  # is like nobody
    line.drain()
    assert len(set(line.ids().values())) == 3
    line.say("w/1", pairs=(other,), content=-5)  # once more, late
    line.drain()
    assert len(set(line.ids().values())) == 3
    line.say("w/1", operation="withdraw", content=-9)
    line.drain()
    assert set(line.ids()) == {"w/2", "w/3"}


def test_a_pair_waits_for_a_subject_that_nobody_has_shown_yet(line: Line) -> None:
    line.say("h/1", pairs=(("h/1", "w/1", 9.0),))
    line.drain()
    assert set(line.ids()) == {"h/1"}
    line.say("w/1")
    line.drain()
    assert line.ids()["w/1"] == line.ids()["h/1"]


def test_a_crash_between_writing_and_publishing_publishes_at_the_next_start(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TransientError(Reason.UNAVAILABLE, "not now")

    line.say("h/1")
    with monkeypatch.context() as patched:
        patched.setattr(line.resolver._producer, "send", fail)
        with pytest.raises(TransientError):
            line.resolver.step()
    assert line.read(PERSONS) == []
    ids = line.ids()
    assert set(ids) == {"h/1"}
    line.start().step()
    assert [m.headers["sequence"] for m in line.read(PERSONS)] == ["1"]
    assert line.ids() == ids
    assert line.registry.resolver.outbox(0, 10) == []


def test_a_crash_before_the_outbox_is_marked_publishes_twice_with_one_sequence(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TransientError(Reason.BUSY, "not now")

    line.say("h/1")
    with monkeypatch.context() as patched:
        patched.setattr(line.registry.resolver, "mark_relayed", fail)
        with pytest.raises(TransientError):
            line.resolver.step()
    line.start()
    line.say("h/2")
    line.drain()
    assert [m.headers["sequence"] for m in line.read(PERSONS)] == ["1", "1", "2"]


def test_a_transient_failure_loses_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TransientError(Reason.BUSY, "not now")

    line.say("h/1", "w/1", pairs=(("h/1", "w/1", 9.0),))
    with monkeypatch.context() as patched:
        patched.setattr(line.registry.resolver, "apply", fail)
        with pytest.raises(TransientError):
            line.resolver.step()
    line.drain()
    assert len(set(line.ids().values())) == 1
    assert [m.headers["sequence"] for m in line.read(PERSONS)] == ["1"]


def test_a_former_resolver_stops_when_another_has_taken_over(line: Line) -> None:
    former = line.resolver
    line.start()
    line.say("h/1")
    with pytest.raises(StateError) as caught:
        former.step()
    assert caught.value.reason is Reason.OWNERSHIP_LOST
    line.drain()
    assert set(line.ids()) == {"h/1"}


def test_an_unusable_message_is_put_aside_without_its_content(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    good = {"kind": "roster", "shard": "0", "epoch": "1"}
    wrong_type = to_ipc(pl.DataFrame({name: [CANARY] for name in columns(Roster)}))
    missing = to_ipc(pl.DataFrame({"source": ["h"], "subject_ref": [CANARY]}))
    bad = [
        (CANARY.encode(), good),
        (wrong_type, good),
        (missing, good),
        (wrong_type, {**good, "kind": CANARY}),
        (wrong_type, {**good, "shard": "7"}),
        (wrong_type, {"kind": "roster"}),
    ]
    for value, headers in bad:
        line.send(Outgoing(LINKS.name, 0, b"0", value, headers))
    line.say("h/1")
    line.drain()
    assert set(line.ids()) == {"h/1"}
    letters = line.read(LINKS.dead)
    assert [json.loads(m.value or b"")["offset"] for m in letters] == list(range(6))
    reasons = [json.loads(m.value or b"")["reason"] for m in letters]
    assert reasons == ["BATCH_UNREADABLE", "COLUMNS_WRONG", "COLUMNS_WRONG", *["BATCH_UNREADABLE"] * 3]
    assert CANARY not in caplog.text + str(letters)
    assert line.resolver.counts["dead"] == 6


def test_another_bus_is_refused(line: Line) -> None:
    line.say("h/1")
    line.drain()
    line.bus = MemoryBus()
    line.bus.create_topics([LINKS, PERSONS])
    with pytest.raises(StateError) as caught:
        line.start()
    assert caught.value.reason is Reason.NOT_RECONCILED


def test_a_reviewers_override_takes_effect_and_can_be_taken_back(line: Line) -> None:
    line.say("h/1", "w/1", "w/2", pairs=(("h/1", "w/1", -1.0), ("h/1", "w/2", 9.0)))
    line.drain()
    before = line.ids()
    assert before["h/1"] == before["w/2"] != before["w/1"]
    assert line.registry.review.reviews((0, 0), 10).select("left_serial", "right_serial").rows() == [(1, 2)]
    event = AuditEvent("reviewer", "linkage-review", "override", "recorded", {})
    line.registry.review.override(1, 3, "cannot_link", event)
    line.drain()
    assert line.ids()["w/2"] != line.ids()["h/1"] == before["h/1"]
    line.registry.review.override(1, 3, "must_link", event)
    line.registry.review.override(1, 2, "must_link", event)
    line.drain()
    assert set(line.ids().values()) == {before["h/1"]}
    assert line.registry.review.reviews((0, 0), 10).is_empty()


def test_summary_and_lag_tell_how_things_stand(line: Line) -> None:
    line.say("h/1", "h/2", "w/1", pairs=(("h/1", "w/1", 9.0), ("h/2", "w/1", -1.0)))
    assert sum(line.resolver.lag().values()) == 2
    line.drain()
    assert sum(line.resolver.lag().values()) == 0
    summary = line.registry.resolver.summary()
    assert dict(summary.subjects_by_source) == {"h": 2, "w": 1}
    assert dict(summary.linked_by_source) == {"h": 1, "w": 1}
    assert (summary.persons, summary.persons_with_several_sources) == (2, 1)
    assert (summary.links, summary.reviews) == (1, 0)


def test_run_steps_until_it_is_stopped_and_waits_out_transient_failures(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    sends, attempts = line.resolver._producer.send, []

    def send(messages: list[Outgoing]) -> object:
        attempts.append(messages)
        if len(attempts) == 1:
            raise TransientError(Reason.UNAVAILABLE, "not now")
        stop.set()
        return sends(messages)

    monkeypatch.setattr(line.resolver._producer, "send", send)
    monkeypatch.setattr("services.loop.RETRY_S", 0.0)
    line.say("h/1")
    thread = threading.Thread(target=line.resolver.run, args=(stop,))
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert len(line.read(PERSONS)) == 1


def test_large_arrivals_are_written_in_bounded_steps(line: Line) -> None:
    line.start(rows_a_step=50)
    for number in range(10):
        line.say(*(f"w/{number}-{n}" for n in range(30)))
    line.drain()
    assert [m.headers["rows"] for m in line.read(PERSONS)] == ["30"] * 10
    assert len(line.ids()) == 300


def test_a_household_that_is_linked_later_answers_a_guard_that_was_met_before(line: Line) -> None:
    def say(welfare: str, health: str, guard: str | None) -> None:
        roster = [("h", health, 1, "upsert", True, None, 0), ("w", welfare, 1, "upsert", False, b"c" * 16, 0)]
        pair = ("h", health, 1, "w", welfare, 1, AT_ONE_HOME, 9.0, 9.0, guard, "m", 0, 0, 0)
        for kind, rows, contract in (("roster", roster, Roster), ("pairs", [pair], PairLink)):
            position = {"position": "{}"} if kind == "pairs" else {}
            value = to_ipc(pl.DataFrame(rows, columns(contract), orient="row"))
            line.send(Outgoing(LINKS.name, 0, b"0", value, {"shard": "0", "epoch": "1", "kind": kind, **position}))
        line.drain()

    say("1", "1", "twin")
    apart = line.ids()
    say("2", "2", None)

    assert apart["h/1"] != apart["w/1"]
    assert line.ids()["h/1"] == line.ids()["w/1"] != line.ids()["w/2"] == line.ids()["h/2"]
    line.say("h/2", version=2, operation="withdraw")
    line.drain()
    assert line.ids()["h/1"] != line.ids()["w/1"]
