"""Sequence neutrality: however links arrive, the resolver's persons are those of one batch over the latest records.

A small matcher is played here: it turns any sequence of subject versions into links messages, per shard, in any
grouping, with duplicates, lost owners and replays. The oracle is `linkage.cluster.resolve` over the latest versions.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.cluster import resolve
from linkage.compare import LEVEL, PLACE, STRIDES
from schemas.columns import columns
from schemas.contracts.links import PairLink, Roster
from schemas.decision import DecisionPolicy, LoneBits, RecordsPerPerson
from schemas.topics import LINKS, PERSONS, Topic
from schemas.wire import from_ipc, to_ipc
from services.bus import Message, Outgoing
from services.bus.memory import MemoryBus
from services.registry.sql import SqlRegistry, open_registry
from services.resolver import Resolver

POLICY = DecisionPolicy(
    lone=(LoneBits(left_source="b.welfare", right_source="b.welfare", bits=2.0),),
    repeats=(RecordsPerPerson(source="b.welfare", shares=(0.3, 0.3, 0.3, 0.1)),),
)
HOMES = ("address_same_postcode_same", "address_different_postcode_different")
PATTERNS = [LEVEL["home"][name] * STRIDES[PLACE["home"]] for name in HOMES]
"""At one home, where another member of the claim may answer a guard, and not."""
SOURCES = {"a.health": True, "b.welfare": False, "c.other": True}

Key = tuple[str, str]


@dataclass(frozen=True)
class Version:
    """One version of one subject; two of the same number may differ in content."""

    key: Key
    version: int
    operation: str = "upsert"
    claim: bytes | None = None
    content: int = 0

    @property
    def rank(self) -> tuple[int, bool, int]:
        return self.version, self.operation == "withdraw", self.content

    def roster_row(self) -> dict[str, object]:
        return {
            "source": self.key[0],
            "subject_ref": self.key[1],
            "version": self.version,
            "operation": self.operation,
            "one_record_per_person": SOURCES[self.key[0]],
            "claim_group": self.claim,
            "content_hash": self.content,
        }


@dataclass
class World:
    """Evidence between any two versions: a fixed function of the versions, as with a real model."""

    seed: int
    shards: int

    def pair(self, one: Version, other: Version) -> dict[str, object] | None:
        left, right = sorted((one, other), key=lambda v: v.key)
        chance = random.Random(repr((self.seed, left.key, left.rank, right.key, right.rank)))
        if chance.random() < 0.45:
            return None
        odds = round(chance.uniform(-2.0, 9.0), 1)
        return {
            "left_source": left.key[0],
            "left_ref": left.key[1],
            "left_version": left.version,
            "right_source": right.key[0],
            "right_ref": right.key[1],
            "right_version": right.version,
            "pattern": chance.choice(PATTERNS),
            "weight_bits": odds + 10,
            "log2_odds": odds,
            "guard": "twin" if chance.random() < 0.3 else None,
            "model_id": "world",
            "shard": self.shard_of(left.key, right.key),
            "left_hash": left.content,
            "right_hash": right.content,
        }

    def shard_of(self, left: Key, right: Key) -> int:
        return random.Random(repr((left, right))).randrange(self.shards)

    def latest(self, versions: list[Version]) -> dict[Key, Version]:
        latest: dict[Key, Version] = {}
        for version in versions:
            if version.key not in latest or version.rank > latest[version.key].rank:
                latest[version.key] = version
        return latest

    def partition(self, versions: list[Version]) -> set[frozenset[Key]]:
        current = [v for v in self.latest(versions).values() if v.operation == "upsert"]
        pairs = [p for one, other in itertools.combinations(current, 2) if (p := self.pair(one, other))]
        labels = resolve(
            pl.DataFrame([v.roster_row() for v in current], columns(Roster)),
            pl.DataFrame(pairs, columns(PairLink)),
            POLICY,
        ).labels
        return {frozenset(rows) for rows in _by(labels, "label").values()}


def _by(frame: pl.DataFrame, name: str) -> dict[object, list[Key]]:
    persons: dict[object, list[Key]] = {}
    for value, source, ref in frame.select(name, "source", "subject_ref").iter_rows():
        persons.setdefault(value, []).append((source, ref))
    return persons


@dataclass
class Shard:
    """One shard's owner: an index, and the messages that it says."""

    world: World
    shard: int
    epoch: int = 1
    index: dict[Key, Version] = field(default_factory=dict)

    def say(self, batch: list[Version]) -> list[Outgoing]:
        roster = []
        for version in batch:
            held = self.index.get(version.key)
            if held is None or version.rank >= held.rank:
                self.index[version.key] = version
                roster.append(version)
        pairs = []
        touched = {v.key for v in roster}
        for one, other in itertools.combinations(self.index.values(), 2):
            if (one.key in touched or other.key in touched) and "withdraw" not in (one.operation, other.operation):
                pair = self.world.pair(one, other)
                if pair is not None and pair["shard"] == self.shard:
                    pairs.append(pair)
        frames = [
            ("roster", pl.DataFrame([v.roster_row() for v in roster], columns(Roster))),
            ("pairs", pl.DataFrame(pairs[: len(pairs) // 2], columns(PairLink))),
            ("pairs", pl.DataFrame(pairs[len(pairs) // 2 :], columns(PairLink))),
        ]
        messages = [self._message(kind, frame, last=number == 2) for number, (kind, frame) in enumerate(frames)]
        return [m for number, m in enumerate(messages) if number == 2 or frames[number][1].height]

    def _message(self, kind: str, frame: pl.DataFrame, *, last: bool) -> Outgoing:
        headers = {"kind": kind, "shard": str(self.shard), "epoch": str(self.epoch)}
        if last:
            headers["position"] = json.dumps({})
        return Outgoing(LINKS.name, self.shard % LINKS.partitions, str(self.shard).encode(), to_ipc(frame), headers)


def _said(world: World, versions: list[Version], chance: random.Random) -> list[Outgoing]:
    """What all shards say of these versions, in some grouping, with lost owners, interleaved in some order."""
    queues = []
    for shard in range(world.shards):
        owner = Shard(world, shard)
        messages: list[Outgoing] = []
        waiting = list(versions)
        while waiting:
            size = chance.randint(1, 4)
            batch, waiting = waiting[:size], waiting[size:]
            said = owner.say(batch)
            fate = chance.random()
            if fate < 0.15:  # the owner is lost midway; the next one starts from the same position, in another grouping
                messages += said[: chance.randrange(len(said))] if fate < 0.08 else said
                owner = Shard(world, shard, owner.epoch + 1, dict(owner.index) if fate < 0.11 else {})
                before = versions[: len(versions) - len(waiting) - len(batch)]
                owner.index.update(world.latest([*before, *owner.index.values()]))
                waiting = batch + waiting
                continue
            messages += said
            if fate < 0.3:
                messages += said  # delivered twice
        queues.append(messages)
    out = []
    while any(queues):
        queue = chance.choice([q for q in queues if q])
        out.append(queue.pop(0))
    return out


def _messages(bus: MemoryBus, topic: Topic) -> Iterator[Message]:
    consumer = bus.consumer("test", [topic])
    consumer.seek(bus.begin_offsets(topic))
    while got := consumer.poll(100, 0.0):
        yield from got


def _replayed(bus: MemoryBus) -> tuple[dict[Key, str], list[int]]:
    """Membership as a consumer sees it that drops sequences it has, and the sequences in order of first arrival."""
    membership: dict[Key, str] = {}
    sequences: list[int] = []
    for message in _messages(bus, PERSONS):
        sequence = int(message.headers["sequence"])
        if sequences and sequence <= sequences[-1]:
            continue
        sequences.append(sequence)
        for row in from_ipc(message.value or b"").iter_rows(named=True):
            key = (row["source"], row["subject_ref"])
            assert membership.get(key) == row["previous_person_id"]
            if row["person_id"] is None:
                del membership[key]
            else:
                membership[key] = row["person_id"]
    return membership, sequences


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "registry.db"
    open_registry(f"sqlite:///{path}").close()
    return path


@dataclass
class Bench:
    """A bus, a registry file, and whichever resolver instance is alive."""

    path: Path
    shards: int
    rows_a_step: int
    bus: MemoryBus = field(default_factory=MemoryBus)

    def __post_init__(self) -> None:
        self.bus.create_topics([LINKS, PERSONS])
        self.registry: SqlRegistry = open_registry(f"sqlite:///{self.path}")
        self.restart()

    def restart(self) -> None:
        self.registry.close()
        self.resolver = Resolver(
            self.bus,
            self.registry.resolver,
            POLICY,
            owner="test",
            shards=self.shards,
            rows_a_step=self.rows_a_step,
            poll_messages=3,
            poll_s=0.0,
        )

    def drain(self) -> None:
        while self.resolver.step():
            pass

    def partition(self) -> set[frozenset[Key]]:
        return {frozenset(keys) for keys in _by(self.registry.resolver.persons(), "person_id").values()}

    def ids(self) -> dict[Key, str]:
        persons = self.registry.resolver.persons()
        return {(s, r): p for p, s, r in persons.select("person_id", "source", "subject_ref").iter_rows()}


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """Versions of up to nine subjects, in any order, some repeated, some at one number with different content."""
    versions = []
    for number in range(draw(st.integers(2, 9))):
        source = draw(st.sampled_from(sorted(SOURCES)))
        claim = draw(st.sampled_from([None, b"1" * 16, b"2" * 16])) if source == "b.welfare" else None
        records = st.tuples(st.integers(1, 2), st.sampled_from([-(2**63), 0, 2**63 - 1]))
        for version, content in draw(st.lists(records, min_size=1, max_size=3, unique=True)):
            operation = draw(st.sampled_from(["upsert"] * 5 + ["withdraw"]))
            versions.append(Version((source, f"{number:02}"), version, operation, claim, content))
    repeated = draw(st.lists(st.sampled_from(versions), max_size=3))
    return draw(st.permutations(versions + repeated))


@settings(max_examples=40, deadline=None)
@given(
    versions=histories(),
    seed=st.integers(0, 10_000),
    shards=st.sampled_from([1, 1, 2, 3]),
    rows=st.sampled_from([1, 5, 100]),
)
def test_any_arrival_gives_the_partition_of_one_batch(
    tmp_path_factory: pytest.TempPathFactory, template: Path, versions: list[Version], seed: int, shards: int, rows: int
) -> None:
    chance = random.Random(seed)
    world = World(seed, shards)
    path = tmp_path_factory.mktemp("run") / "registry.db"
    shutil.copy(template, path)
    bench = Bench(path, shards, rows)
    producer = bench.bus.producer()
    for message in _said(world, versions, chance):
        producer.send([message])
        if chance.random() < 0.3:
            bench.resolver.step()
        if chance.random() < 0.1:
            bench.restart()
    bench.drain()

    assert bench.partition() == world.partition(versions)
    membership, sequences = _replayed(bench.bus)
    assert membership == bench.ids()
    assert sequences == list(range(1, len(sequences) + 1))

    # Everything once more, to a new instance, changes nothing: no id, no transaction.
    ids = bench.ids()
    bench.restart()
    for message in _said(world, versions, random.Random(seed + 1)):
        producer.send([message])
    bench.drain()
    assert bench.ids() == ids
    assert _replayed(bench.bus)[1] == sequences
    bench.registry.close()
