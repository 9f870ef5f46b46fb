"""How many of all pairs are matches, and how many are relatives, for each pair of sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from linkage.comparable import LEAST_UNMATCHED
from linkage.compare import LEVEL, PLACE, compare, levels_of
from linkage.held import HeldSubjects
from linkage.levels import FloatArray
from linkage.sample import Sides, agreeing_pairs, linkable, pairs_per_key
from linkage.strangers import home_keys
from linkage.weigh import Weigher, relative_table
from schemas.model import MatchModel, SourcePrior

if TYPE_CHECKING:
    from linkage.fit import Candidates

_LARGEST_HOUSEHOLD: Final = 10
"""People of one address that count as a household: hostels and care homes would make everyone a relative."""

_FEWEST_EXPECTED: Final = 0.5
"""Matches expected at the least, however little is found: a prior of nothing could never be overcome."""

_HOME_PAIRS: Final = 50_000


def estimate_priors(
    held: HeldSubjects,
    candidates: Candidates,
    weigher: Weigher,
    relatives: Sequence[float],
) -> tuple[SourcePrior, ...]:
    """Return the prior of each pair of sources: the share of matches at which the candidates' weights are likeliest.

    `relatives` is the share of pairs that are relatives, by pair of sources. Pairs that no pass found count as no
    match.
    """
    sides, subjects = linkable(held), held.subjects
    unique = dict(zip(subjects.sources, subjects.unique, strict=True))
    priors = []
    for number, (name, other) in enumerate(candidates.names):
        at = np.flatnonzero(candidates.side == number)
        pattern, left = candidates.pattern[at], candidates.left[at]
        frequency = weigher.frequency_bits(pattern, held.subjects.table, left)
        log2_relatives = float(np.log2(relatives[number]))
        ratios = np.exp2(weigher.weigh(pattern, frequency, log2_relatives))
        searched, asked = max(candidates.searched[number], 1), candidates.asked[number]
        side = sides[name, other]
        if name != other and unique[candidates.among[number]]:
            # A subject has one match or none there: its candidates are alternatives to each other.
            others = searched / asked
            _, subject = np.unique(left, return_inverse=True)
            by_subject = np.bincount(subject, ratios) / others
            share, low, high = (part / others for part in likeliest_share(by_subject, asked, most=1.0))
        else:
            share, low, high = likeliest_share(ratios, searched)
        matched = [matched_shares(value, side, unique[name], unique[other]) for value in (share, low, high)]
        alone = [sum(float(np.log2(max(1 - part, LEAST_UNMATCHED))) for part in parts) for parts in matched]
        priors.append(
            SourcePrior(
                left_source=name,
                right_source=other,
                log2_prior=_log2_odds(share) - alone[0],
                log2_prior_low=_log2_odds(low) - alone[1],
                log2_prior_high=_log2_odds(high) - alone[2],
                log2_share=_log2_odds(share),
                log2_relatives=log2_relatives,
                left_matched=matched[0][0],
                right_matched=matched[0][1],
            )
        )
    return tuple(priors)


def match_probabilities(
    held: HeldSubjects, candidates: Candidates, weigher: Weigher, priors: Sequence[SourcePrior]
) -> FloatArray:
    """Return each candidate's probability of a match, those of one subject alternatives where it has one at most."""
    unique = dict(zip(held.subjects.sources, held.subjects.unique, strict=True))
    probability = np.zeros(len(candidates.pattern))
    for number, prior in enumerate(priors):
        at = np.flatnonzero(candidates.side == number)
        pattern, left = candidates.pattern[at], candidates.left[at]
        frequency = weigher.frequency_bits(pattern, held.subjects.table, left)
        ratios = np.exp2(weigher.weigh(pattern, frequency, prior.log2_relatives))
        share = 2**prior.log2_share / (1 + 2**prior.log2_share)
        if prior.left_source != prior.right_source and unique[candidates.among[number]]:
            others = candidates.searched[number] / candidates.asked[number]
            _, subject = np.unique(left, return_inverse=True)
            total = np.bincount(subject, ratios)[subject]
            probability[at] = share * ratios / (max(1 - share * others, LEAST_UNMATCHED) + share * total)
        else:
            probability[at] = share * ratios / (share * ratios + 1 - share)
    return probability


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
