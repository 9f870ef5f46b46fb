"""What files say of their subjects as content, for quality by subgroup: read after matching, and never beside tokens.

The linkage side learns from it how well each group is linked and nothing else: it goes into counts, not into outputs
about a subject.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.features.people import age_years, cut
from linkage.quality.evidence import Census
from schemas.codes import ETHNIC_GROUP_5, Sex
from schemas.errors import InputError, Reason
from services.link.files import EncodedFile, read_columns

_AGES: Final = (0, 5, 18, 30, 45, 65)
"""Lowest ages of the bands: few enough that each has links to judge, with those of 18 to 29 apart, who are missed most
often (Census 2021 to Personal Demographics Service linkage, ONS)."""

_AGE_BANDS: Final = ("00-04", "05-17", "18-29", "30-44", "45-64", "65+")
_CONTENT: Final = (
    "subject_ref",
    "version",
    "birth_year_month",
    "sex",
    "ethnic_category",
    "lsoa",
    "claim_group",
    "claim_role",
    "claims",
)
_SEXES: Final = {Sex.MALE.value: "male", Sex.FEMALE.value: "female"}


def read_attributes(
    files: list[EncodedFile], sources: tuple[str, ...], census: Census, as_of: date, areas: pl.DataFrame | None
) -> dict[str, pl.Series]:
    """Return subgroup attributes by name, String columns over the census, null where not known.

    Ages are of `as_of`. `areas` has `lsoa, authority, imd_decile`; without it there is no deprivation nor authority.
    """
    # The census has the sources in the order they were read in, so that its subjects are mostly those rows as they are.
    ordered = sorted(zip(files, sources, strict=True), key=lambda pair: census.sources.index(pair[1]))
    read = [read_columns(file, list(_CONTENT)).with_columns(source=pl.lit(source)) for file, source in ordered]
    frame = pl.concat(read, how="diagonal_relaxed")
    groups, rows = described(frame, as_of, areas), _rows(frame, census)
    known = [name for name in groups.columns if groups[name].null_count() < groups.height]
    if rows is None:
        return {name: groups[name] for name in known}
    order = np.argsort(frame["version"].to_numpy(), kind="stable")
    order = order[rows[order] >= 0]
    place = np.full(len(census), -1)
    place[rows[order]] = order  # of a subject's versions the last and highest stays
    found = pl.Series(place).replace(-1, None)
    return {name: groups[name].gather(found) for name in known}


def read_areas(path: Path) -> pl.DataFrame:
    """Return the small areas of a CSV with `lsoa`, `authority` and `imd_decile` (1 the most deprived).

    Raises InputError FILE_UNREADABLE or COLUMNS_WRONG.
    """
    wanted = {"lsoa": pl.String, "authority": pl.String, "imd_decile": pl.Int64}
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(
            Reason.FILE_UNREADABLE, f"{path.name} cannot be read; --areas names a CSV file with {', '.join(wanted)}."
        ) from None
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise InputError(Reason.COLUMNS_WRONG, f"{path.name} lacks the columns {', '.join(missing)}; add them.")
    return frame.select(pl.col(name).cast(dtype, strict=False) for name, dtype in wanted.items()).unique("lsoa")


def _rows(frame: pl.DataFrame, census: Census) -> npt.NDArray[np.int64] | None:
    """Return each row's number in the census (-1: not there), None where rows and numbers are the same.

    Where there are as many rows as subjects, each row is a subject of its own in the order of reading; a thousand are
    looked at to be sure, since looking at all takes longer than everything else here.
    """
    if frame.height == len(census):
        sample = np.unique(np.linspace(0, frame.height - 1, 1_000).astype(np.int64))
        some = frame.select("source", "subject_ref")[sample]
        if np.array_equal(census.find(some["source"], some["subject_ref"]), sample):
            return None
    return census.find(frame["source"], frame["subject_ref"])


def as_of(files: list[EncodedFile]) -> date:
    """Return the day ages are told of: the latest extract date that a file declares, else today."""
    declared = [file.declaration.extract_date for file in files if file.declaration.extract_date is not None]
    return max(declared, default=datetime.now(UTC).date())


def described(frame: pl.DataFrame, as_of: date, areas: pl.DataFrame | None) -> pl.DataFrame:
    """Return the attributes of rows that have `source` and any content, see `read_attributes`: a column each."""
    have = set(frame.columns)
    kept: dict[str, pl.Expr] = {}
    if "birth_year_month" in have:
        kept["age_band"] = cut(age_years(pl.col("birth_year_month"), as_of), _AGES, _AGE_BANDS)
        kept["birth"] = pl.col("birth_year_month")
    if "sex" in have:
        kept["sex"] = pl.col("sex").replace_strict(_SEXES, default=None, return_dtype=pl.String)
    if "ethnic_category" in have:
        kept["ethnic_group"] = pl.col("ethnic_category").replace_strict(
            ETHNIC_GROUP_5, default=None, return_dtype=pl.String
        )
    if areas is not None and "lsoa" in have:
        frame = frame.join(areas, on="lsoa", how="left", maintain_order="left")
        kept["deprivation"] = ((pl.col("imd_decile") + 1) // 2).cast(pl.String)
        kept["authority"] = pl.col("authority")
    if "claims" in have and isinstance(frame.schema["claims"], pl.List):
        first = pl.col("claims").list.first().struct
        kept["tenure"], kept["benefit"] = first.field("tenure"), first.field("benefit")
    if {"claim_group", "claim_role"} <= have and frame["claim_role"].null_count() < frame.height:
        kept["role"] = pl.col("claim_role")
        kept["claim"] = pl.struct("source", "claim_group").rank("dense").cast(pl.String)
        kept["claim"] = pl.when(pl.col("claim_group").is_not_null()).then(kept["claim"])
        kept["household"] = _household()
    return frame.select(**kept)


def _household() -> pl.Expr:
    """Return the claim's make-up: one adult or more, with or without children."""
    role = pl.col("claim_role")
    child = (role == "child").any().over("source", "claim_group")
    adults = (role != "child").sum().over("source", "claim_group")
    kind = (
        pl.when(child & (adults <= 1))
        .then(pl.lit("lone_parent"))
        .when(child)
        .then(pl.lit("adults_with_children"))
        .when(adults <= 1)
        .then(pl.lit("one_adult"))
        .otherwise(pl.lit("adults"))
    )
    return pl.when(pl.col("claim_group").is_not_null()).then(kind)
