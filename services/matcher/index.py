"""The subjects in memory and the model that compares them: rows in, roster and pairs out."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from linkage.held import HeldSubjects
from linkage.match import Matcher as PairMatcher
from linkage.subjects import Subjects, identities
from schemas.columns import columns
from schemas.contracts.links import PairLink
from schemas.contracts.subject import Subject
from schemas.model import MatchModel
from services.lake.latest import latest
from services.matcher.links import roster_of

ROSTER_COLUMNS: Final = (
    "source",
    "subject_ref",
    "version",
    "operation",
    "content_hash",
    "claim_group",
    "_one_record_per_person",
    "_partition",
    "_offset",
)
"""What has to be kept of a landed row to say it on the links topic, and from where it came."""


class Index:
    """Every subject that was read, and the pairs of some shards of them."""

    def __init__(self, model: MatchModel, shards: int, owned: frozenset[int]) -> None:
        """Make an empty index that weighs the pairs of the `owned` ones among `shards` shards."""
        self._pairs = PairMatcher(model)
        self._held = HeldSubjects(model)
        self._shards = shards
        self._owned = owned

    def __len__(self) -> int:
        """Return the number of rows held."""
        return len(self._held)

    def reserve(self, rows: int) -> None:
        """Say how many subjects are expected, so that memory is taken once."""
        self._held.reserve(rows)

    def load(self, rows: pl.DataFrame) -> None:
        """Take landed rows in without looking for pairs."""
        self._held.upsert(_subjects(rows))

    def evaluate(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Take landed rows in and return what they say: roster rows of the versions that now hold, and their pairs.

        Older versions, and repeats, than what is held are dropped: they change nothing and say nothing.
        """
        new = self._held.upsert(_subjects(rows))
        return self._roster(rows, self._held.subjects.identity[new]), self._match(new)

    def evaluate_held(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return what rows (`ROSTER_COLUMNS`) say that were loaded before without looking for pairs."""
        identity = identities(rows["source"], rows["subject_ref"])
        held = np.flatnonzero(np.isin(self._held.subjects.identity, identity) & self._held.alive)
        # A row is compared with those before it only; from the first of these on, every row looks back at them.
        asking = np.arange(held.min(), len(self._held)) if len(held) else held
        return self._roster(rows, identity), self._match(asking)

    def _roster(self, rows: pl.DataFrame, identity: np.typing.NDArray[np.uint64]) -> pl.DataFrame:
        held = latest(rows.select(ROSTER_COLUMNS).lazy()).collect()
        mine = np.isin(identities(held["source"], held["subject_ref"]), identity)
        return roster_of(held.filter(pl.Series(mine)))

    def _match(self, rows: np.typing.NDArray[np.int64]) -> pl.DataFrame:
        if not len(rows):
            return pl.DataFrame(schema=columns(PairLink))
        return self._pairs.match(rows, self._held, self._shards, self._owned)


def _subjects(rows: pl.DataFrame) -> Subjects:
    declared = rows.group_by("source").agg(pl.col("_one_record_per_person").last())
    return Subjects.from_frame(rows.select(columns(Subject).names()), dict(declared.iter_rows()))
