"""From subjects to pairs worth a decision: candidates, levels, weights, in bounded pieces.

What is said of a pair is a pure function of the two record versions and the model. What else is held, the order of
arrival and the size of batches decide only when a pair is met, never what is said of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.comparable import kind_of_pattern, shown_shares, unseen_bits
from linkage.compare import CHUNK_PAIRS, compare
from linkage.held import HeldSubjects
from linkage.subjects import IntArray, Subjects, UInt64Array, mix
from linkage.weigh import GUARD_BITS, VETOES, FloatArray, Guard, Weigher
from schemas.columns import columns, conform
from schemas.contracts.links import PairLink
from schemas.model import MatchModel

_ROWS: Final = ("left_row", "right_row")


class Matcher:
    """A model made ready for matching. Keeps no record of what it has matched."""

    def __init__(self, model: MatchModel) -> None:
        """Tabulate the model's weights."""
        self.model = model
        self.weigher = Weigher(model)
        self._promising: dict[float, npt.NDArray[np.bool_]] = {}
        self._unseen_bits: dict[tuple[str, ...], FloatArray] = {}

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

    def households(self, sources: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Return which pairs of sources by code hold households, (sources, sources).

        They do where relatives are not far fewer than matches, and where nothing is known of it: where nobody lives
        with anybody, what looks like a relative is a mistake.
        """
        held = np.ones((len(sources), len(sources)), dtype=np.bool_)
        code = {name: position for position, name in enumerate(sources)}
        for entry in self.model.priors:
            if entry.left_source in code and entry.right_source in code:
                at = [code[entry.left_source], code[entry.right_source]]
                held[at, at[::-1]] = entry.log2_relatives - entry.log2_share >= GUARD_BITS
        return held

    def match(
        self,
        rows: IntArray,
        held: HeldSubjects,
        shards: int = 1,
        owned: frozenset[int] | None = None,
        *,
        numbered: bool = False,
        anywhere: bool = False,
    ) -> pl.DataFrame:
        """Return the pairs of the given rows with earlier ones whose odds are worth emitting: columns of `PairLink`.

        With `anywhere`, their pairs with all rows, each once.

        With `shards`, each pair belongs to one shard by a hash of its two subjects, and only those of the `owned`
        shards are weighed (all, where that is None). `numbered` pairs have the rows of the two, `left_row` and
        `right_row`, too.
        """
        candidates = held.candidates(rows, anywhere=anywhere)
        if anywhere:
            candidates = _once(candidates, rows, len(held))
        pieces = [self._weighed(held, *piece, shards, owned) for piece in _gathered(candidates)]
        if not pieces:
            return pl.DataFrame(schema=columns(PairLink) | (dict.fromkeys(_ROWS, pl.Int64()) if numbered else {}))
        return _pair_links(held.subjects, _Weighed.joined(pieces), self.model.model_id, numbered)

    def _weighed(
        self,
        held: HeldSubjects,
        left: IntArray,
        right: IntArray,
        shards: int,
        owned: frozenset[int] | None,
    ) -> _Weighed:
        """Return what is worth emitting of one piece of candidate rows."""
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
        before = prior[sources] + self.unseen(subjects.sources)[(*sources, kind_of_pattern()[pattern])]
        odds = weight + before
        households = self.households(subjects.sources)[sources]
        guard = self.weigher.guarded(pattern, frequency, relatives[sources], before, households)
        declared_apart = (sources[0] == sources[1]) & subjects.one_record_per_person(left)
        guard = np.where(declared_apart & self.weigher.repeats[pattern], np.uint8(Guard.REPEAT), guard)
        worth = (odds >= self.model.emit_log2_odds) & ~np.isin(guard, VETOES)
        keep = np.flatnonzero(worth & (~declared_apart | (guard == Guard.REPEAT)))
        return _Weighed(left[keep], right[keep], pattern[keep], weight[keep], odds[keep], guard[keep], shard[keep])

    def unseen(self, sources: tuple[str, ...]) -> FloatArray:
        """Return what matches that do not show take from the prior, (sources, sources, kinds of pattern)."""
        if sources not in self._unseen_bits:
            code = {name: position for position, name in enumerate(sources)}
            bits = np.zeros((len(sources), len(sources), int(kind_of_pattern().max()) + 1))
            for entry in self.model.priors:
                if entry.left_source in code and entry.right_source in code:
                    at = [code[entry.left_source], code[entry.right_source]]
                    shown = shown_shares(self.weigher, entry.log2_prior, entry.log2_relatives)
                    bits[at, at[::-1]] = unseen_bits(shown, entry.left_matched, entry.right_matched)
            self._unseen_bits = {sources: bits}
        return self._unseen_bits[sources]

    def _promise(self, log2_prior: float) -> npt.NDArray[np.bool_]:
        promising = self._promising.get(log2_prior)
        if promising is None:
            promising = self.weigher.promising(log2_prior)
            self._promising = {log2_prior: promising}
        return promising


@dataclass(frozen=True)
class _Weighed:
    """Pairs of rows with what was found of them, one array each."""

    left: IntArray
    right: IntArray
    pattern: npt.NDArray[np.int32]
    weight: FloatArray
    odds: FloatArray
    guard: npt.NDArray[np.uint8]
    shard: IntArray

    @classmethod
    def joined(cls, pieces: Sequence[_Weighed]) -> _Weighed:
        return cls(*(np.concatenate([getattr(piece, f.name) for piece in pieces]) for f in fields(cls)))


def _gathered(pieces: Iterator[tuple[IntArray, IntArray]]) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield candidates in pieces worth a call: a small batch finds a handful by each probe."""
    waiting: list[tuple[IntArray, IntArray]] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(len(left) for left, _ in waiting) >= CHUNK_PAIRS:
            yield np.concatenate([left for left, _ in waiting]), np.concatenate([right for _, right in waiting])
            waiting = []
    if waiting:
        yield np.concatenate([left for left, _ in waiting]), np.concatenate([right for _, right in waiting])


def _once(
    pieces: Iterator[tuple[IntArray, IntArray]], asking: IntArray, rows: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield pieces without the second mention of pairs of which both rows ask."""
    asks = np.zeros(rows, dtype=np.bool_)
    asks[asking] = True
    for left, right in pieces:
        keep = ~asks[right] | (right < left)
        yield left[keep], right[keep]


def pair_shards(left: UInt64Array, right: UInt64Array, shards: int) -> IntArray:
    """Return the shard of each pair from its subjects' identities: the same whichever of the two is named first."""
    return (mix(left ^ right) % np.uint64(shards)).astype(np.int64)


def _pair_links(subjects: Subjects, found: _Weighed, model_id: str, numbered: bool) -> pl.DataFrame:
    """Return pairs as `PairLink` rows, the lower of the two by (source, subject_ref) on the left."""
    source = pl.Series(subjects.sources, dtype=pl.String)
    labels = pl.Series([g.label for g in Guard], dtype=pl.String)
    one, other = (
        pl.DataFrame(
            {
                "source": source.gather(subjects.source[rows]),
                "ref": subjects.ref_column(rows),
                "version": subjects.version[rows],
                "hash": subjects.content_hash[rows],
                "row": rows,
            }
        )
        for rows in (found.left, found.right)
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
        for name in ("source", "ref", "version", "hash", *(("row",) if numbered else ()))
    ]
    frame = keyed.select(sides).with_columns(
        pattern=found.pattern,
        weight_bits=found.weight,
        log2_odds=found.odds,
        guard=labels.gather(found.guard),
        model_id=pl.lit(model_id),
        shard=found.shard,
    )
    return conform(frame, PairLink).with_columns(frame.select(_ROWS)) if numbered else conform(frame, PairLink)
