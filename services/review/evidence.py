"""What may be told of a pair: levels and their weights, likeness to a household, rivals, rarity in one of three words.

Everything told is a function of the pattern of levels, the pair of sources, the model, and coarse steps: how common a
value is shows as one of three words, and the probability as one of eleven numbers, because its exact value, less the
weights that are told, would be a frequency by which a name could be guessed (`decisions/0001`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import log2
from typing import Final

import numpy as np

from linkage.compare import levels_of
from linkage.match import Matcher
from linkage.weigh import EXACT_LEVELS
from schemas.decision import Decision
from schemas.model import COMPARISONS, MISSING, MatchModel

PROBABILITIES: Final = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
"""What a probability is told as: the nearest in odds; 0 and 1 stand for overrides and certain exclusions only."""

HOUSEHOLD: Final = "household"
"""Name of the entry that says what being like two people of one home costs; left out where it costs next to nothing."""

RIVALS: Final = "rivals"
"""Name of the entry that says what it costs that a subject has other candidates, of whom at most one can be right."""

_COMMON_BITS: Final = -1.0
_RARE_BITS: Final = 1.0
_HOUSEHOLD_BITS: Final = 0.5
_LIKELY_HOUSEHOLD_BITS: Final = 4.0
_HIDDEN_BY_RELATIVES: Final = 0.95
_RIVALS_BITS: Final = 1.0
_RIVALS_STEP_BITS: Final = 3


class Rarity(StrEnum):
    """How common an agreeing value is, against the values on which unrelated people agree."""

    COMMON = "common"
    TYPICAL = "typical"
    RARE = "rare"


@dataclass(frozen=True)
class StoredPair:
    """A pair as the registry holds it, with the sources of its two subjects."""

    sources: tuple[str, str]
    pattern: int
    weight_bits: float
    log2_odds: float
    guard: str | None
    model_id: str
    probability: float
    decision: Decision


@dataclass(frozen=True)
class ComparedField:
    """One comparison: its level, what that adds in bits (to one decimal), and how common the agreeing value is."""

    name: str
    level: str
    weight_bits: float
    rarity: Rarity | None = None


@dataclass(frozen=True)
class Evidence:
    """What may be told of a pair. `weight_bits` is the sum of the fields'; what rarity adds is told in words only."""

    fields: tuple[ComparedField, ...]
    prior_bits: float
    weight_bits: float
    probability: float
    guard: str | None
    decision: Decision
    model_id: str


class Explainer:
    """One match model made ready for explaining the pairs that it scored."""

    def __init__(self, model: MatchModel) -> None:
        """Tabulate the model's weights (some 10 ms)."""
        self.model = model
        self._matcher = Matcher(model)
        self._with_frequencies = {EXACT_LEVELS[table.column][0]: table.column for table in model.frequencies}

    def evidence(self, pair: StoredPair) -> Evidence:
        """Return what may be told of a pair that this model scored."""
        weigher = self._matcher.weigher
        levels = levels_of(np.array([pair.pattern]))[:, 0]
        names = {
            name: (MISSING, *COMPARISONS[name])[level] for name, level in zip(COMPARISONS, levels.tolist(), strict=True)
        }
        relatives = float(weigher.relative_bits[pair.pattern]) + self._log2_relatives(pair.sources)
        rarity = self._rarity(pair, names, relatives)
        fields = [
            ComparedField(name, names[name], round(float(weigher.level_bits(name)[level]), 1), rarity.get(name))
            for name, level in zip(COMPARISONS, levels.tolist(), strict=True)
        ]
        household = float(np.logaddexp2(0.0, relatives))
        if household >= _HOUSEHOLD_BITS:
            word = "likely" if household >= _LIKELY_HOUSEHOLD_BITS else "possible"
            fields.append(ComparedField(HOUSEHOLD, f"{word}_relatives", round(-household, 1)))
        fields += _rivals(pair)
        return Evidence(
            fields=tuple(fields),
            prior_bits=round(pair.log2_odds - pair.weight_bits, 1),
            weight_bits=round(sum(field.weight_bits for field in fields), 1),
            probability=told_probability(pair.probability),
            guard=pair.guard,
            decision=pair.decision,
            model_id=pair.model_id,
        )

    def _log2_relatives(self, sources: tuple[str, str]) -> float:
        _, relatives = self._matcher.priors(tuple(dict.fromkeys(sources)))
        return float(relatives[0, -1])

    def _rarity(self, pair: StoredPair, names: dict[str, str], relatives: float) -> dict[str, Rarity]:
        """Return the rarity of each field whose value agrees and has a frequency.

        Only the sum of their adjustments is kept with a pair, so where several values agree each gets what their mean
        says. Nothing is told where the household's likeness hides it.
        """
        agreeing = [name for name, column in self._with_frequencies.items() if names[name] in EXACT_LEVELS[column][1]]
        if not agreeing:
            return {}
        # weight = bits + frequency - log2(1 + 2**(relatives + frequency)), solved for frequency.
        beyond = pair.weight_bits - float(self._matcher.weigher.bits[pair.pattern])
        hidden = 2.0 ** min(beyond + relatives, 0.0)
        if hidden > _HIDDEN_BY_RELATIVES:
            return {}
        mean_bits = (beyond - log2(1.0 - hidden)) / len(agreeing)
        word = (
            Rarity.COMMON if mean_bits <= _COMMON_BITS else Rarity.RARE if mean_bits >= _RARE_BITS else Rarity.TYPICAL
        )
        return dict.fromkeys(agreeing, word)


def _rivals(pair: StoredPair) -> list[ComparedField]:
    """Return what rivals cost the pair, if it is much: in steps, since it is their evidence, frequencies and all."""
    if pair.probability in (0.0, 1.0):
        return []  # an override or an exclusion: no rival has a part in it
    # probability = odds / (1 + odds + rivals' odds), so the odds with rivals are odds / (1 + rivals' odds).
    cost_bits = pair.log2_odds - _log2_odds(pair.probability)
    if cost_bits < _RIVALS_BITS:
        return []
    lead_bits = pair.log2_odds - cost_bits
    word = "weaker" if lead_bits > 1.0 else "stronger" if lead_bits < -1.0 else "as_strong"
    told = max(_RIVALS_STEP_BITS, _RIVALS_STEP_BITS * round(cost_bits / _RIVALS_STEP_BITS))
    return [ComparedField(RIVALS, word, -float(told))]


def told_probability(probability: float) -> float:
    """Return the one of `PROBABILITIES` that is nearest in odds; 0 and 1 only for exactly these."""
    if probability in (0.0, 1.0):
        return probability
    odds = _log2_odds(probability)
    return min(PROBABILITIES[1:-1], key=lambda told: abs(_log2_odds(told) - odds))


def _log2_odds(probability: float) -> float:
    return log2(probability) - log2(1.0 - probability)
