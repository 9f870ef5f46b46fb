"""Several workers beside one another: shards handed over, drift counted once, one resolver active, and what retention
took said again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from linkage.encode import ProjectKeys, encode
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.errors import Reason, StateError, TransientError
from schemas.model import default_model
from schemas.topics import INTERNAL, LINKS, PERSONS, SUBJECTS, Topic
from services.bus.memory import MemoryBus
from services.ingest.split import Origin, split
from services.lake.delta import DeltaZone
from services.landing.role import Landing, Pace
from services.leases import Lease
from services.matcher.adopting import Matching
from services.registry.sql import SqlRegistry, open_registry
from services.resolver.role import Resolver
from services.resolver.standby import Standby

AGREEMENT = shipped_agreement("test")
SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}
SHARDS = 6
LEASE_S = 10.0


@pytest.fixture(scope="module")
def batches() -> list[tuple[Feed, pl.DataFrame]]:
    """Records of both feeds, in small batches that take turns."""
    people = population(400, 150, seed=11, error_scale=1.0)
    keys = ProjectKeys(bytes(32), AGREEMENT.key_epoch)
    parts = []
    for feed, clear in ((Feed.HEALTH, people.health), (Feed.WELFARE, people.welfare)):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frame = encode(identity, AGREEMENT, keys, feed, False, source=SOURCES[feed]).frame
        parts += [(feed, rows) for rows in frame.iter_slices(40)]
    return parts[::2] + parts[1::2]


@dataclass
class Line:
    """A bus, a lake and a registry, and a clock that a test moves."""

    folder: Path
    now: float = 0.0
    bus: MemoryBus = field(default_factory=MemoryBus)

    def __post_init__(self) -> None:
        self.bus.create_topics(INTERNAL)
        self.zone = DeltaZone(self.folder / "linkage", "linkage")
        self.landing = Landing.of_linkage(self.bus, self.zone, Pace(linger_s=0, poll_s=0))
        self.registry: SqlRegistry = open_registry(f"sqlite:///{self.folder / 'registry.db'}")

    def send(self, parts: list[tuple[Feed, pl.DataFrame]]) -> None:
        for feed, rows in parts:
            origin = Origin(SOURCES[feed], "s", AGREEMENT.agreement_id, "e", feed is Feed.HEALTH, 0)
            self.bus.producer().send(split(rows, feed, origin))

    def land_and_trim(self) -> None:
        while self.landing.step():
            pass
        self.bus.trim(2**53)

    def lease(self, role: str, member: str) -> Lease:
        return Lease(self.registry.leases, role, member, lease_s=LEASE_S, clock=lambda: self.now)

    def matcher(self, member: str, lease: Lease | None = None, poll_s: float = 0) -> Matching:
        held = lease or self.lease("matcher", member)
        return Matching(
            self.bus,
            self.registry.matcher,
            self.zone,
            default_model(),
            owner=held.member,
            lease=held,
            shards=SHARDS,
            batch_messages=3,
            poll_s=poll_s,
        )

    def resolver(self, owner: str = "r") -> Resolver:
        return Resolver(
            self.bus,
            self.registry.resolver,
            default_model().policy,
            owner=owner,
            adoptions=self.registry.adoptions,
            shards=SHARDS,
            poll_messages=3,
            poll_s=0,
        )

    def owners(self) -> list[str]:
        return [shard.owner for shard in self.registry.matcher.shards()]

    def persons(self) -> set[frozenset[tuple[str, str]]]:
        together: dict[str, set[tuple[str, str]]] = {}
        for person, source, ref in self.registry.resolver.persons().select("person_id", "source", "subject_ref").rows():
            together.setdefault(person, set()).add((source, ref))
        return {frozenset(members) for members in together.values()}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.registry.close()


@pytest.fixture(scope="module")
def expected(
    batches: list[tuple[Feed, pl.DataFrame]], tmp_path_factory: pytest.TempPathFactory
) -> set[frozenset[tuple[str, str]]]:
    """The persons that one undisturbed worker of each role finds."""
    plain = Line(tmp_path_factory.mktemp("plain"))
    plain.send(batches)
    drain(plain.matcher("only"), plain.resolver())
    persons = plain.persons()
    plain.registry.close()
    assert sum(len(person) > 1 for person in persons) > 80
    return persons


def drain(*roles: Matching | Resolver | Standby) -> None:
    while sum(role.step() for role in roles):
        pass


def ends(bus: MemoryBus, topic: Topic) -> dict[str, int]:
    return {f"{place.topic}-{place.partition}": end for place, end in bus.end_offsets(topic).items()}


class Away:
    """A call that finds its server away so many times, and works from then on."""

    def __init__(self, call: Callable[..., Any], times: int = 1) -> None:
        self.call = call
        self.left = times

    def __call__(self, *given: Any, **named: Any) -> Any:
        if self.left:
            self.left -= 1
            raise TransientError(Reason.UNAVAILABLE, "The server is away; try again.")
        return self.call(*given, **named)


# --- what was read while the registry was away -----------------------------------------------------------------------
def test_what_a_matcher_read_is_matched_although_the_registry_was_away(
    line: Line,
    batches: list[tuple[Feed, pl.DataFrame]],
    expected: set[frozenset[tuple[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker has just taken over the shard that counts for drift, and cannot read the counts."""
    leases = {name: line.lease("matcher", name) for name in "ab"}
    one, two = (line.matcher(name, leases[name]) for name in "ab")
    one.step()
    two.step()
    line.send(batches[: len(batches) // 2])
    drain(one, two)
    for _ in range(3):  # `a` is dead
        line.now += LEASE_S / 2
        leases["b"].beat()
        two.step()
    assert line.owners() == ["b"] * SHARDS
    line.send(batches[len(batches) // 2 :])
    away = Away(line.registry.matcher.drift)
    monkeypatch.setattr(line.registry.matcher, "drift", away)
    with pytest.raises(TransientError):
        two.step()

    drain(two, line.resolver())
    assert not away.left
    assert line.persons() == expected


def test_what_a_resolver_read_is_resolved_although_the_registry_was_away(
    line: Line,
    batches: list[tuple[Feed, pl.DataFrame]],
    expected: set[frozenset[tuple[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver, matcher = line.resolver(), line.matcher("only")
    line.send(batches)
    drain(matcher)
    for _ in range(3):
        away = Away(line.registry.adoptions.in_use)
        monkeypatch.setattr(line.registry.adoptions, "in_use", away)
        with pytest.raises(TransientError):
            resolver.step()
        resolver.step()

    drain(resolver)
    assert line.persons() == expected


# --- matchers ---------------------------------------------------------------------------------------------------------
def test_shards_are_dealt_let_go_and_taken_and_the_dead_ones_follow(line: Line) -> None:
    leases = {name: line.lease("matcher", name) for name in "abc"}
    one = line.matcher("a", leases["a"])
    one.step()
    assert line.owners() == ["a"] * SHARDS
    two = line.matcher("b", leases["b"])
    two.step()
    assert line.owners() == ["a"] * SHARDS  # nothing is taken from one who is alive
    leases["a"].beat()
    one.step()
    assert line.owners() == ["a"] * 3 + [""] * 3
    leases["b"].beat()
    two.step()
    assert line.owners() == ["a"] * 3 + ["b"] * 3
    epochs = [shard.epoch for shard in line.registry.matcher.shards()]
    for _ in range(3):  # `a` is dead, or pauses
        line.now += LEASE_S / 2
        leases["b"].beat()
        two.step()
    assert line.owners() == ["b"] * SHARDS
    assert [shard.epoch for shard in line.registry.matcher.shards()] == [epoch + 1 for epoch in epochs[:3]] + epochs[3:]
    leases["a"].beat()
    one.step()  # it was a pause: what it still held it drops, without an error
    leases["b"].beat()
    two.step()
    leases["a"].beat()
    one.step()
    assert sorted(line.owners()) == ["a"] * 3 + ["b"] * 3
    two.close()
    leases["a"].beat()
    one.step()
    assert line.owners() == ["a"] * SHARDS  # who leaves in good order keeps nobody waiting


def test_a_zombie_says_nothing_that_counts_and_goes_on_with_what_it_has(
    line: Line, batches: list[tuple[Feed, pl.DataFrame]], expected: set[frozenset[tuple[str, str]]]
) -> None:
    leases = {name: line.lease("matcher", name) for name in "ab"}
    zombie, other = line.matcher("a", leases["a"]), line.matcher("b", leases["b"])
    zombie.step()
    other.step()
    line.send(batches[: len(batches) // 2])
    zombie.step()
    for _ in range(3):
        line.now += LEASE_S / 2
        leases["b"].beat()
        other.step()
    drain(other)
    assert line.owners() == ["b"] * SHARDS
    position = [shard.position for shard in line.registry.matcher.shards()]
    zombie.step()  # it has not looked since: it matches, sends, and is turned away
    assert [shard.position for shard in line.registry.matcher.shards()] == position
    line.send(batches[len(batches) // 2 :])
    for _ in range(4):
        for lease, role in ((leases["a"], zombie), (leases["b"], other)):
            lease.beat()
            role.step()
    drain(zombie, other)
    assert sorted(line.owners()) == ["a"] * 3 + ["b"] * 3
    assert all(shard.position == ends(line.bus, SUBJECTS) for shard in line.registry.matcher.shards())
    drain(line.resolver())
    assert line.persons() == expected


def test_a_shard_far_behind_is_caught_up_in_pieces_against_the_index_as_it_is(
    line: Line, batches: list[tuple[Feed, pl.DataFrame]], expected: set[frozenset[tuple[str, str]]]
) -> None:
    line.send(batches)
    matcher, resolver = line.matcher("a"), line.resolver()
    drain(matcher)
    loaded = matcher._active.counts["loaded"]
    line.land_and_trim()  # the links too, which nobody has read: everything is asked again, and comes from the lake
    drain(resolver)
    assert resolver.counts["lost"] > 0
    assert {tuple(shard.position) for shard in line.registry.matcher.shards()} == {()}
    drain_with_looks(line, matcher, resolver)
    assert line.persons() == expected
    assert matcher._active.counts["loaded"] == loaded  # the index was not loaded again


def drain_with_looks(line: Line, matcher: Matching, *others: Resolver | Standby) -> None:
    """Step until nothing is left to do, after the matcher has looked who has which shard."""
    for _ in range(3):
        assert matcher._lease is not None
        matcher._lease.beat()
        drain(matcher, *others)


def test_drift_is_counted_once_whoever_has_which_shard(
    line: Line, batches: list[tuple[Feed, pl.DataFrame]], tmp_path: Path
) -> None:
    def counted(made: Line) -> dict[str, object]:
        return {source: json.loads(text) for source, text in made.registry.matcher.drift().items()}

    alone = Line(tmp_path / "alone")
    alone.send(batches)
    drain(alone.matcher("only"))
    leases = {name: line.lease("matcher", name) for name in "abc"}
    roles = {name: line.matcher(name, lease) for name, lease in leases.items()}
    for step, part in enumerate(batches):
        line.send([part])
        line.now += 2
        for name, lease in leases.items():
            paused = step // 8 % 3 == "abc".index(name)  # each in turn for longer than a lease, shard 0 goes round
            if not paused:
                lease.beat()
                roles[name].step()
    for _ in range(3):
        for name, lease in leases.items():
            lease.beat()
            drain(roles[name])
    assert len({shard.epoch for shard in line.registry.matcher.shards()} - {1}) > 0
    for source, document in counted(alone).items():
        found = counted(line)[source]
        assert isinstance(document, dict)
        assert isinstance(found, dict)
        assert found["records"] == document["records"]
        for measure, counts in document["open"].items():
            if measure.startswith("field") or measure == "known_surname":
                assert sum(found["open"][measure]) == sum(counts), measure
    alone.registry.close()


def test_workers_in_threads_share_and_hand_over_while_records_arrive(
    line: Line, batches: list[tuple[Feed, pl.DataFrame]], expected: set[frozenset[tuple[str, str]]]
) -> None:
    """Real loops and real clocks."""

    def started(loops: list[Callable[[threading.Event], None]]) -> tuple[threading.Event, list[threading.Thread]]:
        stop = threading.Event()
        threads = [threading.Thread(target=loop, args=(stop,)) for loop in loops]
        for thread in threads:
            thread.start()
        return stop, threads

    def worker(name: str) -> tuple[threading.Event, list[threading.Thread]]:
        lease = Lease(line.registry.leases, "matcher", name, lease_s=2.0)
        return started([line.matcher(name, lease, poll_s=0.01).run, lease.run])

    def resolver(name: str) -> tuple[threading.Event, list[threading.Thread]]:
        lease = Lease(line.registry.leases, "resolver", name, lease_s=2.0)
        return started([Standby(lease, lambda: line.resolver(name), poll_s=0.01).run, lease.run])

    def is_done() -> bool:
        shards = line.registry.matcher.shards()
        matched = len(shards) == SHARDS and all(shard.position == ends(line.bus, SUBJECTS) for shard in shards)
        return matched and line.registry.resolver.position() == ends(line.bus, LINKS)

    running = {name: worker(name) for name in ("a", "b")} | {name: resolver(name) for name in ("r", "s")}
    try:
        for number, part in enumerate(batches):
            line.send([part])
            time.sleep(0.02)
            if number == 4:
                running["c"] = worker("c")
            if number == 8:
                running["a"][0].set()
                running["r"][0].set()
        deadline = time.monotonic() + 300
        while not is_done():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "a" not in line.owners()
    finally:
        for stop, threads in running.values():
            stop.set()
            for thread in threads:
                thread.join(60)
    assert line.persons() == expected


# --- the resolver -----------------------------------------------------------------------------------------------------
def test_one_resolver_works_and_the_next_takes_over(
    line: Line, batches: list[tuple[Feed, pl.DataFrame]], expected: set[frozenset[tuple[str, str]]]
) -> None:
    leases = {name: line.lease("resolver", name) for name in "rs"}
    active, standby = (Standby(lease, lambda: line.resolver("x"), poll_s=0) for lease in leases.values())
    line.send(batches)
    drain(line.matcher("m"))
    active.step()
    standby.step()
    assert (active.is_active, standby.is_active) == (True, False)
    sequence = line.registry.features.membership()[0]
    for _ in range(3):  # the active one pauses
        line.now += LEASE_S / 2
        leases["s"].beat()
        standby.step()
    assert standby.is_active
    drain(standby)
    assert active.step() == 0  # it has read some more, may not write it, and stands by
    assert not active.is_active
    leases["s"].beat()
    assert leases["s"].members == ("s", "r")
    assert line.persons() == expected
    standby.close()
    leases["r"].beat()
    active.step()
    assert active.is_active
    sequences = [int(m.headers["sequence"]) for m in line.bus.consumer("t", [PERSONS]).poll(10_000, 0)]
    assert sorted(set(sequences)) == list(range(1, max(sequences) + 1))
    assert max(sequences) > sequence
    active.close()


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("stays_up", [False, True])
def test_links_that_retention_took_are_said_again(
    line: Line,
    batches: list[tuple[Feed, pl.DataFrame]],
    expected: set[frozenset[tuple[str, str]]],
    stays_up: bool,
    restarts: bool,
    goes_on: bool,
) -> None:
    """The first third is resolved, the second is lost, and of the last third messages stand behind the gap, or none."""
    third = len(batches) // 3
    matcher, resolver = line.matcher("m"), line.resolver()
    line.send(batches[:third])
    drain(matcher, resolver)
    resolved = line.persons()
    line.send(batches[third : 2 * third])
    drain(matcher)
    if not goes_on:
        line.send(batches[2 * third :])
        drain(matcher)
    line.land_and_trim()
    if goes_on:
        line.send(batches[2 * third :])
        drain(matcher)
    if not stays_up:
        resolver = line.resolver()
    resolver.step()
    lost, epochs = resolver.counts["lost"], [shard.epoch for shard in line.registry.matcher.shards()]
    assert lost > 0
    resolver.step()
    assert resolver.counts["lost"] == lost  # asked once
    assert [shard.epoch for shard in line.registry.matcher.shards()] == epochs
    if restarts:
        resolver = line.resolver()  # between two of the messages behind the gap, which must not count now either
    drain(resolver)
    assert line.persons() == resolved
    drain_with_looks(line, matcher, resolver)
    assert line.persons() == expected


def test_links_that_retention_took_are_said_again_although_the_registry_was_away(
    line: Line,
    batches: list[tuple[Feed, pl.DataFrame]],
    expected: set[frozenset[tuple[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was read behind the gap is neither lost nor taken for whole when asking for the rest fails."""
    third = len(batches) // 3
    matcher, resolver = line.matcher("m"), line.resolver()
    line.send(batches[:third])
    drain(matcher, resolver)
    resolved = line.persons()
    line.send(batches[third : 2 * third])
    drain(matcher)
    line.land_and_trim()
    line.send(batches[2 * third :])
    drain(matcher)
    away = Away(line.registry.resolver.ask_again, times=2)
    monkeypatch.setattr(line.registry.resolver, "ask_again", away)
    for _ in range(2):
        with pytest.raises(TransientError):
            resolver.step()
    assert line.persons() == resolved

    drain_with_looks(line, matcher, resolver)
    assert not away.left
    assert line.persons() == expected


def test_a_late_resolver_relays_what_it_wrote_before_the_next_one_does(
    line: Line,
    batches: list[tuple[Feed, pl.DataFrame]],
    expected: set[frozenset[tuple[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One wrote and was paused before relaying; the next took over, and meanwhile the first one went on."""
    line.send(batches[: len(batches) // 2])
    matcher, late = line.matcher("m"), line.resolver("late")
    drain(matcher)
    monkeypatch.setattr(late, "_relay", lambda: None)
    while not late.counts["changes"]:
        late.step()
    monkeypatch.undo()
    active = line.resolver("next")
    with pytest.raises(StateError):
        drain(late)  # it may relay, but write no more
    line.send(batches[len(batches) // 2 :])
    drain(matcher, active)

    assert line.persons() == expected
    sequences = [int(m.headers["sequence"]) for m in line.bus.consumer("t", [PERSONS]).poll(10_000, 0)]
    assert sequences == list(range(1, len(sequences) + 1))


def test_another_error_of_the_active_resolver_ends_it(line: Line) -> None:
    def broken() -> Resolver:
        raise StateError(Reason.SETTING_INVALID, "the number of shards was changed")

    lease = line.lease("resolver", "r")
    role = Standby(lease, broken)
    with pytest.raises(StateError) as caught:
        role.run(threading.Event())
    assert caught.value.reason is Reason.SETTING_INVALID
    assert not lease.joined
