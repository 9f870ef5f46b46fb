"""Which training sessions agree on how many matches there are: capture and recapture among blocking passes.

Every pass finds a sample of the same matches, of a size that follows from how often its columns agree. So each session
tells, by what it found over what it should find, how many matches there are in all. Passes that find few pairs but
matches tell it well. A session that tells of far more has taken other pairs for matches: neighbours of one community
share a street and a forename, and where few people are in both files they outnumber those who are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.beyond import pass_chances, presence
from linkage.held import HeldSubjects
from linkage.levels import FloatArray
from linkage.sample import linkable
from schemas.model import MatchModel

MOST_OVER_MEDIAN: Final = 1.1
"""Matches that a session may tell of, over the median of the sessions. Measured in `decisions/0061`."""

FEWEST_SESSIONS: Final = 3
"""Sessions that are kept whatever they tell: two cannot say which of them is wrong."""

BoolArray = npt.NDArray[np.bool_]


def in_agreement(found: FloatArray, used: BoolArray, chances: Callable[[BoolArray], FloatArray]) -> BoolArray:
    """Return which of the sessions in use to keep, (sessions,) bool.

    `found` is the number of matches that each expects, and `chances(kept)` the chance of each pass to find a match, by
    the m of the sessions kept. The one that tells of most is dropped until none stands out, since with it m changes,
    and so does what the others tell.
    """
    kept = used.copy()
    if int(kept.sum()) <= FEWEST_SESSIONS:
        return kept
    there = _there(found, chances(kept))
    while int(kept.sum()) > FEWEST_SESSIONS:
        worst = int(np.argmax(np.where(kept, there, 0.0)))
        if there[worst] <= MOST_OVER_MEDIAN * float(np.median(there[kept])):
            break
        kept[worst] = False
        there = _there(found, chances(kept))
    # What was dropped while a worse one still moved m may agree after all.
    agreeing: BoolArray = used & (kept | (there <= MOST_OVER_MEDIAN * float(np.median(there[kept]))))
    return agreeing


def _there(found: FloatArray, chance: FloatArray) -> FloatArray:
    """Return how many matches there are by each session."""
    return found / np.maximum(chance, 1e-9)


def comparable_shares(held: HeldSubjects, model: MatchModel) -> FloatArray:
    """Return the share of matches of which both records have the columns of each of the model's passes, (passes,).

    Of several pairs of sources the one with most pairs speaks for all.
    """
    side = max(linkable(held).values(), key=lambda each: each.pairs, default=None)
    if side is None:
        return np.zeros(len(model.passes))
    left = presence(held, model, side.left).mean(axis=0)
    right = left if side.right is None else presence(held, model, side.right).mean(axis=0)
    # A date that can be turned is so on either side.
    turned = np.asarray([_turns(block_pass.parts) for block_pass in model.passes])
    shares: FloatArray = np.where(turned, np.minimum(left, right), left * right)
    return shares


def agreeing_chances(model: MatchModel, sounds: Mapping[str, FloatArray], m: Mapping[str, FloatArray]) -> FloatArray:
    """Return the chance that a match with every field agrees on each of the model's passes, by this m, (passes,).

    `sounds` is as in `linkage.beyond.sounding`.
    """
    comparisons = tuple(c.model_copy(update={"m": tuple(m[c.name].tolist())}) for c in model.comparisons)
    return pass_chances(model.model_copy(update={"comparisons": comparisons, "dependences": ()}), sounds)


def _turns(parts: tuple[tuple[str, ...], ...]) -> bool:
    return any("token_date_of_birth_swapped" in part for part in parts)
