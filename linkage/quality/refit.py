"""What a fitted model leaves open: how the expected errors move when it is fitted to another sample of the same kind.

A parametric bootstrap in one step: levels' probabilities are drawn anew as the training's number of matches would
scatter them (a Dirichlet distribution), and the prior within its interval. Every probability moves with its pair's
odds, decisions stay. What refits on other samples give instead, and what they cost, is in `decisions/0050`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from linkage.compare import PLACE, levels_of
from linkage.levels import plain, with_unions
from linkage.quality.evidence import Census, Evidence
from linkage.weigh import FloatArray
from schemas.model import COMPARISONS, MatchModel

REPLICATES: Final = 60
_INTERVAL_SPREADS: Final = 2 * 1.959964


def refit_spread(
    census: Census, evidence: Evidence, model: MatchModel, generator: np.random.Generator
) -> tuple[float, float]:
    """Return the standard deviations of the logarithm of expected false links and of expected missed ones."""
    matches = training_matches(model)
    if not matches or not len(evidence.left):
        return 0.0, 0.0
    # Pairs that are certain hardly move; there are many of them, and their sums stay.
    some = evidence.doubtful[evidence.between[evidence.doubtful]]
    certain = evidence.between.copy()
    certain[some] = False
    still_false = float((1 - evidence.probability[certain & evidence.linked]).sum())
    still_missed = float(evidence.probability[certain & ~evidence.linked].sum())
    distinct, place = np.unique(evidence.pattern[some], return_inverse=True)
    levels = levels_of(distinct)
    prior = _prior_spread(census, evidence, model)[some]
    linked, before = evidence.linked[some], evidence.probability[some]
    false, missed = np.zeros(REPLICATES), np.zeros(REPLICATES)
    for number in range(REPLICATES):
        moved = np.zeros(len(distinct))
        for comparison in model.comparisons:
            moved += _drawn_bits(comparison.name, comparison.m, matches, generator)[levels[PLACE[comparison.name]]]
        bits = moved[place] + generator.standard_normal() * prior
        probability = shifted(before, bits)
        false[number] = still_false + (1 - probability[linked]).sum()
        missed[number] = still_missed + probability[~linked].sum()
    return float(np.log(false + 0.5).std()), float(np.log(missed + 0.5).std())


def shifted(probability: FloatArray, bits: FloatArray) -> FloatArray:
    """Return probabilities whose log2 odds have moved by so many bits; 0 and 1 stay."""
    ratio = np.exp2(np.clip(bits, -60, 60))
    total: FloatArray = probability * ratio / (probability * ratio + (1 - probability))
    return total


def training_matches(model: MatchModel) -> float:
    """Return on about how many matches a model was trained; 0 if it was not."""
    sessions = () if model.report is None else model.report.sessions
    return max((session.expected_matches for session in sessions if session.used), default=0.0)


def _drawn_bits(name: str, m: tuple[float, ...], matches: float, generator: np.random.Generator) -> FloatArray:
    """Return by how many bits each level's weight moves in one draw, `missing` (none) first."""
    present = plain(name) & (np.asarray(m) > 0)
    # Half an observation each keeps a level that hardly occurs from being drawn as impossible.
    counts = np.where(present, np.asarray(m) * matches + 0.5, 0.0)
    drawn = np.zeros(len(COMPARISONS[name]))
    drawn[present] = np.maximum(generator.standard_gamma(counts[present]), 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.log2(with_unions(name, drawn)) - np.log2(with_unions(name, np.maximum(counts, 1e-12)))
    return np.concatenate([[0.0], np.nan_to_num(bits, nan=0.0, posinf=0.0, neginf=0.0)])


def _prior_spread(census: Census, evidence: Evidence, model: MatchModel) -> FloatArray:
    """Return the standard deviation of each pair's log2 prior odds."""
    code = {name: number for number, name in enumerate(census.sources)}
    table = np.zeros((len(code), len(code)))
    for prior in model.priors:
        if prior.left_source in code and prior.right_source in code:
            at = [code[prior.left_source], code[prior.right_source]]
            table[at, at[::-1]] = max(prior.log2_prior_high - prior.log2_prior_low, 0.0) / _INTERVAL_SPREADS
    spread: FloatArray = table[census.source[evidence.left], census.source[evidence.right]]
    return spread
