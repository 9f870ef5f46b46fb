"""The feed police: what is wrong with a feed as a whole though each record is well formed. First version.

Statistics show what a server without keys cannot know: filters of another recipe, a column that an extract lost, a
whole file in clear. It stops the stream before anything of the batch at fault is published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from schemas.contracts.subject import FILTER_COLUMNS
from schemas.errors import PolicyError, Reason

LOWEST_FILL: Final = 0.02
HIGHEST_FILL: Final = 0.50
"""Average share of set bits of a non-null filter. The agreement's recipes give 0.25 to 0.30; a filter with more than
half of its bits set tells names apart badly and a fill below 0.02 is fewer than ten bits: neither is of our making."""

FILL_FILTERS: Final = 100
"""The average is judged from this many filters on: one long address alone may well fill more than half."""

HISTORY_RECORDS: Final = 1_000
STREAM_RECORDS: Final = 500
"""A column's share is compared once its source's history and this stream each have this many records; below, chance
alone moves shares."""

USUAL_SHARE: Final = 0.30
COLLAPSE: Final = 0.25
"""A column present in 30 % of records or more until now has collapsed when a quarter of that share is left."""

CLEAR_SHARE: Final = 0.5
CLEAR_RECORDS: Final = 20
"""A stream most of whose first records held clear identifiers is not a feed with slips, but a clear file."""

_FILTER_WORDS: Final = 8


@dataclass(frozen=True)
class FillOfFilters:
    """Set bits and filters seen, by filter column."""

    bits_and_filters: Mapping[str, tuple[int, int]]


def fill_of_filters(frame: pl.DataFrame) -> FillOfFilters:
    """Count the set bits of each filter column of a batch."""
    counts = {}
    for name in FILTER_COLUMNS:
        held = frame.get_column(name).drop_nulls()
        if not held.is_empty():
            words = held.bin.reinterpret(dtype=pl.Array(pl.UInt64, _FILTER_WORDS), endianness="little").to_numpy()
            counts[name] = (int(np.bitwise_count(words).sum()), len(held))
    return FillOfFilters(counts)


@dataclass
class FeedPolice:
    """Watches one stream. `history` is what the source's accepted records held before, `_records` among it."""

    history: Mapping[str, int]
    _records: int = 0
    _present: Counter[str] = field(default_factory=Counter)
    _bits: Counter[str] = field(default_factory=Counter)
    _filters: Counter[str] = field(default_factory=Counter)
    _seen: int = 0
    _clear: int = 0

    def watch(self, upserts: int, present: Mapping[str, int], fill: FillOfFilters, seen: int, clear: int) -> None:
        """Take a batch into account before it is published; PolicyError FEED_SUSPECT if the stream looks wrong.

        `seen` and `clear` count the batch's records and those refused for a clear identifier.
        """
        self._records += upserts
        self._present.update(present)
        self._seen += seen
        self._clear += clear
        for name, (bits, filters) in fill.bits_and_filters.items():
            self._bits[name] += bits
            self._filters[name] += filters
        self._refuse_fill()
        self._refuse_collapse()

    def refuse_clear_file(self) -> None:
        """Raise PolicyError FEED_SUSPECT when most of what came so far was refused for clear identifiers.

        Asked after a batch's receipt has gone, so that its sender learns which fields they were.
        """
        if self._clear >= CLEAR_RECORDS and self._clear > CLEAR_SHARE * self._seen:
            raise PolicyError(
                Reason.FEED_SUSPECT,
                f"{self._clear} of the first {self._seen} records hold values that look like clear identifiers; no "
                "more of this stream is taken. Run the file through `hwlink pseudonymise` and send its output.",
            )

    def _refuse_fill(self) -> None:
        for name, filters in self._filters.items():
            share = self._bits[name] / (filters * _FILTER_WORDS * 64)
            if filters >= FILL_FILTERS and not LOWEST_FILL <= share <= HIGHEST_FILL:
                raise PolicyError(
                    Reason.FEED_SUSPECT,
                    f"On average {share:.0%} of the bits of {name} are set, outside {LOWEST_FILL:.0%} to "
                    f"{HIGHEST_FILL:.0%}: they are not of the agreement's recipe. Encode the file again with it.",
                )

    def _refuse_collapse(self) -> None:
        before = self.history.get("_records", 0)
        if before < HISTORY_RECORDS or self._records < STREAM_RECORDS:
            return
        for name, count in self.history.items():
            usual, now = count / before, self._present[name] / self._records
            if name != "_records" and usual >= USUAL_SHARE and now < usual * COLLAPSE:
                raise PolicyError(
                    Reason.FEED_SUSPECT,
                    f"{name} is present in {now:.0%} of this stream's records and was in {usual:.0%} of the source's "
                    "before; see whether the extract lost a column. If it is meant so, send it as another source.",
                )
