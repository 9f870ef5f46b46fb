"""The made-up geography as its publishers would lay it out: what `hwlink reference import` takes.

Headers are those of the Office for National Statistics, the Ministry of Housing, Communities and Local Government and
NHS England; measures that nobody publishes in one file have the neutral layout (`linkage.reference.kinds`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.synthesise.feeds import places

VINTAGES: Final = {
    "wards-2021": "2024",
    "lsoa-2011-2021": "2021",
    "imd-2019": "2019",
    "imd-2025": "2025",
    "rural-urban-2021": "2021",
    "gp-distance": "2025",
    "pm25": "2024",
    "coastal": "2021",
    "practices": "2026-06",
    "places": "2026",
}
"""Every kind of file that is made, and the edition it stands for."""

_AREAS_A_DECILE: Final = {"2019": 3_284, "2025": 3_375}
"""Small areas of England in a tenth of all, by edition of the index: ranks are spread over them."""
_INDEX: Final = "Index of Multiple Deprivation (IMD)"


def published() -> dict[str, pl.DataFrame]:
    """Return the file of each kind of `VINTAGES`, all of them about the same places as `places.table()`."""
    areas = places.table()
    now = areas.filter(pl.col("lsoa_version") == "2021")
    practices = places.practices()
    distance = "Road distance to a GP surgery indicator (km)"
    return {
        "wards-2021": now.select(
            pl.col("lsoa").alias("LSOA21CD"),
            (pl.format("E05{}", (900_000 + pl.col("ward").rank("dense")).cast(pl.String))).alias("WD24CD"),
            pl.col("ward").alias("WD24NM"),
            pl.col("authority").alias("LAD24NM"),
        ),
        "lsoa-2011-2021": _lookup(now["lsoa"]),
        "imd-2019": _index(areas, "2011", "2019", "2019"),
        "imd-2025": _index(areas, "2021", "2025", "2024"),
        "rural-urban-2021": now.select(pl.col("lsoa").alias("LSOA21CD"), pl.col("rural_urban").alias("RUC21NM")),
        "gp-distance": now.select(pl.col("lsoa").alias("LSOA code (2021)"), pl.col("distance_gp_km").alias(distance)),
        "pm25": now.select("lsoa", "pm25_ug_m3"),
        "coastal": now.select("lsoa", pl.col("coastal").cast(pl.String)),
        "practices": practices.select(
            pl.col("practice_code").alias("Partner Organisation Code"),
            pl.col("pcn_code").alias("PCN Code"),
            pl.format("Network {}", "pcn_code").alias("PCN Name"),
        ),
        "places": practices.select("pcn_code", "place").unique(maintain_order=True),
    }


def _lookup(now: pl.Series) -> pl.DataFrame:
    before = places.in_2011(now)
    split = before.is_duplicated()
    return pl.DataFrame({"LSOA11CD": before, "LSOA21CD": now, "CHGIND": split}).with_columns(
        pl.when("CHGIND").then(pl.lit("S")).otherwise(pl.lit("U")).alias("CHGIND")
    )


def _index(areas: pl.DataFrame, version: str, edition: str, districts: str) -> pl.DataFrame:
    """Return one edition of the index; within a decile, areas are ranked in their order."""
    within = pl.int_range(pl.len()).over("imd_decile") + 1
    rank = (pl.col("imd_decile") - 1) * _AREAS_A_DECILE[edition] + within
    return areas.filter(pl.col("lsoa_version") == version).select(
        pl.col("lsoa").alias(f"LSOA code ({version})"),
        pl.col("authority").alias(f"Local Authority District name ({districts})"),
        rank.alias(f"{_INDEX} Rank (where 1 is most deprived)"),
        pl.col("imd_decile").alias(f"{_INDEX} Decile (where 1 is most deprived 10% of LSOAs)"),
    )
