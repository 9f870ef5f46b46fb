"""Where codes of place lead: both versions of small areas, wards, deprivation, practices and their networks.

The geography is `linkage.synthesise.geography`'s, whose areas are those of 2021. Eleven of the areas of 2011 were
split in two since, six in Medway and five in Swale, as in the published look-up; the others kept their code. Everything
is the same for every seed.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise import geography
from linkage.synthesise.chance import Ints, scatter

GEOGRAPHY: Final = pl.Schema(
    {
        "lsoa": pl.String(), "lsoa_version": pl.String(), "ward": pl.String(), "authority": pl.String(),
        "imd_decile": pl.Int32(), "imd_version": pl.String(), "rural_urban": pl.String(), "coastal": pl.Boolean(),
        "pm25_ug_m3": pl.Float64(), "distance_gp_km": pl.Float64(),
    }
)  # fmt: skip
PRACTICES: Final = pl.Schema({"practice_code": pl.String(), "pcn_code": pl.String(), "place": pl.String()})
PLACE: Final = "Medway and Swale"
OUTSIDE_PLACE: Final = "West Kent"
OUTSIDE_PRACTICES: Final = 4
_NETWORKS: Final = {"medway": (6, 6, 4, 5, 7, 7, 3), "swale": (6, 9)}
"""Practices of each primary care network, the most deprived first: seven in Medway (38), two in Swale (15)."""
_SPLIT: Final = {"medway": 6, "swale": 5}
_COASTAL_WARDS: Final = 8
"""The first wards of Swale stand for the Isle of Sheppey: coastal, and the most deprived."""
_LANDSCAPES: Final = ("Urban city and town", "Rural town and fringe", "Rural village and dispersed")


@cache
def splits() -> pl.DataFrame:
    """Return the areas that were split: `lsoa` (2021) and `lsoa_2011`, two rows to each area of 2011."""
    areas = geography.table().with_row_index("i")
    rows: list[tuple[str, str]] = []
    for authority, count in _SPLIT.items():
        own = areas.filter(pl.col("authority") == authority)
        codes, wards = own["lsoa"].to_list(), own["ward"].to_list()
        starts = [i for i in range(0, len(codes) - 1, 2) if wards[i] == wards[i + 1]]
        for number in range(count):
            at = starts[(2 * number + 1) * len(starts) // (2 * count)]
            before = f"E0198{len(rows) // 2 + 1:04d}"
            rows += [(codes[at], before), (codes[at + 1], before)]
    return pl.DataFrame(rows, schema={"lsoa": pl.String, "lsoa_2011": pl.String}, orient="row")


def in_2011(lsoa: pl.Series) -> pl.Series:
    """Return areas of 2021 as national data sets code them, in areas of 2011."""
    table = splits()
    return lsoa.replace(table["lsoa"], table["lsoa_2011"])


@cache
def table() -> pl.DataFrame:
    """Return the areas of both versions (`GEOGRAPHY`): 259 of 2021 with deprivation of 2025, 248 of 2011 with 2019's.

    An area that was not split has a row of each version under one code.
    """
    areas = geography.table()
    number = np.arange(areas.height)
    ward = np.unique(areas["ward"].to_numpy(), return_inverse=True)[1]
    swale = (areas["authority"] == "swale").to_numpy()
    position = np.cumsum(swale) - 1
    coastal = swale & (position * geography.WARDS["swale"] // int(swale.sum()) < _COASTAL_WARDS)
    # Whole wards are of one landscape; more of Swale and of the less deprived is rural.
    score = scatter(ward, 71) % 100 + 3 * areas["imd_decile"].to_numpy() + 14 * swale
    landscape = np.where(score > 112, 2, np.where(score > 96, 1, 0))
    noise = scatter(number, 72) % 1000 / 1000.0
    now = areas.select(
        "lsoa",
        pl.lit("2021").alias("lsoa_version"),
        "ward",
        "authority",
        pl.col("imd_decile").cast(pl.Int32),
        pl.lit("2025").alias("imd_version"),
        pl.Series("rural_urban", _LANDSCAPES).gather(landscape),
        pl.Series("coastal", coastal),
        # Fine particles: 7 to 10 micrograms a cubic metre in Kent, more in towns.
        pl.Series("pm25_ug_m3", np.round(7.2 + 1.4 * (landscape == 0) + 0.8 * ~swale + 0.8 * noise, 2)),
        pl.Series("distance_gp_km", np.round(0.3 + 1.1 * noise + np.array([0.0, 0.8, 3.4])[landscape], 2)),
    )
    older = now.with_columns(in_2011(now["lsoa"]).alias("lsoa")).unique("lsoa", keep="first", maintain_order=True)
    step = scatter(np.arange(older.height), 73) % 10
    shift = np.where(step < 2, -1, np.where(step > 7, 1, 0)).astype(np.int32)
    older = older.with_columns(
        (pl.col("imd_decile") + pl.Series(shift)).clip(1, 10).cast(pl.Int32).alias("imd_decile"),
        pl.lit("2011").alias("lsoa_version"),
        pl.lit("2019").alias("imd_version"),
    )
    return pl.concat([now, older]).cast(GEOGRAPHY).select(GEOGRAPHY.names())


@cache
def practices() -> pl.DataFrame:
    """Return the practices (`PRACTICES`): 53 in nine networks of Medway and Swale, and four outside in one."""
    sizes = [*_NETWORKS["medway"], *_NETWORKS["swale"], OUTSIDE_PRACTICES]
    network = np.repeat(np.arange(len(sizes)), sizes)
    inside = geography.practices().to_list()
    outside = [f"Y9{len(inside) + 1 + i:04d}" for i in range(OUTSIDE_PRACTICES)]
    return pl.DataFrame(
        {
            "practice_code": [*inside, *outside],
            "pcn_code": [f"U9{number + 1:04d}" for number in network],
            "place": [PLACE] * len(inside) + [OUTSIDE_PLACE] * OUTSIDE_PRACTICES,
        },
        schema=PRACTICES,
    )


def council(dwelling: Ints) -> Ints:
    """Return the council of each dwelling: 0 Medway, 1 Swale, 2 neither."""
    areas = geography.table()
    number = np.where((areas["authority"] == "medway").to_numpy(), 0, 1)
    area = dwelling // geography.SLOTS // geography.POSTCODES_PER_LSOA
    found: Ints = np.append(number, 2)[np.minimum(area, len(number))]
    return found
