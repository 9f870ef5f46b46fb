"""What a storm sends: two feeds of synthetic people, told late, twice and out of order, and what holds in the end."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow.parquet as pq

from linkage.encode import ProjectKeys
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from services.ingest.split import pieces_of
from services.pseudonymise import Job
from services.pseudonymise import run as pseudonymise

SOURCES: Final = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}
UNIQUE: Final = Feed.HEALTH
PEOPLE_A_CLAIM: Final = 4
"""Health records for each welfare record."""

OLD_SHARE: Final = 0.2
"""Share of subjects of whom an older version comes, too, at any time: another person's values, so that it shows."""

AGAIN_SHARE: Final = 0.2
"""Share of records that a second stream brings again, in another order and in batches of another size."""

_ROW_GROUP: Final = 50_000


@dataclass(frozen=True)
class Stream:
    """One file to send, with the number of its records and how many of them go in a batch."""

    feed: Feed
    path: Path
    rows: int
    batch_rows: int


@dataclass(frozen=True)
class Records:
    """The streams in the order in which they are begun, and of each feed the file of the records that must hold."""

    streams: tuple[Stream, ...]
    holding: dict[Feed, Path]

    @property
    def held(self) -> int:
        """How many subjects there are."""
        return sum(pq.read_metadata(path).num_rows for path in self.holding.values())

    @property
    def sent(self) -> int:
        """How many records are sent in all, older versions and repeats too."""
        return sum(stream.rows for stream in self.streams)

    def subjects(self) -> pl.DataFrame:
        """Every subject as ingest puts it on the topic."""
        return pl.concat(
            piece.rows
            for feed, path in self.holding.items()
            for piece in pieces_of(pl.read_parquet(path), feed, SOURCES[feed])
            if piece.kind == "subjects"
        )


def make_records(folder: Path, records: int, seed: int, batch_rows: int) -> Records:
    """Make feeds of some `records` subjects in all; the same seed, the same people and streams."""
    claims = round(records / (PEOPLE_A_CLAIM + 1))
    made = population(PEOPLE_A_CLAIM * claims, claims, seed=seed, error_scale=1.0)
    agreement = shipped_agreement("test")
    keys = ProjectKeys(bytes(range(32)), agreement.key_epoch)
    chance = random.Random(seed)
    holding, streams = {}, []
    for feed, clear in ((Feed.HEALTH, made.health), (Feed.WELFARE, made.welfare)):
        clear_path, path = folder / f"{feed}-clear.parquet", folder / f"{feed}.parquet"
        clear.write_parquet(clear_path)
        declaration = FileDeclaration(
            feed=feed,
            source=SOURCES[feed],
            agreement_id=agreement.agreement_id,
            agreement_hash=agreement.content_hash,
            key_epoch=agreement.key_epoch,
            one_record_per_person=feed is UNIQUE,
        )
        pseudonymise(Job(clear_path, path, agreement, keys, declaration, version=2))
        clear_path.unlink()
        holding[feed] = path
        streams += list(_streams(feed, path, chance, batch_rows))
    chance.shuffle(streams)
    return Records(tuple(streams), holding)


def _streams(feed: Feed, path: Path, chance: random.Random, batch_rows: int) -> Iterator[Stream]:
    """Yield the feed in two halves, what is old, and what comes again."""
    about = pq.read_schema(path).metadata
    whole = pl.read_parquet(path).with_columns(version=pl.lit(2, pl.Int64))

    def written(name: str, rows: pl.DataFrame, a_batch: int) -> Stream:
        target = path.with_name(f"{feed}-{name}.parquet")
        pq.write_table(rows.to_arrow().replace_schema_metadata(about), target, row_group_size=_ROW_GROUP)
        return Stream(feed, target, rows.height, a_batch)

    pq.write_table(whole.to_arrow().replace_schema_metadata(about), path, row_group_size=_ROW_GROUP)
    mixed = whole.sample(fraction=1.0, shuffle=True, seed=chance.randrange(2**31))
    half = mixed.height // 2
    yield written("one", mixed.head(half), batch_rows)
    yield written("other", mixed.slice(half), batch_rows)
    old = mixed.head(round(OLD_SHARE * mixed.height))
    values = mixed.tail(old.height)
    yield written("old", values.with_columns(old["subject_ref"], version=pl.lit(1, pl.Int64)), batch_rows)
    again = whole.sample(fraction=AGAIN_SHARE, shuffle=True, seed=chance.randrange(2**31))
    yield written("again", again, max(1, batch_rows * 2 // 3))
