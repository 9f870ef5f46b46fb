"""The second population: clear health and welfare files with the truth, made by other rules than the product's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from tests.populations import clerks, naming, places
from tests.populations.chance import Chance
from tests.populations.households import Flags, Ints, Kind, People, Role, settle
from tests.populations.lives import HEALTH, WELFARE, Lives, live
from tests.populations.rates import Rates
from tests.populations.stock import COMMUNITIES

HEALTH_COLUMNS: Final = (
    "record_id", "forename", "middle_names", "surname", "date_of_birth", "sex", "postcode", "address", "uprn",
    "nhs_number", "ethnic_category", "lsoa",
)  # fmt: skip
WELFARE_COLUMNS: Final = (
    "record_id", "forename", "middle_names", "surname", "date_of_birth", "sex", "postcode", "address", "uprn", "nino",
    "ethnic_category", "lsoa", "claim_reference", "claim_role",
)  # fmt: skip
_NEED: Final = np.array([1.0, 0.7, 1.2, 3.5, 1.3, 0.9, 0.6, 1.5, 6.0])
"""How much more often a household of each `Kind` is in a claim [assumed]."""
_SCALED: Final = (
    "respelt_forename", "respelt_surname", "typed_forename", "typed_surname", "no_name", "swapped_names", "sex",
    "relative_birth_date", "typed_postcode", "typed_address", "no_birth_date", "no_postcode", "no_address", "no_sex",
)  # fmt: skip


@dataclass(frozen=True)
class Population:
    """Two clear files and who is who.

    `health` and `welfare` hold String columns as `HEALTH_COLUMNS` and `WELFARE_COLUMNS` say. `truth` has a row
    `left_subject, right_subject` for each pair of a health and a welfare record of one person; `persons` a row
    `subject, person` for each record of both files. `areas` gives each `lsoa` its `decile` of deprivation (1 is the
    most deprived tenth).
    """

    health: pl.DataFrame
    welfare: pl.DataFrame
    truth: pl.DataFrame
    persons: pl.DataFrame
    areas: pl.DataFrame


def population(
    people: int,
    claims: int,
    *,
    seed: int = 1,
    error_scale: float = 1.0,
    overlap: float = 0.93,
    repeats: float = 0.0,
    foreign_numbers: float = 0.0,
    rates: Rates | None = None,
) -> Population:
    """Return `people` health records and `claims` welfare records, the same to the bit for the same arguments.

    `overlap` (0 to 1) is the share of people in claims who have a health record. `error_scale` multiplies all that goes
    wrong or changes; the people are the same at any scale. `repeats` (0 to 0.4) is the share of each file's records
    that are a second one of a person. `foreign_numbers` is the share of welfare records that carry the NHS number and
    of adults' health records that carry the NINO. Raises ValueError for numbers that make no population.
    """
    if min(people, claims) < 1 or not (0 <= overlap <= 1 and 0 <= repeats <= 0.4 and error_scale >= 0):
        raise ValueError("people and claims from 1, overlap 0 to 1, repeats 0 to 0.4, error_scale from 0")
    rates, chance = rates or Rates(), Chance(seed)
    in_health, in_claims = people - int(people * repeats), claims - int(claims * repeats)
    both = min(round(overlap * in_claims), in_health)
    world = settle(chance, int(1.05 * (in_health + in_claims - both)) + 100)
    names, community = naming.christen(chance, world)
    homes, home_of = places.build(chance, world)
    decile = homes["decile"].to_numpy()[home_of[world.household]]
    group = _group_factor(world, community, decile, rates)
    lives = live(chance, world, names, home_of, homes.height, group, rates, error_scale)

    claimed = _claimed(chance, world, decile, in_claims)
    registered = _registered(chance, world, claimed, in_health, both)
    scribe = _Scribe(chance, world, community, group, homes, lives, rates, error_scale)
    nhs, nino = _nhs_numbers(chance, len(world)), _ninos(chance, len(world))
    left, left_person = scribe.write(HEALTH, registered, people, "H")
    right, right_person = scribe.write(WELFARE, claimed, claims, "W")
    draw = chance("numbers")
    adult_left, adult_right = world.age[left_person] >= 16, world.age[right_person] >= 16
    left = left.with_columns(nhs_number=_kept(nhs.gather(left_person), draw.random(people) >= rates.no_nhs_number))
    dummy = draw.random(claims) < rates.dummy_nino
    has_nino = draw.random(claims) >= np.where(adult_right, rates.adult_no_nino, 0.99)
    own_nino = nino.gather(right_person).set(pl.Series(dummy & adult_right), "XX999999D")
    right = right.with_columns(nino=_kept(own_nino, has_nino)).with_columns(_claims(chance, world, right_person))
    left_columns, right_columns = HEALTH_COLUMNS, WELFARE_COLUMNS
    if foreign_numbers > 0:
        left = left.with_columns(
            nino=_kept(nino.gather(left_person), adult_left & (draw.random(people) < foreign_numbers))
        )
        right = right.with_columns(nhs_number=_kept(nhs.gather(right_person), draw.random(claims) < foreign_numbers))
        left_columns, right_columns = (*left_columns, "nino"), (*right_columns, "nhs_number")
    truth, persons = _truth(left["record_id"], left_person, right["record_id"], right_person)
    return Population(
        health=left.select(left_columns),
        welfare=right.select(right_columns),
        truth=truth,
        persons=persons,
        areas=homes.select("lsoa", "decile").unique().sort("lsoa"),
    )


def _kept(values: pl.Series, keep: Flags) -> pl.Series:
    return values.set(pl.Series(~keep), None)


def _group_factor(world: People, community: Ints, decile: Ints, rates: Rates) -> np.ndarray:
    """Return whom errors hit more, with mean 1: minorities, the young, the most deprived fifth."""
    minority = np.array([c.ethnic[0] not in "AB" for c in COMMUNITIES])[community]
    young = (world.age >= 16) & (world.age < 30)
    factor = np.where(minority, rates.minority, 1.0) * np.where(young, rates.young, 1.0)
    factor = factor * np.where(decile <= 2, rates.deprived, 1.0)
    return factor / factor.mean()


def _claimed(chance: Chance, world: People, decile: Ints, wanted: int) -> Ints:
    """Return the people in claims: whole households, the poorer sooner; the last one cut."""
    draw = chance("claims")
    need = _NEED[world.kind] * (1.8 - 0.12 * decile[np.searchsorted(world.household, np.arange(len(world.kind)))])
    turn = draw.exponential(size=len(world.kind)) / need
    order = np.lexsort((np.arange(len(world)), turn[world.household]))
    return order[:wanted]


def _registered(chance: Chance, world: People, claimed: Ints, wanted: int, both: int) -> Ints:
    """Return the people with a health record: `both` of those in claims and others; families mostly as one."""
    draw = chance("registrations")
    turn = 0.75 * draw.random(len(world.kind))[world.household] + 0.25 * draw.random(len(world))
    known = claimed[np.argsort(turn[claimed], kind="stable")][:both]
    others = np.setdiff1d(np.arange(len(world)), claimed)
    return np.concatenate([known, others[np.argsort(turn[others], kind="stable")][: wanted - both]])


class _Scribe:
    """Writes the records of a file."""

    def __init__(
        self, chance: Chance, world: People, community: Ints, group: np.ndarray, homes: pl.DataFrame, lives: Lives,
        rates: Rates, scale: float,
    ) -> None:  # fmt: skip
        self.chance, self.world, self.homes, self.lives = chance, world, homes, lives
        self.rates, self.scale, self.group = rates, scale, group
        draw = chance("hard to write down")
        self.person = draw.gamma(rates.person_spread, 1 / rates.person_spread, size=len(world)) * group
        respelt = np.array([c.respelt for c in COMMUNITIES])[community]
        self.respelt = respelt / respelt.mean()
        # What people say of themselves is mostly the same at both offices.
        self.ethnic = _ethnic(chance, world, community)

    def write(self, file: int, who: Ints, wanted: int, prefix: str) -> tuple[pl.DataFrame, Ints]:
        """Return `wanted` records of the people `who`, some of them twice, in no order; and each record's person."""
        draw = self.chance(f"records {file}")
        who = np.concatenate([who, draw.choice(who, size=wanted - len(who), replace=False)])
        again = np.arange(wanted) >= len(np.unique(who))
        shuffle = draw.permutation(wanted)
        who, again = who[shuffle], again[shuffle]
        # A second record is as old as the other file's or as this one's.
        state = np.where(again & (draw.random(wanted) < 0.5), 1 - file, file)
        desk = clerks.desks(
            self.chance, file, self.world.household[who], again, self.person[who], self.rates.clerk_spread
        )
        odds = self._odds(desk.factor, file)
        given = pl.concat([frame[who] for frame in self.lives.names])[np.arange(wanted) + state * wanted]
        forename, middle, surname = clerks.names(draw, given, odds, self.respelt[who])
        beside = np.where(self.world.head[who] != who, self.world.head[who], np.minimum(who + 1, len(self.world) - 1))
        born = clerks.birth_dates(draw, self.world.born[who], self.world.born[beside], odds)
        home = np.where(state == HEALTH, self.lives.homes[HEALTH][who], self.lives.homes[WELFARE][who])
        at = self.homes[home]
        odds["old"] = np.where(at["retired"].to_numpy() < self.rates.postcode_retired * self.scale, 0.5, 0.0)
        postcode, address = clerks.addresses(draw, at, desk.together, odds, file)
        sex = np.where(draw.random(wanted) < odds["sex"], 3 - self.world.sex[who], self.world.sex[who])
        keep_uprn = draw.random(wanted) < (self.rates.uprn_welfare if file else self.rates.uprn_health)
        keep_middle = draw.random(wanted) < (self.rates.middle_welfare if file else self.rates.middle_health)
        frame = pl.DataFrame(
            {
                "record_id": _record_ids(draw, prefix, wanted),
                "forename": forename,
                "middle_names": _kept(middle, keep_middle),
                "surname": surname,
                "date_of_birth": born,
                "sex": _kept(pl.Series(sex).cast(pl.String), draw.random(wanted) >= odds["no_sex"]),
                "postcode": postcode,
                "address": address,
                "uprn": _kept(at["uprn"], keep_uprn),
                "ethnic_category": _kept(self.ethnic.gather(who), draw.random(wanted) >= self.rates.no_ethnic_category),
                "lsoa": at["lsoa"],
            }
        )
        return (self._as_a_council_does(draw, frame, who) if file == WELFARE else frame), who

    def _odds(self, factor: np.ndarray, file: int) -> dict[str, np.ndarray]:
        odds = {name: np.minimum(getattr(self.rates, name) * factor * self.scale, 0.9) for name in _SCALED}
        rate = self.rates.birth_date_welfare if file == WELFARE else self.rates.birth_date_health
        odds["birth_date"] = np.minimum(rate * factor * self.scale, 0.9)
        odds["marks"] = np.full(len(factor), self.rates.marks)
        return odds

    def _as_a_council_does(self, draw: np.random.Generator, frame: pl.DataFrame, who: Ints) -> pl.DataFrame:
        """Capitals, sexes as letters, children without names, half of those without a date of birth."""
        child = (self.world.role[who] == Role.CHILD) & (self.world.age[who] < 18)
        unnamed = child & (draw.random(len(who)) < self.rates.child_no_name)
        undated = unnamed & (draw.random(len(who)) < self.rates.unnamed_child_no_birth_date)
        return frame.with_columns(
            *(_kept(frame[name].str.to_uppercase(), ~unnamed) for name in ("forename", "middle_names", "surname")),
            frame["address"].str.to_uppercase(),
            frame["sex"].replace({"1": "M", "2": "F"}),
            _kept(frame["date_of_birth"], ~undated),
        )


def _ethnic(chance: Chance, world: People, community: Ints) -> pl.Series:
    draw = chance("ethnic categories")
    codes = pl.Series([c.ethnic for c in COMMUNITIES]).gather(community)
    at = pl.Series(draw.random(len(world))) * codes.str.len_chars()
    return (
        pl.DataFrame({"codes": codes, "at": at.cast(pl.Int64)}).select(pl.col("codes").str.slice("at", 1)).to_series()
    )


def _claims(chance: Chance, world: People, who: Ints) -> list[pl.Series]:
    """Return (claim_reference, claim_role): one claim a household, of lodgers one each."""
    draw = chance("claim references")
    lodger = world.role[who] == Role.LODGER
    group = np.where(lodger, len(world.kind) + who, world.household[who])
    _, claim = np.unique(group, return_inverse=True)
    number = draw.choice(100_000_000, size=int(claim.max()) + 1, replace=False)
    dependent = (world.role[who] == Role.CHILD) & (world.age[who] < 19)
    single = np.isin(world.kind[world.household[who]], (Kind.HOUSE_SHARE, Kind.CARE_HOME, Kind.HOSTEL))
    role = np.select(
        [dependent, (world.role[who] == Role.HEAD) | lodger | single, world.role[who] == Role.PARTNER],
        ["child", "claimant", "partner"],
        "non_dependant",
    )
    reference = pl.Series(number[claim]).cast(pl.String).str.zfill(8)
    return [("C" + reference).alias("claim_reference"), pl.Series("claim_role", role)]


def _record_ids(draw: np.random.Generator, prefix: str, count: int) -> pl.Series:
    return prefix + pl.Series(draw.choice(1_000_000_000, size=count, replace=False)).cast(pl.String).str.zfill(9)


def _nhs_numbers(chance: Chance, count: int) -> pl.Series:
    """NHS numbers of the range that is never issued (9xx), with the check digit of modulus 11."""
    body = 900_000_000 + chance("NHS numbers").choice(100_000_000, size=int(count * 1.12) + 50, replace=False)
    weighted = sum((10 - place) * (body // 10 ** (8 - place) % 10) for place in range(9))
    check = (11 - weighted % 11) % 11
    return pl.Series((body * 10 + check)[check < 10][:count]).cast(pl.String)


def _ninos(chance: Chance, count: int) -> pl.Series:
    """National Insurance numbers with the prefix QQ, which is never given out; a million are different."""
    draw = chance("NINOs")
    number = draw.permutation(max(count, 1_000_000))[:count] % 1_000_000
    return "QQ" + pl.Series(number).cast(pl.String).str.zfill(6) + pl.Series(np.array(list("ABCD"))[number % 4])


def _truth(
    left: pl.Series, left_person: Ints, right: pl.Series, right_person: Ints
) -> tuple[pl.DataFrame, pl.DataFrame]:
    one = pl.DataFrame({"left_subject": left, "person": left_person})
    other = pl.DataFrame({"right_subject": right, "person": right_person})
    pairs = one.join(other, on="person").select("left_subject", "right_subject").sort("left_subject", "right_subject")
    persons = pl.concat([one.rename({"left_subject": "subject"}), other.rename({"right_subject": "subject"})])
    return pairs, persons.with_columns(person=pl.format("P{}", "person")).sort("subject")
