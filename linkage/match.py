"""From subjects to pairs worth a decision: candidates, levels, weights, in bounded pieces.

What is said of a pair is a pure function of the two record versions and the model. What else is held, the order of
arrival and the size of batches decide only when a pair is met, never what is said of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.compare import compare
from linkage.held import HeldSubjects
from linkage.subjects import IntArray, Subjects, UInt64Array, mix
from linkage.weigh import VETOES, FloatArray, Guard, Weigher
from schemas.columns import columns, conform
from schemas.contracts.links import PairLink
from schemas.model import MatchModel


class Matcher:
    """A model made ready for matching. Keeps no record of what it has matched."""

    def __init__(self, model: MatchModel) -> None:
        """Tabulate the model's weights."""
        self.model = model
        self.weigher = Weigher(model)
        self._promising: dict[float, npt.NDArray[np.bool_]] = {}

    def priors(self, sources: tuple[str, ...]) -> tuple[FloatArray, FloatArray]:
        """Return (log2 prior, log2 relatives) of each pair of sources by code, (sources, sources)."""
        prior = np.full((len(sources), len(sources)), self.model.default_log2_prior)
        relatives = np.full((len(sources), len(sources)), self.model.default_log2_relatives)
        code = {name: position for position, name in enumerate(sources)}
        for entry in self.model.priors:
            if entry.left_source in code and entry.right_source in code:
                at = [code[entry.left_source], code[entry.right_source]]
                prior[at, at[::-1]] = entry.log2_prior
                relatives[at, at[::-1]] = entry.log2_relatives
        return prior, relatives

    def match(
        self, rows: IntArray, held: HeldSubjects, shards: int = 1, owned: frozenset[int] | None = None
    ) -> pl.DataFrame:
        """Return the pairs of the given rows with earlier ones whose odds are worth emitting: columns of `PairLink`.

        With `shards`, each pair belongs to one shard by a hash of its two subjects, and only those of the `owned`
        shards are weighed (all, where that is None).
        """
        pieces = [self._weighed(held, *piece, shards, owned) for piece in held.candidates(rows)]
        return pl.concat(pieces) if pieces else pl.DataFrame(schema=columns(PairLink))

    def _weighed(
        self,
        held: HeldSubjects,
        left: IntArray,
        right: IntArray,
        shards: int,
        owned: frozenset[int] | None,
    ) -> pl.DataFrame:
        """Return the pair links of one piece of candidate rows."""
        subjects = held.subjects
        shard = pair_shards(subjects.identity[left], subjects.identity[right], shards)
        if owned is not None:
            mine = np.flatnonzero(np.isin(shard, list(owned)))
            left, right, shard = left[mine], right[mine], shard[mine]
        prior, relatives = self.priors(subjects.sources)
        at, pattern = compare(subjects, subjects, left, right, self.model.cuts, self._promise(float(prior.max())))
        left, right, shard = left[at], right[at], shard[at]
        sources = subjects.source[left], subjects.source[right]
        frequency = self.weigher.frequency_bits(pattern, subjects.table, left)
        weight = self.weigher.weigh(pattern, frequency, relatives[sources])
        odds = weight + prior[sources]
        guard = self.weigher.guarded(pattern, frequency, relatives[sources], prior[sources])
        keep = np.flatnonzero((odds >= self.model.emit_log2_odds) & ~np.isin(guard, VETOES))
        return _pair_links(
            subjects,
            left[keep],
            right[keep],
            pattern[keep],
            weight[keep],
            odds[keep],
            guard[keep],
            shard[keep],
            self.model.model_id,
        )

    def _promise(self, log2_prior: float) -> npt.NDArray[np.bool_]:
        if log2_prior not in self._promising:
            self._promising = {log2_prior: self.weigher.promising(log2_prior)}
        return self._promising[log2_prior]


def pair_shards(left: UInt64Array, right: UInt64Array, shards: int) -> IntArray:
    """Return the shard of each pair from its subjects' identities: the same whichever of the two is named first."""
    return (mix(left ^ right) % np.uint64(shards)).astype(np.int64)


def _pair_links(
    subjects: Subjects,
    left: IntArray,
    right: IntArray,
    pattern: npt.NDArray[np.int32],
    weight: FloatArray,
    odds: FloatArray,
    guard: npt.NDArray[np.uint8],
    shard: IntArray,
    model_id: str,
) -> pl.DataFrame:
    """Return pairs as `PairLink` rows, the lower of the two by (source, subject_ref) on the left."""
    source = pl.Series(subjects.sources, dtype=pl.String)
    labels = pl.Series([g.label for g in Guard], dtype=pl.String)
    one, other = (
        pl.DataFrame(
            {
                "source": source.gather(subjects.source[rows]),
                "ref": subjects.ref_column(rows),
                "version": subjects.version[rows],
            }
        )
        for rows in (left, right)
    )
    keyed = pl.concat(
        [one.select(pl.all().name.prefix("one_")), other.select(pl.all().name.prefix("other_"))], how="horizontal"
    )
    lower = (pl.col("one_source") < pl.col("other_source")) | (
        (pl.col("one_source") == pl.col("other_source")) & (pl.col("one_ref") <= pl.col("other_ref"))
    )
    sides = [
        pl.when(lower if side == "left" else ~lower)
        .then(pl.col(f"one_{name}"))
        .otherwise(pl.col(f"other_{name}"))
        .alias(f"{side}_{name}")
        for side in ("left", "right")
        for name in ("source", "ref", "version")
    ]
    frame = keyed.select(sides).with_columns(
        pattern=pattern,
        weight_bits=weight,
        log2_odds=odds,
        guard=labels.gather(guard),
        model_id=pl.lit(model_id),
        shard=shard,
    )
    return conform(frame, PairLink)
