"""A pair's odds, term by term: what each comparison said, what that weighs, and what the sum is after it.

The terms add up to the log2 odds by which the pair was decided, its rivals counted. They name levels, never values; but
an exact frequency can be looked up in a public table of names, so what leaves the linkage zone goes through
`linkage.tell`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Final

import numpy as np

from linkage.compare import STRIDES, levels_of
from linkage.weigh import EXACT_LEVELS, FULL_NAME, Weigher
from schemas.decision import ConstraintKind, Decision
from schemas.model import COMPARISONS, MISSING

PRIOR: Final = "prior"
FREQUENCY: Final = "frequency"
DEPENDENCE: Final = "dependence"
"""Name of the term for fields that go together; left out where no two of a pair's levels do."""
HOUSEHOLD: Final = "household"
UNSEEN: Final = "unseen"
"""Name of the term for a match that a subject may have and that does not show (`linkage.comparable`)."""
RIVALS: Final = "rivals"
LONE: Final = "lone"

SHARED: Final = "shared_at_home"
"""Level of a frequency that counts nothing, since people of one home would share the value however rare it is."""

_HIDDEN_BY_RELATIVES: Final = 0.95
"""From this share of the odds of being different people on, relatives leave frequencies next to nothing to say, and a
pair's weight does not tell them any more."""

Part = tuple[str, str, float | None, float | None, float]
"""Name, level, m, u and bits of a term."""


@dataclass(frozen=True)
class ScoredPair:
    """A pair as it was scored and decided, with the sources of its two subjects.

    `rival_bits` is what its rivals take from `log2_odds`, below 0 what being left over adds; None where only
    `probability` tells of them. `override` is a reviewer's decision on the pair.
    """

    sources: tuple[str, str]
    pattern: int
    weight_bits: float
    log2_odds: float
    guard: str | None
    model_id: str
    probability: float
    decision: Decision
    rival_bits: float | None = None
    override: ConstraintKind | None = None

    @property
    def cost_of_rivals_bits(self) -> float:
        """What rivals take from the log2 odds, as `probability` says it where it was not kept."""
        if self.rival_bits is not None:
            return self.rival_bits
        # 0 and 1 are an override's or an exclusion's, in which no rival has a part, or odds beyond a float's digits.
        return 0.0 if self.probability in (0.0, 1.0) else self.log2_odds - log2_odds(self.probability)


def scored_pair(row: Mapping[str, Any], model_id: str) -> ScoredPair:
    """Return a decided pair of a `Resolution` with its pattern, as one that can be explained."""
    kept = ("pattern", "weight_bits", "log2_odds", "rival_bits", "probability", "guard")
    return ScoredPair(
        sources=(row["left_source"], row["right_source"]),
        decision=Decision(row["decision"]),
        model_id=model_id,
        **{name: row[name] for name in kept},
    )


@dataclass(frozen=True)
class Term:
    """One term of a pair's odds: `m` and `u` are the level's probabilities among matches and strangers, if it has any.

    `running_bits` is the sum of this term and those before it.
    """

    name: str
    level: str
    m: float | None
    u: float | None
    weight_bits: float
    running_bits: float


def explain(
    weigher: Weigher, pattern: int, frequency_bits: float, log2_prior: float, log2_relatives: float
) -> tuple[Term, ...]:
    """Return the terms of a pair: the prior, each comparison, the values' frequency, the likeness to a household.

    `frequency_bits` is `Weigher.frequency_bits` of the pair; prior and relatives are those of its sources. The last
    term's `running_bits` are the pair's log2 odds.
    """
    numbers = np.asarray([pattern], dtype=np.int32)
    weight_bits = float(weigher.weigh(numbers, np.asarray([frequency_bits]), log2_relatives)[0])
    return summed(_parts(weigher, pattern, frequency_bits, weight_bits, log2_prior))


def explain_scored(
    weigher: Weigher, pair: ScoredPair, log2_relatives: float, unseen_bits: float = 0.0
) -> tuple[Term, ...]:
    """Return the terms of a pair from what was kept of it: those of `explain`, then what its rivals cost, or
    what it adds that both are left over (`linkage.lone`).

    `unseen_bits` is what matches that do not show take from the prior of such a pair (`Matcher.unseen`); a term of its
    own where it is anything.
    The last term's `running_bits` are the log2 odds of the pair's probability. The frequency is worked out from the
    weight, to a 64th of a bit; where a household hides it, it counts 0 and the household's term takes the rest.
    """
    frequency_bits = frequency_of(weigher, pair.pattern, pair.weight_bits, log2_relatives)
    log2_prior = pair.log2_odds - pair.weight_bits - unseen_bits
    parts = _parts(weigher, pair.pattern, frequency_bits, pair.weight_bits, log2_prior)
    if unseen_bits:
        parts.append((UNSEEN, "", None, None, unseen_bits))
    others = RIVALS if pair.cost_of_rivals_bits >= 0 else LONE
    return summed([*parts, (others, "", None, None, -pair.cost_of_rivals_bits)])


def frequency_of(weigher: Weigher, pattern: int, weight_bits: float, log2_relatives: float) -> float | None:
    """Return what equal values' frequency added to a weight; None where a household's likeness hides it."""
    # weight = bits + frequency - log2(1 + 2**(relatives + frequency)), solved for frequency.
    beyond = weight_bits - float(weigher.bits[pattern])
    hidden = 2.0 ** min(beyond + float(weigher.relative_bits[pattern]) + log2_relatives, 0.0)
    return None if hidden > _HIDDEN_BY_RELATIVES else beyond - log2(1.0 - hidden)


def with_frequency(weigher: Weigher, levels: Sequence[int]) -> list[str]:
    """Return the comparisons, at these levels, whose values are equal and have a frequency."""
    at = dict(zip(COMPARISONS, levels, strict=True))
    equal = []
    listed = {table.column for table in weigher.model.frequencies}
    for column, (name, exact) in EXACT_LEVELS.items():
        if column in listed and at[name] and COMPARISONS[name][at[name] - 1] in exact:
            equal.append(name)
    return equal


def _counted(weigher: Weigher, equal: Sequence[str]) -> str:
    """Return what the frequencies of equal values count: both names together where the model knows full names."""
    together = {"forename", "surname"}
    if together <= set(equal) and FULL_NAME in {table.column for table in weigher.model.frequencies}:
        return " ".join((FULL_NAME, *(name for name in equal if name not in together)))
    return " ".join(equal)


def compared(weigher: Weigher, levels: Sequence[int]) -> list[Part]:
    """Return the part of each comparison at these levels; one whose value is missing has no m, no u and no bits.

    What two fields that go together take back, since their evidence would count twice, is a part of its own.
    """
    parts: list[Part] = []
    for name, level in zip(COMPARISONS, levels, strict=True):
        known = (float(weigher.m[name][level - 1]), float(weigher.u[name][level - 1])) if level else (None, None)
        parts.append((name, (MISSING, *COMPARISONS[name])[level], *known, float(weigher.level_bits(name)[level])))
    together = float(weigher.dependence[int(np.dot(levels, STRIDES))])
    return [*parts, (DEPENDENCE, "together", None, None, together)] if together else parts


def summed(parts: Sequence[Part]) -> tuple[Term, ...]:
    """Return parts as terms, each with the sum so far."""
    running = np.cumsum([part[-1] for part in parts]).tolist()
    return tuple(Term(*part, total) for part, total in zip(parts, running, strict=True))


def log2_odds(probability: float) -> float:
    """Return the log2 odds of a probability other than 0 and 1."""
    return log2(probability) - log2(1.0 - probability)


def _parts(
    weigher: Weigher, pattern: int, frequency_bits: float | None, weight_bits: float, log2_prior: float
) -> list[Part]:
    levels: list[int] = levels_of(np.asarray([pattern]))[:, 0].tolist()
    parts = compared(weigher, levels)
    equal = with_frequency(weigher, levels)
    word = SHARED if equal and frequency_bits is None else _counted(weigher, equal)
    parts.append((FREQUENCY, word, None, None, frequency_bits or 0.0))
    parts.append((HOUSEHOLD, "", None, None, weight_bits - sum(part[-1] for part in parts)))
    return [(PRIOR, "", None, None, log2_prior), *parts]
