"""The people as all feeds know them: one life each, from which every source's facts follow.

Health is by position among those registered with a GP, as only they have health records; hardship, homes and work by
row of the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise import geography
from linkage.synthesise.chance import Chance, Flags, Floats, Ints
from linkage.synthesise.feeds.drawing import flags, logistic
from linkage.synthesise.feeds.facts import Spans
from linkage.synthesise.feeds.hardship import Hardship, hardship
from linkage.synthesise.health import REGISTERS, Entries, Register, deaths, register_entries, strained
from linkage.synthesise.hospital import Patients
from linkage.synthesise.population import Society
from linkage.synthesise.world import REFERENCE_DAY, World
from schemas.codes import Condition

MORE_REGISTERS: Final = {
    Condition.ALCOHOL: Register(0.018, 28, 8, lean=0.8, women=0.5),
    Condition.ANXIETY: Register(0.11, 24, 8, lean=0.5, women=1.7, ends=0.2),
    Condition.CONNECTIVE_TISSUE: Register(0.02, 50, 12, women=3.0),
    Condition.CONSTIPATION: Register(0.06, 75, 9, women=1.5),
    Condition.DRUG_DEPENDENCE: Register(0.005, 22, 4, lean=1.2, women=0.5),
    Condition.HEARING_LOSS: Register(0.22, 72, 9, lean=0.0, women=0.8),
    Condition.IBS: Register(0.06, 28, 8, women=2.0),
    Condition.NON_DIABETIC_HYPERGLYCAEMIA: Register(0.13, 60, 10, lean=0.3),
    Condition.PAINFUL_CONDITION: Register(0.16, 58, 12, lean=0.5, women=1.3),
    Condition.PALLIATIVE: Register(0.03, 82, 8, youngest=30),
}
"""Registers beside those of the two-file population: NDH and palliative care after QOF 2023/24, the others after the
prevalences that the Cambridge Multimorbidity Score was made with [assumption for the shapes]."""


@dataclass(frozen=True)
class Lives:
    """Everything that more than one source knows something of.

    `rows` are the world rows of those registered, `at` the position of each world row among them (-1: none).
    `dwelling` is where everybody of the world lives, care homes included. By position: `patients`, `entries` on
    registers and who is `beside` those, `frailty` (an electronic frailty index), `restless` (a factor on unplanned
    care, mean 1), `smoker`, `hidden` (conditions that nobody has coded), `in_care_home`, `spans`. By row of the world:
    `hardship`, `limited` (0 no, 1 limited capability for work, 2 for work-related activity too), `carer`,
    `world_spans`.
    """

    society: Society
    rows: Ints
    at: Ints
    dwelling: Ints
    hardship: Hardship
    patients: Patients
    entries: tuple[Entries, Entries]
    beside: dict[Condition, Ints]
    frailty: Floats
    restless: Floats
    smoker: Flags
    hidden: dict[Condition, Flags]
    in_care_home: Flags
    limited: Ints
    carer: Flags
    spans: Spans
    world_spans: Spans

    @property
    def chance(self) -> Chance:
        """The source of every draw."""
        return self.society.chance

    @property
    def world(self) -> World:
        """The people as they are."""
        return self.society.cast.world

    @property
    def has(self) -> dict[Condition, Flags]:
        """Who has, or has had, which condition on a register."""
        return self.patients.has

    def here(self, flags: Flags) -> Flags:
        """Return flags of the world for those registered."""
        return flags[self.rows]


def live(society: Society) -> Lives:
    """Return the lives of a society."""
    chance, world, rows = society.chance, society.cast.world, society.registered
    poor = np.zeros(len(world), dtype=np.bool_)
    poor[society.selected.person] = True
    everybody = np.arange(len(world))
    strain = strained(world, everybody, poor)
    hard = hardship(chance, world, strain)
    age, sex, born = world.age[rows], world.sex[rows], world.birth_day[rows]
    death = deaths(chance, age, strain[rows])
    first = register_entries(chance, REGISTERS, age, sex, strain[rows], born, death)
    second = register_entries(chance, MORE_REGISTERS, age, sex, strain[rows], born, death)
    has = {**first.has, **second.has}
    beside = _beside(chance, age, has, hard.substance[rows])
    for condition, added in beside.items():
        has[condition] = has[condition].copy()
        has[condition][added] = True
    patients = Patients(age, sex, strain[rows], has, born, death)
    frailty = _frailty(chance, patients)
    care_home = _care_home(chance, patients, frailty)
    at = np.full(len(world), -1, dtype=np.int64)
    at[rows] = np.arange(len(rows))
    last = np.full(len(world), REFERENCE_DAY - 1, dtype=np.int64)
    last[rows] = np.minimum(death, REFERENCE_DAY - 1)
    dead = np.zeros(len(world), dtype=np.bool_)
    dead[rows] = death < REFERENCE_DAY
    spans = Spans(world.birth_day, last, dead)
    return Lives(
        society=society,
        rows=rows,
        at=at,
        dwelling=_dwellings(world, rows, care_home),
        hardship=hard,
        patients=patients,
        entries=(first, second),
        beside=beside,
        frailty=frailty,
        restless=_restless(chance, hard, rows),
        smoker=_smoker(chance, patients, hard.substance[rows]),
        hidden=_hidden(chance, patients, world.community[rows] > 1),
        in_care_home=care_home,
        limited=_limited(chance, world, rows, patients, strain, hard),
        carer=flags(chance.stream("feeds.carer"), _caring(world.age, strain)),
        spans=spans.of(rows),
        world_spans=spans,
    )


def _beside(chance: Chance, age: Floats, has: dict[Condition, Flags], substance: Flags) -> dict[Condition, Ints]:
    """Return who else is on a register: half of those whom addiction has hold of, and children with type 1 diabetes (2
    in 1,000, National Paediatric Diabetes Audit) or epilepsy (4 in 1,000).
    """
    likely = {
        Condition.DRUG_DEPENDENCE: 0.5 * substance,
        Condition.DIABETES: 0.0025 * ((age >= 2.5) & (age < 18.0)),
        Condition.EPILEPSY: 0.0045 * ((age >= 1.0) & (age < 18.0)),
    }
    return {
        condition: np.flatnonzero(flags(chance.stream(f"feeds.beside.{condition.value}"), share) & ~has[condition])
        for condition, share in likely.items()
    }


def _frailty(chance: Chance, patients: Patients) -> Floats:
    draw = chance.stream("feeds.frailty")
    mean = 0.02 + 0.0019 * np.maximum(patients.age - 45.0, 0.0) + 0.024 * patients.burden + 0.02 * patients.strain
    index: Floats = np.clip(mean * draw.gamma(6.0, 1.0 / 6.0, len(patients.age)), 0.0, 0.75)
    return index


def _care_home(chance: Chance, patients: Patients, frailty: Floats) -> Flags:
    # 2.5 % of those over 65 live in a care home, 11 % of those over 85 (census 2021).
    lean = -5.7 + 9.0 * frailty + 1.6 * patients.has[Condition.DEMENTIA] + 0.10 * (patients.age - 80.0)
    return flags(chance.stream("feeds.care_home"), (patients.age >= 68.0) * logistic(lean))


def _dwellings(world: World, rows: Ints, care_home: Flags) -> Ints:
    """Return everybody's dwelling: residents of care homes share some 25 to a door, near where they lived."""
    dwelling = world.homes.dwelling[world.home].copy()
    residents = rows[np.flatnonzero(care_home)]
    if len(residents):
        doors = residents[:: min(25, len(residents))]
        # Rows are in order of area: the nearest door is the one before.
        door = dwelling[doors[np.arange(len(residents)) // min(25, len(residents))]]
        dwelling[residents] = door // geography.SLOTS * geography.SLOTS + geography.HOSTEL_SLOT
    return dwelling


def _restless(chance: Chance, hard: Hardship, rows: Ints) -> Floats:
    """Return a factor on unplanned care: a few people come again and again."""
    draw = chance.stream("feeds.restless")
    factor: Floats = draw.gamma(0.9, 1.0 / 0.9, len(rows)) * (1.0 + 1.5 * hard.substance[rows] + 1.5 * hard.rough[rows])
    return factor


def _smoker(chance: Chance, patients: Patients, substance: Flags) -> Flags:
    # 11 % of adults smoke, three times as many in the most deprived tenth (Annual Population Survey).
    lean = -2.9 + 1.6 * patients.strain + 0.8 * patients.has[Condition.COPD] + 1.4 * substance
    lean = lean + 0.9 * patients.has[Condition.SEVERE_MENTAL_ILLNESS] - 0.03 * np.maximum(patients.age - 60.0, 0.0)
    return flags(chance.stream("feeds.smoker"), (patients.age >= 17.0) * logistic(lean))


def _hidden(chance: Chance, patients: Patients, minority: Flags) -> dict[Condition, Flags]:
    """Return who has a condition that nobody has coded, of those not on its register.

    Three of ten with high blood pressure do not know (Health Survey for England), more of ethnic minorities; one in
    eight or so with diabetes [assumption for the others].
    """
    found = {}
    for condition, share in (
        (Condition.HYPERTENSION, 0.42), (Condition.DIABETES, 0.12), (Condition.CKD, 0.20), (Condition.COPD, 0.25),
        (Condition.AF, 0.20), (Condition.HEART_FAILURE, 0.20), (Condition.ASTHMA, 0.05),
    ):  # fmt: skip
        shape = REGISTERS[condition]
        rate = shape.highest / (
            1.0 + np.exp(-(patients.age + 6.0 * (patients.strain - 0.5) - shape.middle) / shape.spread)
        )
        rate = rate * share * np.exp(0.5 * (patients.strain - 0.5)) * (patients.age >= 30.0)
        rate = rate * np.where(minority, 1.5, 1.0)
        found[condition] = flags(chance.stream(f"feeds.hidden.{condition.value}"), rate) & ~patients.has[condition]
    return found


def _limited(chance: Chance, world: World, rows: Ints, patients: Patients, strain: Floats, hard: Hardship) -> Ints:
    """Return whose capability for work is limited, if they were assessed: by illness, above all of the mind."""
    draw = chance.stream("feeds.limited")
    ill = draw.poisson(world.age / 60.0).astype(np.float64)
    mind = np.zeros(len(world))
    ill[rows] = patients.burden
    has = patients.has
    mind[rows] = (
        has[Condition.DEPRESSION] + 3.0 * has[Condition.SEVERE_MENTAL_ILLNESS] + 0.7 * has[Condition.ANXIETY]
        + 2.5 * has[Condition.LEARNING_DISABILITY]
    )  # fmt: skip
    lean = -3.5 + 0.45 * ill + 0.8 * mind + 1.3 * strain + 0.9 * hard.substance + 0.3 * hard.trouble
    limited = draw.random(len(world)) < (world.age >= 16.0) * logistic(lean)
    # Four of five are found unfit for preparing for work too (DWP, work capability assessments).
    return np.where(limited, np.where(draw.random(len(world)) < 0.78, 2, 1), 0)


def _caring(age: Floats, strain: Floats) -> Floats:
    # 9 % give unpaid care, most at 45 to 64 (census 2021); a third of them for 35 hours and more.
    share: Floats = (age >= 16.0) * 0.03 * np.exp(-(((age - 55.0) / 18.0) ** 2)) * (0.6 + strain) * 2.0
    return share


def registers_of(lives: Lives) -> tuple[pl.DataFrame, Ints]:
    """Return all entries on registers (condition, status, recorded_on) and whose they are."""
    facts = pl.concat([entries.facts for entries in lives.entries])
    return facts, np.concatenate([entries.owner for entries in lives.entries])
