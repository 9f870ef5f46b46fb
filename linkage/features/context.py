"""What a group of features is computed from: persons with everything known so far, and facts by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import polars as pl

from linkage.features.entry import DTYPES
from linkage.features.tables import EVENT_ONLY, FACTS, NUMBER, SUBJECT, FeatureTables
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """One computation, as one group sees it.

    `persons` has one row a person: `person_id`, every feature of the groups before, and a boolean `covers_<fact>`
    for each name of `FACTS`. `subjects` are the persons' subjects that have content, best first within each person
    (`people.subjects_of`). `previous` has the columns of `PREVIOUS`, at most one row a person, none of the as-of date
    or later. `person_id` may be of any type that joins: inside `compute` it is a number.
    """

    as_of: date
    persons: pl.DataFrame
    subjects: pl.DataFrame
    tables: FeatureTables
    previous: pl.DataFrame
    _held: dict[str, Any] = field(default_factory=dict, repr=False)

    def facts(self, kind: str) -> pl.DataFrame:
        """Return the facts of `kind` of these persons: `person_id, source, subject_ref` and the contract's columns.

        Read anew at each call: to keep what one group has read for the next would hold every fact there is at once.
        """
        return self.plan(kind).collect(engine="streaming")

    def plan(self, kind: str) -> pl.LazyFrame:
        """Return `facts(kind)` as a plan: what it leaves out is not read."""
        facts = self.tables.facts[kind]
        if NUMBER in self.subjects.columns and NUMBER in facts.collect_schema():
            numbered = self.subjects.lazy().select("person_id", NUMBER)
            return numbered.join(facts, on=NUMBER, how="inner").drop(NUMBER)
        whose = self.subjects.lazy().select("person_id", *SUBJECT)
        return whose.join(facts.drop(NUMBER, strict=False), on=list(SUBJECT), how="inner")

    def everybody(self, kind: str) -> pl.DataFrame:
        """Return the facts of `kind` of all subjects, whoever's person they are: households are of subjects."""
        facts = self.tables.facts[kind].drop(NUMBER, strict=False)
        return self.once(f"everybody's {kind}", facts.collect)

    def once(self, name: str, work: Callable[[], T]) -> T:
        """Return what `work` gives, worked out the first time that any group asks for `name`."""
        if name not in self._held:
            self._held[name] = work()
        found: T = self._held[name]
        return found

    def with_features(self, computed: pl.DataFrame, entries: Iterable[FeatureDefinition]) -> Context:
        """Return the context of the next group: `persons` with the columns that a group has computed."""
        columns = computed.select("person_id", *(pl.col(d.name).cast(DTYPES[d.type]) for d in entries))
        return replace(self, persons=self.beside(columns))

    def beside(self, *parts: pl.DataFrame) -> pl.DataFrame:
        """Return `persons` with the columns of `parts`, each of one row a person at most, null where it has none.

        A join of all columns would copy every feature there is for each part; here nothing old is copied.
        """
        ids = self.persons.select("person_id")
        aligned = [
            ids.join(part, on="person_id", how="left", maintain_order="left").drop("person_id") for part in parts
        ]
        return pl.concat([self.persons, *aligned], how="horizontal")

    def known(self, *facts: str) -> pl.Expr:
        """Return whether one of `facts` is known of a person, as an expression over `persons`."""
        return pl.any_horizontal(pl.col(f"covers_{fact}") for fact in facts)


def covered(subjects: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """Return `person_id` and a boolean `covers_<fact>` for each of `FACTS`: whether the absence of it says something.

    A fact is known where a source of the person delivers it at all. Of files that hold nobody without an event
    (`EVENT_ONLY`) it is enough that the person is known to the feed and, in health, that any source delivers them;
    a council's files speak of the people whom the same controller's files know, and of nobody else.
    """
    controller = pl.col("source").str.split(".").list.first().alias("_by")
    health = [name for name, feed in FACTS.items() if feed is Feed.HEALTH and name in EVENT_ONLY]
    delivered = {name: pl.col("fact") == name for name in FACTS}
    of_source = coverage.group_by("source").agg(delivered[name].any().alias(f"covers_{name}") for name in FACTS)
    of_controller = coverage.group_by(controller).agg(
        delivered[name].any().alias(f"_wide_{name}") for name in FACTS if name in EVENT_ONLY and name not in health
    )
    anywhere = set(coverage["fact"])
    sources = subjects.select("source", "feed").unique().join(of_source, on="source", how="left")
    sources = sources.with_columns(controller).join(of_controller, on="_by", how="left")
    says = [pl.col(f"covers_{name}").fill_null(False) for name in FACTS if name not in EVENT_ONLY]
    wide = [
        (pl.col(f"_wide_{name}").fill_null(False) & (pl.col("feed") == Feed.WELFARE.value)).alias(f"covers_{name}")
        for name in FACTS
        if name in EVENT_ONLY and name not in health
    ]
    nation = [((pl.col("feed") == Feed.HEALTH.value) & (name in anywhere)).alias(f"covers_{name}") for name in health]
    sources = sources.select("source", *says, *wide, *nation)
    return (
        subjects.select("person_id", "source")
        .unique()
        .join(sources, on="source", how="inner")
        .group_by("person_id")
        .agg(pl.col(f"covers_{name}").any() for name in FACTS)
    )
