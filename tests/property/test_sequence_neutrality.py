"""Whatever the order, repetition and batching, and however matcher and resolver take turns or die: the same persons."""

from __future__ import annotations

import os
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.encode import ProjectKeys
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.model import default_model
from schemas.topics import INTERNAL
from services.bus.memory import MemoryBus
from services.ingest.split import Origin, pieces_of, split, withdrawals
from services.lake.delta import DeltaZone
from services.lake.latest import latest
from services.link import run as link
from services.matcher.role import Matcher
from services.pseudonymise import Job
from services.pseudonymise import run as pseudonymise
from services.registry.sql import open_registry
from services.resolver.role import Resolver

SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}
Persons = set[frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class World:
    """Encoded feeds, of some subjects several records of one version, and the persons that the offline link finds in
    the records that hold, with the shipped model.
    """

    feeds: dict[Feed, pl.DataFrame]
    persons: Persons


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
