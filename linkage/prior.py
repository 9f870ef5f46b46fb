"""How many of all pairs are matches, and how many are relatives, for each pair of sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from linkage.beyond import Beyond, sounding, unfound_chances
from linkage.comparable import LEAST_UNMATCHED
from linkage.compare import LEVEL, PLACE, compare, levels_of
from linkage.held import HeldSubjects
from linkage.levels import FloatArray
from linkage.sample import Sides, agreeing_pairs, linkable, pairs_per_key
from linkage.strangers import home_keys
from linkage.subjects import IntArray
from linkage.weigh import Weigher, relative_table
from schemas.model import ExpectedMatches, MatchModel, SourcePrior

if TYPE_CHECKING:
    from linkage.fit import Candidates

_LARGEST_HOUSEHOLD: Final = 10
"""People of one address that count as a household: hostels and care homes would make everyone a relative."""

_FEWEST_EXPECTED: Final = 0.5
"""Matches expected at the least, however little is found: a prior of nothing could never be overcome."""

MODEL_ERROR_BITS: Final = 0.6
"""Standard deviation of an error that all doubtful pairs' weights share: fields depend on each other in more ways than
a model knows. Measured in `decisions/0047`.
"""

_SURE_BITS: Final = 25.0
"""Weight from which a pair counts as a match when nothing is fitted to it but how names sound."""

_HOME_PAIRS: Final = 50_000


@dataclass(frozen=True)
class Likelihood:
    """The candidates of one pair of sources as alternatives, each unit having one match or none.

    A unit is a sampled subject where the other source holds one record per person, else a pair; `ratios` are those of
    the units of which anything is known (the sum of their candidates' ratios, over the number of subjects searched, and
    the chance that their match is one that no pass finds: `unfound`, and `unfound_unstopped` without stop keys);
    `units` counts all of them.
    """

    at: IntArray
    candidate_ratios: FloatArray
    unit: IntArray
    ratios: FloatArray
    units: int
    pairs_per_unit: float
    unfound: FloatArray
    unfound_unstopped: FloatArray

    def probabilities(self, share: float) -> FloatArray:
        """Return each candidate's probability of a match where this is the share of units that have one."""
        none = max(1 - share, LEAST_UNMATCHED) if self.pairs_per_unit > 1 else 1 - share
        found: FloatArray = share * self.candidate_ratios / (none + share * self.ratios[self.unit])
        return found


Unfound = tuple[FloatArray, FloatArray] | None
"""The chances that no pass finds the match of each sampled subject, as passes search and without stop keys; None where
units are pairs."""


def unfound_by_subject(held: HeldSubjects, candidates: Candidates, weigher: Weigher) -> tuple[Unfound, ...]:
    """Return for each pair of sources the chances that no pass finds a sampled subject's match."""
    subjects = held.subjects
    sure = np.flatnonzero(weigher.bits[candidates.pattern] > _SURE_BITS)
    sounds = sounding(held, candidates.left[sure], candidates.right[sure], levels_of(candidates.pattern[sure]))
    result: list[Unfound] = []
    for (name, other), among, rows in zip(candidates.names, candidates.among, candidates.rows, strict=True):
        code = subjects.sources.index(among)
        one_at_most = name != other and subjects.unique[code]
        others = np.flatnonzero(held.alive & (subjects.source == code))
        result.append(unfound_chances(held, weigher.model, rows, others, sounds) if one_at_most else None)
    return tuple(result)


def likelihoods(
    held: HeldSubjects,
    candidates: Candidates,
    weigher: Weigher,
    relatives: Sequence[float],
    unfound: Sequence[Unfound],
) -> tuple[Likelihood, ...]:
    """Return the candidates' likelihood for each pair of sources.

    `relatives` is the share of pairs that are relatives, of each; `unfound` is what `unfound_by_subject` returns.
    """
    subjects = held.subjects
    result = []
    for number in range(len(candidates.names)):
        at = np.flatnonzero(candidates.side == number)
        pattern, left = candidates.pattern[at], candidates.left[at]
        frequency = weigher.frequency_bits(pattern, subjects.table, left)
        ratios = np.exp2(weigher.weigh(pattern, frequency, float(np.log2(relatives[number]))))
        searched, rows, chances = max(candidates.searched[number], 1), candidates.rows[number], unfound[number]
        if chances is not None:
            ratios *= len(rows) / searched
            order = np.argsort(rows)
            unit = order[np.searchsorted(rows[order], left)]
            known = np.bincount(unit, ratios, len(rows)) + chances[0]
            result.append(Likelihood(at, ratios, unit, known, len(rows), searched / len(rows), *chances))
        else:
            none = np.zeros(len(at))
            result.append(Likelihood(at, ratios, np.arange(len(at)), ratios, searched, 1.0, none, none))
    return tuple(result)


def estimate_priors(
    held: HeldSubjects, candidates: Candidates, evidence: Sequence[Likelihood], relatives: Sequence[float]
) -> tuple[SourcePrior, ...]:
    """Return the prior of each pair of sources: the share of matches at which the candidates' weights are likeliest.

    `relatives` is the share of pairs that are relatives, by pair of sources. Pairs that no pass found count as no
    match.
    """
    sides = linkable(held)
    unique = dict(zip(held.subjects.sources, held.subjects.unique, strict=True))
    priors = []
    for (name, other), one, related in zip(candidates.names, evidence, relatives, strict=True):
        likeliest = likeliest_share(one.ratios, one.units, 1.0 if one.pairs_per_unit > 1 else 0.5)
        shares = [part / one.pairs_per_unit for part in likeliest]
        matched = [matched_shares(share, sides[name, other], unique[name], unique[other]) for share in shares]
        alone = [sum(float(np.log2(max(1 - part, LEAST_UNMATCHED))) for part in parts) for parts in matched]
        prior, low, high = (_log2_odds(share) - bits for share, bits in zip(shares, alone, strict=True))
        priors.append(
            SourcePrior(
                left_source=name,
                right_source=other,
                log2_prior=prior,
                log2_prior_low=low,
                log2_prior_high=high,
                log2_share=_log2_odds(shares[0]),
                log2_relatives=float(np.log2(related)),
                left_matched=matched[0][0],
                right_matched=matched[0][1],
            )
        )
    return tuple(priors)


def expected_matches(
    held: HeldSubjects,
    candidates: Candidates,
    evidence: Sequence[Likelihood],
    beyond: Callable[[IntArray, FloatArray], Beyond],
) -> tuple[ExpectedMatches, ...]:
    """Return how many matches each pair of sources holds, with those that `beyond` (given candidates' positions and
    probabilities) reckons no pass finds.

    The interval takes in what the probabilities leave open, the subjects that were not sampled, the reckoning of what
    is beyond blocking, and that the weights of doubtful pairs may all be wrong together by `MODEL_ERROR_BITS`.
    """
    sides = linkable(held)
    expected = []
    for (name, other), one, sampled in zip(candidates.names, evidence, candidates.sampled, strict=True):
        least = _FEWEST_EXPECTED / one.units
        share, _, _ = likeliest_share(one.ratios, one.units, 1.0 if one.pairs_per_unit > 1 else 0.5)
        share = 0.0 if share <= least else share
        mixed = share * one.ratios + 1 - share
        believed = share * one.ratios / mixed
        information = float((((one.ratios - 1) / mixed) ** 2).sum()) + (one.units - len(mixed)) / (1 - share) ** 2
        spread = 1 / max(information, 1e-12)
        outside = one.units * (1 / sampled - 1)
        slope = float((one.ratios / mixed**2).sum()) + outside
        variance = float((believed * (1 - believed)).sum()) + slope**2 * spread + outside * share * (1 - share)
        doubt = float((believed * (1 - believed)).sum()) / sampled
        # One pair more or less may look certain and be a chance namesake's.
        variance += (MODEL_ERROR_BITS * np.log(2) * doubt) ** 2 + 1.0
        matches = float(believed.sum()) + outside * share
        if one.pairs_per_unit > 1:
            share_beyond = float((share * one.unfound / mixed).sum()) / max(float(believed.sum()), 1e-9)
            stopped = float((share * (one.unfound - one.unfound_unstopped) / mixed).sum()) / sampled
        else:
            missed = beyond(one.at, one.probabilities(share))
            share_beyond, stopped = missed.share, matches * missed.stopped_share
            variance = variance / (1 - missed.share) ** 2 + missed.variance
            matches /= 1 - missed.share
        if name == other:
            # Both of a pair's subjects ask for each other.
            matches, stopped, variance = matches / 2, stopped / 2, variance / 2
        width = 1.96 * float(np.sqrt(variance))
        most = one.units / sampled if one.pairs_per_unit > 1 else float(sides[name, other].pairs)
        expected.append(
            ExpectedMatches(
                left_source=name,
                right_source=other,
                matches=round(matches, 1),
                low=round(max(matches - width, 0.0), 1),
                high=round(min(matches + width, most), 1),
                beyond_blocking=round(share_beyond, 5),
                stopped=round(stopped, 1),
            )
        )
    return tuple(expected)


def relatives_shares(
    held: HeldSubjects,
    candidates: Candidates,
    model: MatchModel,
    m: dict[str, FloatArray],
    generator: np.random.Generator,
) -> tuple[float, ...]:
    """Return the share of relatives among all pairs, for each pair of sources in `linkage.sample.linkable`'s order.

    Counted are pairs that agree on the home while forename and date of birth both differ, as most relatives do; less
    the few matches that must be among them. The count is scaled by how often relatives look so, and by how often one
    home is seen as one.
    """
    homes = home_keys(held)
    r = relative_table(model.relatives)
    different = [LEVEL["date_of_birth"][name] for name in ("different", "unseen")]
    unlike = LEVEL["forename"]["different"]
    plainly = r["date_of_birth"][different[0] - 1] * r["forename"][different[0]][unlike - 1]
    # Parts of a date are seen only where a surname agrees, so a match may look `different` or `unseen` alike.
    mistaken = m["date_of_birth"][different[1] - 1] * m["forename"][unlike - 1]
    seen = float(m["home"][LEVEL["home"]["address_same_postcode_same"] - 1])
    shares = []
    for side, matches in zip(linkable(held).values(), certain_shares(candidates, m), strict=True):
        together = pairs_per_key(side, homes, _LARGEST_HOUSEHOLD)
        _, left, right = agreeing_pairs(side, homes, homes, _HOME_PAIRS, generator)
        levels = levels_of(compare(held.subjects, held.subjects, left, right, model.cuts)[1])
        date, forename = levels[PLACE["date_of_birth"]], levels[PLACE["forename"]]
        both = (date != 0) & (forename != 0)
        apart = both & np.isin(date, different) & (forename == unlike)
        pairs = together * float(apart.sum()) / max(float(both.sum()), 1.0)
        pairs = min((pairs - matches * side.pairs * seen * mistaken) / plainly, float(together))
        shares.append(max(pairs, _FEWEST_EXPECTED) / max(seen, 0.05) / side.pairs)
    return tuple(shares)


def certain_shares(candidates: Candidates, m: dict[str, FloatArray]) -> tuple[float, ...]:
    """Return about what share of all pairs is a match, for each pair of sources, before anything is fitted.

    Reckoned from pairs that agree exactly on both names and the date of birth, which are hardly anything but matches.
    """
    certain = {"forename": ("exact",), "surname": ("exact",), "date_of_birth": ("exact_same_sex", "exact")}
    levels = levels_of(candidates.pattern)
    agree = np.ones(levels.shape[1], dtype=np.bool_)
    chance = 1.0
    for name, names in certain.items():
        agree &= np.isin(levels[PLACE[name]], [LEVEL[name][level] for level in names])
        chance *= float(m[name][LEVEL[name][names[-1]] - 1])
    found = np.bincount(candidates.side[agree], minlength=len(candidates.searched)) / chance
    return tuple(
        max(float(count), _FEWEST_EXPECTED) / max(searched, 1)
        for count, searched in zip(found, candidates.searched, strict=True)
    )


def relatives_per_match(candidates: Candidates, m: dict[str, FloatArray], shares: Sequence[float]) -> float:
    """Return about how many pairs of relatives there are for each match, from their shares by pair of sources."""
    searched = candidates.searched
    matches = sum(share * pairs for share, pairs in zip(certain_shares(candidates, m), searched, strict=True))
    relatives = sum(share * pairs for share, pairs in zip(shares, searched, strict=True))
    return relatives / max(matches, _FEWEST_EXPECTED)


def certain_matches(held: HeldSubjects, candidates: Candidates, m: dict[str, FloatArray]) -> float:
    """Return about how many matches there are in all, as `certain_shares` reckons."""
    shares = certain_shares(candidates, m)
    return sum(share * side.pairs for share, side in zip(shares, linkable(held).values(), strict=True))


def matched_shares(share: float, side: Sides, left_unique: bool, right_unique: bool) -> tuple[float, float]:
    """Return the shares of the left and of the right source's subjects that have a match in the other, given the share
    of matches among all pairs.

    They count only towards sources of one record per person: there a subject has one match or none, so a candidate
    without rivals competes with "none" alone. Where a source may repeat people, one match says nothing about the next,
    and the share is 0.
    """
    if side.right is None:
        return 0.0, 0.0
    matches = share * side.pairs
    return (
        min(matches / len(side.left), 1.0) if right_unique else 0.0,
        min(matches / len(side.right), 1.0) if left_unique else 0.0,
    )


def likeliest_share(ratios: FloatArray, pairs: int, most: float = 0.5) -> tuple[float, float, float]:
    """Return (share of matches among `pairs` pairs of greatest likelihood, its 95 % interval).

    `ratios` are the likelihood ratios of the candidates; all other pairs have ratio 0. The likelihood is concave in the
    share, so its slope is bisected; the interval takes its curvature there.
    """
    least = _FEWEST_EXPECTED / pairs
    others = pairs - len(ratios)

    def slope(share: float) -> float:
        return float(((ratios - 1) / (share * ratios + 1 - share)).sum() - others / (1 - share))

    low, high = np.log(least), np.log(most * (1 - 1e-9))
    if slope(least) <= 0:
        share = least
    else:
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(float(np.exp(middle))) > 0 else (low, middle)
        share = float(np.exp((low + high) / 2))
    information = float((((ratios - 1) / (share * ratios + 1 - share)) ** 2).sum()) + others / (1 - share) ** 2
    spread = 1.96 / np.sqrt(max(information, 1e-12))
    return share, max(share - spread, least), min(share + spread, most)


def _log2_odds(share: float) -> float:
    return float(np.log2(share / (1 - share)))
