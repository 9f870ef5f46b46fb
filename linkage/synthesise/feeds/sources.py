"""Which source holds whom and what: the one entrance of this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise import geography, identifiers
from linkage.synthesise.chance import Flags, Ints
from linkage.synthesise.claims import ROLES, Role
from linkage.synthesise.drift import HEALTH, WELFARE
from linkage.synthesise.feeds import (
    child_measurement,
    community,
    ctr,
    gp,
    homelessness,
    hospital,
    housing,
    living_standard,
    mental_health,
    places,
    shbe,
    social_care,
    social_prescribing,
    universal_credit,
)
from linkage.synthesise.feeds.budgets import budgets
from linkage.synthesise.feeds.facts import Facts, codes
from linkage.synthesise.feeds.households import households
from linkage.synthesise.feeds.lives import Lives, live
from linkage.synthesise.feeds.writing import Records, Writer, health_records, matched, welfare_records
from linkage.synthesise.names.communities import COMMUNITIES
from linkage.synthesise.population import practices_near, society
from linkage.synthesise.rates import ErrorRates

# Shares of records without NHS number [assumption]: least where it is the key, most where people come without letters.
_HEALTH: Final = (
    Writer("kmicb.gp", "H", HEALTH, without_nhs_number=0.005, first=True),
    Writer("kmicb.sus", "S", HEALTH, named=False, areas_2011=True, without_nhs_number=0.012),
    Writer("kmicb.ecds", "E", HEALTH, named=False, areas_2011=True, without_nhs_number=0.035),
    Writer("kmpt.mhsds", "M", HEALTH, named=False, areas_2011=True, without_nhs_number=0.02),
    Writer("kcht.csds", "Q", HEALTH, named=False, areas_2011=True, without_nhs_number=0.015),
    Writer("medway.asc", "A", HEALTH, without_nhs_number=0.25),
    Writer("kcc.asc", "K", HEALTH, without_nhs_number=0.15),
    Writer("medway.ncmp", "N", HEALTH, without_nhs_number=0.08),
    Writer("kmicb.joy", "J", HEALTH, without_nhs_number=0.12),
)
_WELFARE: Final = (
    Writer("medway.shbe", "MB", WELFARE, first=True),
    Writer("swale.shbe", "SB", WELFARE, first=True),
    Writer("medway.ctr", "MT", WELFARE),
    Writer("swale.ctr", "ST", WELFARE),
    Writer("dwp.uc", "U", WELFARE),
    Writer("medway.housing", "MR", WELFARE),
    Writer("swale.housing", "SR", WELFARE),
    Writer("medway.hclic", "MH", WELFARE),
    Writer("swale.hclic", "SH", WELFARE),
    Writer("medway.lift", "L", WELFARE),
)
_WRITERS: Final = {writer.source: writer for writer in (*_HEALTH, *_WELFARE)}
HEALTH_SOURCES: Final = tuple(writer.source for writer in _HEALTH)
WELFARE_SOURCES: Final = tuple(writer.source for writer in _WELFARE)
SOURCES: Final = (*HEALTH_SOURCES, *WELFARE_SOURCES)
"""Every source, health first."""
_COUNCILS: Final = ("medway", "swale")
OUTSIDE_PRACTICE: Final = 0.015
"""Share of those registered who are with a practice outside Medway and Swale [assumption]."""


@dataclass(frozen=True)
class Feeds:
    """All feeds of one population.

    `frames` holds the clear records by source id, in the columns that `hwlink pseudonymise` takes: text, Boolean, and
    List(Struct) columns of facts. `truth` has one row a record: `source`, `record_id`, `person` (Int64, the same for
    all records of one person). `geography` and `practices` have the columns of `places.GEOGRAPHY` and
    `places.PRACTICES`.
    """

    frames: dict[str, pl.DataFrame]
    truth: pl.DataFrame
    geography: pl.DataFrame
    practices: pl.DataFrame


def feeds(
    people: int,
    claims: int,
    *,
    seed: int = 1,
    error_scale: float = 1.0,
    overlap: float = 0.93,
    rates: ErrorRates | None = None,
) -> Feeds:
    """Return every feed of the population that `population` makes of the same arguments, which mean the same.

    Raises InputError OPTION_INVALID for numbers that make no population.
    """
    lives = live(society(people, claims, seed=seed, error_scale=error_scale, overlap=overlap, rates=rates))
    records = {**_health(lives), **_welfare(lives)}
    return Feeds(
        {source: records[source].frame for source in SOURCES},
        pl.concat([records[source].truth for source in SOURCES]),
        places.table().clone(),
        places.practices().clone(),
    )


def _health(lives: Lives) -> dict[str, Records]:
    numbers = identifiers.nhs_numbers(lives.chance.stream("health.identifiers"), len(lives.rows))
    practice = _practices(lives)
    names = places.practices()["practice_code"].gather(practice)
    care = social_care.content(lives)
    admitted, attended = hospital.content(lives)
    medway = places.council(lives.dwelling[lives.rows]) == 0
    everybody = np.ones(len(lives.rows), dtype=np.bool_)
    # The content of each source, and whom it can hold: Medway's council cares for and measures Medway's.
    held: dict[str, tuple[Mapping[str, Facts], Flags]] = {
        "kmicb.sus": (admitted, everybody),
        "kmicb.ecds": (attended, everybody),
        "kmpt.mhsds": (mental_health.content(lives), everybody),
        "kcht.csds": (community.content(lives), everybody),
        "medway.asc": (care, medway),
        "kcc.asc": ({"care_arrangements": care["care_arrangements"]}, ~medway),
        "medway.ncmp": (child_measurement.content(lives), medway),
        "kmicb.joy": (social_prescribing.content(lives), everybody),
    }
    found = {"kmicb.gp": _general_practice(lives, gp.content(lives, practice), numbers, names)}
    for source, (content, could) in held.items():
        owners = np.unique(np.concatenate([facts.owners for facts in content.values()]))
        writer = _WRITERS[source]
        found[source] = health_records(
            lives, writer, owners[could[owners]], content, numbers, None if writer.named else names
        )
    return found


def _general_practice(lives: Lives, content: Mapping[str, Facts], numbers: pl.Series, names: pl.Series) -> Records:
    writer = _WRITERS["kmicb.gp"]
    made = health_records(lives, writer, np.arange(len(lives.rows)), content, numbers, names)
    rows = made.truth["person"].to_numpy()
    draw = lives.chance.stream("kmicb.gp.property")
    shared = lives.dwelling[rows] % geography.SLOTS == geography.HOSTEL_SLOT
    newcomer = np.array([c.new_year > 0.01 for c in COMMUNITIES])[lives.world.community[rows]]
    asked = draw.random(len(rows)) < 0.85
    needed = draw.random(len(rows)) < np.where(newcomer, 0.22, 0.004)
    at = made.frame.columns.index("diagnoses")
    frame = made.frame.insert_column(at, matched(made.frame, shared, draw))
    frame = frame.insert_column(at + 1, pl.Series("interpreter_needed", needed).set(pl.Series(~asked), None))
    return Records(frame, made.truth)


def _practices(lives: Lives) -> Ints:
    """Return everybody's practice as a row of `places.practices`: near home, for a few elsewhere."""
    draw = lives.chance.stream("feeds.practice")
    lsoa = geography.postcodes()["lsoa"].gather(lives.dwelling[lives.rows] // geography.SLOTS)
    near = practices_near(draw, lsoa).str.tail(4).cast(pl.Int64).to_numpy() - 1
    outside = draw.random(len(lives.rows)) < OUTSIDE_PRACTICE
    elsewhere = len(geography.practices()) + draw.integers(places.OUTSIDE_PRACTICES, size=len(lives.rows))
    return np.where(outside, elsewhere, near)


def _welfare(lives: Lives) -> dict[str, Records]:
    homes = households(lives)
    money = budgets(lives, homes)
    ninos = _ninos(lives)
    credit_reference = homes.reference.str.replace("C", "U", literal=True)
    # Content, the claim's reference, and whether both councils, Medway alone or nobody but DWP holds it.
    claimed: dict[str, tuple[dict[str, Facts], pl.Series]] = {
        "medway.shbe swale.shbe": (shbe.content(lives, homes), homes.reference),
        "medway.ctr swale.ctr": (ctr.content(lives, homes), homes.reference),
        "dwp.uc": (universal_credit.content(lives, homes, money), credit_reference),
        "medway.lift": (living_standard.content(lives, homes, money), homes.reference),
    }
    found = {}
    for sources, (content, reference) in claimed.items():
        columns = pl.DataFrame(
            {"claim_reference": reference.gather(homes.part_claim), "claim_role": codes(ROLES, homes.part_role)}
        )
        for source in sources.split():
            found[source] = welfare_records(
                lives, _WRITERS[source], homes.part_person, homes.dwelling[homes.part_claim], content,
                _held(source, content, homes.council[homes.part_claim]), ninos, child=homes.part_role == Role.CHILD,
                columns=columns,
            )  # fmt: skip
    tenants, owed = housing.content(lives, homes, money)
    young = lives.world.age < 16.0
    for source in ("medway.housing", "swale.housing"):
        found[source] = welfare_records(
            lives, _WRITERS[source], tenants.person, tenants.dwelling, owed,
            _held(source, owed, places.council(tenants.dwelling)), ninos, child=young[tenants.person],
            columns=tenants.claim_reference.to_frame("claim_reference"),
        )  # fmt: skip
    cases = homelessness.content(lives)
    for source in ("medway.hclic", "swale.hclic"):
        found[source] = welfare_records(
            lives, _WRITERS[source], np.arange(len(lives.world)), lives.dwelling, cases,
            _held(source, cases, places.council(lives.dwelling)), ninos, child=young,
        )  # fmt: skip
    return found


def _held(source: str, content: Mapping[str, Facts], council: Ints) -> Ints:
    """Return the owners whom a source holds: those with a fact, a council's only in its own area."""
    owners = np.unique(np.concatenate([facts.owners for facts in content.values()]))
    controller = source.partition(".")[0]
    return owners[council[owners] == _COUNCILS.index(controller)] if controller in _COUNCILS else owners


def _ninos(lives: Lives) -> pl.Series:
    """Return the National Insurance number of each row of the world: of those in claims the population's own."""
    persons = np.unique(lives.society.selected.person)
    number = identifiers.ninos(lives.chance.stream("welfare.identifiers"), len(persons))
    at = np.full(len(lives.world), -1, dtype=np.int64)
    at[persons] = np.arange(len(persons))
    return number.gather(np.maximum(at, 0)).set(pl.Series(at < 0), None)
