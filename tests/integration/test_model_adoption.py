"""Adopting a model while records stream in: the old model's persons before the switch, the new one's after it.

The oracle is one batch: every record matched and resolved by one model. Whatever the matcher and the resolver do, and
however often they die, the persons are those of the batch.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.cluster import resolve
from linkage.encode import ProjectKeys, encode
from linkage.held import HeldSubjects
from linkage.match import Matcher as PairMatcher
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.subject import Subject
from schemas.errors import Reason, StateError
from schemas.model import MatchModel, default_model
from schemas.topics import INTERNAL, LINKS, PERSONS, SUBJECTS
from schemas.wire import from_ipc
from services.bus import Outgoing
from services.bus.memory import MemoryBus
from services.bus.rows import record_rows
from services.ingest.split import Origin, split, withdrawals
from services.lake.delta import DeltaZone
from services.landing.role import Landing, Pace
from services.matcher.adopting import Matching
from services.registry import AuditEvent
from services.registry.adoption import Adoption, AdoptionState
from services.registry.sql import SqlRegistry, open_registry
from services.resolver import Resolver

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}
EVENT = AuditEvent("test", "operation", "model.adopt", "done", {})
OLD = default_model()
NEW = OLD.model_copy(update={"model_id": "stricter", "default_log2_prior": OLD.default_log2_prior - 16})

Key = tuple[str, str]
Partition = set[frozenset[Key]]


def encoded(feed: Feed, people: Any) -> pl.DataFrame:
    clear = people.health if feed is Feed.HEALTH else people.welfare
    identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
    return encode(identity, AGREEMENT, KEYS, feed, False, source=SOURCES[feed]).frame


@pytest.fixture(scope="module")
def traffic() -> list[list[Outgoing]]:
    """What ingest sends: both feeds in small batches, newer versions of some, others withdrawn, in a fixed order."""
    people = population(150, 70, seed=5, error_scale=2.0)
    chance = random.Random(1)
    batches = []
    for feed in Feed:
        origin = Origin(SOURCES[feed], "s", "hwlink-test-1", "e", feed is Feed.HEALTH, 0)
        frame = encoded(feed, people)
        newer = frame.sample(20, seed=2).with_columns(pl.col("version") + 1)
        shuffled = newer.with_columns(newer["token_surname"].shuffle(3))  # says something else of whom it is about
        gone = withdrawals(frame["subject_ref"].sample(8, seed=4), 2**50, feed)
        for part in (frame, shuffled):
            batches += [split(rows, feed, origin) for rows in part.iter_slices(12)]
        batches.append(split(gone, feed, origin))
    chance.shuffle(batches)
    return batches


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "registry.db"
    open_registry(f"sqlite:///{path}").close()
    return path


@dataclass(frozen=True, repr=False)
class World:
    """What hypothesis hands on: what is sent, and an empty registry's file."""

    traffic: list[list[Outgoing]]
    template: Path


@pytest.fixture(scope="module")
def world(traffic: list[list[Outgoing]], template: Path) -> World:
    return World(traffic, template)


def oracle(batches: Sequence[list[Outgoing]], model: MatchModel, must: Sequence[tuple[Key, Key]] = ()) -> Partition:
    """The persons of one batch run over the records of these messages."""
    held = HeldSubjects(model)
    for number, batch in enumerate(batches):
        for message in batch:
            if message.topic == SUBJECTS.name:
                rows = record_rows(_received(message, number), (Subject,))
                unique = dict(rows.select("source", "_one_record_per_person").unique().rows())
                held.upsert(Subjects.from_frame(rows, unique))
    pairs = PairMatcher(model).match(np.arange(len(held)), held)
    alive = np.flatnonzero(held.alive)
    subjects = held.subjects
    roster = pl.DataFrame(
        {
            "source": [subjects.sources[code] for code in subjects.source[alive]],
            "subject_ref": subjects.ref_column(alive),
            "one_record_per_person": subjects.one_record_per_person(alive),
            "claim_group": pl.Series(
                [None if not word else int(word).to_bytes(8, "little") for word in subjects.claim_group[alive]],
                dtype=pl.Binary,
            ),
        }
    )
    names = ("left_source", "left_ref", "right_source", "right_ref")
    constraints = (
        pl.DataFrame([(*one, *other, "must_link") for one, other in must], [*names, "kind"], orient="row")
        if must
        else None
    )
    labels = resolve(roster, pairs, model.policy, constraints).labels
    return grouped(labels.select(pl.col("label").cast(pl.String), "source", "subject_ref"))


def _received(message: Outgoing, offset: int) -> Any:
    from services.bus import Message

    return Message(message.topic, message.partition, offset, message.key, message.value, message.headers, 0)


def grouped(persons: pl.DataFrame) -> Partition:
    together: dict[str, set[Key]] = {}
    for person, source, ref in persons.rows():
        together.setdefault(person, set()).add((source, ref))
    return {frozenset(members) for members in together.values()}


class CrashError(Exception):
    """The process dies here."""


@dataclass
class Line:
    """A bus, a lake, a registry, and whichever matcher and resolver are alive."""

    folder: Path
    template: Path
    shards: int = 1
    bus: MemoryBus = field(default_factory=MemoryBus)
    sent: list[list[Outgoing]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # What was published stays, since the tests read it last.
        self.bus.create_topics([replace(topic, retention_ms=None) if topic == PERSONS else topic for topic in INTERNAL])
        self.zone = DeltaZone(self.folder / "lake", "linkage")
        shutil.copy(self.template, self.folder / "registry.db")
        self.registry: SqlRegistry = open_registry(f"sqlite:///{self.folder / 'registry.db'}")
        self.start_matcher()
        self.start_resolver()

    def start_matcher(self, batch_messages: int = 4) -> None:
        self.matcher = Matching(
            self.bus, self.registry.matcher, self.zone, OLD,
            owner="m", shards=self.shards, batch_messages=batch_messages, poll_s=0,
        )  # fmt: skip

    def start_resolver(self, rows: int = 10_000, adoptions: Any = None) -> None:
        self.resolver = Resolver(
            self.bus, self.registry.resolver, OLD.policy,
            owner="r", adoptions=adoptions or self.registry.adoptions,
            shards=self.shards, rows_a_step=rows, poll_messages=5, poll_s=0,
        )  # fmt: skip

    def send(self, batches: Sequence[list[Outgoing]]) -> None:
        for batch in batches:
            self.bus.producer().send(batch)
            self.sent.append(batch)

    def drain(self) -> None:
        quiet = 0
        while quiet < 3:
            quiet = 0 if self.matcher.step() + self.resolver.step() else quiet + 1

    def land(self) -> None:
        landing = Landing.of_linkage(self.bus, self.zone, Pace(linger_s=0, poll_s=0))
        while landing.step():
            pass
        landing.close()

    def begin(self, model: MatchModel = NEW) -> Adoption:
        return self.registry.adoptions.begin(model.model_id, model.model_dump_json(), EVENT)

    def state(self) -> AdoptionState | None:
        adoption = self.registry.adoptions.in_use().adoption
        return None if adoption is None else adoption.state

    def confirm(self) -> None:
        adoption = self.registry.adoptions.in_use().adoption
        assert adoption is not None
        self.registry.adoptions.confirm(adoption.serial, EVENT)

    def persons(self) -> Partition:
        return grouped(self.registry.resolver.persons().select("person_id", "source", "subject_ref"))

    def ids(self) -> dict[Key, str]:
        return {(s, r): p for p, s, r in self.registry.resolver.persons().drop("link_probability").rows()}

    def replayed(self) -> tuple[dict[Key, str], list[int], list[dict[str, Any]]]:
        """Membership, sequences and lineage as a consumer sees them that drops sequences it has."""
        membership: dict[Key, str] = {}
        sequences: list[int] = []
        events: list[dict[str, Any]] = []
        consumer = self.bus.consumer("test", [PERSONS])
        consumer.seek(self.bus.begin_offsets(PERSONS))
        while messages := consumer.poll(100, 0.0):
            for message in messages:
                sequence = int(message.headers["sequence"])
                if sequences and sequence <= sequences[-1]:
                    continue
                sequences.append(sequence)
                events += json.loads(message.headers["events"])
                for row in from_ipc(message.value or b"").iter_rows(named=True):
                    key = (row["source"], row["subject_ref"])
                    assert membership.get(key) == row["previous_person_id"]
                    if row["person_id"] is None:
                        del membership[key]
                    else:
                        membership[key] = row["person_id"]
        return membership, sequences, events

    def stored(self, table: str) -> int:
        with self.registry.matcher._database.reading() as connection:
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


@pytest.fixture
def line(tmp_path: Path, template: Path) -> Iterator[Line]:
    made = Line(tmp_path, template)
    yield made
    made.registry.close()


def test_the_models_differ_in_the_persons_they_find(traffic: list[list[Outgoing]]) -> None:
    assert len(oracle(traffic, OLD) - oracle(traffic, NEW)) > 5


def test_an_adoption_from_its_beginning_to_its_end(line: Line, traffic: list[list[Outgoing]]) -> None:
    half = len(traffic) // 2
    line.send(traffic[:half])
    line.drain()
    assert line.persons() == oracle(line.sent, OLD)

    adoption = line.begin()
    line.send(traffic[half:])
    line.drain()
    assert line.state() is AdoptionState.READY
    assert line.persons() == oracle(line.sent, OLD), "nothing changes before the switch"
    before, old_ids = line.persons(), line.ids()
    line.matcher.step()
    assert line.persons() == before

    line.confirm()
    line.drain()
    assert line.state() is None
    assert line.registry.adoptions.adoption(adoption.serial).state is AdoptionState.SWITCHED
    assert line.persons() == oracle(line.sent, NEW)
    assert line.registry.matcher.active_model() == (NEW.model_id, NEW.model_dump_json())

    # Ids: whoever is the same person keeps it; published gaplessly; nothing of the former model is left.
    ids = line.ids()
    for person in before & line.persons():
        assert {ids[key] for key in person} == {old_ids[key] for key in person}
    membership, sequences, events = line.replayed()
    assert membership == ids
    assert sequences == list(range(1, len(sequences) + 1))
    assert {event["kind"] for event in events} >= {"split"}
    assert [line.stored(name) for name in ("candidate_pairs", "candidate_roster", "candidate_moves")] == [0, 0, 0]
    assert [dict(shard.position) for shard in line.registry.matcher.shards(OLD.model_id)] == [{}]
    pairs = line.registry.adoptions.candidate_state().decided
    assert pairs.height == line.stored("pairs") > 0
    serials = pl.concat([pairs["left_serial"], pairs["right_serial"].alias("left_serial")])
    explained = line.registry.resolver.neighbourhood(serials).pairs["model_id"].unique().to_list()
    assert explained == [NEW.model_id], "every pair is explained by the model in force"
    assert line.registry.resolver.summary().model_id == NEW.model_id
    actions = [event.action for _, event, _ in line.registry.query.audit_events()]
    assert actions == ["model.adopt", "model.adopt", "model.switch"]  # begun, confirmed, switched

    # The way back is another adoption; and on it goes, by the model in force.
    line.begin(OLD)
    line.drain()
    line.confirm()
    line.drain()
    assert line.persons() == oracle(line.sent, OLD)
    assert "merge" in {event["kind"] for event in line.replayed()[2]}
    line.begin()
    line.drain()
    line.confirm()
    line.drain()
    ids = line.ids()
    line.send(traffic[:half])
    line.start_matcher()
    line.start_resolver()
    line.drain()
    assert line.persons() == oracle(line.sent, NEW)
    assert line.ids() == ids


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shards=st.sampled_from([1, 1, 3]))
def test_any_interleaving_gives_the_persons_of_one_batch(world: World, seed: int, shards: int) -> None:
    check_interleaving(world, seed, shards)


@pytest.mark.parametrize(("seed", "shards"), [(1, 1), (2, 3)])
def test_an_interleaving_gives_the_persons_of_one_batch(world: World, seed: int, shards: int) -> None:
    check_interleaving(world, seed, shards)


def check_interleaving(world: World, seed: int, shards: int) -> None:
    """Send in a random order, let roles take turns, die and be trimmed under, and adopt on the way."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        line = Line(Path(folder), world.template, shards)
        begin, confirm = sorted(chance.sample(range(len(world.traffic)), 2))
        is_confirmed = False
        for number, batch in enumerate(chance.sample(world.traffic, len(world.traffic))):
            line.send([batch])
            if number == begin:
                line.begin()
            if chance.random() < 0.1:
                line.land()
                if _all_heard(line):
                    line.bus.trim(2**53)
            for _ in range(chance.randrange(3)):
                chance.choice((line.matcher.step, line.resolver.step))()
            if chance.random() < 0.1:
                line.start_matcher(chance.randint(1, 6))
            if chance.random() < 0.1:
                line.start_resolver(chance.choice([1, 40, 10_000]))
            if number >= confirm and not is_confirmed and line.state() is AdoptionState.READY:
                line.confirm()
                is_confirmed = True
        line.drain()
        if not is_confirmed:
            assert line.persons() == oracle(line.sent, OLD)
            line.confirm()
            line.drain()
        assert line.state() is None
        assert line.persons() == oracle(line.sent, NEW)
        membership, sequences, _ = line.replayed()
        assert membership == line.ids()
        assert sequences == list(range(1, len(sequences) + 1))
        line.registry.close()


def _all_heard(line: Line) -> bool:
    """Whether trimming now loses nothing that is in no lake: the links topic has been resolved."""
    position = line.registry.resolver.position()
    return all(position.get(f"{p.topic}-{p.partition}", 0) >= end for p, end in line.bus.end_offsets(LINKS).items())


class Crashing:
    """An `AdoptionRegistry` that dies before or after the first call of one of its methods."""

    def __init__(self, real: Any, method: str, *, before: bool) -> None:
        self._real, self._method, self._before = real, method, before

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name != self._method:
            return found

        def call(*arguments: Any) -> Any:
            if not self._before:
                found(*arguments)
            raise CrashError

        return call


def _adopt_until_it_dies(line: Line) -> None:
    for _ in range(200):
        line.matcher.step()
        line.resolver.step()
        if line.state() is AdoptionState.READY:
            line.confirm()


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("method", ["hear", "ready", "switch"])
def test_a_resolver_that_dies_at_any_step_goes_on_where_it_was(
    line: Line, traffic: list[list[Outgoing]], method: str, before: bool
) -> None:
    line.send(traffic)
    line.drain()
    line.begin()
    line.start_resolver(adoptions=Crashing(line.registry.adoptions, method, before=before))
    with pytest.raises(CrashError):
        _adopt_until_it_dies(line)
    if method == "switch" and not before:
        assert line.replayed()[0] != line.ids(), "switched, and not published yet"
    line.start_matcher()
    line.start_resolver()
    line.drain()
    if line.state() is not None:
        line.confirm()
        line.drain()
    assert line.persons() == oracle(line.sent, NEW)
    membership, sequences, _ = line.replayed()
    assert membership == line.ids()
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_switch_holds_the_stream_back_until_the_candidate_is_there(line: Line, traffic: list[list[Outgoing]]) -> None:
    """Subjects that only the model in force has shown are not split off by the switch to be joined again after it."""
    half = len(traffic) // 2
    line.send(traffic[:half])
    line.drain()
    line.begin()
    line.drain()
    line.confirm()
    line.send(traffic[half:])
    while line.matcher._active.step():  # the candidate gets no turn
        pass
    line.resolver.step()
    assert line.state() is AdoptionState.CONFIRMED or line.persons() == oracle(line.sent[:half], NEW)
    line.drain()
    assert line.persons() == oracle(line.sent, NEW)


def test_an_adoption_can_be_abandoned_before_the_switch(line: Line, traffic: list[list[Outgoing]]) -> None:
    half = len(traffic) // 2
    line.send(traffic[:half])
    line.drain()
    adoption = line.begin()
    line.matcher.step()
    line.matcher.step()
    line.resolver.step()
    ids = line.ids()
    for _ in range(2):
        line.registry.adoptions.abandon(adoption.serial, EVENT)
    line.drain()
    assert (line.state(), line.ids()) == (None, ids)
    assert [line.stored(name) for name in ("candidate_pairs", "candidate_roster", "candidate_moves")] == [0, 0, 0]
    assert [dict(shard.position) for shard in line.registry.matcher.shards(NEW.model_id)] == [{}]
    line.send(traffic[half:])
    line.drain()
    assert line.persons() == oracle(line.sent, OLD)
    assert all(place >= end for place, end in _positions(line))
    # And again, to its end; what was said for an adoption that ended counts for no other, wherever the roles are.
    for steps in (5, 2, 0):
        again = line.begin()
        for _ in range(steps):
            line.matcher.step()
            line.resolver.step()
        line.registry.adoptions.abandon(again.serial, EVENT)
    serial = line.begin().serial
    line.drain()
    line.confirm()
    line.drain()
    assert line.persons() == oracle(line.sent, NEW)
    with pytest.raises(StateError) as refused:
        line.registry.adoptions.abandon(serial, EVENT)
    assert refused.value.reason is Reason.MODEL_MISMATCH


def _positions(line: Line) -> list[tuple[int, int]]:
    position = line.registry.resolver.position()
    return [(position.get(f"{p.topic}-{p.partition}", 0), end) for p, end in line.bus.end_offsets(LINKS).items()]


def test_a_preview_asked_for_again_is_of_today(line: Line, traffic: list[list[Outgoing]]) -> None:
    half = len(traffic) // 2
    line.send(traffic[:half])
    line.drain()
    first = line.begin()
    line.drain()
    then = line.registry.adoptions.adoption(first.serial).preview
    line.send(traffic[half:])
    line.drain()
    assert line.registry.adoptions.adoption(first.serial).preview == then
    assert line.begin().serial == first.serial
    line.drain()
    now = line.registry.adoptions.adoption(first.serial).preview
    old, new = oracle(line.sent, OLD), oracle(line.sent, NEW)
    assert now["subjects"] == sum(map(len, old)) > then["subjects"]
    assert (now["persons_now"], now["persons_then"]) == (len(old), len(new))
    assert now["persons_unchanged"] == len(old & new)
    assert now["links_now"] - now["links_lost"] + now["links_gained"] == now["links_then"]
    moves = line.registry.adoptions.would_move()
    assert moves.height == now["subjects_moved"] > 0
    assert moves["person_id"].null_count() == 0
    ids = line.ids()
    line.confirm()
    line.drain()
    later = line.ids()
    moved = {(s, r) for s, r in moves.select("source", "subject_ref").rows()}
    assert moved == {key for key in ids if ids[key] != later[key]}
    for source, ref, then_id in moves.select("source", "subject_ref", "person_id_then").drop_nulls().rows():
        assert later[source, ref] == then_id


def test_what_reviewers_have_decided_survives(line: Line, traffic: list[list[Outgoing]]) -> None:
    line.send(traffic)
    line.drain()
    lost = sorted(oracle(line.sent, OLD) - oracle(line.sent, NEW), key=sorted)
    pair = next(sorted(person) for person in lost if len(person) == 2)
    keys = pl.DataFrame(pair, ["source", "subject_ref"], orient="row")
    serials = line.registry.resolver.subjects(keys)["serial"].to_list()
    line.registry.review.override(*serials, "must_link", EVENT)
    line.drain()
    line.begin()
    line.drain()
    line.confirm()
    line.drain()
    assert line.persons() == oracle(line.sent, NEW, [(pair[0], pair[1])])
    assert frozenset(pair) in line.persons()


def test_of_two_who_adopt_at_once_one_does(line: Line, traffic: list[list[Outgoing]]) -> None:
    line.send(traffic[:3])
    line.drain()
    other = NEW.model_copy(update={"model_id": "another"})
    outcomes: list[str] = []

    def adopt(model: MatchModel) -> None:
        try:
            outcomes.append(line.begin(model).model_id)
        except StateError as error:
            outcomes.append(error.reason)

    threads = [threading.Thread(target=adopt, args=(model,)) for model in (NEW, other, NEW, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = {outcome for outcome in outcomes if outcome != Reason.MODEL_MISMATCH}
    assert sorted(outcomes) == sorted([winner] * 2 + [Reason.MODEL_MISMATCH] * 2)


def test_what_cannot_be_adopted_is_refused_with_what_to_do(line: Line, template: Path, tmp_path: Path) -> None:
    shutil.copy(template, tmp_path / "fresh.db")
    fresh = open_registry(f"sqlite:///{tmp_path / 'fresh.db'}")
    calls: list[Callable[[], Any]] = [
        lambda: fresh.adoptions.begin(NEW.model_id, "{}", EVENT),
        lambda: line.begin(OLD),
        lambda: line.registry.adoptions.confirm(line.begin().serial, EVENT),
        lambda: line.registry.adoptions.adoption(99),
        lambda: line.registry.adoptions.document("nothing"),
        lambda: line.registry.matcher.claim_shard("nothing", 0, "m"),
    ]
    for call in calls:
        with pytest.raises(StateError) as refused:
            call()
        assert refused.value.reason in (Reason.MODEL_MISMATCH, Reason.STORE_MISSING)
    fresh.close()


def test_a_deployment_started_with_the_former_model_goes_on_with_the_adopted_one(
    line: Line, traffic: list[list[Outgoing]]
) -> None:
    line.send(traffic)
    line.drain()
    line.begin()
    line.drain()
    abandoned = NEW.model_copy(update={"model_id": "never"})
    line.confirm()
    line.drain()
    line.start_matcher()  # is given the former model, as a settings file would
    assert line.matcher._active.model_id == NEW.model_id
    with pytest.raises(StateError) as refused:
        Matching(line.bus, line.registry.matcher, line.zone, abandoned, owner="m")
    assert refused.value.reason is Reason.MODEL_MISMATCH


def test_the_number_of_shards_changes_only_while_nothing_is_on_its_way(
    line: Line, traffic: list[list[Outgoing]]
) -> None:
    half = len(traffic) // 2
    line.send(traffic[:half])
    line.shards = 2
    for steps in (0, 1):  # subjects not matched; matched, and links not resolved
        for _ in range(steps):
            while line.matcher.step():
                pass
        with pytest.raises(StateError) as refused:
            line.start_matcher()
        assert refused.value.reason is Reason.SETTING_INVALID
        assert "hwlink doctor --wait" in refused.value.message
    line.drain()
    adoption = line.begin()
    with pytest.raises(StateError):
        line.start_matcher()
    line.registry.adoptions.abandon(adoption.serial, EVENT)
    for shards in (2, 1, 3):
        line.shards = shards
        line.start_matcher()
        line.start_resolver()
        assert len(line.registry.matcher.shards()) == shards
        line.drain()
        assert line.persons() == oracle(line.sent, OLD)
    line.send(traffic[half:])
    line.drain()
    assert line.persons() == oracle(line.sent, OLD)
