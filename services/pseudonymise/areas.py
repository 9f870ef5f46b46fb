"""Small areas by postcode, for sources that know a home's postcode and not its area: looked up here, where it is clear.

The directory is the controller's: the ONS Postcode Directory or National Statistics Postcode Lookup (Open Government
Licence), or any table of a postcode and an area.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from linkage.normalise.places import postcode
from schemas.errors import InputError, Reason
from services.pseudonymise.layouts.table import RawTable
from services.pseudonymise.reading import Chunk
from services.pseudonymise.report import Report

_POSTCODES: Final = ("postcode", "pcds", "pcd", "pcd2", "pcd7", "pcd8")
_AREAS: Final = ("lsoa", "lsoa21cd", "lsoa21", "lsoa11cd", "lsoa11")
"""Names of columns in the publisher's editions, the newer census first [K]; any edition's will do."""
_FOUND: Final = "records given a small area by their postcode"


class Areas:
    """A directory of small areas: `postcode` as `postcode/1` writes it, to `lsoa`. Some 60 bytes a postcode."""

    def __init__(self, path: Path) -> None:
        """Read the directory; InputError COLUMNS_WRONG where it lacks one of the two columns, or as `ClearFile`."""
        table = RawTable(path)
        by_name = {name.lower(): name for name in reversed(table.columns)}
        code = next((by_name[name] for name in _POSTCODES if name in by_name), None)
        area = next((by_name[name] for name in _AREAS if name in by_name), None)
        if code is None or area is None:
            raise InputError(
                Reason.COLUMNS_WRONG,
                f"{path.name} needs a column of postcodes ({', '.join(_POSTCODES)}) and one of small areas "
                f"({', '.join(_AREAS)}); give the ONS postcode directory.",
            )
        read = table.read((code, area)).frame
        self._areas = (
            pl.DataFrame([postcode(read[code])["value"].alias("written"), read[area].alias("found")])
            .drop_nulls()
            .unique("written", keep="first")
        )

    def apply(self, chunk: Chunk, report: Report) -> Chunk:
        """Return the chunk with `lsoa` where it was missing and its postcode is in the directory."""
        if "postcode" not in chunk.frame.columns:
            return chunk
        given = chunk.frame["lsoa"] if "lsoa" in chunk.frame.columns else pl.Series("lsoa", [None], dtype=pl.String)
        written = postcode(chunk.frame["postcode"].cast(pl.String))["value"].alias("written")
        looked_up = written.to_frame().join(self._areas, on="written", how="left", maintain_order="left")["found"]
        filled = chunk.frame.with_columns(pl.coalesce(given.cast(pl.String), looked_up).alias("lsoa"))
        report.count(_FOUND, filled["lsoa"].count() - (given.count() if "lsoa" in chunk.frame.columns else 0))
        return replace(chunk, frame=filled)
