"""What features are computed from: plain frames of what holds now, and which source delivers which facts at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import Demographics
from schemas.contracts.facts_health import Diagnosis, Encounter
from schemas.contracts.facts_welfare import Arrears, ClaimMembership

SUBJECT: Final = ("source", "subject_ref")
"""What names a subject on the cohort side."""

COVERAGE: Final = pl.Schema({"source": pl.String(), "fact": pl.String()})
GEOGRAPHY: Final = pl.Schema(
    {"lsoa": pl.String(), "ward": pl.String(), "authority": pl.String(), "imd_decile": pl.Int32()}
)
MEMBERSHIP: Final = pl.Schema(
    {"person_id": pl.String(), "source": pl.String(), "subject_ref": pl.String(), "link_probability": pl.Float64()}
)

_KINDS: Final[dict[str, type[Contract]]] = {
    "demographics": Demographics,
    "diagnoses": Diagnosis,
    "encounters": Encounter,
    "claims": ClaimMembership,
    "arrears": Arrears,
}


def fact_columns(kind: str) -> pl.Schema:
    """Return the columns of one of `FeatureTables`: the subject, for demographics feed and version, then the kind's."""
    head: dict[str, pl.DataType] = dict.fromkeys(SUBJECT, pl.String())
    if kind == "demographics":
        head |= {"feed": pl.String(), "version": pl.Int64()}
    return pl.Schema(head | dict(columns(_KINDS[kind])))


@dataclass(frozen=True)
class FeatureTables:
    """The facts that hold now (latest version of each subject, withdrawn ones left out), one frame a kind.

    `demographics` has one row a subject: a subject without one is not there yet. `coverage` holds `(source, fact)`
    for each fact that a source has ever delivered (see `coverage_of`), over everybody even where the facts are of
    some. `geography` has one row an LSOA: ward, authority, national IMD decile.
    """

    demographics: pl.DataFrame
    diagnoses: pl.DataFrame
    encounters: pl.DataFrame
    claims: pl.DataFrame
    arrears: pl.DataFrame
    geography: pl.DataFrame
    coverage: pl.DataFrame

    @classmethod
    def from_facts(
        cls, facts: Mapping[str, pl.DataFrame], geography: pl.DataFrame, coverage: pl.DataFrame | None = None
    ) -> FeatureTables:
        """Gather frames by kind; a kind that is not there is empty, a column that is not there is null.

        `coverage` is worked out from the facts where it is not given.
        """
        tables = cls(
            **{kind: _shaped(facts.get(kind), fact_columns(kind)) for kind in _KINDS},
            geography=_shaped(geography, GEOGRAPHY).unique("lsoa", keep="first", maintain_order=True),
            coverage=COVERAGE.to_frame(),
        )
        return replace(tables, coverage=coverage_of(facts) if coverage is None else coverage)


def _shaped(frame: pl.DataFrame | None, schema: pl.Schema) -> pl.DataFrame:
    if frame is None:
        return schema.to_frame()
    have = set(frame.columns)
    return frame.select(
        pl.col(name).cast(dtype) if name in have else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )


def coverage_of(facts: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """Return which facts each source delivers, `source, fact`: `diagnoses`, `arrears`, kinds of encounter, benefits.

    A source that never sent an encounter says nothing about encounters: their absence is unknown, not zero. Takes
    landed rows too, lazily: superseded versions count, since they show what the source can say.
    """
    named = {
        "diagnoses": pl.lit("diagnoses"),
        "arrears": pl.lit("arrears"),
        "encounters": pl.col("kind"),
        "claims": pl.col("benefit"),
    }
    parts = [
        facts[kind].lazy().select("source", name.alias("fact")).unique()
        for kind, name in named.items()
        if kind in facts
    ]
    if not parts:
        return COVERAGE.to_frame()
    return pl.concat(parts).drop_nulls().unique().sort("source", "fact").cast(COVERAGE).collect()


def feed_of(kind_table: str) -> Feed:
    """Return the feed of a content table's name, `<feed>_<kind>`."""
    return Feed(kind_table.partition("_")[0])
