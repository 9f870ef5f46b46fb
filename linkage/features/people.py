"""Features about the person: age, sex, ethnicity, area, presence in the feeds."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.bands import AGE_EDGES, CORE20_LOWEST_DECILES, LIFE_STAGES
from schemas.codes import ETHNIC_GROUP_5, Sex
from schemas.contracts.base import Feed
from schemas.features import band_labels

_STATED_SEXES: Final = [sex.value for sex in Sex if sex is not Sex.NOT_KNOWN]


def age_years(birth_year_month: pl.Expr, as_of: date) -> pl.Expr:
    """Return completed years on `as_of` from `YYYY-MM`, counted from the first of the month; null before birth.

    A day of birth never leaves a controller, so the age is up to a month too high, never too low.
    """
    year = birth_year_month.str.slice(0, 4).cast(pl.Int32, strict=False)
    month = birth_year_month.str.slice(5, 2).cast(pl.Int32, strict=False)
    months = (as_of.year - year) * 12 + (as_of.month - month)
    return pl.when(months >= 0).then(months // 12).cast(pl.Int32)


def cut(value: pl.Expr, edges: tuple[int, ...], labels: tuple[str, ...]) -> pl.Expr:
    """Return the label of the band that holds each value: the last edge at or below it; null below the first."""
    band: pl.Expr = pl.when(value >= edges[0]).then(pl.lit(labels[0]))
    for edge, label in zip(edges[1:], labels[1:], strict=True):
        band = pl.when(value >= edge).then(pl.lit(label)).otherwise(band)
    return band


def subjects_of(members: pl.DataFrame, demographics: pl.DataFrame) -> pl.DataFrame:
    """Return the persons' subjects that have content, best first within each person.

    Health before welfare, then the newer version, then source and reference: the order that settles which value of
    several holds, the same however the rows came.
    """
    return (
        members.join(demographics, on=["source", "subject_ref"], how="inner")
        .with_columns((pl.col("feed") != Feed.HEALTH.value).alias("_after"))
        .sort("person_id", "_after", "version", "source", "subject_ref", descending=[False, False, True, False, False])
        .drop("_after")
    )


def person_features(
    members: pl.DataFrame, subjects: pl.DataFrame, geography: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """Return one row a person in `members`, sorted by `person_id`, with every feature of `entries_people`.

    `subjects` comes from `subjects_of`.
    """
    month = pl.lit(f"{as_of.year:04d}-{as_of.month:02d}")
    stated = pl.col("ethnic_category").replace_strict(ETHNIC_GROUP_5, default=None, return_dtype=pl.String)
    first = [pl.col(name).drop_nulls().first() for name in ("birth_year_month", "sex_code", "ethnic_group_5", "lsoa")]
    known = (
        subjects.with_columns(
            stated.alias("ethnic_group_5"),
            pl.when(pl.col("sex").is_in(_STATED_SEXES)).then(pl.col("sex")).alias("sex_code"),
        )
        .join(geography.select("lsoa", pl.lit(True).alias("_placed")), on="lsoa", how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("_placed")).then(pl.col("lsoa")).alias("lsoa"))
        .group_by("person_id")
        .agg(
            *first,
            pl.col("ethnic_group_5").drop_nulls().n_unique().alias("_groups"),
            pl.col("ethnic_group_5").count().alias("_stated"),
            (pl.col("death_year_month") <= month).fill_null(False).any().alias("deceased"),
            (pl.col("feed") == Feed.HEALTH.value).any().alias("in_health"),
            (pl.col("feed") == Feed.WELFARE.value).any().alias("in_welfare"),
        )
    )
    labels = tuple(label for _, label in LIFE_STAGES)
    return (
        members.group_by("person_id")
        .agg(pl.col("link_probability").min())
        .join(known, on="person_id", how="left")
        .with_columns(
            pl.col("in_health", "in_welfare").fill_null(False),
            age_years(pl.col("birth_year_month"), as_of).alias("age"),
        )
        .join(geography, on="lsoa", how="left")
        .with_columns(
            cut(pl.col("age"), AGE_EDGES, band_labels(AGE_EDGES)).alias("age_band"),
            cut(pl.col("age"), tuple(edge for edge, _ in LIFE_STAGES), labels).alias("life_stage"),
            pl.when(pl.col("_stated") >= 2).then(pl.col("_groups") > 1).alias("ethnicity_conflict"),
            (pl.col("imd_decile") <= CORE20_LOWEST_DECILES).alias("core20"),
            (pl.col("in_health") & pl.col("in_welfare")).alias("linked"),
        )
        .sort("person_id")
    )
