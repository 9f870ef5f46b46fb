"""What a GP record says of each person, in one row: the newest of everything, one pass over each kind of fact.

The rules of registers, groups and bands are expressions over this row. A name is made by one of the functions
`diagnosed`, `value`, `event_on`, ...; a null says that nothing is recorded, or that nothing could be: `states.known`
tells the two apart by the person's coverage.

Of several values of one day the highest holds, so that the order of rows means nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.practice.rules import DIAGNOSED_FROM, NEVER_RESOLVED
from linkage.features.windows import months_before
from schemas.codes import (
    Condition,
    DiagnosisStatus,
    DrugGroup,
    EventCode,
    MeasurementKind,
    MeasurementSetting,
)

_BLOOD_PRESSURE: Final = (MeasurementKind.SYSTOLIC_MMHG, MeasurementKind.DIASTOLIC_MMHG)
_AWAY: Final = {MeasurementSetting.HOME.value, MeasurementSetting.AMBULATORY.value}
_PLACES: Final = ("clinic", "away", "ambulatory")
_COUNTED: Final = (DrugGroup.SABA, DrugGroup.ICS, DrugGroup.ORAL_STEROID)
_STEPS: Final = 10_000
_DAY: Final = 1 << 27
"""A value of at most 10,000 in steps of 1/10,000 takes less than 2**27 whole numbers."""


def diagnosed(condition: Condition) -> pl.Expr:
    """Return the date of the latest diagnosis of an active condition."""
    return pl.col(f"_diagnosed_{condition}")


def value(kind: MeasurementKind) -> pl.Expr:
    """Return the newest value of a measurement other than blood pressure, in the unit of its name."""
    return _value(f"_measured_{kind}")


def measured_on(kind: MeasurementKind) -> pl.Expr:
    """Return the day of `value`."""
    return _day(f"_measured_{kind}")


def pressure(kind: MeasurementKind, place: str) -> pl.Expr:
    """Return the newest systolic or diastolic in mmHg by place: `clinic`, `away` (home or ambulatory), `ambulatory`.

    Null where the other of the pair is newer: two numbers of different days are no reading.
    """
    return pl.when(_day(f"_{kind}_{place}") == pressure_on(place)).then(_value(f"_{kind}_{place}"))


def pressure_on(place: str) -> pl.Expr:
    """Return the day of the newest blood pressure by place."""
    return pl.max_horizontal(_day(f"_{kind}_{place}") for kind in _BLOOD_PRESSURE)


def event_on(code: EventCode) -> pl.Expr:
    """Return the newest day on which `code` was entered."""
    return pl.col(f"_event_{code}")


def issued_on(group: DrugGroup) -> pl.Expr:
    """Return the newest day on which a drug of `group` was issued."""
    return pl.col(f"_issued_{group}")


def issues_12m(group: DrugGroup) -> pl.Expr:
    """Return the issues of `group` in twelve months, for the groups that a feature counts."""
    return pl.col(f"_issues_{group}")


MENTAL: Final = (Condition.SEVERE_MENTAL_ILLNESS, Condition.DEPRESSION, Condition.ANXIETY)
MENTAL_EVER: Final = pl.col("_mental_ever")
"""Whether one of `MENTAL` was ever coded, resolved since or not."""
EXACERBATIONS_12M: Final = pl.col("_exacerbations")
"""Days with a COPD exacerbation in twelve months."""
DISTINCT_DRUGS: Final = pl.col("_distinct_drugs")
"""Distinct drugs by the newest count of the last six months."""


def evidence(context: Context) -> pl.LazyFrame:
    """Return `context.persons` with the columns that the functions above name."""
    as_of = context.as_of
    parts = (
        _diagnoses(context.plan("diagnoses"), as_of),
        _measurements(context.plan("measurements"), as_of),
        _events(context.plan("coded_events"), as_of),
        _exacerbations(context.plan("coded_events"), as_of),
        _medications(context.plan("medications"), as_of),
    )
    frame = context.persons.lazy()
    for part in parts:
        frame = frame.join(part, on="person_id", how="left", maintain_order="left")
    return frame


def _diagnoses(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    day, condition = pl.col("recorded_on"), pl.col("condition")
    active = pl.col("status") == DiagnosisStatus.ACTIVE.value
    too_early = [(condition == name.value) & (day < start) for name, start in DIAGNOSED_FROM.items()]
    latest = (
        rows.filter(day <= as_of)
        .group_by("person_id", "condition")
        .agg(
            pl.when(active & ~pl.any_horizontal(too_early)).then(day).max().alias("_active"),
            pl.when(~active & ~condition.is_in([c.value for c in NEVER_RESOLVED])).then(day).max().alias("_resolved"),
            active.any().alias("_ever"),
        )
    )
    still = pl.col("_resolved").is_null() | (pl.col("_active") > pl.col("_resolved"))
    return latest.group_by("person_id").agg(
        *(
            pl.when((condition == c.value) & still).then(pl.col("_active")).max().alias(f"_diagnosed_{c}")
            for c in Condition
        ),
        (pl.col("_ever") & condition.is_in([c.value for c in MENTAL])).any().alias("_mental_ever"),
    )


def _measurements(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    kind, setting = pl.col("kind"), pl.col("setting")
    away = setting.is_in(_AWAY).fill_null(False)
    placed = {"clinic": ~away, "away": away, "ambulatory": setting == MeasurementSetting.AMBULATORY.value}
    steps = (pl.col("value") * _STEPS).round(0).cast(pl.Int64)
    # Day and value in one whole number: the greatest is the newest, and the highest of its day, without a sort.
    newest = pl.col("recorded_on").cast(pl.Int32).cast(pl.Int64) * _DAY + steps
    wanted = {f"_measured_{k}": kind == k.value for k in MeasurementKind if k not in _BLOOD_PRESSURE}
    for k in _BLOOD_PRESSURE:
        wanted |= {f"_{k}_{place}": (kind == k.value) & placed[place] for place in _PLACES}
    return (
        rows.filter(pl.col("recorded_on") <= as_of)
        .with_columns(newest.alias("_newest"))
        .group_by("person_id")
        .agg(pl.when(which).then(pl.col("_newest")).max().alias(name) for name, which in wanted.items())
    )


def _value(name: str) -> pl.Expr:
    # Polars multiplies by the inverse of a constant divisor, which is off in the last place: 0.074 would not be 0.074.
    return ((pl.col(name) % _DAY) / _STEPS).round(4)


def _day(name: str) -> pl.Expr:
    return (pl.col(name) // _DAY).cast(pl.Int32).cast(pl.Date)


def _events(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    day = pl.col("recorded_on")
    return (
        rows.filter(day <= as_of)
        .group_by("person_id")
        .agg(pl.when(pl.col("code") == c.value).then(day).max().alias(f"_event_{c}") for c in EventCode)
    )


def _exacerbations(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    day = pl.col("recorded_on")
    return (
        rows.filter((day <= as_of) & (day > months_before(as_of, 12)))
        .filter(pl.col("code") == EventCode.COPD_EXACERBATION.value)
        .group_by("person_id")
        .agg(day.n_unique().alias("_exacerbations"))
    )


def _medications(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    group, day = pl.col("drug_group"), pl.col("issued_on")
    half, year = months_before(as_of, 6), months_before(as_of, 12)
    counts = [
        pl.when((group == g.value) & (day > year)).then(pl.col("issues")).sum().alias(f"_issues_{g}") for g in _COUNTED
    ]
    # The day and the count in one whole number, as for measurements.
    counted = pl.when((group == DrugGroup.ALL.value) & (day > half)).then(
        day.cast(pl.Int32).cast(pl.Int64) * _DAY + pl.col("distinct_drugs")
    )
    return (
        rows.filter(day <= as_of)
        # Two registrations of one person tell the same issues: a group's day counts once.
        .group_by("person_id", "drug_group", "issued_on")
        .agg(pl.col("issues", "distinct_drugs").max())
        .group_by("person_id")
        .agg(
            *(pl.when(group == g.value).then(day).max().alias(f"_issued_{g}") for g in DrugGroup),
            *counts,
            (counted.max() % _DAY).alias("_distinct_drugs"),
        )
    )
