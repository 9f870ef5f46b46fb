"""A pair's odds, term by term: what each comparison said, what that weighs, and what the sum is after it.

The terms add up to the log2 odds that the matcher gave the pair. They name levels, never values; whoever shows them
must also see to it that frequencies do not name values (`services/review/evidence.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.compare import levels_of
from linkage.weigh import EXACT_LEVELS, Weigher
from schemas.model import COMPARISONS, MISSING

PRIOR = "prior"
FREQUENCY = "frequency"
HOUSEHOLD = "household"


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
    levels = levels_of(np.asarray([pattern]))[:, 0].tolist()
    parts: list[tuple[str, str, float | None, float | None, float]] = [(PRIOR, "", None, None, log2_prior)]
    for name, level in zip(COMPARISONS, levels, strict=True):
        known = (float(weigher.m[name][level - 1]), float(weigher.u[name][level - 1])) if level else (None, None)
        parts.append((name, (MISSING, *COMPARISONS[name])[level], *known, float(weigher.level_bits(name)[level])))
    parts.append((FREQUENCY, _frequency_level(weigher, levels), None, None, frequency_bits))
    numbers = np.asarray([pattern], dtype=np.int32)
    whole = float(weigher.weigh(numbers, np.asarray([frequency_bits]), log2_relatives)[0])
    so_far = sum(part[-1] for part in parts[1:])
    parts.append((HOUSEHOLD, "", None, None, whole - so_far))
    running = np.cumsum([part[-1] for part in parts])
    return tuple(Term(*part, float(total)) for part, total in zip(parts, running, strict=True))


def _frequency_level(weigher: Weigher, levels: list[int]) -> str:
    """Return the comparisons whose values are equal and have a frequency."""
    at = dict(zip(COMPARISONS, levels, strict=True))
    equal = []
    for table in weigher.model.frequencies:
        name, exact = EXACT_LEVELS[table.column]
        if at[name] and COMPARISONS[name][at[name] - 1] in exact:
            equal.append(name)
    return " ".join(equal)
