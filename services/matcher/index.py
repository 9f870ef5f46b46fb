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
    """Every subject that was read; it weighs the pairs of whichever shards it is asked for."""

    def __init__(self, model: MatchModel, shards: int) -> None:
        """Make an empty index whose pairs are divided into `shards` shards."""
        self._pairs = PairMatcher(model)
        self._held = HeldSubjects(model)
        self._shards = shards

    def __len__(self) -> int:
        """Return the number of rows held."""
        return len(self._held)

    def reserve(self, rows: int) -> None:
        """Say how many subjects are expected, so that memory is taken once."""
        self._held.reserve(rows)

    def load(self, rows: pl.DataFrame) -> None:
        """Take landed rows in without looking for pairs."""
        self._held.upsert(_subjects(rows))

    def evaluate(self, rows: pl.DataFrame, shards: frozenset[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Take landed rows in and return what they say: roster rows of the versions that now hold, and the pairs of
        these shards with those before them.

        Older versions, and repeats, than what is held are dropped: they change nothing and say nothing.
        """
        new = self._held.upsert(_subjects(rows))
        return self._roster(rows, self._held.subjects.identity[new]), self._match(new, shards)

    def evaluate_held(self, rows: pl.DataFrame, shards: frozenset[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return what rows say that were taken in before for other shards: their roster rows, and the pairs of their
        subjects, as they are held now, with all that is held.

        That is all that these shards have to say of them, whatever has come since: of a subject whose row was
        superseded, the pairs of the version that holds; of one that met a later row, that pair already.
        """
        identity = identities(rows["source"], rows["subject_ref"])
        held = np.unique(self._held.holding(identity))
        return self._roster(rows, identity), self._match(held[held >= 0], shards, anywhere=True)

    def _roster(self, rows: pl.DataFrame, identity: np.typing.NDArray[np.uint64]) -> pl.DataFrame:
        held = latest(rows.select(ROSTER_COLUMNS).lazy()).collect()
        mine = np.isin(identities(held["source"], held["subject_ref"]), identity)
        return roster_of(held.filter(pl.Series(mine)))

    def _match(
        self, rows: np.typing.NDArray[np.int64], shards: frozenset[int], *, anywhere: bool = False
    ) -> pl.DataFrame:
        if not len(rows) or not shards:
            return pl.DataFrame(schema=columns(PairLink))
        return self._pairs.match(rows, self._held, self._shards, shards, anywhere=anywhere)


def _subjects(rows: pl.DataFrame) -> Subjects:
    declared = rows.group_by("source").agg(pl.col("_one_record_per_person").last())
    return Subjects.from_frame(rows.select(columns(Subject).names()), dict(declared.iter_rows()))
