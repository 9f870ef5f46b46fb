"""What features are computed from: plain frames of what holds now, and which source delivers which facts at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.codes import Benefit, EncounterKind, ReferralService, ScreeningProgramme, SearchKind
from schemas.columns import columns
from schemas.contracts.base import Contract, Feed
from schemas.contracts.facts import FACT_KINDS

SUBJECT: Final = ("source", "subject_ref")
"""What names a subject on the cohort side."""

NUMBER: Final = "subject_number"
"""A column that frames of facts may carry, demographics among them: their subject as a number, which joins faster."""
COVERAGE: Final = pl.Schema({"source": pl.String(), "fact": pl.String()})
GEOGRAPHY: Final = pl.Schema(
    {
        "lsoa": pl.String(),
        "lsoa_version": pl.String(),
        "ward": pl.String(),
        "authority": pl.String(),
        "imd_decile": pl.Int32(),
        "imd_version": pl.String(),
        "rural_urban": pl.String(),
        "coastal": pl.Boolean(),
        "pm25_ug_m3": pl.Float64(),
        "distance_gp_km": pl.Float64(),
    }
)
"""One row an area and edition (`lsoa_version` 2011 or 2021): an unchanged area has the same code in both."""
PRACTICES: Final = pl.Schema({"practice_code": pl.String(), "pcn_code": pl.String(), "place": pl.String()})
MEMBERSHIP: Final = pl.Schema(
    {"person_id": pl.String(), "source": pl.String(), "subject_ref": pl.String(), "link_probability": pl.Float64()}
)
PREVIOUS: Final = pl.Schema({"person_id": pl.String(), "segment_code": pl.String(), "as_of": pl.Date()})
"""What was published of persons on the newest earlier day: features that speak of change look back at it."""

KINDS: Final[dict[str, type[Contract]]] = {kind: c for kinds in FACT_KINDS.values() for kind, c in kinds.items()}
"""Every kind of fact of both feeds; no two feeds call different things alike but for demographics, which are one."""

NAMED_BY: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "encounters": ("kind", tuple(EncounterKind)),
    "claims": ("benefit", tuple(Benefit)),
    "referrals": ("service", tuple(ReferralService)),
    "screenings": ("programme", tuple(ScreeningProgramme)),
    "searches": ("search", tuple(SearchKind)),
}
"""Kinds of which a source may deliver some values only: the column that says which, and its values."""

_FACTS_OF: Final[dict[Feed, tuple[str, ...]]] = {
    feed: tuple(name for kind in kinds if kind != "demographics" for name in NAMED_BY.get(kind, ("", (kind,)))[1])
    for feed, kinds in FACT_KINDS.items()
}
FACTS: Final[dict[str, Feed]] = {str(name): feed for feed, names in _FACTS_OF.items() for name in names}
"""Names of facts as coverage speaks of them, with their feed: the kind, or for kinds of `NAMED_BY` the value."""

EVENT_ONLY: Final[frozenset[str]] = frozenset(
    {
        *map(str, EncounterKind),
        *map(str, ReferralService),
        "care_arrangements",
        "fit_notes",
        "arrears",
        "homelessness",
        "awards",
        "deductions",
        "claim_changes",
    }
)
"""Facts of files that hold nobody without an event: the absence of a person from them is a negative, not unknown."""


def fact_columns(kind: str) -> pl.Schema:
    """Return the columns of a kind's facts: the subject, for demographics feed and version, then the kind's own."""
    head: dict[str, pl.DataType] = dict.fromkeys(SUBJECT, pl.String())
    if kind == "demographics":
        head |= {"feed": pl.String(), "version": pl.Int64()}
    return pl.Schema(head | dict(columns(KINDS[kind])))


@dataclass(frozen=True)
class FeatureTables:
    """The facts that hold now (latest version of each subject, withdrawn ones left out).

    `facts` has every kind of `KINDS`, with the columns of `fact_columns`, as a plan that is run when a group asks
    for it. `demographics` has one row a subject: a subject without one is not there yet. `coverage` holds
    `(source, fact)` for each fact that a source has ever delivered (see `coverage_of`), over everybody even where
    the facts are of some. `geography` and `practices` are reference data of the shapes above.
    """

    facts: Mapping[str, pl.LazyFrame]
    geography: pl.DataFrame
    practices: pl.DataFrame
    coverage: pl.DataFrame

    @classmethod
    def from_facts(
        cls,
        facts: Mapping[str, pl.DataFrame | pl.LazyFrame],
        geography: pl.DataFrame,
        coverage: pl.DataFrame | None = None,
        practices: pl.DataFrame | None = None,
    ) -> FeatureTables:
        """Gather frames by kind; a kind that is not there is empty, a column that is not there is null.

        `coverage` is worked out from the facts where it is not given.
        """
        return cls(
            facts={kind: _shaped(facts.get(kind), fact_columns(kind), NUMBER) for kind in KINDS},
            geography=_shaped(geography, GEOGRAPHY).collect(),
            practices=_shaped(practices, PRACTICES)
            .unique("practice_code", keep="first", maintain_order=True)
            .collect(),
            coverage=coverage_of(facts) if coverage is None else coverage,
        )


def _shaped(frame: pl.DataFrame | pl.LazyFrame | None, schema: pl.Schema, *more: str) -> pl.LazyFrame:
    """Return the columns of `schema`, null where the frame lacks one, and of `more` those that it has."""
    if frame is None:
        return schema.to_frame().lazy()
    have = set(frame.lazy().collect_schema())
    return frame.lazy().select(
        *(
            pl.col(name).cast(dtype) if name in have else pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in schema.items()
        ),
        *(name for name in more if name in have),
    )


def coverage_of(facts: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """Return which facts each source delivers, `source, fact` with the names of `FACTS`, in order.

    A source that never sent an encounter says nothing about encounters: their absence is unknown, not zero. Takes
    landed rows too, lazily: superseded versions count, since they show what the source can say.
    """
    parts = [
        rows.lazy().select("source", _named(kind).alias("fact")).unique()
        for kind, rows in facts.items()
        if kind in KINDS and kind != "demographics"
    ]
    if not parts:
        return COVERAGE.to_frame()
    return pl.concat(pl.collect_all([part.drop_nulls().cast(COVERAGE) for part in parts])).unique().sort(*COVERAGE)


def _named(kind: str) -> pl.Expr:
    return pl.col(NAMED_BY[kind][0]) if kind in NAMED_BY else pl.lit(kind)
