"""Whether a feed still is what the model was fitted on: counts by source and window, set against those before.

Raises alarms and decides nothing. What is kept is bounded: for each source a reference, an open window and the last
closed one's alarms, written with the position that they belong to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.compare import levels_of
from linkage.drift import has_shifted, stability_index
from schemas.contracts.base import Operation
from schemas.contracts.subject import TOKEN_COLUMNS
from schemas.model import COMPARISONS, MISSING, MatchModel

WINDOW_RECORDS: Final = 2_000
"""Records of a source in a window at least; it closes with the micro-batch that reaches them."""

DRIFT_SHARD: Final = 0
"""The shard whose owner counts, of this shard's pairs alone, whoever has the others (`decisions/0004`)."""

KNOWN: Final = "known_surname"
OUTCOME: Final = "outcome"
FALLING: Final = {KNOWN: 1, OUTCOME: 2}
"""Measures of which only a fall of this bucket's share counts: both rise by themselves while a deployment fills."""

_KNOWN_BITS: Final = 22
"""Surnames are remembered as bits of a table of this many address bits (512 KiB): of 100,000, one in 40 seems known."""

_KEY: Final = ("source", "subject_ref")
_RECORD: Final = (*_KEY, "version", "content_hash")

Counts = dict[str, list[int]]
BoolArray = npt.NDArray[np.bool_]


def buckets(measure: str) -> tuple[str, ...]:
    """Return the names of a measure's buckets, in the order in which they are counted."""
    if measure == KNOWN:
        return ("new", "known")
    if measure == OUTCOME:
        return ("none", "review", "link")
    kind, _, name = measure.partition(" ")
    return ("missing", "present") if kind == "field" else (MISSING, *COMPARISONS[name])


class Drift:
    """Watches the sources that one model matches."""

    def __init__(self, model: MatchModel, stored: Mapping[str, str], window_records: int = WINDOW_RECORDS) -> None:
        """Go on from the documents that were stored, by source."""
        self._link_log2_odds = model.policy.link_log2_odds
        self._window_records = window_records
        self._sources: dict[str, dict[str, Any]] = {
            name: _nothing() | json.loads(text) for name, text in stored.items()
        }
        self._changed: set[str] = set()
        self._settled: BoolArray = np.zeros(1 << _KNOWN_BITS, dtype=np.bool_)
        self._fresh: dict[str, list[npt.NDArray[np.uint32]]] = {}

    def learn(self, rows: pl.DataFrame) -> None:
        """Remember the surnames of rows that were loaded without being counted, but for those that are `unsettled`."""
        unsettled = [
            (pl.col("source") == name) & (pl.col("_partition") == int(partition)) & (pl.col("_offset") >= first)
            for name, document in self._sources.items()
            for partition, first in document["unsettled"].items()
        ]
        self._settled[_places(rows.filter(~pl.any_horizontal(unsettled)) if unsettled else rows)] = True

    def count(self, rows: pl.DataFrame, roster: pl.DataFrame, pairs: pl.DataFrame) -> None:
        """Count landed rows of which `roster` are those that hold now, and the pairs that were said of them."""
        holding = roster.filter(pl.col("operation") == Operation.UPSERT.value).select(_RECORD)
        new = rows.with_columns(pl.col("content_hash").fill_null(0)).join(holding, on=_RECORD, how="semi").unique(_KEY)
        if new.is_empty():
            return
        ends = self._ends(new, pairs)
        for (source,), mine in new.partition_by("source", as_dict=True).items():
            name = str(source)
            document = self._sources.setdefault(name, _nothing())
            for partition, first in mine.group_by("_partition").agg(pl.col("_offset").min()).rows():
                document["unsettled"].setdefault(str(partition), first)
            counted = self._counted(mine, ends.filter(source=name))
            document["open"] = _added(document["open"], counted)
            document["records"] += mine.height
            self._fresh.setdefault(name, []).append(_places(mine))
            self._changed.add(name)
            if document["records"] >= self._window_records:
                self._close(name, document)

    def changes(self) -> dict[str, str]:
        """Return the documents that have still to be written, by source."""
        return {name: json.dumps(self._sources[name], separators=(",", ":")) for name in sorted(self._changed)}

    def written(self) -> None:
        """Note that the changes have been written."""
        self._changed = set()

    def _ends(self, new: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
        """Return `source, subject_ref, log2_odds, pattern` of each pair's ends that are new."""
        ends = [
            pairs.select("log2_odds", "pattern", source=f"{side}_source", subject_ref=f"{side}_ref")
            for side in ("left", "right")
        ]
        return pl.concat(ends).join(new.select(_KEY), on=_KEY, how="semi")

    def _counted(self, mine: pl.DataFrame, ends: pl.DataFrame) -> Counts:
        present = mine.select(pl.col(name).is_not_null().sum() for name in TOKEN_COLUMNS).row(0, named=True)
        counted = {f"field {name}": [mine.height - count, count] for name, count in present.items()}
        surnames = _places(mine)
        known = int(self._settled[surnames].sum())
        counted[KNOWN] = [len(surnames) - known, known]
        best = ends.group_by(_KEY).agg(pl.col("log2_odds").max())["log2_odds"]
        links = int((best >= self._link_log2_odds).sum())
        counted[OUTCOME] = [mine.height - best.len(), best.len() - links, links]
        linking = ends.filter(pl.col("log2_odds") >= self._link_log2_odds)["pattern"].to_numpy()
        levels = levels_of(linking) if len(linking) else np.zeros((len(COMPARISONS), 0), dtype=np.int64)
        for (name, named), found in zip(COMPARISONS.items(), levels, strict=True):
            counted[f"level {name}"] = np.bincount(found, minlength=len(named) + 1).tolist()
        return counted

    def _close(self, source: str, document: dict[str, Any]) -> None:
        """End a source's window. One that raises an alarm stays out of the reference, or it would silence the next."""
        reference, window = document["reference"], document["open"]
        document["alarms"] = [
            {
                "measure": measure,
                "index": round(stability_index(np.array(reference[measure]), np.array(counts)), 2),
                **_most_changed(measure, reference[measure], counts),
            }
            for measure, counts in sorted(window.items())
            if measure in reference and _raises(measure, reference[measure], counts)
        ]
        if not document["alarms"]:
            document["reference"] = _added(reference, window)
            document["unsettled"] = {}
            for places in self._fresh.get(source, []):
                self._settled[places] = True
        document["records"], document["open"], self._fresh[source] = 0, {}, []


def _nothing() -> dict[str, Any]:
    """Return what is kept of a source before its first record.

    `unsettled` is the offset by partition of the subjects topic from which its surnames are not known yet: since the
    open window began, and the windows before it that raised alarms without a calm one since.
    """
    return {"records": 0, "open": {}, "reference": {}, "alarms": [], "unsettled": {}}


def _raises(measure: str, reference: list[int], window: list[int]) -> bool:
    bucket = FALLING.get(measure)
    if bucket is None:
        return has_shifted(np.array(reference), np.array(window))
    before, now = (np.array([sum(counts) - counts[bucket], counts[bucket]]) for counts in (reference, window))
    fell = now[1] * before.sum() < before[1] * now.sum()
    return bool(fell) and has_shifted(before, now)


def _most_changed(measure: str, reference: list[int], window: list[int]) -> dict[str, Any]:
    """Return the bucket whose share changed most, and its shares before and now."""
    before, now = (np.array(counts) / max(sum(counts), 1) for counts in (reference, window))
    bucket = FALLING.get(measure, int(np.argmax(np.abs(now - before))))
    return {
        "bucket": buckets(measure)[bucket],
        "usual_share": round(float(before[bucket]), 3),
        "share": round(float(now[bucket]), 3),
    }


def _added(one: Mapping[str, list[int]], other: Mapping[str, list[int]]) -> Counts:
    return {
        name: [a + b for a, b in zip(one.get(name, [0] * len(counts)), counts, strict=True)]
        for name, counts in other.items()
    }


def _places(rows: pl.DataFrame) -> npt.NDArray[np.uint32]:
    """Return the place of each row's surname in the table of known ones; rows without one are left out."""
    start = rows["token_surname"].drop_nulls().bin.head(4)
    words = start.bin.reinterpret(dtype=pl.UInt32, endianness="little").to_numpy()
    return np.asarray(words & np.uint32((1 << _KNOWN_BITS) - 1), dtype=np.uint32)
