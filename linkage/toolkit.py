"""hwlink's matching as parts of the Python Record Linkage Toolkit: an index algorithm, a comparison and a classifier.

They plug into `recordlinkage.Index`, `recordlinkage.Compare` and the toolkit's classifier interface, and call the very
functions that the fast path calls; tests hold the two to the same result. The fast path leaves the toolkit's data path
out, because joining data frames for each pair and walking a MultiIndex costs more than comparing (`decisions/0010`).

Importing this module imports recordlinkage (about 1.7 s): nothing on the fast path does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from recordlinkage.base import BaseClassifier, BaseCompareFeature, BaseIndexAlgorithm

from linkage.block import BlockIndex, Probes, first_shared, pass_keys
from linkage.compare import PLACE, compare, levels_of, patterns
from linkage.session import run_session
from linkage.subjects import Subjects
from linkage.weigh import Weigher, relative_table
from schemas.contracts.subject import TOKEN_COLUMNS
from schemas.model import COMPARISONS, BlockPass, DiceCuts, MatchModel


def token_frame(subjects: Subjects) -> pd.DataFrame:
    """Return the tokens as a data frame indexed by row number, with the row number as column `row` too."""
    frame = pd.DataFrame(subjects.table, columns=list(TOKEN_COLUMNS))
    frame["row"] = np.arange(len(subjects))
    return frame


class PassIndex(BaseIndexAlgorithm):  # type: ignore[misc]
    """Candidate pairs of a model's passes, each pair once. Takes frames of `token_frame`."""

    def __init__(self, passes: Sequence[BlockPass], crossings: Sequence[tuple[str, str]] = (), **options: Any) -> None:
        """Make an index algorithm of these passes."""
        super().__init__(**options)
        self.passes = tuple(passes)
        self.crossings = tuple(crossings)

    def _link_index(self, df_a: pd.DataFrame, df_b: pd.DataFrame) -> pd.MultiIndex:
        left, right = self._pairs(df_a, df_b)
        return pd.MultiIndex.from_arrays([df_a.index.to_numpy()[left], df_b.index.to_numpy()[right]])

    def _dedup_index(self, df_a: pd.DataFrame) -> pd.MultiIndex:
        left, right = self._pairs(df_a, df_a)
        once = left > right
        return pd.MultiIndex.from_arrays([df_a.index.to_numpy()[left[once]], df_a.index.to_numpy()[right[once]]])

    def _pairs(self, one: pd.DataFrame, other: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        probes = Probes.of(self.passes, self.crossings)
        asked, held = (
            pass_keys(frame[list(TOKEN_COLUMNS)].to_numpy(dtype=np.uint64), self.passes) for frame in (one, other)
        )
        index = BlockIndex(probes)
        index.add(held, np.arange(len(other)))
        left, right = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for probe, query, found in index.lookup(asked):
            first = first_shared(probes, probe, asked[query], held[found])
            left.append(query[first])
            right.append(found[first])
        return np.concatenate(left), np.concatenate(right)


class LevelFeature(BaseCompareFeature):  # type: ignore[misc]
    """The level of one comparison, from row numbers into packed subjects: no value is joined to any pair."""

    def __init__(self, comparison: str, left: Subjects, right: Subjects, cuts: DiceCuts) -> None:
        """Compare `comparison` of rows of `left` with rows of `right`; the frames need a column `row`."""
        super().__init__("row", "row", label=comparison)
        self.comparison = comparison
        self.left, self.right, self.cuts = left, right, cuts

    def _compute_vectorized(self, left_rows: pd.Series, right_rows: pd.Series) -> pd.Series:
        rows = left_rows.to_numpy(dtype=np.int64), right_rows.to_numpy(dtype=np.int64)
        _, pattern = compare(self.left, self.right, *rows, self.cuts)
        return pd.Series(levels_of(pattern)[PLACE[self.comparison]])


def level_features(left: Subjects, right: Subjects, cuts: DiceCuts) -> list[LevelFeature]:
    """Return a feature for each comparison, in the order of a pattern's digits."""
    return [LevelFeature(name, left, right, cuts) for name in COMPARISONS]


class FellegiSunterClassifier(BaseClassifier):  # type: ignore[misc]
    """Fellegi and Sunter's rule over levels: u fixed, m learnt, missing values no evidence.

    Comparison vectors are the levels of `level_features`. Unlike the toolkit's ECM classifier it takes any number of
    levels, tells `missing` from disagreement, cannot swap its classes, and starts each `fit` afresh from the model.
    """

    def __init__(
        self, model: MatchModel, active: Sequence[str] = tuple(COMPARISONS), relatives_per_match: float = 1.0
    ) -> None:
        """Make a classifier that starts from `model` and learns m of the `active` comparisons.

        `relatives_per_match` is how many candidates are of two people of one home, for each that is a match: without
        them a family would be taken for matches, since it is as unlike strangers as a match is.
        """
        super().__init__()
        self.model = model
        self.active = tuple(active)
        self.relatives_per_match = relatives_per_match
        self.fitted: MatchModel | None = None
        self.share: float | None = None

    def _fit(self, levels: npt.NDArray[Any], labels: npt.NDArray[Any] | None = None) -> None:
        """Learn m from comparison vectors; labels are not used (they would be a reviewer's, who saw no more)."""
        start = Weigher(self.model)
        r = relative_table(self.model.relatives)
        result = run_session("toolkit", _patterns(levels), self.active, start.m, start.u, r, self.relatives_per_match)
        comparisons = tuple(
            c.model_copy(update={"m": tuple(result.m[c.name].tolist())}) if c.name in self.active else c
            for c in self.model.comparisons
        )
        self.fitted = self.model.model_copy(update={"comparisons": comparisons})
        self.share = result.report.expected_matches / max(len(levels), 1)

    def _prob_match(self, levels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        pattern, weigher = _patterns(levels), Weigher(self.fitted or self.model)
        share = 0.5 if self.share is None else min(max(self.share, 1e-9), 1 - 1e-9)
        relatives = share * self.relatives_per_match
        strangers = max(1 - share - relatives, 1e-9)
        match = share * np.exp2(weigher.bits[pattern])
        probability: npt.NDArray[np.float64] = match / (
            match + relatives * np.exp2(weigher.relative_bits[pattern]) + strangers
        )
        return probability

    def _predict(self, levels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        return (self._prob_match(levels) >= self.model.policy.link_probability).astype(np.int64)


def _patterns(levels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    return patterns(np.ascontiguousarray(levels.T).astype(np.uint8))
