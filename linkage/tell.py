"""What may be told of a pair outside the linkage zone: its terms, with frequencies and rivals in words and steps.

Everything told is a function of the pattern of levels, the pair of sources, the model, and coarse steps: how common the
values are shows as one of three words that stand for a fixed number of bits each, what rivals cost in steps of three
bits, and the probability as one of eleven numbers, because an exact sum, less the weights that are told, would be a
frequency by which a name could be guessed (`services/review/decisions/0001`, `0002`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from linkage.comparable import kind_of_pattern
from linkage.compare import levels_of
from linkage.explain import (
    FREQUENCY,
    HOUSEHOLD,
    LONE,
    PRIOR,
    RIVALS,
    SHARED,
    UNSEEN,
    Part,
    ScoredPair,
    compared,
    frequency_of,
    log2_odds,
    summed,
    with_frequency,
)
from linkage.match import Matcher
from linkage.reason import Because, reason
from schemas.decision import Decision, DecisionPolicy
from schemas.model import MatchModel

PROBABILITIES: Final = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
"""What a probability is told as: the nearest in odds; 0 and 1 stand for overrides and certain exclusions only."""

_COMMON_BITS: Final = -1.0
_RARE_BITS: Final = 1.0
_HOUSEHOLD_BITS: Final = 0.5
_LIKELY_HOUSEHOLD_BITS: Final = 4.0
_RIVALS_BITS: Final = 1.0
_RIVALS_STEP_BITS: Final = 3
_SIGNIFICANT_DIGITS: Final = 3


class Rarity(StrEnum):
    """How common an agreeing value is, against the values on which unrelated people agree."""

    COMMON = "common"
    TYPICAL = "typical"
    RARE = "rare"


RARITY_BITS: Final = {Rarity.COMMON: -1.5, Rarity.TYPICAL: 0.0, Rarity.RARE: 1.5}
"""What one agreeing value is told to count, in bits, whatever its own: near the means of links of synthetic populations
(`services/review/decisions/0002`)."""


@dataclass(frozen=True)
class ToldTerm:
    """One term: a comparison, or `dependence`, `frequency`, `household`, `unseen`, `rivals` or `lone`.

    `level` is the comparison's outcome, or a word for the term. `m` and `u` are the level's probabilities among matches
    and strangers (three digits), None where it has none. `weight_bits` is told to one decimal; `running_bits` is the
    sum of the prior and of these terms so far. `rarity` says how common a comparison's agreeing value is.
    """

    name: str
    level: str
    m: float | None
    u: float | None
    weight_bits: float
    running_bits: float
    rarity: Rarity | None = None


@dataclass(frozen=True)
class Evidence:
    """What may be told of a pair. `weight_bits` is the sum of the terms'; with `prior_bits`, what they come to."""

    fields: tuple[ToldTerm, ...]
    prior_bits: float
    weight_bits: float
    probability: float
    guard: str | None
    decision: Decision
    because: Because
    policy: DecisionPolicy
    model_id: str


class Explainer:
    """One match model made ready for explaining the pairs that it scored."""

    def __init__(self, model: MatchModel) -> None:
        """Tabulate the model's weights (some 10 ms)."""
        self.model = model
        self.matcher = Matcher(model)

    def evidence(self, pair: ScoredPair) -> Evidence:
        """Return what may be told of a pair that this model scored."""
        prior_bits = round(pair.log2_odds - pair.weight_bits - self.unseen_bits(pair), 1)
        parts = [(PRIOR, "", None, None, prior_bits), *self._parts(pair)]
        rarity = self._rarity(pair)
        terms = summed(parts)[1:]
        return Evidence(
            fields=tuple(
                ToldTerm(t.name, t.level, t.m, t.u, t.weight_bits, round(t.running_bits, 1), rarity.get(t.name))
                for t in terms
            ),
            prior_bits=prior_bits,
            weight_bits=round(sum(term.weight_bits for term in terms), 1),
            probability=told_probability(pair.probability),
            guard=pair.guard,
            decision=pair.decision,
            because=reason(
                pair.decision,
                pair.probability,
                pair.log2_odds,
                pair.cost_of_rivals_bits,
                pair.guard,
                pair.override,
                self.model.policy,
            ),
            policy=self.model.policy,
            model_id=pair.model_id,
        )

    def log2_relatives(self, sources: tuple[str, str]) -> float:
        """Return the log2 odds of relatives for a pair of these sources."""
        _, relatives = self.matcher.priors(tuple(dict.fromkeys(sources)))
        return float(relatives[0, -1])

    def unseen_bits(self, pair: ScoredPair) -> float:
        """Return what matches that do not show take from the prior of a pair."""
        unseen = self.matcher.unseen(tuple(dict.fromkeys(pair.sources)))
        return float(unseen[0, -1, kind_of_pattern()[pair.pattern]])

    def _parts(self, pair: ScoredPair) -> list[Part]:
        weigher = self.matcher.weigher
        levels = levels_of(np.array([pair.pattern]))[:, 0].tolist()
        parts = [
            (name, level, _digits(m), _digits(u), round(bits, 1))
            for name, level, m, u, bits in compared(weigher, levels)
        ]
        rarity = self._rarity(pair)
        told_bits = sum(RARITY_BITS[word] for word in rarity.values())
        if with_frequency(weigher, levels):
            parts.append((FREQUENCY, next(iter(rarity.values()), SHARED), None, None, told_bits))
        relatives = float(weigher.relative_bits[pair.pattern]) + self.log2_relatives(pair.sources) + told_bits
        household = float(np.logaddexp2(0.0, relatives))
        if household >= _HOUSEHOLD_BITS:
            word = "likely" if household >= _LIKELY_HOUSEHOLD_BITS else "possible"
            parts.append((HOUSEHOLD, f"{word}_relatives", None, None, round(-household, 1)))
        unseen_bits = round(self.unseen_bits(pair), 1)
        if unseen_bits:
            parts.append((UNSEEN, "match_may_not_show", None, None, unseen_bits))
        return parts + _rivals(pair)

    def _rarity(self, pair: ScoredPair) -> dict[str, Rarity]:
        """Return the rarity of each comparison whose value agrees and has a frequency.

        Only the sum of their adjustments is kept with a pair, so where several values agree each gets what their mean
        says. Nothing is told where the household's likeness hides it.
        """
        weigher = self.matcher.weigher
        agreeing = with_frequency(weigher, levels_of(np.array([pair.pattern]))[:, 0].tolist())
        sum_bits = frequency_of(weigher, pair.pattern, pair.weight_bits, self.log2_relatives(pair.sources))
        if not agreeing or sum_bits is None:
            return {}
        mean_bits = sum_bits / len(agreeing)
        word = (
            Rarity.COMMON if mean_bits <= _COMMON_BITS else Rarity.RARE if mean_bits >= _RARE_BITS else Rarity.TYPICAL
        )
        return dict.fromkeys(agreeing, word)


def _rivals(pair: ScoredPair) -> list[Part]:
    """Return what rivals cost the pair, if it is much, or what being left over adds: in steps, since it is the evidence
    of other pairs, frequencies and all.
    """
    # probability = odds / (1 + odds + rivals' odds), so the odds with rivals are odds / (1 + rivals' odds).
    cost_bits = pair.cost_of_rivals_bits
    if round(cost_bits, 1) < 0:
        return [(LONE, "", None, None, float(_RIVALS_STEP_BITS * max(1, round(-cost_bits / _RIVALS_STEP_BITS))))]
    if cost_bits < _RIVALS_BITS:
        return []
    lead_bits = pair.log2_odds - cost_bits
    word = "weaker" if lead_bits > 1.0 else "stronger" if lead_bits < -1.0 else "as_strong"
    told = max(_RIVALS_STEP_BITS, _RIVALS_STEP_BITS * round(cost_bits / _RIVALS_STEP_BITS))
    return [(RIVALS, word, None, None, -float(told))]


def told_probability(probability: float) -> float:
    """Return the one of `PROBABILITIES` that is nearest in odds; 0 and 1 only for exactly these."""
    if probability in (0.0, 1.0):
        return probability
    odds = log2_odds(probability)
    return min(PROBABILITIES[1:-1], key=lambda told: abs(log2_odds(told) - odds))


def _digits(probability: float | None) -> float | None:
    return None if probability is None else float(f"{probability:.{_SIGNIFICANT_DIGITS}g}")
