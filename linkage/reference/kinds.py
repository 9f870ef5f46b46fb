"""Which reference files there are, and what their publishers call the columns.

A column is found by its header, whatever the edition: `WD24CD` and `WD23CD` are both the ward's code. Headers of
spreadsheets saved as CSV (MHCLG), of the ONS Open Geography Portal and of NHS England's allocations tool are known.
What no publisher gives in one file has a neutral layout, marked so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

AREA: Final = r"[EW]01\d{6}"
"""Code of a lower-layer super output area of England or Wales."""
POPULATION: Final = pl.Decimal(20, 9)
"""Weighted populations are kept as the decimal numbers that were published, so that sums are exact."""
COMPONENTS: Final[dict[str, str]] = {
    "general_and_acute": "G&A WP",
    "community": "CS WP",
    "mental_health": "MH WP",
    "maternity": "Mat WP",
    "prescribing": "Prescr WP",
    "health_inequalities": "Health Ineq WP",
    "overall": "Final WP",
}
"""Components of need that NHS England weights a practice's population by -> header in its allocations tool."""


@dataclass(frozen=True)
class Column:
    """One column: its name here, a pattern that its header matches whole, and what a value may be.

    Text must match `pattern` whole; a number must lie between `least` and `most`. Only an `optional` column may be
    absent; only a `blank` one may have empty cells.
    """

    name: str
    header: str
    dtype: pl.DataType
    pattern: str = r".+"
    least: float = 0
    most: float = float("inf")
    optional: bool = False
    blank: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of file. `key` names the columns by which no two rows may be equal; `neutral` that the layout is ours.

    `area_version` says which LSOA codes it is about.
    """

    name: str
    title: str
    publisher: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    area_version: str | None = None
    neutral: bool = False


def _text(name: str, header: str, pattern: str = r".+", *, optional: bool = False, blank: bool = False) -> Column:
    return Column(name, header, pl.String(), pattern, optional=optional, blank=blank)


def _wards(year: str) -> Kind:
    short = year[2:]
    return Kind(
        f"wards-{year}",
        f"LSOA ({year}) to electoral ward to local authority, best fit",
        "ONS",
        (
            _text("lsoa", rf"LSOA{short}CD|lsoa{short}_code", AREA),
            _text("ward_code", r"WD\d\dCD|ward\d\d_code", r"[EW]05\d{6}"),
            _text("ward", r"WD\d\dNM|ward\d\d_name"),
            _text("authority", r"LAD\d\dNM|ltla\d\d_name"),
        ),
        ("lsoa",),
        area_version=year,
    )


def _imd(edition: str, area_version: str, areas: int) -> Kind:
    index = r"Index of Multiple Deprivation \(IMD\)"
    return Kind(
        f"imd-{edition}",
        f"Index of Multiple Deprivation {edition} by LSOA ({area_version})",
        "MHCLG",
        (
            _text("lsoa", rf"LSOA code \({area_version}\)|lsoa{area_version[2:]}_code", r"E01\d{6}"),
            _text("authority", r"Local Authority District name \(20\d\d\)|ltla\d\d_name"),
            Column("imd_rank", rf"{index} Rank.*|IMD_rank", pl.Int32(), least=1, most=areas),
            Column("imd_decile", rf"{index} Decile.*|IMD_decile", pl.Int32(), least=1, most=10),
        ),
        ("lsoa",),
        area_version=area_version,
    )


def _rural(year: str) -> Kind:
    return Kind(
        f"rural-urban-{year}",
        f"Rural-urban classification of LSOAs ({year})",
        "ONS",
        (
            _text("lsoa", rf"LSOA{year[2:]}CD", AREA),
            _text("rural_urban", rf"RUC{year[2:]}(NM)?"),
        ),
        ("lsoa",),
        area_version=year,
    )


def _measure(name: str, title: str, publisher: str, column: Column, *, neutral: bool) -> Kind:
    area = _text("lsoa", r"lsoa|LSOA code \(2011\)|LSOA code \(2021\)|LSOA11CD|LSOA21CD", AREA)
    return Kind(name, title, publisher, (area, column), ("lsoa",), neutral=neutral)


_PRACTICE: Final = _text("practice_code", r"Practice[_ ]Code|Partner\s+Organisation\s+Code", r"[A-Z]\d{5}")
_NETWORK: Final = _text("pcn_code", r"PCN[_ ]Code", r"U\d{0,5}|-", blank=True)
"""A practice in no network has an empty code, a dash, or a `U` alone in the published files."""

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        _wards("2011"),
        _wards("2021"),
        _imd("2019", "2011", 32_844),
        _imd("2025", "2021", 33_755),
        Kind(
            "lsoa-2011-2021",
            "LSOA (2011) to LSOA (2021), exact fit; not one to one",
            "ONS",
            (
                _text("lsoa_2011", r"LSOA11CD|lsoa11_code", AREA),
                _text("lsoa_2021", r"LSOA21CD|lsoa21_code", AREA),
                _text("change", r"CHGIND|change_code", r"[USMX]"),
            ),
            ("lsoa_2011", "lsoa_2021"),
        ),
        _rural("2011"),
        _rural("2021"),
        _measure(
            "gp-distance",
            "Road distance to a GP surgery, of the Indices of Deprivation's underlying indicators",
            "MHCLG",
            Column("distance_gp_km", r"Road distance to (a )?GP surgery.*|distance_gp_km", pl.Float64(), most=200),
            neutral=False,
        ),
        _measure(
            "pm25",
            "Modelled background of fine particles (PM2.5), micrograms a cubic metre, by LSOA",
            "the deployment, from Defra's modelled background",
            Column("pm25_ug_m3", r"pm25_ug_m3", pl.Float64(), most=200),
            neutral=True,
        ),
        _measure(
            "coastal",
            "Whether an LSOA is coastal",
            "the deployment",
            _text("coastal", r"coastal", r"true|false"),
            neutral=True,
        ),
        Kind(
            "practices",
            "GP practice to primary care network",
            "NHS England",
            (
                _PRACTICE,
                _NETWORK,
                _text("pcn", r"PCN[_ ]Name", blank=True),
                _text("ended_on", r"Practice\s+to PCN\s+Relationship\s+End Date", optional=True, blank=True),
            ),
            ("practice_code",),
        ),
        Kind(
            "places",
            "Primary care network to place (health and care partnership)",
            "the integrated care board",
            (_text("pcn_code", r"pcn_code", r"U\d{5}"), _text("place", r"place")),
            ("pcn_code",),
            neutral=True,
        ),
        Kind(
            "weighted-populations",
            "Weighted populations of GP practices by component of need",
            "NHS England",
            (
                _PRACTICE,
                _NETWORK,
                _text("pcn", r"PCN[_ ]Name", blank=True),
                _text("icb_code", r"ICS\d\d", r"Q[A-Z0-9]{2}", optional=True),
                Column("population", r"pop 20\d\d/\d\d", POPULATION),
                *(Column(name, header, POPULATION) for name, header in COMPONENTS.items()),
            ),
            ("practice_code",),
        ),
    )
}
"""Every kind of reference file by name."""
