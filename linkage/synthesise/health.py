"""Content of the health file: GP registers by age, sex and deprivation, and two years of hospital care that follows
from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Chance, Flags, Floats, Ints
from linkage.synthesise.homes import Holding
from linkage.synthesise.hospital import Patients, encounters
from linkage.synthesise.listing import element, nested
from linkage.synthesise.world import REFERENCE_DAY, World
from schemas.codes import Condition, DiagnosisStatus
from schemas.contracts.facts_health import Diagnosis


@dataclass(frozen=True)
class Register:
    """Prevalence of one register: `highest` x logistic((age - `middle`) / `spread`), leaning with deprivation and
    sex.

    `lean` is the log ratio from the least to the most deprived area, `women` the ratio women to men, `ends` the
    share of entries that resolve. Shaped after QOF 2023/24 prevalences and their deprivation gradients [assumption
    for the shapes].
    """

    highest: float
    middle: float
    spread: float
    youngest: float = 18.0
    lean: float = 0.2
    women: float = 1.0
    ends: float = 0.0


REGISTERS: Final[dict[Condition, Register]] = {
    Condition.AF: Register(0.17, 76, 8, lean=0.0, women=0.75),
    Condition.ASTHMA: Register(0.075, 4, 3, youngest=5, lean=0.35, women=1.15, ends=0.06),
    Condition.CANCER: Register(0.17, 68, 10, lean=-0.1, women=1.05),
    Condition.CHD: Register(0.19, 72, 8, youngest=30, lean=0.5, women=0.5),
    Condition.CKD: Register(0.30, 77, 7, lean=0.3, women=1.1),
    Condition.COPD: Register(0.11, 66, 8, youngest=35, lean=1.1),
    Condition.DEMENTIA: Register(0.22, 86, 5, youngest=55, lean=0.2, women=1.15),
    Condition.DEPRESSION: Register(0.17, 25, 9, lean=0.6, women=1.7, ends=0.22),
    Condition.DIABETES: Register(0.20, 62, 10, youngest=17, lean=0.65, women=0.8),
    Condition.EPILEPSY: Register(0.010, 20, 15, lean=0.6),
    Condition.HEART_FAILURE: Register(0.11, 80, 7, youngest=30, lean=0.5, women=0.7),
    Condition.HYPERTENSION: Register(0.58, 66, 10, lean=0.25),
    Condition.LEARNING_DISABILITY: Register(0.007, 8, 3, youngest=3, lean=0.8, women=0.6),
    Condition.OBESITY: Register(0.14, 33, 10, lean=0.65, women=1.2, ends=0.08),
    Condition.OSTEOPOROSIS: Register(0.08, 78, 6, youngest=50, lean=0.0, women=3.0),
    Condition.PAD: Register(0.045, 74, 8, youngest=40, lean=0.9, women=0.5),
    Condition.RHEUMATOID_ARTHRITIS: Register(0.018, 58, 10, youngest=16, lean=0.2, women=2.2),
    Condition.SEVERE_MENTAL_ILLNESS: Register(0.013, 32, 9, lean=1.3, ends=0.04),
    Condition.STROKE: Register(0.13, 77, 8, youngest=25, lean=0.5, women=0.85),
}


def content(chance: Chance, world: World, rows: Ints, poor: Flags) -> pl.DataFrame:
    """Return `date_of_death` (YYYY-MM-DD), `diagnoses` and `encounters` of the people `rows`.

    `poor` says for each of them whether they live on a means-tested benefit: such people are ill earlier and come in
    more.
    """
    age, sex = world.age[rows], world.sex[rows]
    strain = strained(world, rows, poor)
    born = world.birth_day[rows]
    death = deaths(chance, age, strain)
    has, diagnoses = _diagnoses(chance, age, sex, strain, born, death)
    patients = Patients(age, sex, strain, has, born, death)
    died = pl.Series(np.where(death < REFERENCE_DAY, death, 0)).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")
    frame = pl.DataFrame({"date_of_death": died, "dead": death < REFERENCE_DAY})
    return frame.select(
        pl.when("dead").then("date_of_death").alias("date_of_death"), diagnoses, encounters(chance, patients)
    )


def strained(world: World, rows: Ints, poor: Flags) -> Floats:
    """Return how hard life is on the people `rows`, about 0 to 1: deprivation, poverty, no home of their own."""
    temporary = world.homes.tenure[world.home[rows]] == Holding.TEMPORARY
    strain: Floats = world.deprivation[rows] + 0.25 * poor + 0.3 * temporary
    return strain


def deaths(chance: Chance, age: Floats, strain: Floats) -> Ints:
    """Return the day of death, or the reference day for the living. Lists keep some of a year's dead (Gompertz
    hazard).
    """
    draw = chance.stream("health.deaths")
    hazard = 0.35 * 0.00004 * np.exp(0.092 * age + 0.5 * (strain - 0.5))
    dead = draw.random(len(age)) < np.minimum(hazard, 0.3)
    return np.where(dead, REFERENCE_DAY - draw.integers(10, 365, size=len(age)), REFERENCE_DAY)


def _diagnoses(
    chance: Chance, age: Floats, sex: Ints, strain: Floats, born: Ints, death: Ints
) -> tuple[dict[Condition, Flags], pl.Series]:
    entries = register_entries(chance, REGISTERS, age, sex, strain, born, death)
    return entries.has, nested("diagnoses", entries.owner, entries.facts, len(age), element(Diagnosis))


@dataclass(frozen=True)
class Entries:
    """Entries on registers: who has ever had each condition, and the coded entries in `facts` (condition, status,
    recorded_on) with the `owner` of each.
    """

    has: dict[Condition, Flags]
    owner: Ints
    facts: pl.DataFrame


def register_entries(
    chance: Chance,
    registers: Mapping[Condition, Register],
    age: Floats,
    sex: Ints,
    strain: Floats,
    born: Ints,
    death: Ints,
) -> Entries:
    """Return who is on which register and the entries that say so, between birth and death."""
    has: dict[Condition, Flags] = {}
    owners, conditions, days, resolved = [], [], [], []
    for condition, shape in registers.items():
        draw = chance.stream(f"health.register.{condition.value}")
        # The deprived fall ill about six years earlier.
        rate = shape.highest / (1.0 + np.exp(-(age + 6.0 * (strain - 0.5) - shape.middle) / shape.spread))
        rate = (
            rate
            * np.exp(shape.lean * (strain - 0.5))
            * np.where(sex == 1, np.sqrt(shape.women), 1 / np.sqrt(shape.women))
        )
        ill = (draw.random(len(age)) < rate) & (age >= shape.youngest + 0.5)
        has[condition] = ill
        who = np.flatnonzero(ill)
        known_days = np.minimum((age[who] - shape.youngest) * 365.0, 20 * 365.0)
        since = death[who] - 1 - np.floor(draw.random(len(who)) ** 1.3 * known_days).astype(np.int64)
        since = np.maximum(since, born[who])
        ends = draw.random(len(who)) < shape.ends
        until = since + 1 + np.floor(draw.random(len(who)) * (death[who] - since - 1)).astype(np.int64)
        owners += [who, who[ends]]
        days += [since, np.minimum(until[ends], death[who[ends]])]
        conditions.append(np.full(len(who) + int(ends.sum()), condition.value))
        resolved += [np.zeros(len(who), dtype=bool), np.ones(int(ends.sum()), dtype=bool)]
    facts = pl.DataFrame(
        {
            "condition": np.concatenate(conditions),
            "status": np.where(np.concatenate(resolved), DiagnosisStatus.RESOLVED.value, DiagnosisStatus.ACTIVE.value),
            "recorded_on": pl.Series(np.concatenate(days)).cast(pl.Int32).cast(pl.Date),
        }
    )
    return Entries(has, np.concatenate(owners), facts)
