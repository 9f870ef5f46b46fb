"""What the feature builder reads of the content zone: the facts that hold, and who has new ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from linkage.features import coverage_of
from schemas.contracts.base import Feed, Operation
from schemas.contracts.facts import FACT_KINDS
from services.lake import Zone
from services.lake.latest import latest

SUBJECT: Final = ["source", "subject_ref"]
_RECORD: Final = [*SUBJECT, "version", "content_hash"]
_CLAIM_ROW: Final = pl.Schema({"source": pl.String(), "subject_ref": pl.String(), "claim_ref": pl.String()})

Offsets = dict[str, dict[str, int]]
"""Table -> application id (`topic-partition`) -> last offset."""


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

    def touched(self, since: Offsets, now: Offsets) -> pl.DataFrame:
        """Return the subjects with rows above `since`, each once; only tables where `now` differs are read."""
        parts = []
        for table in self._tables:
            rows = self._zone.scan(table) if now.get(table, {}) != since.get(table, {}) else None
            if rows is not None:
                parts.append(rows.filter(_above(since.get(table, {}))).select(SUBJECT))
        if not parts:
            return pl.DataFrame(schema=dict.fromkeys(SUBJECT, pl.String))
        return pl.concat(parts).unique().collect()

    def coverage(self) -> pl.DataFrame:
        """Return which facts each source has ever delivered, as `linkage.features.coverage_of`."""
        parts: dict[str, list[pl.LazyFrame]] = {}
        for table, (_, kind) in self._tables.items():
            rows = self._zone.scan(table)
            if rows is not None:
                parts.setdefault(kind, []).append(rows)
        return coverage_of({kind: pl.concat(rows, how="diagonal_relaxed") for kind, rows in parts.items()})

    def claim_rows(self) -> pl.DataFrame:
        """Return who is or ever was in which claim: `source, subject_ref, claim_ref` over every landed version."""
        rows = self._zone.scan("welfare_claims")
        if rows is None:
            return _CLAIM_ROW.to_frame()
        return rows.select(_CLAIM_ROW.names()).drop_nulls().unique().collect()

    def facts(self, subjects: pl.DataFrame | None = None) -> dict[str, pl.DataFrame]:
        """Return the facts that hold, by kind: of the latest version of each subject that is not withdrawn.

        With `subjects` only of those. Demographics carry their `feed`. A record that came twice counts once.
        """
        wanted: dict[str, list[pl.LazyFrame]] = {}
        for feed, kinds in FACT_KINDS.items():
            demographics = self._zone.scan(f"{feed}_demographics")
            if demographics is None:
                continue
            holding = self._holding(demographics, feed, subjects)
            wanted.setdefault("demographics", []).append(holding)
            records = holding.select(_RECORD)
            for kind in kinds:
                rows = None if kind == "demographics" else self._zone.scan(f"{feed}_{kind}")
                if rows is not None:
                    found = _of(rows, subjects).join(records, on=_RECORD, how="semi", nulls_equal=True)
                    wanted.setdefault(kind, []).append(found.unique([*_RECORD, "ordinal"]))
        plans = [pl.concat(parts, how="diagonal_relaxed") for parts in wanted.values()]
        return dict(zip(wanted, pl.collect_all(plans), strict=True))

    def _holding(self, demographics: pl.LazyFrame, feed: Feed, subjects: pl.DataFrame | None) -> pl.LazyFrame:
        return (
            latest(_of(demographics, subjects))
            .filter(pl.col("operation") != Operation.WITHDRAW.value)
            .with_columns(pl.lit(feed.value).alias("feed"))
        )


def _of(rows: pl.LazyFrame, subjects: pl.DataFrame | None) -> pl.LazyFrame:
    return rows if subjects is None else rows.join(subjects.lazy(), on=SUBJECT, how="semi")


def _above(held: Mapping[str, int]) -> pl.Expr:
    application = pl.concat_str(pl.col("_topic"), pl.lit("-"), pl.col("_partition").cast(pl.String))
    if not held:
        return pl.lit(True)
    last = application.replace_strict(dict(held), default=-1, return_dtype=pl.Int64)
    return pl.col("_offset") > last
