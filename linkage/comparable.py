"""What a pair can be compared on, and how many matches would show themselves on so much.

Where a source holds one record per person, a subject has one match there or none, and a candidate competes with "none".
It also competes with a match that is there and not seen: of children without names nearly one in ten is not emitted, as
only their home could tell them and they moved. How many a match of so little evidence stays below emission follows from
the model alone, so it is part of the odds.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.compare import PATTERNS, PLACE, levels_of
from linkage.levels import FloatArray, plain
from linkage.weigh import Weigher
from schemas.model import COMPARISONS, RADICES

LEAST_UNMATCHED: Final = 0.01
"""Share of subjects without a match in sight at the least, however many have one: no estimate is surer than that."""

_HOME_STATES: Final = tuple(
    1 if name.startswith("address_unknown") else 2 if name.endswith("postcode_unknown") else 3
    for name in COMPARISONS["home"]
)
_KINDS: Final = 2 ** (len(COMPARISONS) - 1) * 4


@cache
def kind_of_pattern() -> npt.NDArray[np.uint8]:
    """Return for each pattern a number of what it compares: which comparisons are missing, and which half of a home."""
    levels = levels_of(np.arange(PATTERNS))
    kind = np.zeros(PATTERNS, dtype=np.uint8)
    for name, place in PLACE.items():
        if name == "home":
            kind = kind * np.uint8(4) + np.asarray((0, *_HOME_STATES), dtype=np.uint8)[levels[place]]
        else:
            kind = kind * np.uint8(2) + (levels[place] != 0).astype(np.uint8)
    return kind


def shown_shares(weigher: Weigher, log2_prior: float, log2_relatives: float) -> FloatArray:
    """Return for each kind (see `kind_of_pattern`) the share of matches whose odds reach emission."""
    log2_m = np.zeros(RADICES)
    for name, place in PLACE.items():
        # Levels that stand for several others are left out, but for halves of a home: those are kinds of their own.
        counted = np.ones(len(COMPARISONS[name]), dtype=np.bool_) if name == "home" else plain(name)
        with np.errstate(divide="ignore"):
            bits = np.log2(np.where(counted, weigher.m[name], 0.0))
        shape = [1] * len(RADICES)
        shape[place] = RADICES[place]
        log2_m = log2_m + np.concatenate([[0.0], bits]).reshape(shape)
    likely = np.exp2(log2_m.ravel())
    everything = np.arange(PATTERNS, dtype=np.int32)
    weight = weigher.weigh(everything, np.zeros(PATTERNS), log2_relatives)
    shown = likely * (weight + log2_prior >= weigher.model.emit_log2_odds)
    kind = kind_of_pattern()
    total = np.bincount(kind, likely, _KINDS)
    share: FloatArray = np.bincount(kind, shown, _KINDS) / np.maximum(total, 1e-300)
    return share


def unseen_bits(shown: FloatArray, left_matched: float, right_matched: float) -> FloatArray:
    """Return for each kind what matches that do not show take from the prior log2 odds, 0 or less.

    `left_matched` and `right_matched` are those of `schemas.model.SourcePrior`, whose `log2_prior` is that of pairs in
    which every match shows.
    """
    bits = np.zeros(len(shown))
    for matched in (left_matched, right_matched):
        if matched > 0:
            bits += np.log2(max(1 - matched, LEAST_UNMATCHED)) - np.log2(
                np.maximum(1 - matched * shown, LEAST_UNMATCHED)
            )
    return bits
