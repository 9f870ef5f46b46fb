"""All features of all persons, or of some, on one date."""

from __future__ import annotations

from datetime import date
from functools import reduce
from typing import Final

import polars as pl

from linkage.features.health import hospital_features, register_features
from linkage.features.people import person_features, subjects_of
from linkage.features.registry import feature_columns
from linkage.features.tables import MEMBERSHIP, SUBJECT, FeatureTables
from linkage.features.welfare import claim_households, current_claims, welfare_features

_COVERED: Final = ("diagnoses", "ae_attendance", "admission", "outpatient", "hb", "ctr", "uc", "arrears")


def compute(
    tables: FeatureTables, membership: pl.DataFrame, as_of: date, persons: pl.Series | None = None
) -> pl.DataFrame:
    """Return one row a person with the columns of `feature_columns()`, sorted by `person_id`.

    `membership` has `person_id, source, subject_ref, link_probability`; with `persons` only those ids are computed,
    and the result equals their rows of the whole computation, provided that `tables` holds the facts of their
    subjects and of every subject in those subjects' claims. Rows of the frames may come in any order.
    """
    members = membership.select(MEMBERSHIP.names()).cast(MEMBERSHIP)
    if persons is not None:
        members = members.join(persons.unique().alias("person_id").to_frame(), on="person_id", how="semi")
    subjects = subjects_of(members, tables.demographics)
    whose = subjects.select("person_id", *SUBJECT)
    base = person_features(members, subjects, tables.geography, as_of)
    known = base.select("person_id", "age").join(_covered(whose, tables.coverage), on="person_id", how="left")
    known = known.with_columns(pl.col(f"covers_{fact}").fill_null(False) for fact in _COVERED)
    current = current_claims(tables.claims, as_of)
    on = list(SUBJECT)
    parts = whose.join(current, on=on, how="inner")
    households = claim_households(current, tables.demographics, tables.arrears, as_of)
    groups = [
        base,
        register_features(known, whose.join(tables.diagnoses, on=on, how="inner"), as_of),
        hospital_features(known, whose.join(tables.encounters, on=on, how="inner"), as_of),
        welfare_features(known, parts, households),
    ]
    frame = reduce(lambda left, right: left.join(right, on="person_id", how="left"), groups)
    schema = feature_columns()
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items()).sort("person_id")


def _covered(whose: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """Return `person_id` and one boolean `covers_<fact>`: some source of the person delivers that fact."""
    sources = coverage.group_by("source").agg(
        (pl.col("fact") == fact).any().alias(f"covers_{fact}") for fact in _COVERED
    )
    return (
        whose.select("person_id", "source")
        .unique()
        .join(sources, on="source", how="inner")
        .group_by("person_id")
        .agg(pl.col(f"covers_{fact}").any() for fact in _COVERED)
    )
