"""What files say of their subjects as content, for quality by subgroup: read after matching, and never beside tokens.

The linkage side learns from it how well each group is linked and nothing else: it goes into counts, not into outputs
about a subject. Groups are kept as codes of a byte: texts of two million subjects would take more memory than matching
them did.
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
from linkage.subjects import identities
from schemas.codes import ETHNIC_GROUP_5, Benefit, Sex, Tenure
from schemas.contracts.subject import ClaimRole
from schemas.errors import InputError, Reason
from services.link.files import EncodedFile, column_batches

_AGES: Final = (0, 5, 18, 30, 45, 65)
"""Lowest ages of the bands: few enough that each has links to judge, with those of 18 to 29 apart, who are missed most
often (Census 2021 to Personal Demographics Service linkage, ONS)."""

_AGE_BANDS: Final = ("00-04", "05-17", "18-29", "30-44", "45-64", "65+")
_CONTENT: Final = (
    "birth_year_month",
    "sex",
    "ethnic_category",
    "lsoa",
    "claim_group",
    "claim_role",
    "claims.tenure",
    "claims.benefit",
)
_SEXES: Final = {Sex.MALE.value: "male", Sex.FEMALE.value: "female"}
_DEPRIVATION: Final = tuple("12345")
_HOUSEHOLDS: Final = ("adults", "adults_with_children", "lone_parent", "one_adult")
_ADULTS, _ADULTS_WITH_CHILDREN, _LONE_PARENT, _ONE_ADULT = range(len(_HOUSEHOLDS))


def read_attributes(
    files: list[EncodedFile], sources: tuple[str, ...], census: Census, as_of: date, areas: pl.DataFrame | None
) -> dict[str, pl.Series]:
    """Return subgroup attributes by name over the census, null where not known: see `described`, and `household`.

    Ages are of `as_of`. `areas` has `lsoa, authority, imd_decile`; without it there is no deprivation nor authority.
    """
    # The census has the sources in the order they were read in.
    ordered = sorted(zip(files, sources, strict=True), key=lambda pair: census.sources.index(pair[1]))
    # Each row that was read is a subject of its own, in order, unless some were versions of one or withdrawn.
    straight = sum(file.rows for file in files) == len(census)
    read = [
        _of_file(file, source, not straight, as_of, areas).with_columns(pl.col("^claim$") + (number << 32))
        for number, (file, source) in enumerate(ordered)
    ]
    groups = pl.concat(read, how="diagonal")
    known = [name for name in groups.columns if groups[name].null_count() < groups.height]
    if straight:
        return {name: groups[name] for name in known}
    found = pl.Series(_latest(groups, census)).replace(-1, None)
    return {name: groups[name].gather(found) for name in known if name not in {"_identity", "_version"}}


def _of_file(file: EncodedFile, source: str, named: bool, as_of: date, areas: pl.DataFrame | None) -> pl.DataFrame:
    """Return the attributes of a file's rows; with `named` also whose they are, `_identity` and `_version`."""
    pieces = []
    for batch in column_batches(file, (*_CONTENT, "subject_ref", "version") if named else _CONTENT):
        piece = described(batch, as_of, areas)
        if named:
            identity = identities(pl.repeat(source, batch.height, eager=True), batch["subject_ref"])
            piece = piece.with_columns(_identity=identity, _version=batch["version"])
        pieces.append(piece)
    groups = pl.concat(pieces)
    if "role" in groups.columns and groups["role"].null_count() == groups.height:
        groups = groups.drop("role", "claim")
    if "claim" in groups.columns:
        number, household = households(groups["claim"], groups["role"])
        groups = groups.with_columns(claim=number, household=household)
    return groups


def _latest(groups: pl.DataFrame, census: Census) -> npt.NDArray[np.int64]:
    """Return the row that holds for each subject, of several versions the last and highest; -1 where there is none."""
    rows = census.at(groups["_identity"].to_numpy())
    order = np.argsort(groups["_version"].to_numpy(), kind="stable")
    order = order[rows[order] >= 0]
    place = np.full(len(census), -1)
    place[rows[order]] = order
    return place


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


def as_of(files: list[EncodedFile]) -> date:
    """Return the day ages are told of: the latest extract date that a file declares, else today."""
    declared = [file.declaration.extract_date for file in files if file.declaration.extract_date is not None]
    return max(declared, default=datetime.now(UTC).date())


def described(frame: pl.DataFrame, as_of: date, areas: pl.DataFrame | None) -> pl.DataFrame:
    """Return the attributes of rows that have any content, a column each: Enum codes of the groups of `age_band`,
    `sex`, `ethnic_group`, `deprivation`, `authority`, `tenure`, `benefit` and `role`; for checks `birth`, in months,
    and `claim`, the claim group's first 8 bytes. What a contract does not name is not known.
    """
    have = set(frame.columns)
    kept: dict[str, pl.Expr] = {}
    if "birth_year_month" in have:
        month = pl.col("birth_year_month")
        frame = frame.with_columns(_age=age_years(month, as_of))  # once, and not for each edge of the bands
        kept["age_band"] = cut(pl.col("_age"), _AGES, _AGE_BANDS).cast(pl.Enum(_AGE_BANDS))
        year, month = (month.str.slice(*part).cast(pl.Int16, strict=False) for part in ((0, 4), (5, 2)))
        kept["birth"] = 12 * year + month
    if "sex" in have:
        kept["sex"] = _code(pl.col("sex"), _SEXES)
    if "ethnic_category" in have:
        kept["ethnic_group"] = _code(pl.col("ethnic_category"), ETHNIC_GROUP_5)
    if areas is not None and "lsoa" in have:
        frame = frame.join(areas, on="lsoa", how="left", maintain_order="left")
        fifth = ((pl.col("imd_decile") + 1) // 2).cast(pl.String)
        kept["deprivation"] = fifth.cast(pl.Enum(_DEPRIVATION), strict=False)
        kept["authority"] = pl.col("authority").cast(pl.Enum(areas["authority"].drop_nulls().unique().sort()))
    if "claims" in have and isinstance(frame.schema["claims"], pl.List):
        first = pl.col("claims").list.first().struct
        kept["tenure"] = first.field("tenure").cast(pl.Enum(Tenure), strict=False)
        kept["benefit"] = first.field("benefit").cast(pl.Enum(Benefit), strict=False)
    if {"claim_group", "claim_role"} <= have:
        kept["role"] = pl.col("claim_role").cast(pl.Enum(ClaimRole), strict=False)
        kept["claim"] = pl.col("claim_group").bin.head(8).bin.reinterpret(dtype=pl.UInt64, endianness="little")
    return frame.select(**kept)


def households(claim: pl.Series, role: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return (the number of each row's claim among those of its file, the claim's make-up), null without a claim: one
    adult or more, with or without children. `claim` and `role` are those of `described`.
    """
    there = claim.is_not_null().to_numpy()
    found, number = np.unique(claim.drop_nulls().to_numpy(), return_inverse=True)
    children = (role == ClaimRole.CHILD.value).fill_null(False).to_numpy()[there]
    others = (role != ClaimRole.CHILD.value).fill_null(False).to_numpy()[there]
    child = np.bincount(number[children], minlength=len(found)) > 0
    alone = np.bincount(number[others], minlength=len(found)) <= 1
    kind = np.select([child & alone, child, alone], [_LONE_PARENT, _ADULTS_WITH_CHILDREN, _ONE_ADULT], _ADULTS)
    numbers, kinds = np.zeros(len(claim), dtype=np.int64), np.zeros(len(claim), dtype=np.uint8)
    numbers[there], kinds[there] = number, kind[number]
    frame = pl.DataFrame({"claim": numbers, "household": pl.Series(kinds).cat.to(pl.Enum(_HOUSEHOLDS))})
    known = frame.select(pl.when(pl.Series(there)).then(pl.all()).name.keep())
    return known["claim"], known["household"]


def _code(column: pl.Expr, groups: dict[str, str]) -> pl.Expr:
    """Return the group of each code, null where it has none."""
    names = sorted(set(groups.values()))
    return column.replace_strict(groups, default=None, return_dtype=pl.Enum(names))
