"""Tables put together: one row a small area, one row a practice.

A fact names a small area (LSOA) by a code that does not say of which census it is; most codes are of both. A value that
is published for the areas of one census is carried to those of the other over the exact-fit lookup: a part takes
what its whole has, a whole what all of its parts agree on. Where parts differ, nothing is known; nothing is averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Final

import polars as pl

from linkage.features.tables import GEOGRAPHY, PRACTICES

EDITIONS: Final = {"2019": "imd-2019", "2025": "imd-2025"}
"""Edition of the Index of Multiple Deprivation -> its kind of table."""
_CENSUSES: Final = ("2021", "2011")
"""Newest first: where both are there, a ward is taken from the newer."""

Tables = Mapping[str, pl.DataFrame]
"""Kind -> what `tidy` made of its file; any may be missing."""


def newest_edition(tables: Tables) -> str | None:
    """Return the newest edition of the index among the tables, None where there is none."""
    return max((edition for edition, kind in EDITIONS.items() if kind in tables), default=None)


def geography(tables: Tables, imd_edition: str | None = None) -> pl.DataFrame:
    """Return one row an LSOA code with the columns of `GEOGRAPHY`, sorted.

    Deprivation is of one edition throughout (`imd_edition`, by default the newest there is), so that no table mixes
    deciles of two. `lsoa_version` is the newest census whose areas have the code.
    """
    edition = imd_edition or newest_edition(tables)
    columns = [
        _by_census(tables, "wards", "authority"),
        _by_census(tables, "wards", "ward"),
        _by_census(tables, "rural-urban", "rural_urban"),
        _carried(tables, EDITIONS.get(edition or "", ""), "2011" if edition == "2019" else "2021", "imd_decile"),
        *(_measured(tables, kind, name) for kind, name in _MEASURES.items()),
    ]
    codes = _codes(tables)
    frame = reduce(lambda left, right: left.join(right, on="lsoa", how="left"), columns, codes)
    return frame.select(
        *(pl.col(name).cast(dtype) for name, dtype in GEOGRAPHY.items() if name != "imd_version"),
        pl.when(pl.col("imd_decile").is_not_null()).then(pl.lit(edition, pl.String)).alias("imd_version"),
    ).select(GEOGRAPHY.names())


def practices(tables: Tables) -> pl.DataFrame:
    """Return one row a practice with the columns of `PRACTICES`; place is null where no network or place is known.

    Networks are those of the table `practices`, or where there is none those of the weighted populations.
    """
    held = tables.get("practices", tables.get("weighted-populations"))
    if held is None:
        return PRACTICES.to_frame()
    place = tables.get("places", pl.DataFrame(schema={"pcn_code": pl.String, "place": pl.String}))
    frame = held.select("practice_code", "pcn_code").join(place, on="pcn_code", how="left")
    return frame.select(pl.col(name).cast(dtype) for name, dtype in PRACTICES.items()).sort("practice_code")


_MEASURES: Final = {"gp-distance": "distance_gp_km", "pm25": "pm25_ug_m3", "coastal": "coastal"}


def _codes(tables: Tables) -> pl.DataFrame:
    """Return every area code that any table knows, with the newest census that it is known to be of."""
    parts = [
        tables[kind].select("lsoa", pl.lit(year).alias("lsoa_version"))
        for year in _CENSUSES
        for kind in (f"wards-{year}", f"rural-urban-{year}", {"2011": "imd-2019", "2021": "imd-2025"}[year])
        if kind in tables
    ]
    if (lookup := tables.get("lsoa-2011-2021")) is not None:
        parts += [lookup.select(lsoa=f"lsoa_{year}", lsoa_version=pl.lit(year)) for year in _CENSUSES]
    if not parts:
        return pl.DataFrame(schema={"lsoa": pl.String, "lsoa_version": pl.String})
    return pl.concat(parts).group_by("lsoa").agg(pl.col("lsoa_version").max()).sort("lsoa")


def _by_census(tables: Tables, stem: str, column: str) -> pl.DataFrame:
    """Return `lsoa` and a column that each census may have a table of; the newer table's word holds."""
    parts = [_carried(tables, f"{stem}-{year}", year, column) for year in _CENSUSES]
    return pl.concat(parts).drop_nulls().unique("lsoa", keep="first", maintain_order=True)


def _carried(tables: Tables, kind: str, year: str, column: str) -> pl.DataFrame:
    """Return `lsoa` and the column for areas of the table's census, then for those of the other one."""
    table = tables.get(kind)
    if table is None:
        return pl.DataFrame(schema={"lsoa": pl.String, column: pl.Int32 if column == "imd_decile" else pl.String})
    if column == "ward":
        table = table.with_columns(_ward_label())
    own = table.select("lsoa", column)
    lookup = tables.get("lsoa-2011-2021")
    if lookup is None:
        return own
    other = "2021" if year == "2011" else "2011"
    carried = (
        lookup.select(here=f"lsoa_{year}", lsoa=f"lsoa_{other}")
        .join(own.rename({"lsoa": "here"}), on="here", how="left")
        .group_by("lsoa")
        .agg(pl.when(pl.col(column).n_unique() == 1).then(pl.col(column).first()))
        .drop_nulls()
        .join(own, on="lsoa", how="anti")
    )
    return pl.concat([own, carried])


def _ward_label() -> pl.Expr:
    """Return a ward's name, with its authority where two wards of the table share it (Watling, of both)."""
    shared = pl.col("ward_code").n_unique().over("ward") > 1
    return pl.when(shared).then(pl.format("{} ({})", "ward", "authority")).otherwise("ward").alias("ward")


def _measured(tables: Tables, kind: str, column: str) -> pl.DataFrame:
    """Return `lsoa` and a measure; the file says itself which codes it is about."""
    table = tables.get(kind)
    if table is None:
        return pl.DataFrame(schema={"lsoa": pl.String, column: GEOGRAPHY[column]})
    value = pl.col(column) == "true" if column == "coastal" else pl.col(column)
    return table.select("lsoa", value.alias(column))
