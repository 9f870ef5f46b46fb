"""Features from health facts: registers by "latest diagnosis after latest resolved", hospital use in a year."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.entries_health import ACSC_LIST
from linkage.features.registers import REGISTERS, Register
from schemas.code_lists import code_list
from schemas.codes import Condition, DiagnosisStatus, EncounterKind

_EVENT: Final = ("kind", "started_on", "ended_on", "admission_method", "primary_diagnosis")


def register_features(persons: pl.DataFrame, diagnoses: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return `person_id` and one boolean a register, `ltc_count` and `dm_and_htn`.

    `persons` has `person_id`, `age` and the boolean `covers_diagnoses`; `diagnoses` has `person_id` and the facts
    of all of a person's subjects. A diagnosis and a resolved code of one day cancel: the register wants the
    diagnosis to be later.
    """
    active = (
        diagnoses.lazy()
        .filter(pl.col("recorded_on") <= as_of)
        .join(_rules().lazy(), on="condition", how="inner")
        .filter(pl.col("_from").is_null() | (pl.col("recorded_on") >= pl.col("_from")) | ~_is_active())
        .group_by("person_id", "condition")
        .agg(
            pl.col("recorded_on").filter(_is_active()).max().alias("_diagnosed"),
            pl.col("recorded_on").filter(~_is_active() & pl.col("_resolvable")).max().alias("_resolved"),
        )
        .filter(pl.col("_diagnosed").is_not_null())
        .filter(pl.col("_resolved").is_null() | (pl.col("_diagnosed") > pl.col("_resolved")))
        .group_by("person_id")
        .agg((pl.col("condition") == rule.condition.value).any().alias(rule.feature) for rule in REGISTERS)
        .collect()
    )
    names = [rule.feature for rule in REGISTERS]
    frame = persons.select("person_id", "age", "covers_diagnoses").join(active, on="person_id", how="left")
    return frame.with_columns(_on_register(rule) for rule in REGISTERS).select(
        "person_id",
        *names,
        # A sum over flags of which one is unknown is itself unknown, hence no `sum_horizontal`, which skips nulls.
        sum((pl.col(name).cast(pl.Int32) for name in names), start=pl.lit(0, pl.Int32)).alias("ltc_count"),
        (pl.col(f"reg_{Condition.DIABETES}") & pl.col(f"reg_{Condition.HYPERTENSION}")).alias("dm_and_htn"),
    )


def _is_active() -> pl.Expr:
    return pl.col("status") == DiagnosisStatus.ACTIVE.value


def _rules() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "condition": [rule.condition.value for rule in REGISTERS],
            "_from": pl.Series([rule.diagnosed_from for rule in REGISTERS], dtype=pl.Date),
            "_resolvable": [rule.resolvable for rule in REGISTERS],
        }
    )


def _on_register(rule: Register) -> pl.Expr:
    coded = pl.col(rule.feature).fill_null(False)
    old_enough = pl.lit(True) if rule.minimum_age is None else pl.col("age") >= rule.minimum_age
    # Kleene's AND: never coded is False at any age; coded at an unknown age is unknown.
    return pl.when(pl.col("covers_diagnoses")).then(coded & old_enough).alias(rule.feature)


def hospital_features(persons: pl.DataFrame, encounters: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return `person_id` and the counts of the twelve months up to and including `as_of`.

    `persons` has `person_id` and `covers_ae_attendance`, `covers_admission`, `covers_outpatient`; `encounters` has
    `person_id`,
    `source` and the facts. What two sources both report (same kind, dates, method, diagnosis) counts once; what one
    source reports twice counts twice.
    """
    kind, method, code = pl.col("kind"), pl.col("admission_method"), pl.col("primary_diagnosis")
    admission = kind == EncounterKind.ADMISSION.value
    emergency = admission & method.str.starts_with("2").fill_null(False)
    groups = code_list(ACSC_LIST).groups
    sensitive = {f"acsc_{g.name}_12m": emergency & code.str.contains(g.pattern).fill_null(False) for g in groups}
    conditions = {
        "ae_attendances_12m": kind == EncounterKind.AE_ATTENDANCE.value,
        "emergency_admissions_12m": emergency,
        "elective_admissions_12m": admission & method.str.starts_with("1").fill_null(False),
        "outpatient_12m": kind == EncounterKind.OUTPATIENT.value,
        "acsc_admissions_12m": pl.any_horizontal(sensitive.values()),
        **sensitive,
    }
    counts = (
        encounters.lazy()
        .filter((pl.col("started_on") > _year_before(as_of)) & (pl.col("started_on") <= as_of))
        .group_by("person_id", *_EVENT, "source")
        .len()
        .group_by("person_id", *_EVENT)
        .agg(pl.col("len").max().cast(pl.Int32))
        .group_by("person_id")
        .agg(pl.col("len").filter(condition).sum().alias(name) for name, condition in conditions.items())
        .collect()
    )
    covered = {
        name: {"ae_attendances_12m": "covers_ae_attendance", "outpatient_12m": "covers_outpatient"}.get(
            name, "covers_admission"
        )
        for name in conditions
    }
    return persons.join(counts, on="person_id", how="left").select(
        "person_id",
        *(
            pl.when(pl.col(cover)).then(pl.col(name).fill_null(0)).cast(pl.Int32).alias(name)
            for name, cover in covered.items()
        ),
    )


def _year_before(as_of: date) -> date:
    last_of_february = as_of.month == 2 and as_of.day == 29
    return as_of.replace(year=as_of.year - 1, day=28 if last_of_february else as_of.day)
