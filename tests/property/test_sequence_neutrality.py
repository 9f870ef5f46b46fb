"""Whatever the order, repetition and batching, and however matcher and resolver take turns or die: the same persons.

With several of each, whoever joins, leaves, is killed or paused, and whatever retention takes: the same pairs, too.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode import ProjectKeys
from linkage.held import HeldSubjects
from linkage.match import Matcher as PairMatcher
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.columns import conform
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.contracts.subject import Subject
from schemas.model import default_model
from schemas.topics import INTERNAL, LINKS, SUBJECTS
from services.bus import Outgoing, Producer, TopicPartition
from services.bus.memory import MemoryBus
from services.ingest.split import Origin, pieces_of, split, withdrawals
from services.lake.delta import DeltaZone
from services.lake.latest import latest
from services.landing.role import Landing
from services.landing.role import Pace as LandingPace
from services.leases import BEATS_A_LEASE, Lease
from services.link import run as link
from services.matcher.adopting import Matching
from services.matcher.role import Matcher
from services.pseudonymise import Job
from services.pseudonymise import run as pseudonymise
from services.registry import AuditEvent
from services.registry.adoption import AdoptionState
from services.registry.sql import open_registry
from services.resolver.role import Resolver
from services.resolver.standby import Standby

SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}
Persons = set[frozenset[tuple[str, str]]]
KEYS = ("left_source", "left_ref", "right_source", "right_ref")
PAIR = (*KEYS, "left_version", "right_version", "left_hash", "right_hash", "pattern", "weight_bits", "log2_odds")
TWIN = default_model().model_copy(update={"model_id": "twin"})
"""Another model that says the same: adopting it on the way changes nothing in the end."""

EVENT = AuditEvent("operator", "operation", "model.adopt", "done", {})
SHARDS = 5
LEASE_S = 10.0


@dataclass(frozen=True)
class World:
    """Encoded feeds, of some subjects several records of one version, and the persons that the offline link finds in
    the records that hold, with the shipped model.
    """

    feeds: dict[Feed, pl.DataFrame]
    persons: Persons

    def pairs(self) -> set[tuple[object, ...]]:
        """What one batch match over the records that hold says (PAIR)."""
        pieces = [
            piece.rows
            for feed, rows in self.feeds.items()
            for piece in pieces_of(rows, feed, SOURCES[feed])
            if piece.kind == "subjects"
        ]
        subjects = pl.concat([conform(rows, Subject) for rows in pieces])
        held = HeldSubjects(default_model())
        rows = held.upsert(Subjects.from_frame(subjects, {SOURCES[Feed.HEALTH]: True}))
        return set(PairMatcher(default_model()).match(rows, held).select(PAIR).rows())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    root: Path = tmp_path_factory.mktemp("world")
    people = population(260, 110, seed=3, error_scale=2.0)
    agreement = shipped_agreement("test")
    keys = ProjectKeys(os.urandom(32), agreement.key_epoch)
    for feed, clear in ((Feed.HEALTH, people.health), (Feed.WELFARE, people.welfare)):
        clear.write_parquet(root / f"{feed}_clear.parquet")
        declaration = FileDeclaration(
            feed=feed,
            source=SOURCES[feed],
            agreement_id=agreement.agreement_id,
            agreement_hash=agreement.content_hash,
            key_epoch=agreement.key_epoch,
            one_record_per_person=feed is Feed.HEALTH,
        )
        path = root / f"{feed}.parquet"
        pseudonymise(Job(root / f"{feed}_clear.parquet", path, agreement, keys, declaration, version=1))
    feeds = {feed: contradicted(root / f"{feed}.parquet", feed) for feed in Feed}
    model = default_model()
    link(
        root / "health.parquet",
        root / "welfare.parquet",
        root / "out",
        shipped=model,
        model=model,
        unique="left",
    )
    persons = pl.read_parquet(root / "out" / "persons.parquet").rename({"subject": "subject_ref"})
    return World(feeds, groups(persons))


def contradicted(path: Path, feed: Feed) -> pl.DataFrame:
    """Return a file's records, with some that say another's content or withdraw, all of one version; leave in the file
    those that hold by ingest's content hash.
    """
    first, about = pl.read_parquet(path), pq.read_schema(path).metadata
    some = first.sample(fraction=0.2, seed=1)["subject_ref"]
    second = first.sample(n=some.len(), seed=2).with_columns(some)
    tellings = [first, second, withdrawals(first.sample(fraction=0.05, seed=3)["subject_ref"], 1, feed)]
    hashed = [
        pl.concat([p.rows for p in pieces_of(rows, feed, SOURCES[feed]) if p.kind == "subjects"]).with_columns(
            telling=pl.lit(number)
        )
        for number, rows in enumerate(tellings)
    ]
    held = latest(pl.concat(hashed).lazy()).collect()
    kept = [rows.join(held.filter(telling=n), on="subject_ref", how="semi") for n, rows in enumerate(tellings)]
    assert all(rows.height for rows in kept)  # some hold of each kind
    assert kept[1].height < second.height * 0.8  # and not whichever was told last
    pq.write_table(pl.concat(kept[:2]).to_arrow().replace_schema_metadata(about), path)
    return pl.concat(tellings)


def groups(persons: pl.DataFrame) -> Persons:
    together: dict[str, set[tuple[str, str]]] = {}
    for person, source, ref in persons.select("person_id", "source", "subject_ref").rows():
        together.setdefault(person, set()).add((source, ref))
    return {frozenset(members) for members in together.values()}


def test_the_world_has_persons_to_find(world: World) -> None:
    assert sum(len(person) > 1 for person in world.persons) > 60


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_sequence_gives_the_persons_of_one_batch(world: World, seed: int) -> None:
    chance = random.Random(seed)  # a schedule has too many choices for hypothesis to draw one by one
    messages = []
    for feed, frame in world.feeds.items():
        origin = Origin(SOURCES[feed], "s", "hwlink-test-1", "e", feed is Feed.HEALTH, 0)
        shuffled = frame.sample(fraction=1.0, shuffle=True, seed=chance.randrange(2**32))
        repeated = shuffled.head(chance.randrange(frame.height))
        for part in (shuffled, repeated):
            size = chance.randint(10, frame.height)
            messages += [split(rows, feed, origin) for rows in part.iter_slices(size)]
    chance.shuffle(messages)
    with tempfile.TemporaryDirectory() as folder:
        bus, zone = MemoryBus(), DeltaZone(Path(folder) / "linkage", "linkage")
        bus.create_topics(INTERNAL)
        registry = open_registry(f"sqlite:///{folder}/registry.db")
        producer = bus.producer()

        def new_matcher() -> Matcher:
            size = chance.randint(1, 20)
            return Matcher(bus, registry.matcher, zone, default_model(), owner="m", batch_messages=size, poll_s=0)

        def new_resolver() -> Resolver:
            rows = chance.choice([1, 10, 10_000])
            return Resolver(
                bus, registry.resolver, default_model().policy, owner="r", rows_a_step=rows, poll_messages=5, poll_s=0
            )

        matcher, resolver = new_matcher(), new_resolver()
        for batch in messages:
            producer.send(batch)
            if chance.random() < 0.5:
                matcher.step()
            if chance.random() < 0.5:
                resolver.step()
            if chance.random() < 0.1:
                matcher = new_matcher()  # the one before died without a word
            if chance.random() < 0.1:
                resolver = new_resolver()
        while matcher.step() or resolver.step():
            pass
        resolver.step()
        found = groups(registry.resolver.persons())
        registry.close()

    assert found == world.persons


class CrashError(Exception):
    """The process is killed here."""


class DeadlyBus(MemoryBus):
    """A bus whose next sender is killed, when a test says so: after everything was written, or a part of it."""

    kills: bool = False
    sends_all: bool = True

    def producer(self) -> Producer:  # type: ignore[override]
        real, bus = super().producer(), self

        class Deadly:
            def send(self, messages: list[Outgoing]) -> list[tuple[TopicPartition, int]]:
                if bus.kills and messages:
                    bus.kills = False
                    real.send(messages if bus.sends_all else messages[: len(messages) // 2])
                    raise CrashError
                return real.send(messages)

            def close(self) -> None:
                real.close()

        return Deadly()  # type: ignore[return-value]


@dataclass
class Process:
    """A worker of a role: it beats when that is due, unless it is paused, and may be killed without a word."""

    role: Matching | Standby
    lease: Lease
    paused_until: float = 0.0
    next_beat: float = 0.0


@dataclass
class Deployment:
    """Some matchers and resolvers over one bus, lake and registry, and a clock that the schedule moves."""

    folder: Path
    chance: random.Random
    now: float = 0.0
    matchers: list[Process] = field(default_factory=list)
    resolvers: list[Process] = field(default_factory=list)
    joined: int = 0

    def __post_init__(self) -> None:
        self.bus = DeadlyBus()
        self.bus.create_topics(INTERNAL)
        self.zone = DeltaZone(self.folder / "linkage", "linkage")
        self.landing = Landing.of_linkage(self.bus, self.zone, LandingPace(linger_s=0, poll_s=0))
        self.registry = open_registry(f"sqlite:///{self.folder}/registry.db")

    def _lease(self, role: str) -> Lease:
        self.joined += 1
        name = f"{self.chance.randrange(100)}-{self.joined}"
        return Lease(self.registry.leases, role, name, lease_s=LEASE_S, clock=lambda: self.now)

    def add_matcher(self) -> None:
        lease = self._lease("matcher")
        size = self.chance.randint(1, 20)
        role = Matching(
            self.bus,
            self.registry.matcher,
            self.zone,
            default_model(),
            owner=lease.member,
            lease=lease,
            shards=SHARDS,
            batch_messages=size,
            poll_s=0,
        )
        self.matchers.append(Process(role, lease))

    def add_resolver(self) -> None:
        lease = self._lease("resolver")
        rows = self.chance.choice([1, 100, 10_000])

        def resolver() -> Resolver:
            return Resolver(
                self.bus,
                self.registry.resolver,
                default_model().policy,
                owner=lease.member,
                adoptions=self.registry.adoptions,
                shards=SHARDS,
                rows_a_step=rows,
                poll_messages=5,
                poll_s=0,
            )

        self.resolvers.append(Process(Standby(lease, resolver), lease))

    def turn(self, processes: list[Process]) -> None:
        """Let one process beat and step; it may be killed on the way."""
        process = self.chance.choice(processes)
        if process.paused_until > self.now:
            return
        try:
            if self.now >= process.next_beat:
                process.lease.beat()
                process.next_beat = self.now + LEASE_S / BEATS_A_LEASE
            process.role.step()
        except CrashError:
            processes.remove(process)

    def misfortune(self) -> None:
        """Let something happen that may happen at any time."""
        processes, add = self.chance.choice(
            [(self.matchers, self.add_matcher), (self.matchers, self.add_matcher), (self.resolvers, self.add_resolver)]
        )
        process = self.chance.choice(processes)
        happens = self.chance.choice(["kill", "kill sending", "pause", "pause", "leave", "join", "trim", "trim"])
        if happens == "kill":
            processes.remove(process)
        elif happens == "kill sending":
            self.bus.kills, self.bus.sends_all = True, self.chance.random() < 0.5
        elif happens == "pause":
            process.paused_until = self.now + self.chance.uniform(0, 4 * LEASE_S)
        elif happens == "leave":
            process.role.close()
            processes.remove(process)
        elif happens == "join" and len(processes) < 4:
            add()
        elif happens == "trim":
            while self.landing.step():
                pass
            self.bus.trim(2**53)

    def settle(self) -> None:
        """Let everything run undisturbed until nothing is under way."""
        self.bus.kills = False
        for processes, add in ((self.matchers, self.add_matcher), (self.resolvers, self.add_resolver)):
            add()
            for process in processes:
                process.paused_until = 0.0
        for _ in range(4_000):
            self.now += 0.3
            self.turn(self.matchers)
            self.turn(self.resolvers)
            adoption = self.registry.adoptions.in_use().adoption
            if adoption is not None and adoption.state is AdoptionState.READY:
                self.registry.adoptions.confirm(adoption.serial, EVENT)
            if adoption is None and self._is_settled():
                return
        raise AssertionError("this deployment does not settle")

    def _is_settled(self) -> bool:
        ends = {f"{p.topic}-{p.partition}": end for p, end in self.bus.end_offsets(SUBJECTS).items()}
        links = {f"{p.topic}-{p.partition}": end for p, end in self.bus.end_offsets(LINKS).items()}
        held = self.registry.matcher.shards()
        reached = len(held) == SHARDS and all(dict(shard.position) == ends for shard in held)
        return reached and self.registry.resolver.position() == links

    def pairs(self) -> set[tuple[object, ...]]:
        """The pairs that the resolver keeps (PAIR)."""
        members = self.registry.resolver.persons().select("source", "subject_ref")
        serials = self.registry.resolver.subjects(members)["serial"]
        around = self.registry.resolver.neighbourhood(serials)
        pairs = around.pairs
        for side in ("left", "right"):
            named = around.subjects.select(
                pl.col("serial").alias(f"{side}_serial"),
                pl.col("source").alias(f"{side}_source"),
                pl.col("subject_ref").alias(f"{side}_ref"),
            )
            pairs = pairs.join(named, on=f"{side}_serial")
        return set(pairs.select(PAIR).rows())


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 20))])
def test_any_schedule_of_workers_gives_the_pairs_and_persons_of_one_batch(
    world: World, seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    batches = []
    for feed, frame in world.feeds.items():
        origin = Origin(SOURCES[feed], "s", "hwlink-test-1", "e", feed is Feed.HEALTH, 0)
        shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed)
        for part in (shuffled, shuffled.head(chance.randrange(frame.height))):
            batches += [split(rows, feed, origin) for rows in part.iter_slices(chance.randint(5, 60))]
    chance.shuffle(batches)
    run, adopts_at = Deployment(tmp_path, chance), chance.randrange(len(batches)) if seed % 2 else None
    grow: list[Callable[[], None]] = [run.add_matcher] * 3 + [run.add_resolver] * 2
    for add in grow:
        add()
    producer = MemoryBus.producer(run.bus)
    for number, batch in enumerate(batches):
        producer.send(batch)
        if number == adopts_at:
            run.registry.adoptions.begin(TWIN.model_id, TWIN.model_dump_json(), EVENT)
        for _ in range(chance.randrange(8)):
            run.now += chance.uniform(0, 1)
            if not run.matchers:
                run.add_matcher()
            if not run.resolvers:
                run.add_resolver()
            run.turn(run.matchers if chance.random() < 0.7 else run.resolvers)
            if chance.random() < 0.1:
                run.landing.step()
        if chance.random() < 0.35 and run.matchers and run.resolvers:
            run.misfortune()
    run.settle()
    assert run.registry.adoptions.in_use().active == (default_model() if adopts_at is None else TWIN).model_id
    assert groups(run.registry.resolver.persons()) == world.persons
    assert run.pairs() == world.pairs()
    run.registry.close()
