"""A whole population as two clear files and the truth between them: the one entrance of this package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.synthesise import claims as claiming
from linkage.synthesise import geography, health, identifiers, welfare
from linkage.synthesise.chance import Chance, Ints
from linkage.synthesise.claims import Claims, Role
from linkage.synthesise.drift import HEALTH, WELFARE, Odds, drift, group_factor
from linkage.synthesise.naming import name_people
from linkage.synthesise.rates import ErrorRates
from linkage.synthesise.records import Cast, written
from linkage.synthesise.world import build
from schemas.errors import InputError, Reason

HEALTH_COLUMNS = (
    "record_id", "forename", "middle_names", "surname", "date_of_birth", "sex", "postcode", "address", "uprn",
    "nhs_number", "ethnic_category", "lsoa", "practice_code", "date_of_death", "diagnoses", "encounters",
)  # fmt: skip
WELFARE_COLUMNS = (
    "record_id", "forename", "middle_names", "surname", "date_of_birth", "sex", "postcode", "address", "uprn", "nino",
    "ethnic_category", "lsoa", "claim_reference", "claim_role", "claims", "arrears",
)  # fmt: skip


@dataclass(frozen=True)
class Population:
    """Two clear files and the truth.

    `health` and `welfare` have the columns `HEALTH_COLUMNS` and `WELFARE_COLUMNS`: strings, and List(Struct) columns
    of the content contracts. `truth` has `left_subject` (health record_id) and `right_subject` (welfare record_id),
    one row for each pair of records of one person.
    """

    health: pl.DataFrame
    welfare: pl.DataFrame
    truth: pl.DataFrame


def population(
    people: int,
    claims: int,
    *,
    seed: int = 1,
    error_scale: float = 1.0,
    overlap: float = 0.93,
    rates: ErrorRates | None = None,
) -> Population:
    """Return `people` health records and `claims` welfare records of one made-up population, and who is who.

    A health record is one person registered with a GP; a welfare record is one person's part in one claim, so a
    family's claim is several rows. `overlap` is the share of the welfare file's people who have a health record (as
    far as there are that many health records). `error_scale` multiplies the rates of change and error; 0 leaves
    none, and the same seed at another scale is the same people. Raises InputError OPTION_INVALID for numbers that
    make no population.
    """
    made = society(people, claims, seed=seed, error_scale=error_scale, overlap=overlap, rates=rates)
    left = _health(made.chance, made.cast, made.registered, made.selected)
    right = _welfare(made.chance, made.cast, made.selected)
    return _shuffled(made.chance, left, right, made.registered, made.selected)


@dataclass(frozen=True)
class Society:
    """The people before anybody writes them down: who is registered with a GP (rows of the world), and who claims."""

    chance: Chance
    cast: Cast
    registered: Ints
    selected: Claims


def society(
    people: int, claims: int, *, seed: int, error_scale: float, overlap: float, rates: ErrorRates | None
) -> Society:
    """Return the people that `population` and `feeds` write about; the arguments and errors are `population`'s."""
    _check(people, claims, seed, error_scale, overlap)
    rates = rates or ErrorRates()
    chance = Chance(seed)
    # The world holds those of both files and a few per cent whom neither knows.
    distinct = claiming.distinct_people(claims, rates)
    world = build(chance, int(1.06 * (distinct + max(0.0, people - overlap * distinct))) + 20)
    selected = claiming.select(chance, world, claims, rates)
    registered = claiming.registered(chance, world, np.unique(selected.person), people, overlap)
    odds = Odds(rates, error_scale, group_factor(world, rates))
    naming = name_people(chance, world)
    cast = Cast(world, naming, drift(chance, world, naming, rates, odds), rates, odds)
    return Society(chance, cast, registered, selected)


def _check(people: int, claims: int, seed: int, error_scale: float, overlap: float) -> None:
    if people < 1 or claims < 1:
        raise InputError(
            Reason.OPTION_INVALID, "A population needs at least one person and one claim; give larger numbers."
        )
    if people > 3_000_000 or claims > identifiers.NINO_SPACE:
        raise InputError(
            Reason.OPTION_INVALID,
            f"There are synthetic identifiers for 3000000 people and {identifiers.NINO_SPACE} claims; "
            "give smaller numbers.",
        )
    if seed < 0 or not (0.0 <= error_scale <= 20.0) or not (0.0 <= overlap <= 1.0):
        raise InputError(
            Reason.OPTION_INVALID,
            "The seed is no less than 0, the error scale lies between 0 and 20 and the overlap between 0 and 1; "
            "correct them.",
        )


def _health(chance: Chance, cast: Cast, rows: Ints, selected: Claims) -> pl.DataFrame:
    world = cast.world
    frame = written(chance, cast, HEALTH, rows, world.homes.dwelling[world.home[rows]])
    draw = chance.stream("health.identifiers")
    poor = np.zeros(len(world), dtype=bool)
    poor[selected.person] = True
    number = identifiers.nhs_numbers(draw, len(rows))
    missing = draw.random(len(rows)) < cast.rates.health_no_nhs_number
    return pl.concat(
        [
            frame,
            pl.DataFrame({"n": number, "m": missing}).select(pl.when(~pl.col("m")).then("n").alias("nhs_number")),
            pl.DataFrame({"practice_code": practices_near(draw, frame["lsoa"])}),
            health.content(chance, world, rows, poor[rows]),
        ],
        how="horizontal",
    )


def practices_near(draw: np.random.Generator, lsoa: pl.Series) -> pl.Series:
    """Return the practice of each record: one of three near its area, mostly the first."""
    areas = geography.table()
    medway = (areas["authority"] == "medway").to_numpy()
    counts = geography.PRACTICES
    position = np.where(medway, np.cumsum(medway) - 1, np.cumsum(~medway) - 1)
    size = np.where(medway, counts["medway"], counts["swale"])
    first = position * size // np.where(medway, medway.sum(), (~medway).sum())
    index = pl.DataFrame({"lsoa": lsoa}).join(
        areas.select("lsoa").with_row_index("i"), on="lsoa", how="left", maintain_order="left"
    )["i"]
    outside = index.is_null().to_numpy()
    # Those who have left the area are still with some practice in it.
    area = np.where(outside, draw.integers(len(areas), size=len(lsoa)), index.fill_null(0).to_numpy())
    nearby = np.searchsorted([0.7, 0.9], draw.random(len(lsoa)), side="right")
    chosen = (first[area] + nearby) % size[area] + np.where(medway[area], 0, counts["medway"])
    return geography.practices().gather(chosen)


def _welfare(chance: Chance, cast: Cast, selected: Claims) -> pl.DataFrame:
    rates, n = cast.rates, len(selected)
    frame = written(chance, cast, WELFARE, selected.person, selected.dwelling)
    draw = chance.stream("welfare.identifiers")
    # The same number on both rows of a person in two claims.
    persons, at = np.unique(selected.person, return_inverse=True)
    number = identifiers.ninos(draw, len(persons)).gather(at)
    dummy = draw.random(n) < rates.adult_dummy_nino
    absent = np.select(
        [selected.role == Role.CHILD, selected.role == Role.NON_DEPENDANT],
        [1.0 - rates.child_nino, min(1.0, 3.0 * rates.adult_no_nino)],
        rates.adult_no_nino,
    )
    missing = draw.random(n) < absent
    child = selected.role == Role.CHILD
    unnamed = child & (draw.random(n) < rates.child_no_name)
    undated = unnamed & (draw.random(n) < rates.unnamed_child_no_birth_date)
    named = [pl.when(~pl.Series(unnamed)).then(pl.col(c)).alias(c) for c in ("forename", "middle_names", "surname")]
    return pl.concat(
        [
            frame.with_columns(*named, pl.when(~pl.Series(undated)).then("date_of_birth").alias("date_of_birth")),
            pl.DataFrame(
                {"n": number, "d": identifiers.dummy_ninos(draw, n), "m": missing, "dummy": dummy & ~child}
            ).select(pl.when("m").then(None).when("dummy").then("d").otherwise("n").alias("nino")),
            welfare.content(chance, cast.world, selected),
        ],
        how="horizontal",
    )


def _shuffled(
    chance: Chance, left: pl.DataFrame, right: pl.DataFrame, registered: Ints, selected: Claims
) -> Population:
    draw = chance.stream("files.order")
    left_order, right_order = draw.permutation(left.height), draw.permutation(right.height)
    left_ids = identifiers.record_ids(draw, "H", left.height)
    right_ids = identifiers.record_ids(draw, "W", right.height)
    health_file = left[left_order].with_columns(left_ids).select(HEALTH_COLUMNS)
    welfare_file = right[right_order].with_columns(right_ids).select(WELFARE_COLUMNS)
    who_left = pl.DataFrame({"person": registered[left_order], "left_subject": left_ids})
    who_right = pl.DataFrame({"person": selected.person[right_order], "right_subject": right_ids})
    truth = (
        who_left.join(who_right, on="person")
        .select("left_subject", "right_subject")
        .sort("left_subject", "right_subject")
    )
    return Population(health_file, welfare_file, truth)
