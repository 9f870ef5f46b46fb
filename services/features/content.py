"""What the feature builder reads of the content zone: the facts that hold, and who has new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.features import coverage_of
from linkage.features.change import household_rows
from linkage.features.tables import NUMBER
from schemas.columns import columns
from schemas.contracts.base import Feed, Operation
from schemas.contracts.facts import FACT_KINDS, Demographics
from services.lake import Zone
from services.lake.latest import latest

SUBJECT: Final = ["source", "subject_ref"]
_RECORD: Final = [*SUBJECT, "version", "content_hash"]
_FEED_NUMBERS: Final = 2**31
"""Subjects of a feed are numbered from a multiple of this, so that none of another has the same number."""
_NOBODY: Final = pl.Schema(dict.fromkeys(SUBJECT, pl.String()))

Offsets = dict[str, dict[str, int]]
"""Table -> application id (`topic-partition`) -> last offset."""


@dataclass(frozen=True)
class News:
    """What rows that landed since say: whose facts they are (`source, subject_ref`, each once; nobody from the
    beginning), which facts their sources deliver (`linkage.features.coverage_of`), and who is in which household
    (`change.HOUSEHOLD_ROWS`).
    """

    touched: pl.DataFrame
    coverage: pl.DataFrame
    households: pl.DataFrame


class Content:
    """A reader of the content zone's tables `<feed>_<kind>`."""

    def __init__(self, zone: Zone) -> None:
        """Read from this zone."""
        self._zone = zone
        self._tables = {f"{feed}_{kind}": (feed, kind) for feed, kinds in FACT_KINDS.items() for kind in kinds}

    def offsets(self) -> Offsets:
        """Return how far each table is. Read it before the facts: what lands in between is then seen once more."""
        held = {table: self._zone.offsets(table) for table in self._tables}
        return {table: offsets for table, offsets in held.items() if offsets}

    def news(self, since: Offsets | None, now: Offsets) -> News:
        """Return what the rows above `since` say of everybody at once; only tables where `now` differs are read.

        None is the beginning, from which everybody is touched: `touched` then names nobody.
        """
        held = since or {}
        rows: dict[str, list[pl.LazyFrame]] = {}
        for table, (_, kind) in self._tables.items():
            found = self._zone.scan(table) if now.get(table, {}) != held.get(table, {}) else None
            if found is not None:
                rows.setdefault(kind, []).append(found.filter(_above(held.get(table, {}))))
        by_kind = {kind: pl.concat(parts, how="diagonal_relaxed") for kind, parts in rows.items()}
        named = [] if since is None else [part.select(SUBJECT).unique() for part in by_kind.values()]
        touched = pl.concat([_NOBODY.to_frame(), *pl.collect_all(named)]).unique()
        return News(touched, coverage_of(by_kind), household_rows(by_kind))

    def facts(self, subjects: pl.DataFrame | None = None) -> dict[str, pl.LazyFrame]:
        """Return the facts that hold, by kind: of the latest version of each subject that is not withdrawn.

        With `subjects` only of those. Demographics carry their `feed`. A record that came twice counts once. Which
        records hold is told at once; the facts are plans, read when they are run, and carry their subject's `NUMBER`.
        """
        wanted: dict[str, list[pl.LazyFrame]] = {}
        for place, (feed, kinds) in enumerate(FACT_KINDS.items()):
            demographics = self._zone.scan(f"{feed}_demographics")
            if demographics is None:
                continue
            holding = self._holding(demographics, feed, subjects).with_row_index(NUMBER, place * _FEED_NUMBERS)
            wanted.setdefault("demographics", []).append(holding)
            records = holding.select(*_RECORD, NUMBER)
            for kind in kinds:
                rows = None if kind == "demographics" else self._zone.scan(f"{feed}_{kind}")
                if rows is not None:
                    found = _of(rows, subjects).join(records, on=_RECORD, how="inner", nulls_equal=True)
                    wanted.setdefault(kind, []).append(found.unique([NUMBER, "ordinal"]))
        return {kind: pl.concat(parts, how="diagonal_relaxed") for kind, parts in wanted.items()}

    def _holding(self, demographics: pl.LazyFrame, feed: Feed, subjects: pl.DataFrame | None) -> pl.LazyFrame:
        held = [name for name in columns(Demographics) if name in demographics.collect_schema()]
        return (
            latest(_of(demographics, subjects))
            .filter(pl.col("operation") != Operation.WITHDRAW.value)
            .select(*_RECORD, pl.lit(feed.value).alias("feed"), *held)
            .collect()
            .lazy()
        )


def _of(rows: pl.LazyFrame, subjects: pl.DataFrame | None) -> pl.LazyFrame:
    if subjects is None:
        return rows
    # The filter is handed down to the files: of rows that it leaves out, nothing but the reference is read.
    named = rows.filter(pl.col("subject_ref").is_in(subjects["subject_ref"].unique().implode()))
    return named.join(subjects.lazy(), on=SUBJECT, how="semi")


def _above(held: Mapping[str, int]) -> pl.Expr:
    application = pl.concat_str(pl.col("_topic"), pl.lit("-"), pl.col("_partition").cast(pl.String))
    if not held:
        return pl.lit(True)
    last = application.replace_strict(dict(held), default=-1, return_dtype=pl.Int64)
    return pl.col("_offset") > last
