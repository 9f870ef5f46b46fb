"""Two years of hospital care: A&E attendances, admissions with method and diagnosis, outpatient appointments.

Need grows with illness, age and deprivation; admissions for a condition (ambulatory care sensitive ones among them)
come to those who have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Chance, Flags, Floats, Ints
from linkage.synthesise.listing import element, nested
from linkage.synthesise.world import REFERENCE_DAY
from schemas.codes import Condition, EncounterKind
from schemas.contracts.facts_health import Encounter

ENCOUNTER_DAYS: Final = 730
"""How far back encounters go from the reference date."""

_YEARS: Final = ENCOUNTER_DAYS / 365.0

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
    Condition.CANCER: (0.06, ("C349", "C189", "C679", "C859")),
}
_CHILD_CODES: Final = ("J219", "J069", "B349", "A099", "R509", "S009", "J352")
_ADULT_CODES: Final = ("R074", "R104", "K359", "N390", "S826", "K802", "T391", "L031", "I10X", "F100", "M545")
_OLD_CODES: Final = ("J189", "N390", "S720", "R296", "I489", "A419", "I10X", "N179", "R55X")
_EMERGENCY: Final = ("21", "21", "21", "22", "24", "2A", "2B", "28")
_ELECTIVE: Final = ("11", "12", "12", "13")
_EMERGENCY_SHARE: Final = 0.65
_BIRTH: Final = ("O800", "O829", "O700")


@dataclass(frozen=True)
class Patients:
    """What care depends on, by person: age, sex (1 woman), strain (deprivation and poverty, about 0 to 1), the
    conditions they have, days of birth and death (the reference day for the living).
    """

    age: Floats
    sex: Ints
    strain: Floats
    has: dict[Condition, Flags]
    born: Ints
    death: Ints

    @property
    def burden(self) -> Floats:
        """The number of conditions of each person."""
        count: Floats = sum((flags.astype(np.float64) for flags in self.has.values()), np.zeros(len(self.age)))
        return count

    @property
    def need(self) -> Floats:
        """How much more care than a well person in a middling area."""
        need: Floats = np.exp(0.9 * (self.strain - 0.5)) * (1.0 + 0.25 * self.burden)
        return need

    @property
    def old(self) -> Floats:
        """0 up to 65, rising to 1.5 at 95."""
        years: Floats = np.clip((self.age - 65.0) / 20.0, 0.0, 1.5)
        return years


@dataclass(frozen=True)
class _Care:
    """Events of one kind: whose, from day to day, and for admissions how and why."""

    kind: EncounterKind
    owner: Ints
    started: Ints
    ended: Ints
    method: pl.Series
    diagnosis: pl.Series


def encounters(chance: Chance, patients: Patients) -> pl.Series:
    """Return the list column `encounters` of the patients; nothing lies before birth or after death."""
    small, young = patients.age < 5.0, (patients.age >= 15.0) & (patients.age < 30.0)
    attended = patients.need * (0.22 + 0.38 * small + 0.14 * young + 0.20 * patients.old)
    seen = np.sqrt(patients.need) * (0.35 + 0.35 * patients.burden + 0.3 * patients.old)
    kinds = [
        _days(chance.stream("health.ae"), EncounterKind.AE_ATTENDANCE, attended),
        _admissions(chance, patients),
        _days(chance.stream("health.outpatient"), EncounterKind.OUTPATIENT, seen),
    ]
    owner = np.concatenate([k.owner for k in kinds])
    started, ended = np.concatenate([k.started for k in kinds]), np.concatenate([k.ended for k in kinds])
    facts = pl.DataFrame(
        {
            "kind": pl.concat([pl.Series([k.kind.value]).new_from_index(0, len(k.owner)) for k in kinds]),
            "started_on": pl.Series(started).cast(pl.Int32).cast(pl.Date),
            "ended_on": pl.Series(np.minimum(ended, patients.death[owner])).cast(pl.Int32).cast(pl.Date),
            "admission_method": pl.concat([k.method for k in kinds]),
            "primary_diagnosis": pl.concat([k.diagnosis for k in kinds]),
        }
    )
    lived = (started >= patients.born[owner]) & (started <= patients.death[owner])
    return nested("encounters", owner[lived], facts.filter(pl.Series(lived)), len(patients.age), element(Encounter))


def _events(draw: np.random.Generator, a_year: Floats) -> Ints:
    """Return the owner of each event: everybody has a Poisson number of them around what is expected a year."""
    return np.repeat(np.arange(len(a_year)), draw.poisson(_YEARS * a_year))


def _start(draw: np.random.Generator, count: int) -> Ints:
    return REFERENCE_DAY - draw.integers(1, ENCOUNTER_DAYS, size=count)


def _one_of(draw: np.random.Generator, codes: tuple[str, ...], count: int) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return np.array(codes)[draw.integers(len(codes), size=count)]


def _days(draw: np.random.Generator, kind: EncounterKind, a_year: Floats) -> _Care:
    """Return events of a day without method or diagnosis."""
    owner = _events(draw, a_year)
    start = _start(draw, len(owner))
    none = pl.Series([None], dtype=pl.String).new_from_index(0, len(owner))
    return _Care(kind, owner, start, start, none, none)


def _admissions(chance: Chance, patients: Patients) -> _Care:
    age = patients.age
    mother = (patients.sex == 1) & (age >= 18.0) & (age < 42.0)
    draw = chance.stream("health.admission")
    owner = _events(draw, patients.need * (0.06 + 0.05 * (age < 5.0) + 0.16 * patients.old))
    by_age = [_one_of(draw, codes, len(owner)) for codes in (_CHILD_CODES, _ADULT_CODES, _OLD_CODES)]
    parts = [
        (
            owner,
            np.select([age[owner] < 16.0, age[owner] < 70.0], by_age[:2], by_age[2]),
            draw.random(len(owner)) < _EMERGENCY_SHARE,
        )
    ]
    for condition, (a_year, codes) in _ADMITTED_FOR.items():
        own = chance.stream(f"health.admission.{condition.value}")
        owner = _events(own, a_year * patients.has[condition] * np.exp(0.6 * (patients.strain - 0.5)))
        parts.append((owner, _one_of(own, codes, len(owner)), own.random(len(owner)) < 0.88))
    births = chance.stream("health.admission.birth")
    owner = _events(births, 0.06 * mother)
    parts.append((owner, _one_of(births, _BIRTH, len(owner)), np.zeros(len(owner), dtype=np.bool_)))

    owner, code, emergency = (np.concatenate(column) for column in zip(*parts, strict=True))
    how = chance.stream("health.admission.method")
    method = np.where(emergency, _one_of(how, _EMERGENCY, len(owner)), _one_of(how, _ELECTIVE, len(owner)))
    # 31: maternity, before delivery.
    method = np.where(np.char.startswith(code, "O"), "31", method)
    start = _start(how, len(owner))
    long_stay = np.floor(how.gamma(0.8, 3.0 + 4.0 * patients.old[owner]))
    stay = np.where(emergency, long_stay, how.integers(0, 2, size=len(owner))).astype(np.int64)
    ended = np.minimum(start + stay, REFERENCE_DAY)
    return _Care(EncounterKind.ADMISSION, owner, start, ended, pl.Series(method), pl.Series(code))
