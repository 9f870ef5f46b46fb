"""What the estimates are computed from: the subjects as numbered columns, and the pairs that were weighed.

Subjects are numbered as the alive rows of the store are, so that nothing is looked up by text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.compare import gathered
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.quality.beyond import found_shares
from linkage.reach import portions, unlinkable
from linkage.subjects import BoolArray, IntArray, UInt64Array, identities
from linkage.weigh import FloatArray
from schemas.contracts.subject import TOKEN_COLUMNS
from schemas.decision import Decision

LEAST_SWING: Final = 1e-4
"""Pairs whose probability p leaves at most this of p(1 - p) count as certain."""


@dataclass(frozen=True)
class Census:
    """Every subject of a linkage, n of them, without tokens or filters.

    `source` (n) codes into `sources`; `unlinkable` (n) whether it could be linked with nobody; `found_share` (n) how
    likely a match of it is to be emitted, `link_share` (n) to be strong enough for a link; `completeness` by source and
    token column, the share that have a value; `identity` (n) is `linkage.subjects.identities`.
    """

    source: npt.NDArray[np.uint16]
    sources: tuple[str, ...]
    unlinkable: BoolArray
    found_share: FloatArray
    link_share: FloatArray
    completeness: dict[str, dict[str, float]]
    identity: UInt64Array

    def __len__(self) -> int:
        return len(self.source)

    @cached_property
    def _order(self) -> IntArray:
        return np.argsort(self.identity)

    def find(self, source: pl.Series, subject_ref: pl.Series) -> IntArray:
        """Return the number of each named subject, -1 for one that is not here."""
        return self.at(identities(source, subject_ref))

    def at(self, wanted: UInt64Array) -> IntArray:
        """Return the number of the subject of each identity, -1 for one that is not here."""
        order = self._order
        at = np.minimum(np.searchsorted(self.identity, wanted, sorter=order), max(len(self) - 1, 0))
        found: IntArray = np.where(self.identity[order[at]] == wanted, order[at], -1) if len(self) else at - 1
        return found


def take_census(held: HeldSubjects, matcher: Matcher, generator: np.random.Generator) -> Census:
    """Count the store's alive rows, and say who could be linked."""
    subjects, alive = held.subjects, np.flatnonzero(held.alive)
    completeness = {}
    for code, name in enumerate(subjects.sources):
        rows = alive[subjects.source[alive] == code]
        filled = sum(np.count_nonzero(gathered(subjects.table, some), axis=0) for some in portions(rows))
        completeness[name] = {
            column: round(float(number) / max(len(rows), 1), 4)
            for column, number in zip(TOKEN_COLUMNS, np.broadcast_to(filled, len(TOKEN_COLUMNS)), strict=True)
        }
    found_share, link_share = found_shares(held, matcher, generator)
    return Census(
        source=subjects.source[alive],
        sources=subjects.sources,
        unlinkable=unlinkable(held, matcher.weigher, *matcher.priors(subjects.sources))[alive],
        found_share=found_share,
        link_share=link_share,
        completeness=completeness,
        identity=subjects.identity[alive],
    )


@dataclass(frozen=True)
class Evidence:
    """The pairs of a resolution as arrays, and the person that each subject was put into.

    `label` (n) numbers persons, with gaps; `left` and `right` number subjects. `between`: the pair is one that a link
    between files (or within the only one) is made of. `linked`: its subjects are one person now. `probability` counts
    rivals, `log2_odds` does not.
    """

    label: IntArray
    left: IntArray
    right: IntArray
    log2_odds: FloatArray
    probability: FloatArray
    linked: BoolArray
    guarded: BoolArray
    between: BoolArray
    pattern: npt.NDArray[np.int64]

    @cached_property
    def swing(self) -> FloatArray:
        """How much each pair's probability p would move with its log odds: p(1 - p)."""
        swing: FloatArray = self.probability * (1 - self.probability)
        return swing

    def by_kind(self, chosen: BoolArray) -> float:
        """Return the root of the sum of squares of the chosen pairs' swing by pattern: what the sum of probabilities
        moves by where the odds of each pattern are out by one natural unit, each by itself.
        """
        kind, swing = self._kind, self.swing[self.doubtful]
        return float(np.linalg.norm(np.bincount(kind, np.where(chosen[self.doubtful], swing, 0.0))))

    @cached_property
    def doubtful(self) -> IntArray:
        """The pairs whose swing counts: most pairs are certain."""
        return np.flatnonzero(self.swing > LEAST_SWING)

    @cached_property
    def _kind(self) -> IntArray:
        """The number of each doubtful pair's pattern among those that there are."""
        number: IntArray = np.unique(self.pattern[self.doubtful], return_inverse=True)[1]
        return number

    @classmethod
    def of(cls, census: Census, links: pl.DataFrame, labels: pl.DataFrame) -> Evidence:
        """Return the evidence of a `Resolution`'s links and labels, which tell the subjects' numbers in the census:
        `left_number` and `right_number`, and `number`.
        """
        label = np.arange(len(census)) + len(census)
        label[labels["number"].to_numpy()] = labels["label"].to_numpy()
        left, right = (links[f"{side}_number"].to_numpy() for side in ("left", "right"))
        return cls(
            label=label,
            left=left,
            right=right,
            log2_odds=links["log2_odds"].to_numpy(),
            probability=links["probability"].to_numpy(),
            linked=(links["decision"] == Decision.LINK.value).to_numpy(),
            guarded=links["guard"].is_not_null().to_numpy(),
            between=(census.source[left] != census.source[right]) | (len(census.sources) == 1),
            pattern=links["pattern"].to_numpy().astype(np.int64),
        )
