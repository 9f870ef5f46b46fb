"""Inverse-probability-of-linkage weights: the linked, weighted so that they look like everybody.

A linked subject's weight is the source's link rate over that of its cell, a combination of subgroups (stabilised
weights, and truncated at percentiles of their own distribution: Cole and Hernan, Am J Epidemiol 2008). They correct for
missed matches where, within a cell, who is missed does not depend on what is studied; false links they leave as they
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from linkage.subjects import BoolArray
from linkage.weigh import FloatArray

FEWEST_IN_CELL: Final = 50
"""Subjects a cell needs for its link rate to be more than noise; smaller ones give up their last variable."""

TRUNCATED_AT: Final = (0.01, 0.99)


def linkage_weights(source: pl.Series, variables: Sequence[pl.Series], linked: BoolArray) -> FloatArray:
    """Return each subject's weight (n), NaN for the unlinked; `variables` (n each), the most telling one first."""
    names = [f"_{number}" for number in range(len(variables))]
    frame = pl.DataFrame({"_source": source, "_linked": linked}).with_columns(
        column.alias(name) for name, column in zip(names, variables, strict=True)
    )
    rate, size = pl.col("_linked").mean(), pl.len()
    weight = pl.lit(None, dtype=pl.Float64)
    overall = rate.over("_source")
    for depth in range(len(names) + 1):
        cell = ["_source", *names[:depth]]
        # A deeper cell that is large enough overrides the one that it is part of.
        weight = pl.when(size.over(cell) >= FEWEST_IN_CELL).then(overall / rate.over(cell)).otherwise(weight)
    weights = (
        frame.select(pl.when(pl.col("_linked")).then(weight.fill_null(1.0)).alias("weight"))["weight"].to_numpy().copy()
    )
    some = np.isfinite(weights)
    if some.any():
        weights[some] = np.clip(weights[some], *np.quantile(weights[some], TRUNCATED_AT))
    return weights.astype(np.float64)
