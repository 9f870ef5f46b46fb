"""The group of the person: age, sex, ethnicity, area, and which feeds know them."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.bands import (
    AGE_EDGES,
    CORE20_LOWEST_DECILES,
    GP_DISTANCE_BANDS,
    LIFE_STAGES,
    PM25_BANDS,
    SCHOOL_AGES,
)
from linkage.features.context import Context
from linkage.features.entry import category, count, flag
from schemas.codes import ETHNIC_GROUP_5, Sex
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, FeatureOutput, FeatureType, MarmotDomain, Sensitivity, band_labels

_BOTH: Final = (Feed.HEALTH, Feed.WELFARE)
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


def banded(value: pl.Expr, bands: tuple[tuple[int, str], ...]) -> pl.Expr:
    """Return the label of the band of each value; `bands` are the lowest value and the label of each, rising."""
    return cut(value, tuple(edge for edge, _ in bands), tuple(label for _, label in bands))


def subjects_of(members: pl.DataFrame, demographics: pl.LazyFrame) -> pl.DataFrame:
    """Return the persons' subjects that have content, best first within each person.

    General practice before other health sources before welfare, then the newer version, then source and reference:
    the order that settles which value of several holds, the same however the rows came.
    """
    return (
        members.lazy()
        .join(demographics, on=["source", "subject_ref"], how="inner")
        .with_columns(
            pl.when(pl.col("feed") != Feed.HEALTH.value)
            .then(2)
            .otherwise((~pl.col("source").str.ends_with(".gp")).cast(pl.Int32))
            .alias("_after")
        )
        .sort("person_id", "_after", "version", "source", "subject_ref", descending=[False, False, True, False, False])
        .drop("_after")
        .collect()
    )


def _entries() -> list[FeatureDefinition]:
    ordinary = {"sensitivity": Sensitivity.ORDINARY, "sources": _BOTH}
    area = {**ordinary, "reference": "geography", "unknown_when": "no source gives an area that the geography knows"}
    practice = {**ordinary, "reference": "practices", "unknown_when": "no practice is stated, or the list lacks it"}
    born = {**ordinary, "unknown_when": "no source gives a month of birth"}
    present = {**ordinary, "unknown_when": "never; a subject counts from when its content has landed"}
    # To be known to a welfare source says that somebody claims: benefit data, whoever asks.
    on_benefit = {**present, "sensitivity": Sensitivity.WELFARE}
    return [
        count(
            "age",
            AGE_EDGES,
            "Completed years on the as-of date, counted from the first day of the month of birth.",
            outputs=(FeatureOutput.FILTER, FeatureOutput.TABLE),
            **born,
        ),
        category(
            "age_band",
            band_labels(AGE_EDGES),
            "Band of age on the as-of date.",
            ordered=True,
            quasi_identifier=True,
            **born,
        ),
        category(
            "life_stage",
            tuple(label for _, label in LIFE_STAGES),
            "Stage of life by age on the as-of date, from infant to very elderly.",
            ordered=True,
            quasi_identifier=True,
            **born,
        ),
        category(
            "sex_code",
            ("1", "2", "9"),
            "Person stated gender: 1 male, 2 female, 9 indeterminate; health sources before welfare sources.",
            quasi_identifier=True,
            unknown_when="no source states it, or only as X (not known)",
            **ordinary,
        ),
        category(
            "ethnic_cat_16",
            tuple(ETHNIC_GROUP_5),
            "Ethnic category 2001 (A to S), the newest that was stated; general practice before other health sources "
            "before welfare sources.",
            sources=_BOTH,
            sensitivity=Sensitivity.SPECIAL_CATEGORY,
            quasi_identifier=True,
            unknown_when="no source states it (Z not stated, 99 not known)",
        ),
        category(
            "ethnic_group_5",
            tuple(dict.fromkeys(ETHNIC_GROUP_5.values())),
            "Ethnic category of `ethnic_cat_16` in five groups.",
            sources=_BOTH,
            sensitivity=Sensitivity.SPECIAL_CATEGORY,
            quasi_identifier=True,
            unknown_when="no source states it (Z not stated, 99 not known)",
        ),
        flag(
            "ethnicity_conflict",
            "The person's sources state different groups of the five.",
            sources=_BOTH,
            sensitivity=Sensitivity.SPECIAL_CATEGORY,
            unknown_when="fewer than two of the person's subjects state an ethnic category",
        ),
        flag(
            "interpreter_needed",
            "A source says that the person needs an interpreter; general practice before others.",
            sources=_BOTH,
            sensitivity=Sensitivity.SPECIAL_CATEGORY,
            unknown_when="no source says whether one is needed",
        ),
        category(
            "school_age_band",
            tuple(label for _, label in SCHOOL_AGES),
            "Stage of schooling by age on the as-of date: primary from 5, secondary from 11, sixth form from 16.",
            ordered=True,
            quasi_identifier=True,
            **born,
        ),
        flag(
            "deceased",
            "A source gives a month of death that is not after the as-of date's month.",
            unknown_when="no subject of the person has content",
            **ordinary,
        ),
        FeatureDefinition(
            name="lsoa",
            type=FeatureType.CATEGORY,
            definition="Lower-layer super output area of residence; internal, emitted as ward or coarser only.",
            outputs=(),
            **area,
        ),
        category(
            "ward", (), "Electoral ward of residence.", quasi_identifier=True, marmot_domain=MarmotDomain.PLACES, **area
        ),
        category(
            "authority",
            (),
            "Local authority district of residence.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        count(
            "imd_decile",
            tuple(range(1, 11)),
            "National decile of the Index of Multiple Deprivation of the area of residence; 1 is most deprived.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        flag(
            "core20",
            "Lives in an area of IMD decile 1 or 2.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        category(
            "imd_version",
            ("2019", "2025"),
            "Edition of the Index of Multiple Deprivation that the decile is of: 2025 for areas of the 2021 census, "
            "2019 for areas that only the 2011 census had.",
            **area,
        ),
        category(
            "rural_urban",
            (),
            "Rural or urban class of the area of residence, by the ONS classification.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        flag(
            "coastal_flag",
            "Lives in an area that the geography counts as coastal.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        category(
            "pm25_band",
            tuple(label for _, label in PM25_BANDS),
            "Yearly mean of fine particles (PM2.5) in the area of residence, micrograms a cubic metre, in bands.",
            ordered=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        category(
            "gp_distance_band",
            tuple(label for _, label in GP_DISTANCE_BANDS),
            "Road distance from the area of residence to a general practice in kilometres, in bands.",
            ordered=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        FeatureDefinition(
            name="practice_code",
            type=FeatureType.CATEGORY,
            definition="General practice of registration (ODS code); internal, emitted as PCN or place only.",
            outputs=(),
            **{**ordinary, "unknown_when": "no source gives a practice"},
        ),
        category(
            "pcn_code",
            (),
            "Primary care network (ODS code) of the practice of registration.",
            quasi_identifier=True,
            **practice,
        ),
        category("place", (), "Place (health and care partnership) of the practice's network.", **practice),
        flag("in_health", "A subject of a health source belongs to the person.", **present),
        flag("in_welfare", "A subject of a welfare source belongs to the person.", **on_benefit),
        flag("linked", "Subjects of both feeds belong to the person.", **on_benefit),
        FeatureDefinition(
            name="link_probability",
            type=FeatureType.PROBABILITY,
            definition="Probability of the person's weakest accepted link; internal.",
            sources=_BOTH,
            sensitivity=Sensitivity.ORDINARY,
            unknown_when="the person is a single subject",
            outputs=(),
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the group's features of everybody."""
    as_of = context.as_of
    # Newest edition first: an area that did not change between the censuses has both editions' figures.
    areas = context.tables.geography.sort("lsoa_version", "imd_version", descending=True, nulls_last=True)
    geography = areas.unique("lsoa", keep="first", maintain_order=True)
    month = pl.lit(f"{as_of.year:04d}-{as_of.month:02d}")
    group = pl.col("ethnic_cat_16").replace_strict(ETHNIC_GROUP_5, default=None, return_dtype=pl.String)
    names = ("birth_year_month", "sex_code", "ethnic_cat_16", "lsoa", "practice_code", "interpreter_needed")
    first = [pl.col(name).drop_nulls().first() for name in names]
    known = (
        context.subjects.with_columns(
            pl.when(pl.col("ethnic_category").is_in(list(ETHNIC_GROUP_5)))
            .then(pl.col("ethnic_category"))
            .alias("ethnic_cat_16"),
            pl.when(pl.col("sex").is_in(_STATED_SEXES)).then(pl.col("sex")).alias("sex_code"),
        )
        .join(geography.select("lsoa", pl.lit(True).alias("_placed")), on="lsoa", how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("_placed")).then(pl.col("lsoa")).alias("lsoa"))
        .group_by("person_id")
        .agg(
            *first,
            group.drop_nulls().n_unique().alias("_groups"),
            pl.col("ethnic_cat_16").count().alias("_stated"),
            (pl.col("death_year_month") <= month).fill_null(False).any().alias("deceased"),
            (pl.col("feed") == Feed.HEALTH.value).any().alias("in_health"),
            (pl.col("feed") == Feed.WELFARE.value).any().alias("in_welfare"),
        )
    )
    return (
        context.persons.select("person_id", link_probability="_link_probability")
        .join(known, on="person_id", how="left")
        .with_columns(
            pl.col("in_health", "in_welfare").fill_null(False),
            age_years(pl.col("birth_year_month"), as_of).alias("age"),
        )
        .join(geography, on="lsoa", how="left")
        .join(context.tables.practices, on="practice_code", how="left")
        .with_columns(
            cut(pl.col("age"), AGE_EDGES, band_labels(AGE_EDGES)).alias("age_band"),
            banded(pl.col("age"), LIFE_STAGES).alias("life_stage"),
            pl.when(pl.col("_stated") >= 2).then(pl.col("_groups") > 1).alias("ethnicity_conflict"),
            group.alias("ethnic_group_5"),
            banded(pl.col("age"), SCHOOL_AGES).alias("school_age_band"),
            banded(pl.col("pm25_ug_m3"), PM25_BANDS).alias("pm25_band"),
            banded(pl.col("distance_gp_km"), GP_DISTANCE_BANDS).alias("gp_distance_band"),
            pl.col("coastal").alias("coastal_flag"),
            (pl.col("imd_decile") <= CORE20_LOWEST_DECILES).alias("core20"),
            (pl.col("in_health") & pl.col("in_welfare")).alias("linked"),
        )
        .select("person_id", *(entry.name for entry in ENTRIES))
    )
