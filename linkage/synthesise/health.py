"""Content of the health file: GP registers by age, sex and deprivation, and two years of hospital care that follows
from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Chance, Flags, Floats, Ints
from linkage.synthesise.homes import Holding
from linkage.synthesise.listing import element, nested
from linkage.synthesise.world import REFERENCE_DAY, World
from schemas.codes import Condition, DiagnosisStatus, EncounterKind
from schemas.contracts.facts import Diagnosis, Encounter

ENCOUNTER_DAYS: Final = 730
"""How far back encounters go from the reference date."""


@dataclass(frozen=True)
class _Register:
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


REGISTERS: Final[dict[Condition, _Register]] = {
    Condition.AF: _Register(0.17, 76, 8, lean=0.0, women=0.75),
    Condition.ASTHMA: _Register(0.075, 4, 3, youngest=5, lean=0.35, women=1.15, ends=0.06),
    Condition.CANCER: _Register(0.17, 68, 10, lean=-0.1, women=1.05),
    Condition.CHD: _Register(0.19, 72, 8, youngest=30, lean=0.5, women=0.5),
    Condition.CKD: _Register(0.30, 77, 7, lean=0.3, women=1.1),
    Condition.COPD: _Register(0.11, 66, 8, youngest=35, lean=1.1),
    Condition.DEMENTIA: _Register(0.22, 86, 5, youngest=55, lean=0.2, women=1.15),
    Condition.DEPRESSION: _Register(0.17, 25, 9, lean=0.6, women=1.7, ends=0.22),
    Condition.DIABETES: _Register(0.20, 62, 10, youngest=17, lean=0.65, women=0.8),
    Condition.EPILEPSY: _Register(0.010, 20, 15, lean=0.6),
    Condition.HEART_FAILURE: _Register(0.11, 80, 7, youngest=30, lean=0.5, women=0.7),
    Condition.HYPERTENSION: _Register(0.58, 66, 10, lean=0.25),
    Condition.LEARNING_DISABILITY: _Register(0.007, 8, 3, youngest=3, lean=0.8, women=0.6),
    Condition.OBESITY: _Register(0.14, 33, 10, lean=0.65, women=1.2, ends=0.08),
    Condition.OSTEOPOROSIS: _Register(0.08, 78, 6, youngest=50, lean=0.0, women=3.0),
    Condition.PAD: _Register(0.045, 74, 8, youngest=40, lean=0.9, women=0.5),
    Condition.RHEUMATOID_ARTHRITIS: _Register(0.018, 58, 10, youngest=16, lean=0.2, women=2.2),
    Condition.SEVERE_MENTAL_ILLNESS: _Register(0.013, 32, 9, lean=1.3, ends=0.04),
    Condition.STROKE: _Register(0.13, 77, 8, youngest=25, lean=0.5, women=0.85),
}

# Why people with a condition are admitted (ambulatory care sensitive ones among them) and what else brings people in.
_ADMITTED_FOR: Final[dict[Condition, tuple[float, tuple[str, ...]]]] = {
    Condition.COPD: (0.16, ("J440", "J441", "J449")),
    Condition.HEART_FAILURE: (0.15, ("I500", "I501", "I509")),
    Condition.ASTHMA: (0.03, ("J459", "J46X", "J450")),
    Condition.DIABETES: (0.03, ("E101", "E116", "E115", "E162", "E107")),
    Condition.CHD: (0.07, ("I209", "I200", "I214", "I248")),
    Condition.STROKE: (0.05, ("I639", "I64X")),
    Condition.EPILEPSY: (0.10, ("G409", "G403")),
    Condition.SEVERE_MENTAL_ILLNESS: (0.10, ("F200", "F319", "F259")),
    Condition.DEMENTIA: (0.10, ("N390", "S720", "R410")),
    Condition.CANCER: (0.06, ("C349", "C509", "C189", "C61X")),
}
_CHILD_CODES: Final = ("J219", "J069", "B349", "A099", "R509", "S009", "J352")
_ADULT_CODES: Final = (
    "R074",
    "R104",
    "K359",
    "N390",
    "S826",
    "K802",
    "T391",
    "L031",
    "I10X",
    "O800",
    "F100",
    "X840",
    "M545",
)
_OLD_CODES: Final = ("J189", "N390", "S720", "R296", "I489", "A419", "I10X", "N179", "R55X")
_EMERGENCY: Final = (np.array(["21", "21", "21", "22", "24", "2A", "2B", "28"]), 0.62)
_ELECTIVE: Final = np.array(["11", "12", "12", "13"])


def content(chance: Chance, world: World, rows: Ints, poor: Flags) -> pl.DataFrame:
    """Return `date_of_death` (YYYY-MM-DD), `diagnoses` and `encounters` of the people `rows`.

    `poor` says for each of them whether they live on a means-tested benefit: such people are ill earlier and come in
    more.
    """
    age, sex = world.age[rows], world.sex[rows]
    strain = world.deprivation[rows] + 0.25 * poor + 0.3 * (world.homes.tenure[world.home[rows]] == Holding.TEMPORARY)
    born = world.birth_day[rows]
    death = _deaths(chance, age, strain)
    has, diagnoses = _diagnoses(chance, age, sex, strain, born, death)
    encounters = _encounters(chance, age, sex, strain, has, born, death)
    died = pl.Series(np.where(death < REFERENCE_DAY, death, 0)).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")
    frame = pl.DataFrame({"date_of_death": died, "dead": death < REFERENCE_DAY})
    return frame.select(pl.when("dead").then("date_of_death").alias("date_of_death"), diagnoses, encounters)


def _deaths(chance: Chance, age: Floats, strain: Floats) -> Ints:
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
    has: dict[Condition, Flags] = {}
    owners, conditions, days, resolved = [], [], [], []
    for condition, shape in REGISTERS.items():
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
    return has, nested("diagnoses", np.concatenate(owners), facts, len(age), element(Diagnosis))


def _encounters(
    chance: Chance, age: Floats, sex: Ints, strain: Floats, has: dict[Condition, Flags], born: Ints, death: Ints
) -> pl.Series:
    years = ENCOUNTER_DAYS / 365.0
    burden = sum((flags.astype(np.float64) for flags in has.values()), np.zeros(len(age)))
    small, old = age < 5.0, np.clip((age - 65.0) / 20.0, 0.0, 1.5)
    need = np.exp(0.9 * (strain - 0.5)) * (1.0 + 0.25 * burden)
    parts: list[tuple[Ints, Ints, Ints, pl.Series, pl.Series, EncounterKind]] = []

    draw = chance.stream("health.ae")
    who = _events(draw, years * need * (0.22 + 0.38 * small + 0.14 * ((age >= 15) & (age < 30)) + 0.20 * old))
    start = REFERENCE_DAY - draw.integers(1, ENCOUNTER_DAYS, size=len(who))
    none = pl.Series([None], dtype=pl.String)
    parts.append(
        (
            who,
            start,
            start,
            none.new_from_index(0, len(who)),
            none.new_from_index(0, len(who)),
            EncounterKind.AE_ATTENDANCE,
        )
    )

    draw = chance.stream("health.admission")
    who = _events(
        draw, years * need * (0.055 + 0.05 * small + 0.16 * old + 0.05 * ((sex == 1) & (age >= 20) & (age < 40)))
    )
    code = np.select(
        [age[who] < 16.0, age[who] < 70.0],
        [np.array(_CHILD_CODES)[draw.integers(len(_CHILD_CODES), size=len(who))],
        np.array(_ADULT_CODES)[draw.integers(len(_ADULT_CODES), size=len(who))]],
        np.array(_OLD_CODES)[draw.integers(len(_OLD_CODES), size=len(who))],
    )  # fmt: skip
    emergency = draw.random(len(who)) < _EMERGENCY[1]
    for condition, (yearly, codes) in _ADMITTED_FOR.items():
        own = chance.stream(f"health.admission.{condition.value}")
        extra = _events(own, years * yearly * has[condition] * np.exp(0.6 * (strain - 0.5)))
        who = np.concatenate([who, extra])
        code = np.concatenate([code, np.array(codes)[own.integers(len(codes), size=len(extra))]])
        emergency = np.concatenate([emergency, own.random(len(extra)) < 0.88])
    how = chance.stream("health.admission.method")
    emergency_method = _EMERGENCY[0][how.integers(len(_EMERGENCY[0]), size=len(who))]
    method = np.where(emergency, emergency_method, _ELECTIVE[how.integers(len(_ELECTIVE), size=len(who))])
    method = np.where(np.char.startswith(code, "O"), "31", method)
    start = REFERENCE_DAY - how.integers(1, ENCOUNTER_DAYS, size=len(who))
    stay = np.where(
        emergency, np.floor(how.gamma(0.8, 3.0 + 4.0 * old[who])), how.integers(0, 2, size=len(who))
    ).astype(np.int64)
    parts.append(
        (
            who,
            start,
            np.minimum(start + stay, REFERENCE_DAY),
            pl.Series(method),
            pl.Series(code),
            EncounterKind.ADMISSION,
        )
    )

    draw = chance.stream("health.outpatient")
    who = _events(draw, years * np.sqrt(need) * (0.35 + 0.35 * burden + 0.3 * old))
    start = REFERENCE_DAY - draw.integers(1, ENCOUNTER_DAYS, size=len(who))
    parts.append(
        (
            who,
            start,
            start,
            none.new_from_index(0, len(who)),
            none.new_from_index(0, len(who)),
            EncounterKind.OUTPATIENT,
        )
    )

    owner = np.concatenate([p[0] for p in parts])
    started, ended = np.concatenate([p[1] for p in parts]), np.concatenate([p[2] for p in parts])
    facts = pl.DataFrame(
        {
            "kind": pl.concat([pl.Series([p[5].value]).new_from_index(0, len(p[0])) for p in parts]),
            "started_on": pl.Series(started).cast(pl.Int32).cast(pl.Date),
            "ended_on": pl.Series(np.minimum(ended, death[owner])).cast(pl.Int32).cast(pl.Date),
            "admission_method": pl.concat([p[3] for p in parts]),
            "primary_diagnosis": pl.concat([p[4] for p in parts]),
        }
    )
    lived = (started >= born[owner]) & (started <= death[owner])
    return nested("encounters", owner[lived], facts.filter(pl.Series(lived)), len(age), element(Encounter))


def _events(draw: np.random.Generator, expected: Floats) -> Ints:
    """Return the owner of each event: everybody has a Poisson number of them around what is expected."""
    return np.repeat(np.arange(len(expected)), draw.poisson(expected))
