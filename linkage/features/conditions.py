"""The group of conditions: GP registers by "latest diagnosis after latest resolved", and multimorbidity."""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import count, flag
from linkage.features.registers import REGISTERS, Register
from schemas.codes import Condition, DiagnosisStatus
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, MarmotDomain, Sensitivity

_UNLINKED: Final = "no subject of the person is in a health source that delivers diagnoses"


def _entries() -> list[FeatureDefinition]:
    prevention = {
        "sources": (Feed.HEALTH,),
        "sensitivity": Sensitivity.SPECIAL_CATEGORY,
        "unknown_when": _UNLINKED,
        "marmot_domain": MarmotDomain.PREVENTION,
    }
    registers = [
        flag(
            rule.feature,
            rule.sentence,
            covered_by=("diagnoses",),
            **{**prevention, "unknown_when": f"{_UNLINKED}{', or the age is unknown' * bool(rule.minimum_age)}"},
        )
        for rule in REGISTERS
    ]
    return [
        *registers,
        count(
            "ltc_count",
            (0, 1, 2, 3, 4, 5),
            "Number of long-term-condition registers that the person is on.",
            covered_by=("diagnoses",),
            **prevention,
        ),
        flag(
            "dm_and_htn",
            "On both the diabetes and the hypertension register.",
            covered_by=("diagnoses",),
            **prevention,
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and one boolean a register, `ltc_count` and `dm_and_htn`.

    A diagnosis and a resolved code of one day cancel: the register wants the diagnosis to be later.
    """
    active = (
        context.facts("diagnoses")
        .lazy()
        .filter(pl.col("recorded_on") <= context.as_of)
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
    frame = context.persons.select("person_id", "age", "covers_diagnoses").join(active, on="person_id", how="left")
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
