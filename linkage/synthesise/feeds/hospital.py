"""Hospital care: A&E attendances (`kmicb.ecds`), admissions and outpatient appointments (`kmicb.sus`), three years.

An emergency admission through A&E has its attendance on the same day. Need follows illness, age and deprivation, and a
few people come again and again. Rates [assumption], set near those of the Hospital Episode Statistics (A&E about 400,
emergency admissions about 110 in 1,000 people a year).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Flags, Floats, Ints
from linkage.synthesise.feeds.drawing import ago, events, flags, one_of
from linkage.synthesise.feeds.facts import NEVER, Facts, codes
from linkage.synthesise.feeds.lives import Lives
from schemas.codes import CircumstanceKind, Condition, EncounterKind, InjuryIntent
from schemas.contracts.facts_health import Circumstance, Encounter

YEARS: Final = 3
_DAYS: Final = 365 * YEARS

_ADMITTED_FOR: Final[dict[Condition, tuple[float, tuple[str, ...]]]] = {
    Condition.COPD: (0.15, ("J440", "J441", "J449", "J22X")),
    Condition.HEART_FAILURE: (0.15, ("I500", "I501", "I509")),
    Condition.ASTHMA: (0.025, ("J459", "J46X", "J450")),
    Condition.DIABETES: (0.03, ("E101", "E116", "E115", "E162", "E107")),
    Condition.CHD: (0.06, ("I209", "I200", "I214", "I248")),
    Condition.HYPERTENSION: (0.004, ("I10X", "I119")),
    Condition.AF: (0.03, ("I489",)),
    Condition.STROKE: (0.04, ("I639", "I64X")),
    Condition.EPILEPSY: (0.08, ("G409", "G403")),
    Condition.SEVERE_MENTAL_ILLNESS: (0.06, ("F200", "F319", "F259")),
    Condition.DEMENTIA: (0.10, ("N390", "S720", "R410")),
    Condition.CANCER: (0.05, ("C349", "C189", "C679", "C859")),
    Condition.ALCOHOL: (0.12, ("F102", "K703", "K292")),
    Condition.DRUG_DEPENDENCE: (0.12, ("F112", "T401", "L031")),
}
"""Emergency admissions a year of those with a condition, and their primary diagnoses (ICD-10)."""
_CHILD: Final = ("J219", "J069", "B349", "A099", "R509", "S009", "J352", "J46X", "K021")
_ADULT: Final = ("R074", "R104", "K359", "N390", "S826", "K802", "L031", "I10X", "F100", "M545", "D509", "K047")
_OLD: Final = ("J189", "N390", "S720", "R296", "I489", "A419", "I10X", "N179", "R55X", "D509", "E43X")
_PLANNED: Final = ("Z098", "K409", "H269", "M179", "M169", "K635", "C509", "N40X", "K219", "I839")
_BESIDE: Final = (
    (Condition.HYPERTENSION, "I10X"), (Condition.DIABETES, "E119"), (Condition.COPD, "J449"), (Condition.CHD, "I251"),
    (Condition.HEART_FAILURE, "I500"), (Condition.AF, "I489"), (Condition.CKD, "N183"), (Condition.DEMENTIA, "F03X"),
    (Condition.CANCER, "C509"), (Condition.STROKE, "I694"), (Condition.PAD, "I739"), (Condition.DEPRESSION, "F329"),
    (Condition.RHEUMATOID_ARTHRITIS, "M069"), (Condition.DRUG_DEPENDENCE, "F112"), (Condition.ALCOHOL, "F102"),
)  # fmt: skip
"""What else is coded of those who have it."""
_EMERGENCY: Final = ("21", "21", "21", "21", "22", "24", "2A", "2B", "28")
_SELF_HARM: Final = ("T391", "T424", "T430", "S518")
_SELF_HARM_BESIDE: Final = ("X60X", "X61X", "X64X", "X78X")
HOMELESS_CODES: Final = ("HM01", "HM03", "HM04", "HM05")
"""NHS Data Dictionary accommodation status: rough sleeper, night shelter, sofa surfing, placed by the council."""
HOUSED_CODES: Final = ("MA01", "MA04", "MA05", "MA06")
"""Owner, tenant of the council, of a housing association, of a private landlord."""


@dataclass(frozen=True)
class _Stay:
    owner: Ints
    started: Ints
    primary: pl.Series
    beside: pl.Series
    emergency: Flags
    maternity: Flags


def content(lives: Lives) -> tuple[dict[str, Facts], dict[str, Facts]]:
    """Return the facts of SUS and those of ECDS by list column; owners are positions among those registered."""
    admitted, attended = Facts(Encounter, lives.spans), Facts(Encounter, lives.spans)
    stays = [*_ill(lives), *_self_harm(lives)]
    owner = np.concatenate([stay.owner for stay in stays])
    started = np.concatenate([stay.started for stay in stays])
    primary, beside = pl.concat([s.primary for s in stays]), pl.concat([s.beside for s in stays])
    emergency = np.concatenate([stay.emergency for stay in stays])
    maternity = np.concatenate([stay.maternity for stay in stays])
    draw = lives.chance.stream("feeds.admission")
    # One emergency stay in eight is followed by another within a month (NHS Outcomes Framework 3b).
    again = np.flatnonzero(emergency & (draw.random(len(owner)) < 0.12))
    later = started[again] + draw.integers(6, 34, size=len(again))
    owner, started = np.concatenate([owner, owner[again]]), np.concatenate([started, later])
    emergency, maternity = np.concatenate([emergency, emergency[again]]), np.concatenate([maternity, maternity[again]])
    primary, beside = primary.append(primary.gather(again)), beside.append(beside.gather(again))
    how = np.where(
        emergency, draw.integers(len(_EMERGENCY), size=len(owner)), len(_EMERGENCY) + draw.integers(3, size=len(owner))
    )
    how = np.where(maternity, len(_EMERGENCY) + 3, how)
    method = codes((*_EMERGENCY, "11", "12", "13", "31"), how)
    nights = np.floor(draw.gamma(0.8, 3.0 + 4.0 * lives.patients.old[owner] + 8.0 * lives.frailty[owner]))
    nights = np.where(emergency, nights, draw.integers(0, 2, size=len(owner))).astype(np.int64)
    cost = np.where(emergency, 62_000.0, 118_000.0) * np.exp(0.5 * draw.normal(size=len(owner))) + 38_000.0 * nights
    admitted.add(
        owner, kind=EncounterKind.ADMISSION, started_on=started, ended_on=started + nights, admission_method=method,
        primary_diagnosis=primary, secondary_diagnoses=beside, cost_pence=cost.astype(np.int64),
    )  # fmt: skip
    _appointments(lives, admitted)
    through = np.flatnonzero(how < 4)
    _attendances(lives, attended, owner[through], started[through], primary.gather(through))
    return {"encounters": admitted}, {"encounters": attended, "circumstances": _housing(lives, attended)}


def _ill(lives: Lives) -> list[_Stay]:
    patients, age = lives.patients, lives.patients.age
    draw = lives.chance.stream("feeds.admission.illness")
    need = np.exp(0.7 * (patients.strain - 0.5)) * (1.0 + 0.18 * patients.burden) * (0.4 + 0.6 * lives.restless)
    found: list[_Stay] = []

    def stays(owner: Ints, primary: pl.Series, emergency: bool, maternity: bool = False) -> None:
        full = np.full(len(owner), True)
        found.append(
            _Stay(
                owner,
                ago(draw, len(owner), 1, _DAYS),
                primary,
                _beside(lives, owner),
                full & emergency,
                full & maternity,
            )
        )

    for condition, (a_year, primary) in _ADMITTED_FOR.items():
        owner = events(draw, YEARS * a_year * patients.has[condition] * (0.3 + 0.7 * lives.restless))
        stays(owner, codes(primary, draw.integers(len(primary), size=len(owner))), True)
    owner = events(draw, YEARS * need * (0.035 + 0.045 * (age < 5.0) + 0.10 * patients.old))
    index = np.select(
        [age[owner] < 16.0, age[owner] < 70.0],
        [draw.integers(len(_CHILD), size=len(owner)), len(_CHILD) + draw.integers(len(_ADULT), size=len(owner))],
        len(_CHILD) + len(_ADULT) + draw.integers(len(_OLD), size=len(owner)),
    )
    stays(owner, codes((*_CHILD, *_ADULT, *_OLD), index), True)
    owner = events(draw, YEARS * (age >= 16.0) * (0.02 + 0.022 * patients.burden + 0.05 * patients.old))
    stays(owner, codes(_PLANNED, draw.integers(len(_PLANNED), size=len(owner))), False)
    owner = events(draw, YEARS * 0.06 * ((patients.sex == 1) & (age >= 18.0) & (age < 43.0)))
    stays(owner, codes(("O800", "O829", "O700"), draw.integers(3, size=len(owner))), False, True)
    return found


def _beside(lives: Lives, owner: Ints) -> pl.Series:
    """Return the further diagnoses of each stay: what the person has, and frailty's signs; codes with spaces."""
    flags_of = {code: lives.has[condition][owner] for condition, code in _BESIDE}
    frail = (lives.frailty[owner] > 0.2) & (lives.patients.age[owner] >= 65.0)
    homeless = lives.hardship.homeless[lives.rows[owner]] & (lives.hardship.homeless_until[lives.rows[owner]] == NEVER)
    flags_of |= {
        "Z590": homeless,
        "R296": frail,
        "F059": frail & (lives.frailty[owner] > 0.32),
        "R54X": lives.frailty[owner] > 0.38,
    }
    return (
        pl.DataFrame(flags_of)
        .select(
            pl.concat_str(
                [pl.when(pl.col(code)).then(pl.lit(code)) for code in flags_of], separator=" ", ignore_nulls=True
            )
            .replace("", None)
            .alias("beside")
        )
        .to_series()
    )


def _harmed(lives: Lives) -> Floats:
    """Return how many attendances for self-harm to expect in three years: rare, most in girls of 12 to 20."""
    age, young = lives.patients.age, np.exp(-(((lives.patients.age - 16.5) / 5.0) ** 2))
    rate: Floats = (age >= 10.0) * (0.0009 + 0.011 * young * np.where(lives.patients.sex == 1, 1.5, 0.6))
    mind = lives.has[Condition.DEPRESSION] | lives.has[Condition.SEVERE_MENTAL_ILLNESS]
    weight: Floats = rate * YEARS * np.exp(0.8 * (lives.patients.strain - 0.5)) * np.where(mind, 3.0, 1.0)
    return weight


def _self_harm(lives: Lives) -> list[_Stay]:
    draw = lives.chance.stream("feeds.admission.self_harm")
    owner = events(draw, 0.55 * _harmed(lives))
    full = np.full(len(owner), True)
    return [
        _Stay(
            owner, ago(draw, len(owner), 1, _DAYS), codes(_SELF_HARM, draw.integers(4, size=len(owner))),
            codes(_SELF_HARM_BESIDE, draw.integers(4, size=len(owner))), full, ~full,
        )
    ]  # fmt: skip


def _attendances(lives: Lives, facts: Facts, owner: Ints, started: Ints, primary: pl.Series) -> None:
    """Add attendances: those that end in a bed, self-harm that does not, and all others."""
    draw = lives.chance.stream("feeds.attendance")
    age, patients = lives.patients.age, lives.patients

    def cost(count: int) -> Ints:
        money: Ints = (9_000 + draw.gamma(3.0, 4_000.0, count)).astype(np.int64)
        return money

    harmed = primary.is_in(list(_SELF_HARM)).to_numpy()
    intent = codes((InjuryIntent.SELF_INFLICTED.value, ""), np.where(harmed, 0, 1)).replace("", None)
    facts.add(
        owner, kind=EncounterKind.AE_ATTENDANCE, started_on=started, ended_on=started, primary_diagnosis=primary,
        injury_intent=intent, cost_pence=cost(len(owner)),
    )  # fmt: skip
    owner = events(draw, 0.45 * _harmed(lives))
    on = ago(draw, len(owner), 1, _DAYS)
    facts.add(
        owner, kind=EncounterKind.AE_ATTENDANCE, started_on=on, ended_on=on, injury_intent=InjuryIntent.SELF_INFLICTED,
        cost_pence=cost(len(owner)),
    )  # fmt: skip
    small, young = age < 5.0, (age >= 15.0) & (age < 30.0)
    need = np.exp(0.8 * (patients.strain - 0.5)) * (1.0 + 0.12 * patients.burden) * (0.25 + 0.75 * lives.restless)
    owner = events(
        draw, YEARS * need * (0.19 + (0.10 + 0.85 * patients.strain) * small + 0.12 * young + 0.14 * patients.old)
    )
    on = ago(draw, len(owner), 1, _DAYS)
    why = one_of(draw, (0.60, 0.34, 0.03, 0.03), len(owner))
    intents = ("", InjuryIntent.ACCIDENT.value, InjuryIntent.ASSAULT.value, InjuryIntent.OTHER.value)
    facts.add(
        owner, kind=EncounterKind.AE_ATTENDANCE, started_on=on, ended_on=on,
        injury_intent=codes(intents, why).replace("", None), cost_pence=cost(len(owner)),
    )  # fmt: skip


def _appointments(lives: Lives, facts: Facts) -> None:
    draw = lives.chance.stream("feeds.appointment")
    patients = lives.patients
    seen = np.exp(0.2 * (patients.strain - 0.5)) * (0.40 + 0.42 * patients.burden + 0.35 * patients.old)
    seen = seen * draw.gamma(0.6, 1.0 / 0.6, len(seen))
    owner = events(draw, YEARS * seen)
    on = ago(draw, len(owner), 1, _DAYS)
    # 6 to 8 % are missed, twice as many of the most deprived (NHS England).
    came = draw.random(len(owner)) >= 0.045 + 0.06 * patients.strain[owner]
    cost = np.where(came, 9_500.0 + draw.gamma(2.0, 3_500.0, len(owner)), 0.0).astype(np.int64)
    facts.add(owner, kind=EncounterKind.OUTPATIENT, started_on=on, ended_on=on, attended=came, cost_pence=cost)


def accommodation(lives: Lives, owner: Ints, draw: np.random.Generator) -> pl.Series:
    """Return the accommodation status of positions `owner`: by tenure, or homeless where they are."""
    rows = lives.rows[owner]
    tenure = lives.world.homes.tenure[lives.world.home[rows]]
    housed = np.array([1, 2, 3, 0, 3, 0])[tenure]
    homeless = (lives.hardship.homeless_since[rows] != NEVER) & (lives.hardship.homeless_until[rows] == NEVER)
    kind = np.where(lives.hardship.rough[rows], 0, np.array([1, 2, 3, 3])[draw.integers(4, size=len(owner))])
    return codes((*HOUSED_CODES, *HOMELESS_CODES), np.where(homeless, 4 + kind, housed))


def _housing(lives: Lives, attended: Facts) -> Facts:
    facts = Facts(Circumstance, lives.spans)
    draw = lives.chance.stream("feeds.attendance.housing")
    # Few attendances say where people live.
    owner = np.unique(attended.owners)
    owner = owner[flags(draw, np.full(len(owner), 0.35))]
    facts.add(
        owner, kind=CircumstanceKind.ACCOMMODATION, code=accommodation(lives, owner, draw),
        recorded_on=ago(draw, len(owner), 1, 730),
    )  # fmt: skip
    return facts
