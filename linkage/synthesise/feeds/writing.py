"""Records of one source: who writes them down, with which identifiers, under which ids.

Each source errs on its own. Of the news that a person's two sides differ by (a move, a marriage, a name people go by),
a source has the one of its side, unless it has heard of the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise import identifiers
from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.drift import HEALTH, NEITHER, WELFARE
from linkage.synthesise.feeds.facts import Facts, days
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.feeds.places import in_2011
from linkage.synthesise.records import Cast, written, written_without_names
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import PropertyMatch

HEARD: Final = 0.35
"""Share of changes that another source of a side has heard of while the first has not [assumption]."""
WRONG_NUMBER: Final = 0.001
"""NHS numbers with a slip of the keyboard, whose check digit then fails nearly always [assumption]."""


@dataclass(frozen=True)
class Writer:
    """How one source writes: its id, the letters before its record ids, its side, whether it holds names and areas of
    2011, the share of its records without NHS number, and whether it is its side's first to hear.
    """

    source: str
    letters: str
    side: int
    named: bool = True
    areas_2011: bool = False
    without_nhs_number: float = 1.0
    first: bool = False


@dataclass(frozen=True)
class Records:
    """The records of one source and whose they are: `frame`, and in `truth` source, record_id, person."""

    frame: pl.DataFrame
    truth: pl.DataFrame


def heard(lives: Lives, writer: Writer) -> Cast:
    """Return the cast as one source knows it."""
    cast = lives.society.cast
    if writer.first:
        return cast
    draw = lives.chance.stream(f"{writer.source}.heard")
    n = len(lives.world)
    drift = cast.drift

    def still(file: Ints) -> Ints:
        return np.where(draw.random(n) < HEARD, NEITHER, file)

    known = replace(
        drift,
        stale_file=still(drift.stale_file),
        surname_file=still(drift.surname_file),
        known_as_file=still(drift.known_as_file),
        middle_used_file=still(drift.middle_used_file),
    )
    return replace(cast, drift=known)


def order(lives: Lives, writer: Writer, owners: Ints) -> Ints:
    """Return the owners in the order of the file, which says nothing about them."""
    return lives.chance.stream(f"{writer.source}.order").permutation(owners)


def health_records(
    lives: Lives,
    writer: Writer,
    owners: Ints,
    content: Mapping[str, Facts],
    numbers: pl.Series,
    practice: pl.Series | None,
) -> Records:
    """Return the records of a health source: `owners` are positions among those registered, one record each; `numbers`
    and `practice` by position.
    """
    owners = order(lives, writer, owners)
    rows, cast = lives.rows[owners], heard(lives, writer)
    dwelling = lives.dwelling[rows]
    if writer.named:
        identity = written(lives.chance, cast, HEALTH, rows, dwelling, by=writer.source)
    else:
        identity = written_without_names(lives.chance, cast, HEALTH, rows, dwelling, by=writer.source)
    if writer.areas_2011:
        identity = identity.with_columns(in_2011(identity["lsoa"]).alias("lsoa"))
    draw = lives.chance.stream(f"{writer.source}.identifiers")
    missing = draw.random(len(owners)) < writer.without_nhs_number
    wrong = cast.odds.of(rows).happens(draw, WRONG_NUMBER)
    number = pl.DataFrame({"n": numbers.gather(owners), "missing": missing, "wrong": wrong}).select(
        pl.when("missing")
        .then(None)
        .when("wrong")
        .then(pl.col("n").str.replace(r"(\d)(\d)$", "$2$1"))
        .otherwise("n")
        .alias("nhs_number")
    )
    columns = [number["nhs_number"]]
    if practice is not None:
        columns.append(practice.gather(owners).alias("practice_code"))
    columns.append(_deaths(lives, rows))
    at = np.full(len(lives.rows), -1, dtype=np.int64)
    at[owners] = np.arange(len(owners))
    return _records(lives, writer, identity.with_columns(columns), rows, content, at)


def _deaths(lives: Lives, rows: Ints) -> pl.Series:
    spans = lives.world_spans
    day = days(np.where(spans.dead[rows], spans.last[rows], REFERENCE_DAY))
    return day.dt.to_string("%Y-%m-%d").set(pl.Series(~spans.dead[rows]), None).alias("date_of_death")


def _records(
    lives: Lives, writer: Writer, identity: pl.DataFrame, rows: Ints, content: Mapping[str, Facts], at: Ints
) -> Records:
    ids = identifiers.record_ids(lives.chance.stream(f"{writer.source}.record_id"), writer.letters, len(rows))
    lists = [facts.listed(name, at, len(rows)) for name, facts in content.items()]
    truth = pl.DataFrame({"source": pl.repeat(writer.source, len(rows), eager=True), "record_id": ids, "person": rows})
    return Records(pl.DataFrame([ids, *identity.get_columns(), *lists]), truth)


def matched(identity: pl.DataFrame, shared: Flags, draw: np.random.Generator) -> pl.Series:
    """Return how well each address was matched to its property; `shared` are doors of hostels and care homes."""
    # ASSIGN: 98.6 % find their property, some imprecisely.
    chance = draw.random(len(shared))
    values = [PropertyMatch.NON_RESIDENTIAL, PropertyMatch.IMPRECISE, PropertyMatch.MULTIPLE, PropertyMatch.RESIDENCY]
    index = np.where(shared, 0, np.where(chance < 0.012, 1, np.where(chance < 0.016, 2, 3)))
    match = pl.Series([value.value for value in values]).gather(index)
    return match.set(identity["uprn"].is_null(), PropertyMatch.NO_DATA.value).alias("property_match")


def welfare_records(
    lives: Lives, writer: Writer, person: Ints, dwelling: Ints, content: Mapping[str, Facts], owners: Ints,
    ninos: pl.Series, *, child: Flags, columns: pl.DataFrame | None = None,
) -> Records:  # fmt: skip
    """Return the records of a welfare source, one for each of `owners` (rows of whatever its facts belong to).

    `person` (row of the world), `dwelling`, `child` and `columns` (claim_reference and whatever else a record says) are
    by owner, `ninos` by row of the world (null: none).
    """
    shuffled = lives.chance.stream(f"{writer.source}.order").permutation(len(owners))
    owners = owners[shuffled]
    rows, cast, rates = person[owners], heard(lives, writer), lives.society.cast.rates
    identity = written(lives.chance, cast, WELFARE, rows, dwelling[owners], by=writer.source)
    draw = lives.chance.stream(f"{writer.source}.identifiers")
    young = child[owners]
    missing = draw.random(len(owners)) < np.where(young, 1.0 - rates.child_nino, rates.adult_no_nino)
    dummy = (draw.random(len(owners)) < rates.adult_dummy_nino) & ~young
    unnamed = young & (draw.random(len(owners)) < rates.child_no_name)
    undated = unnamed & (draw.random(len(owners)) < rates.unnamed_child_no_birth_date)
    nino = pl.DataFrame(
        {
            "n": ninos.gather(rows), "d": identifiers.dummy_ninos(draw, len(owners)), "missing": missing,
            "dummy": dummy,
        }
    ).select(pl.when("missing").then(None).when("dummy").then("d").otherwise("n").alias("nino"))  # fmt: skip
    named = [pl.when(~pl.Series(unnamed)).then(pl.col(c)).alias(c) for c in ("forename", "middle_names", "surname")]
    identity = identity.with_columns(
        *named, pl.when(~pl.Series(undated)).then("date_of_birth").alias("date_of_birth"), nino["nino"],
        *(() if columns is None else columns[owners].get_columns()),
    )  # fmt: skip
    at = np.full(len(person), -1, dtype=np.int64)
    at[owners] = np.arange(len(owners))
    return _records(lives, writer, identity, rows, content, at)
