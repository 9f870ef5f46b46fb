"""A snapshot's own summary: how many people, how many of each feed were linked, overall and by subgroup.

Exact counts, for operators and for the query service, which protects them like any other before they leave.
"""

from __future__ import annotations

import json
from typing import Final

import polars as pl

SUBGROUPS: Final = ("age_band", "sex_code", "ethnic_group_5", "imd_decile", "authority")
"""Where linkage error is known to differ, and must therefore be shown (domain: ONS Census to PDS linkage)."""


def summary_json(features: pl.DataFrame, reference: str = "") -> str:
    """Return the summary of a feature table as JSON: `persons`, `health`, `welfare`, `linked`, and `by` subgroup.

    `reference` is the version of the reference data that the features were computed with.
    """
    by = {
        name: [
            {"value": value, **counts}
            for value, counts in (
                (row.pop(name), row) for row in features.group_by(name).agg(*_counts()).sort(name).to_dicts()
            )
        ]
        for name in SUBGROUPS
    }
    return json.dumps({"reference": reference, **features.select(_counts()).row(0, named=True), "by": by})


def _counts() -> list[pl.Expr]:
    return [
        pl.len().alias("persons"),
        pl.col("in_health").sum().alias("health"),
        pl.col("in_welfare").sum().alias("welfare"),
        pl.col("linked").sum().alias("linked"),
    ]
