"""Living standards as a supplier worked them out (LIFT and its like): one row a household and assessment, on who
answers for it.

Neither the supplier's columns nor its thresholds are in the open, so the columns are ours [D] and the category is
opaque: `definition_source` says whose it is and in which version. `unclaimed_<entitlement>` is what a household seems
to miss: a year's worth in money, or yes where no estimate is given.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.layouts.facts import joined, single
from linkage.layouts.mapped import Mapped
from linkage.layouts.plain import WHO, Column, Kind, Terms, by_record, prepared
from schemas.codes import Entitlement

_UNCLAIMED: Final = {entitlement: f"unclaimed_{entitlement.value}" for entitlement in Entitlement}
COLUMNS: Final = (
    Column("household_reference", required=True),
    Column("person_reference"),
    Column("category", Kind.CODE, required=True),
    Column("assessed_on", required=True),
    Column("energy_band"),
    Column("yearly_energy", Kind.MONEY),
    *(Column(name, Kind.MONEY) for name in _UNCLAIMED.values()),
)


def clear_rows(frame: pl.DataFrame, terms: Terms, definition_source: str) -> Mapped:
    """Return one clear row a household with its categories, what it misses and its home's energy, each on its day."""
    rows = prepared(frame, COLUMNS, terms).with_columns(
        record_id=pl.coalesce("person_reference", "household_reference"),
        living_standards=single(
            pl.col("category").is_not_null(),
            category=pl.col("category"),
            assessed_on=pl.col("assessed_on"),
            definition_source=pl.lit(definition_source),
        ),
        unclaimed=joined(*(_missed(entitlement, name) for entitlement, name in _UNCLAIMED.items())),
        dwellings=single(
            pl.col("energy_band").is_not_null() | pl.col("yearly_energy").is_not_null(),
            recorded_on=pl.col("assessed_on"),
            energy_band=pl.col("energy_band"),
            yearly_energy_pence=pl.col("yearly_energy"),
        ),
    )
    return by_record(rows, WHO, ("living_standards", "unclaimed", "dwellings"))


def _missed(entitlement: Entitlement, name: str) -> pl.Expr:
    said = pl.col(name).str.to_lowercase()
    without_estimate = said.is_in(["yes", "y", "true"])
    missed = pl.col(name).is_not_null() & ~said.is_in(["no", "n", "false", "0"])
    return single(
        missed,
        entitlement=pl.lit(entitlement.value),
        assessed_on=pl.col("assessed_on"),
        yearly_pence=pl.when(~without_estimate).then(name),
    )
