"""The matcher over real topics and a real lake: whatever is repeated, reordered, split or killed, the same pairs."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from linkage.held import HeldSubjects
from linkage.match import Matcher as PairMatcher
from linkage.match import pair_shards
from linkage.subjects import Subjects, identities
from schemas.columns import columns
from schemas.contracts.links import LINK_KINDS
from schemas.contracts.subject import Subject
from schemas.decision import DecisionPolicy
from schemas.errors import Reason, StateError, TransientError
from schemas.model import COMPARISONS, BlockPass, Comparison, MatchModel, Relatives
from schemas.topics import INTERNAL, LINKS, SUBJECTS
from schemas.wire import from_ipc, to_ipc
from services.bus import Message, Outgoing, Producer, TopicPartition
from services.bus.memory import MemoryBus
from services.bus.rows import rows_of
from services.lake.delta import DeltaZone
from services.lake.latest import latest
from services.landing.role import Landing, Pace
from services.matcher.role import Matcher
from services.registry import Shard
from services.registry.sql import open_registry

NOW = Pace(linger_s=0, poll_s=0)
SOURCES = ("x.unique", "y.claims", "z.other")
TOPICS = (replace(LINKS, retention_ms=None), *INTERNAL)
"""Topics whose trimming leaves what the matcher said, which the tests read last."""


# A small world: names and places from tiny pools, so that people resemble one another.


def token(domain: str, value: str) -> bytes:
    return hashlib.sha256(f"{domain}:{value}".encode()).digest()[:16]


@dataclass(frozen=True)
class Record:
    """One version of one subject."""

    source: str
    ref: int
    version: int = 0
    withdrawn: bool = False
    forename: str | None = "ann"
    surname: str | None = "lee"
    born: str | None = "1980-05-17"
    postcode: str | None = "ME4"
    claim: str | None = None

    def row(self) -> dict[str, object]:
        names = None if self.forename is None or self.surname is None else self.forename + self.surname
        known = {
            "token_forename": ("name", self.forename),
            "token_surname": ("name", self.surname),
            "token_forename_phonetic": ("phonetic", self.forename and self.forename[:1]),
            "token_surname_phonetic": ("phonetic", self.surname and self.surname[:1]),
            "token_date_of_birth": ("born", self.born),
            "token_postcode": ("postcode", self.postcode),
            "token_outcode": ("outcode", self.postcode and self.postcode[:2]),
            "key_names_year": ("names year", names and self.born and names + self.born[:4]),
            "claim_group": ("claim", self.claim),
        }
        row: dict[str, object] = dict.fromkeys(columns(Subject))
        row |= {n: token(d, v) for n, (d, v) in known.items() if v and not self.withdrawn}
        content = int.from_bytes(hashlib.sha256(repr(self).encode()).digest()[:7], "little") - 2**54
        return row | {
            "source": self.source,
            "subject_ref": hashlib.sha256(str(self.ref).encode()).hexdigest()[:32],
            "version": self.version,
            "operation": "withdraw" if self.withdrawn else "upsert",
            "content_hash": content,
        }


def hash_of(record: Record) -> int:
    return int(str(record.row()["content_hash"]))


def frame(records: Iterable[Record]) -> pl.DataFrame:
    return pl.DataFrame([r.row() for r in records], schema=columns(Subject))


def messages(records: Sequence[Record], rows_each: int = 3) -> list[Outgoing]:
    """The records as ingest sends them: of one source and partition each, a subject always to the same partition."""
    sent = []
    for source in SOURCES:
        for partition in range(SUBJECTS.partitions):
            mine = [r for r in records if r.source == source and r.ref % SUBJECTS.partitions == partition]
            headers = {"kind": "subjects", "one_record_per_person": str(source == SOURCES[0]).lower()}
            for start in range(0, len(mine), rows_each):
                value = to_ipc(frame(mine[start : start + rows_each]))
                sent.append(Outgoing(SUBJECTS.name, partition, source.encode(), value, headers))
    return sent


def spread(comparison: str, first: float) -> tuple[float, ...]:
    """A distribution over a comparison's levels, the first as likely as `first` and the others equally."""
    others = len(COMPARISONS[comparison]) - 1
    return (first, *[(1 - first) / others] * others)


def agreeing(levels: Sequence[str], odds: float) -> tuple[float, ...]:
    """A distribution over levels: those that agree are so many times likelier than the others."""
    weights = [odds if level.startswith("exact") or level.endswith("postcode_same") else 1.0 for level in levels]
    return tuple(weight / sum(weights) for weight in weights)


MODEL = MatchModel(
    model_id="test-model",
    title="a model of tests",
    passes=(
        BlockPass(name="surname and birth", parts=(("token_surname",), ("token_date_of_birth",))),
        BlockPass(name="forename and home", parts=(("token_forename",), ("token_postcode",))),
        BlockPass(name="names", parts=(("token_forename", "token_surname"),)),
    ),
    comparisons=tuple(
        Comparison(name=name, m=agreeing(levels, 20.0), u=agreeing(levels, 0.5)) for name, levels in COMPARISONS.items()
    ),
    relatives=Relatives(
        date_of_birth=spread("date_of_birth", 0.05),
        forename_same_date=spread("forename", 0.05),
        forename_near_date=spread("forename", 0.05),
        forename_other_date=spread("forename", 0.2),
        surname=spread("surname", 0.8),
        middle_names=spread("middle_names", 0.5),
        home=spread("home", 0.8),
    ),
    default_log2_prior=-6.0,
    default_log2_relatives=-6.0,
    policy=DecisionPolicy(),
)


def batch_pairs(records: Sequence[Record], model: MatchModel = MODEL) -> pl.DataFrame:
    """What one batch match over the latest versions says."""
    held = HeldSubjects(model)
    rows = held.upsert(Subjects.from_frame(frame(records), {SOURCES[0]: True}))
    return PairMatcher(model).match(rows, held)


def pair_set(pairs: pl.DataFrame) -> set[tuple[object, ...]]:
    """Pairs with all that is said of them but the shard."""
    return set(pairs.drop("shard").unique().rows())


# What stands for the registry and for a process that dies.


class CrashError(Exception):
    """The process dies here."""


@dataclass
class MemoryRegistry:
    """A `MatcherRegistry` in memory, which can die before it moves a shard."""

    model: tuple[str, str] | None = None
    held: dict[int, Shard] = field(default_factory=dict)
    advances_until_crash: int | None = None

    def active_model(self) -> tuple[str, str] | None:
        return self.model

    def adopt_first_model(self, model_id: str, document: str) -> None:
        if self.model is not None and self.model[0] != model_id:
            raise StateError(Reason.MODEL_MISMATCH, "another model is active")
        self.model = (model_id, document)

    def claim_shard(self, model_id: str, shard: int, owner: str) -> Shard:
        assert self.model is not None
        assert self.model[0] == model_id
        held = self.held.get(shard, Shard(shard, 0, {}))
        self.held[shard] = replace(held, epoch=held.epoch + 1)
        return self.held[shard]

    def release_shard(self, model_id: str, shard: int, epoch: int) -> None:
        pass  # the tests say who owns what

    def shards(self, model_id: str | None = None) -> list[Shard]:
        return list(self.held.values())

    def drift(self, model_id: str | None = None) -> dict[str, str]:
        return {}

    def advance_shard(
        self,
        model_id: str,
        shard: int,
        epoch: int,
        expected: Mapping[str, int],
        position: Mapping[str, int],
        drift: Mapping[str, str] | None = None,
    ) -> None:
        if self.advances_until_crash is not None:
            if self.advances_until_crash == 0:
                self.advances_until_crash = None
                raise CrashError
            self.advances_until_crash -= 1
        if self.held[shard] != Shard(shard, epoch, expected):
            raise StateError(Reason.OWNERSHIP_LOST, "another owner has the shard")
        assert all(offset >= expected.get(p, 0) for p, offset in position.items())
        self.held[shard] = Shard(shard, epoch, dict(position))


def said(bus: MemoryBus) -> list[Message]:
    consumer = bus.consumer("test", [LINKS])
    found: list[Message] = []
    while batch := consumer.poll(1000, 0):
        found += batch
    return found


def said_rows(bus: MemoryBus, kind: str) -> pl.DataFrame:
    frames = [rows_of(m, (LINK_KINDS[kind],)) for m in said(bus) if m.headers["kind"] == kind]
    return pl.concat([pl.DataFrame(schema=columns(LINK_KINDS[kind])), *frames])


def final_pairs(bus: MemoryBus) -> pl.DataFrame:
    """The pairs that hold: of all that were ever said, those of records that are the latest and not withdrawn."""
    current = latest(said_rows(bus, "roster").lazy()).collect()
    alive = current.filter(pl.col("operation") == "upsert").select("source", "subject_ref", "version", "content_hash")
    pairs = said_rows(bus, "pairs")
    for side in ("left", "right"):
        ends = [f"{side}_{name}" for name in ("source", "ref", "version", "hash")]
        pairs = pairs.join(alive, left_on=ends, right_on=alive.columns, how="semi")
    return pairs


@pytest.fixture
def bus() -> MemoryBus:
    made = MemoryBus()
    made.create_topics(TOPICS)
    return made


@pytest.fixture
def zone(tmp_path: Path) -> DeltaZone:
    return DeltaZone(tmp_path / "lake", "linkage")


def matcher(bus: MemoryBus, registry: MemoryRegistry, zone: DeltaZone, **options: object) -> Matcher:
    settings_: dict[str, object] = {"owner": "test", "poll_s": 0, **options}
    return Matcher(bus, registry, zone, MODEL, **settings_)  # type: ignore[arg-type]


def drain(role: Matcher | Landing) -> int:
    done = 0
    while step := role.step():
        done += step
    return done


def crowd(count: int, seed: int = 0) -> list[Record]:
    """Records over all sources whose values are drawn from small pools."""
    chance = np.random.default_rng(seed)

    def pick(*values: str | None) -> str | None:
        return values[chance.integers(len(values))]

    return [
        Record(
            str(pick(*SOURCES)),
            ref,
            forename=pick("ann", "bob", "cat", "ali", None),
            surname=pick("lee", "ray", "low", None),
            born=pick("1980-05-17", "1991-01-01", "1980-05-18", None),
            postcode=pick("ME4", "ME7", "TN1", None),
            claim=pick("c1", None),
        )
        for ref in range(count)
    ]


def test_what_is_said_equals_one_batch_match(bus: MemoryBus, zone: DeltaZone) -> None:
    records = crowd(80)
    bus.producer().send(messages(records))
    role = matcher(bus, MemoryRegistry(), zone)
    drain(role)
    expected = batch_pairs(records)
    assert expected.height > 30
    assert pair_set(said_rows(bus, "pairs")) == pair_set(expected)
    roster = said_rows(bus, "roster")
    assert roster.height == len(records)
    assert dict(roster.select("source", "one_record_per_person").unique().iter_rows()) == {
        source: source == SOURCES[0] for source in SOURCES
    }
    assert roster.drop_nulls("claim_group")["claim_group"].bin.size().unique().to_list() == [16]
    assert role.counts["subjects"] == role.counts["roster"] == len(records)
    assert set(role.lag().values()) == {0}
    assert bus.committed("matcher-0", SUBJECTS) == bus.end_offsets(SUBJECTS)


@pytest.mark.parametrize("rows_each", [1, 4, 1000])
@pytest.mark.parametrize("batch_messages", [1, 5, 1000])
def test_order_duplication_and_batches_do_not_matter(
    bus: MemoryBus, zone: DeltaZone, rows_each: int, batch_messages: int
) -> None:
    records = crowd(40)
    shuffled = [records[i] for i in np.random.default_rng(rows_each).permutation(len(records))]
    bus.producer().send(messages(shuffled + records[::3], rows_each))
    drain(matcher(bus, MemoryRegistry(), zone, batch_messages=batch_messages))
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))


def test_each_message_says_whose_it_is_and_only_the_last_completes(
    bus: MemoryBus, zone: DeltaZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.matcher.links.ROWS_A_MESSAGE", 7)
    bus.producer().send(messages(crowd(30), rows_each=50))
    registry = MemoryRegistry()
    drain(matcher(bus, registry, zone, shards=2, batch_messages=1000))
    for shard in (0, 1):
        mine = [m for m in said(bus) if m.headers["shard"] == str(shard)]
        assert {m.partition for m in mine} == {shard % LINKS.partitions}
        assert {m.headers["epoch"] for m in mine} == {"1"}
        assert {m.headers["model_id"] for m in mine} == {MODEL.model_id}
        kinds = [m.headers["kind"] for m in mine]
        assert kinds == sorted(kinds, reverse=True)  # roster before pairs
        assert len(kinds) > 5
        assert [m.headers.get("position") for m in mine[:-1]] == [None] * (len(mine) - 1)
        assert json.loads(mine[-1].headers["position"]) == registry.held[shard].position
        assert all(from_ipc(m.value or b"").height == int(m.headers["rows"]) <= 7 for m in mine)


def test_a_micro_batch_without_pairs_still_completes_its_position(bus: MemoryBus, zone: DeltaZone) -> None:
    bus.producer().send(messages([Record(SOURCES[0], 1)]))
    registry = MemoryRegistry()
    drain(matcher(bus, registry, zone))
    assert [m.headers["kind"] for m in said(bus)] == ["roster", "pairs"]
    assert said_rows(bus, "pairs").height == 0
    assert registry.held[0].position[f"{SUBJECTS.name}-1"] == 1


def test_an_older_version_is_ignored_and_a_newer_one_replaces(bus: MemoryBus, zone: DeltaZone) -> None:
    producer, role = bus.producer(), matcher(bus, MemoryRegistry(), zone)
    left = Record(SOURCES[0], 1, version=5)
    producer.send(messages([left, Record(SOURCES[2], 2, version=5)]))
    drain(role)
    assert final_pairs(bus).height == 1
    producer.send(messages([replace(left, version=4, surname="ray", born="1950-01-02")]))
    drain(role)
    assert said_rows(bus, "roster").height == 2
    assert final_pairs(bus).height == 1
    moved = replace(left, version=6, forename="bob", surname="ray", born="1950-01-02")
    producer.send(messages([moved]))
    drain(role)
    assert final_pairs(bus).height == 0
    producer.send(messages([replace(left, version=7)]))
    drain(role)
    assert final_pairs(bus).select("left_version", "right_version").rows() == [(7, 5)]


def test_of_two_contents_of_one_version_the_higher_hash_holds_whatever_the_order(
    bus: MemoryBus, zone: DeltaZone
) -> None:
    one, other = Record(SOURCES[0], 1, postcode="ME4"), Record(SOURCES[0], 1, postcode="TN1")
    higher = max(hash_of(one), hash_of(other))
    role = matcher(bus, MemoryRegistry(), zone)
    bus.producer().send(messages([Record(SOURCES[2], 2)]))
    for record in (one, other, one):
        bus.producer().send(messages([record]))
        drain(role)
    roster, pairs = said_rows(bus, "roster").filter(source=SOURCES[0]), final_pairs(bus)
    assert roster["content_hash"].to_list() == sorted({hash_of(one), higher})
    assert pairs.select("left_hash", "right_hash").rows() == [(higher, hash_of(Record(SOURCES[2], 2)))]


def test_a_withdrawn_subject_is_said_to_be_so_and_meets_nobody_after(bus: MemoryBus, zone: DeltaZone) -> None:
    producer, role = bus.producer(), matcher(bus, MemoryRegistry(), zone)
    gone = Record(SOURCES[0], 1)
    producer.send(messages([gone]))
    drain(role)
    producer.send(messages([replace(gone, version=1, withdrawn=True)]))
    drain(role)
    producer.send(messages([Record(SOURCES[2], 2)]))
    drain(role)
    assert said_rows(bus, "roster")["operation"].to_list() == ["upsert", "withdraw", "upsert"]
    assert said_rows(bus, "pairs").height == 0
    producer.send(messages([replace(gone, version=2)]))
    drain(role)
    assert final_pairs(bus).height == 1


def test_two_workers_with_a_shard_each_say_what_one_says(bus: MemoryBus, zone: DeltaZone) -> None:
    records = crowd(60)
    registry = MemoryRegistry()
    workers = [matcher(bus, registry, zone, shards=2, owned=[s], batch_messages=s + 1) for s in (0, 1)]
    for start in range(0, 60, 20):
        bus.producer().send(messages(records[start : start + 20]))
        workers[start // 20 % 2].step()
    for worker in workers:
        drain(worker)
    pairs = said_rows(bus, "pairs")
    assert pair_set(pairs) == pair_set(batch_pairs(records))
    assert pairs.height == pairs.unique().height
    assert sorted(pairs["shard"].unique()) == [0, 1]
    left = identities(pairs["left_source"], pairs["left_ref"])
    right = identities(pairs["right_source"], pairs["right_ref"])
    assert pair_shards(left, right, 2).tolist() == pairs["shard"].to_list()


def test_a_new_owner_loads_the_lake_and_says_only_what_is_new(bus: MemoryBus, zone: DeltaZone) -> None:
    records = crowd(40)
    registry = MemoryRegistry()
    bus.producer().send(messages(records[:30]))
    drain(Landing.of_linkage(bus, zone, NOW))
    drain(matcher(bus, registry, zone))
    before = len(said(bus))
    bus.producer().send(messages(records[30:]))
    second = matcher(bus, registry, zone)
    drain(second)
    assert second.counts["loaded"] == 30
    new = said(bus)[before:]
    assert {m.headers["epoch"] for m in said(bus)} == {"1", "2"}
    assert sum(int(m.headers["rows"]) for m in new if m.headers["kind"] == "roster") == 10
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))


@pytest.mark.parametrize("landed", [0, 1, 3])
def test_a_lake_that_is_behind_the_shards_position_is_completed_from_the_topic(
    bus: MemoryBus, zone: DeltaZone, landed: int
) -> None:
    records = crowd(40)
    registry = MemoryRegistry()
    landing = Landing.of_linkage(bus, zone, replace(NOW, batch_messages=3))
    bus.producer().send(messages(records[:30]))
    drain(matcher(bus, registry, zone))
    for _ in range(landed):
        landing.step()
    bus.producer().send(messages(records[30:]))
    second = matcher(bus, registry, zone)
    drain(second)
    assert second.counts["loaded"] == 30
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))


def test_what_the_topic_dropped_before_it_was_matched_is_read_from_the_lake(
    bus: MemoryBus, zone: DeltaZone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.matcher.source.GAP_MESSAGES", 2)
    records = crowd(50)
    registry = MemoryRegistry()
    bus.producer().send(messages(records[:20]))
    drain(matcher(bus, registry, zone))
    bus.producer().send(messages(records[20:40]))
    drain(Landing.of_linkage(bus, zone, NOW))
    bus.trim(2**53)
    bus.producer().send(messages(records[40:]))
    second = matcher(bus, registry, zone)
    drain(second)
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))
    assert second._source.counts["lost"] == 0
    assert set(second.lag().values()) == {0}


@pytest.mark.parametrize("landed", ["nothing", "some", "all", "all, and the topic is empty"])
def test_one_owner_takes_over_shards_that_stand_at_different_places(
    bus: MemoryBus, zone: DeltaZone, landed: str
) -> None:
    records = crowd(60)
    registry = MemoryRegistry()
    bus.producer().send(messages(records[:50]) + messages([replace(r, version=1, postcode="TN1") for r in records[:9]]))
    far, middle, _ = (matcher(bus, registry, zone, shards=3, owned=[s], batch_messages=3) for s in range(3))
    drain(far)
    for _ in range(3):
        middle.step()
    landing = Landing.of_linkage(bus, zone, replace(NOW, batch_messages=4))
    if landed != "nothing":
        landing.step()
    if landed.startswith("all"):
        drain(landing)
    if landed.endswith("empty"):
        bus.trim(2**53)
    bus.producer().send(messages(records[50:]))
    drain(matcher(bus, registry, zone, shards=3))
    latest_records = [replace(r, version=1, postcode="TN1") for r in records[:9]] + records[9:]
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(latest_records))
    assert len({tuple(held.position.items()) for held in registry.held.values()}) == 1


def test_retention_that_overtakes_a_working_matcher_is_made_good_from_the_lake(bus: MemoryBus, zone: DeltaZone) -> None:
    records = crowd(60)
    role, landing = matcher(bus, MemoryRegistry(), zone), Landing.of_linkage(bus, zone, NOW)
    for start in (0, 20, 40):
        bus.producer().send(messages(records[start : start + 20]))
        drain(role if start == 0 else landing)
        drain(landing)
        bus.trim(2**53)
    drain(role)
    assert set(role.lag().values()) == {0}
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))


def test_messages_that_neither_topic_nor_lake_hold_are_reported(
    bus: MemoryBus, zone: DeltaZone, caplog: pytest.LogCaptureFixture
) -> None:
    bus.producer().send(messages(crowd(8), rows_each=1))
    bus.trim(2**53)
    role = matcher(bus, MemoryRegistry(), zone)
    drain(role)
    assert role._source.counts["lost"] == 8
    assert "the lake does not hold" in caplog.text


def test_an_unreadable_message_is_passed_over_without_its_values(
    bus: MemoryBus, zone: DeltaZone, caplog: pytest.LogCaptureFixture
) -> None:
    poison = Outgoing(SUBJECTS.name, 0, b"k", b"CANARY", {"kind": "subjects"})
    bus.producer().send([*messages([Record(SOURCES[0], 1)]), poison, *messages([Record(SOURCES[2], 2)])])
    role = matcher(bus, MemoryRegistry(), zone)
    assert drain(role) == 3
    assert final_pairs(bus).height == 1
    assert role._source.counts["unreadable"] == 1
    assert "CANARY" not in caplog.text


class FlakyBus(MemoryBus):
    """A bus whose producers fail, before or after they sent, as often as they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[tuple[str, Exception]] = []

    def producer(self) -> Producer:  # type: ignore[override]
        real, failures = super().producer(), self.failures

        class Flaky:
            def send(self, batch: Sequence[Outgoing]) -> list[tuple[TopicPartition, int]]:
                when, error = failures.pop(0) if failures and batch[0].topic == LINKS.name else ("never", CrashError())
                if when == "before":
                    raise error
                if when == "between":  # the bus took a part of it
                    real.send(batch[: len(batch) // 2])
                    raise error
                sent = real.send(batch)
                if when == "after":
                    raise error
                return sent

            def close(self) -> None:
                real.close()

        return Flaky()


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_results_that_could_not_be_sent_are_sent_by_the_next_step(zone: DeltaZone, when: str) -> None:
    bus = FlakyBus()
    bus.create_topics(TOPICS)
    records = crowd(30)
    bus.producer().send(messages(records))
    role = matcher(bus, MemoryRegistry(), zone, batch_messages=4)
    role.step()
    bus.failures.append((when, TransientError(Reason.BUSY, "busy")))
    with pytest.raises(TransientError):
        role.step()
    drain(role)
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))


def test_a_load_that_failed_half_way_starts_again(zone: DeltaZone) -> None:
    bus = FlakyBus()
    bus.create_topics(TOPICS)
    records = crowd(30)
    bus.producer().send(messages(records))
    drain(Landing.of_linkage(bus, zone, NOW))
    bus.trim(2**53)  # so that loading has to say what the lake holds
    bus.failures.append(("before", TransientError(Reason.BUSY, "busy")))
    role = matcher(bus, MemoryRegistry(), zone)
    with pytest.raises(TransientError):
        role.step()
    drain(role)
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))


def test_an_owner_that_lost_its_shard_stops(bus: MemoryBus, zone: DeltaZone) -> None:
    registry = MemoryRegistry()
    bus.producer().send(messages(crowd(4)))
    old = matcher(bus, registry, zone)
    old.load()
    new = matcher(bus, registry, zone)
    stop = threading.Event()
    with pytest.raises(StateError) as caught:
        old.run(stop)
    assert caught.value.reason is Reason.OWNERSHIP_LOST
    assert drain(new) > 0


def test_the_first_model_is_adopted_and_another_is_refused(bus: MemoryBus, zone: DeltaZone) -> None:
    registry = MemoryRegistry()
    matcher(bus, registry, zone)
    other = MODEL.model_copy(update={"model_id": "other-model"})
    with pytest.raises(StateError) as caught:
        Matcher(bus, registry, zone, other, owner="test")
    assert caught.value.reason is Reason.MODEL_MISMATCH
    bus.producer().send(messages([Record(SOURCES[0], 1), Record(SOURCES[2], 2)]))
    drain(Matcher(bus, registry, zone, None, owner="test", poll_s=0))  # none given: the active one
    assert said_rows(bus, "pairs")["model_id"].to_list() == [MODEL.model_id]


def test_another_bus_than_the_shards_know_is_refused(bus: MemoryBus, zone: DeltaZone) -> None:
    registry = MemoryRegistry()
    bus.producer().send(messages(crowd(10)))
    drain(matcher(bus, registry, zone))
    other = MemoryBus()
    other.create_topics(INTERNAL)
    with pytest.raises(StateError) as caught:
        matcher(other, registry, zone).step()
    assert caught.value.reason is Reason.NOT_RECONCILED


def test_run_matches_until_it_is_stopped_over_the_real_registry(tmp_path: Path, zone: DeltaZone) -> None:
    bus = FlakyBus()
    bus.create_topics(TOPICS)
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    records = crowd(30)
    bus.failures.append(("after", TransientError(Reason.BUSY, "busy")))
    role = Matcher(bus, registry.matcher, zone, MODEL, owner="test", shards=2, poll_s=0.01)
    stop = threading.Event()
    thread = threading.Thread(target=role.run, args=(stop,))
    thread.start()
    bus.producer().send(messages(records))
    for _ in range(1000):
        if bus.committed("matcher-0", SUBJECTS) == bus.end_offsets(SUBJECTS):
            break
        stop.wait(0.02)
    stop.set()
    thread.join(20)
    assert pair_set(final_pairs(bus)) == pair_set(batch_pairs(records))
    ends = {f"{p.topic}-{p.partition}": end for p, end in bus.end_offsets(SUBJECTS).items()}
    assert [registry.matcher.claim_shard(MODEL.model_id, s, "test").position for s in (0, 1)] == [ends, ends]
    registry.close()


# All of it at once: any interleaving of sending, landing, matching, trimming, dying and taking over.


def record_of(source: str, ref: int, version: int, telling: int, *, withdrawn: bool) -> Record:
    """What a source says of a subject at a version: one thing or another, in any order."""
    chance = np.random.default_rng([SOURCES.index(source), ref, version, telling])
    forename, surname, born, postcode, claim = chance.integers(2, size=5)
    return Record(
        source,
        ref,
        version,
        withdrawn,
        forename=("ann", "bob")[forename],
        surname=("lee", "ray")[surname],
        born=("1980-05-17", "1991-01-01")[born],
        postcode=("ME4", "TN1")[postcode],
        claim=(None, "c1")[claim],
    )


RECORDS = st.lists(
    st.builds(
        record_of,
        source=st.sampled_from(SOURCES),
        ref=st.integers(0, 7),
        version=st.integers(0, 3),
        telling=st.integers(0, 1),
        withdrawn=st.sampled_from([False, False, False, True]),
    ),
    min_size=1,
    max_size=8,
)

OWNERSHIPS = ([[0, 1, 2]], [[0], [1], [2]], [[0, 2], [1]], [[2], [0, 1]])


class AnyInterleaving(RuleBasedStateMachine):
    """Three shards, any number of workers; at the end the pairs are those of one batch."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.bus = FlakyBus()
        self.bus.create_topics(TOPICS)
        self.zone = DeltaZone(self.folder, "linkage")
        self.landing = Landing.of_linkage(self.bus, self.zone, replace(NOW, batch_messages=3))
        self.registry = MemoryRegistry()
        self.sent: list[Record] = []
        self.workers: list[Matcher | None] = []
        self.take_over(OWNERSHIPS[0])

    @rule(records=RECORDS, rows_each=st.integers(1, 4))
    def send(self, records: list[Record], rows_each: int) -> None:
        self.sent += records
        self.bus.producer().send(messages(records, rows_each))

    @rule()
    def land(self) -> None:
        self.landing.step()

    @rule()
    def land_all_and_trim(self) -> None:
        drain(self.landing)
        self.bus.trim(2**53)

    @rule(which=st.integers(0, 2))
    def match(self, which: int) -> None:
        worker = self.workers[which % len(self.workers)]
        if worker is not None:
            worker.step()

    @rule(
        which=st.integers(0, 2),
        when=st.sampled_from(["before", "between", "after"]),
        advances=st.none() | st.integers(0, 2),
    )
    def die(self, which: int, when: str, advances: int | None) -> None:
        """A worker dies around its sending, or between the moves of two of its shards."""
        place = which % len(self.workers)
        worker = self.workers[place]
        if advances is None:
            self.bus.failures.append((when, CrashError()))
        else:
            self.registry.advances_until_crash = advances
        try:
            if worker is not None:
                worker.step()
        except CrashError:
            self.workers[place] = None
        self.bus.failures.clear()
        self.registry.advances_until_crash = None

    @rule(ownership=st.sampled_from(OWNERSHIPS), batch_messages=st.integers(1, 6))
    def take_over(self, ownership: list[list[int]], batch_messages: int = 20) -> None:
        self.workers = [
            matcher(self.bus, self.registry, self.zone, shards=3, owned=owned, batch_messages=batch_messages)
            for owned in ownership
        ]

    def teardown(self) -> None:
        if hasattr(self, "bus"):
            self.take_over(OWNERSHIPS[2])
            for worker in self.workers:
                assert worker is not None
                drain(worker)
            assert pair_set(final_pairs(self.bus)) == pair_set(batch_pairs(self.sent))
            expected = latest(frame(self.sent).lazy()).collect()
            held = latest(said_rows(self.bus, "roster").lazy()).collect()
            key = ["source", "subject_ref", "version", "operation", "content_hash"]
            assert set(held.select(key).rows()) == set(expected.select(key).rows())
            shutil.rmtree(self.folder)


TestAnyInterleaving = AnyInterleaving.TestCase
TestAnyInterleaving.settings = settings(
    max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
