"""Encounters of the last 24 months, one row each, with what the counts over them ask."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.codes import all_diagnoses
from linkage.features.windows import months_before
from schemas.codes import EncounterKind

LOOK_BACK_MONTHS: Final = 24
_SAME: Final = ("person_id", "kind", "started_on", "ended_on", "admission_method", "primary_diagnosis")
_REST: Final = ("secondary_diagnoses", "attended", "injury_intent", "cost_pence")

EMERGENCY: Final = pl.col("_emergency")
"""An admission whose method starts with 2."""
PLANNED: Final = pl.col("_planned")
"""An admission whose method starts with 1."""
THIS_YEAR: Final = pl.col("_this_year")
"""Started in the twelve months up to the as-of date."""


def of_kind(*kinds: EncounterKind) -> pl.Expr:
    """Return whether an encounter is of one of `kinds`."""
    return pl.any_horizontal(pl.col("kind") == kind.value for kind in kinds)


def events(encounters: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    """Return the encounters that started in the 24 months up to `as_of`, with the columns named above.

    What several sources report (same kind, dates, method, primary diagnosis) counts once, what one source reports twice
    counts twice: the n-th report of one is the n-th of another.
    """
    start, day = months_before(as_of, LOOK_BACK_MONTHS), pl.col("started_on")
    rows = encounters.lazy().filter((day > start) & (day <= as_of))
    # Kinds that one source alone delivers, in practice all, need no comparison: each row is an event.
    sources = encounters.lazy().group_by("kind").agg(pl.col("source").n_unique().alias("_sources")).collect()
    shared = sources.filter(pl.col("_sources") > 1)["kind"].to_list()
    told_once = rows.filter(pl.col("kind").is_in(shared).not_())
    told_often = (
        rows.filter(pl.col("kind").is_in(shared))
        .sort(*_SAME, "source", *_REST, nulls_last=True)
        .with_columns(pl.int_range(pl.len()).over(*_SAME, "source").alias("_nth"))
        .unique([*_SAME, "_nth"], keep="first", maintain_order=True)
        .drop("_nth")
    )
    method = pl.col("admission_method")
    admission = of_kind(EncounterKind.ADMISSION)
    return pl.concat([told_once, told_often]).with_columns(
        (admission & method.str.starts_with("2").fill_null(False)).alias("_emergency"),
        (admission & method.str.starts_with("1").fill_null(False)).alias("_planned"),
        (day > months_before(as_of, 12)).alias("_this_year"),
        all_diagnoses(),
    )
