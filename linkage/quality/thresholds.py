"""What the linkage would be at other thresholds, and how sure its links are.

A stricter threshold keeps the accepted links that reach it; a looser one adds the unguarded pairs that reach it, to
where they lead. What constraints would then hold apart is not looked at: for that, link again with that policy.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.evaluate import components
from linkage.quality.estimate import precision, recall
from linkage.quality.evidence import Census, Evidence
from linkage.quality.expected import Expected
from linkage.quality.groups import UNMET, errors_of
from linkage.subjects import BoolArray, IntArray
from schemas.quality import Estimate, GradeCount, NotEstimable, Spread, ThresholdQuality

STRICT, LOOSE = 0.95, 0.3
GRID: Final = (0.4, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999)
"""Link probabilities shown besides strict, default and loose."""

GRADES: Final = (("certain", 0.999), ("strong", 0.95), ("likely", 0.5), ("doubtful", 0.0))
"""Names of links by the least probability of each."""


def links_at(evidence: Evidence, probability: float, default: float) -> BoolArray:
    """Return which pairs are links at another threshold than the default one."""
    reached = evidence.probability >= probability
    if probability >= default:
        kept: BoolArray = evidence.linked & reached
        return kept
    return evidence.linked | (reached & ~evidence.guarded)


def thresholds(
    census: Census,
    evidence: Evidence,
    expected: Expected,
    spread: Spread,
    default: float,
    unknown: NotEstimable | None,
) -> tuple[ThresholdQuality, ...]:
    """Return the linkage at the strict, the default, the loose and a few other thresholds, lowest first."""
    named = {**dict.fromkeys(GRID, ""), STRICT: "strict", LOOSE: "loose", default: "default"}
    unmet = {name: float(getattr(expected, name).sum()) / 2 for name in UNMET}
    ends = np.stack([evidence.left, evidence.right])
    paired = np.zeros(len(census), dtype=np.bool_)
    paired[ends] = True
    ends = (np.cumsum(paired) - 1)[ends]
    # Most subjects of a large source are in no pair: only those that are need looking at for each threshold.
    source, total = census.source[paired], np.bincount(census.source, minlength=len(census.sources))
    result = []
    for probability, name in sorted(named.items()):
        linked = evidence.linked if probability == default else links_at(evidence, probability, default)
        made = evidence.between & linked
        apart = evidence.between & ~linked
        sums = {
            "links": float(made.sum()),
            "false": float((1 - evidence.probability[made]).sum()),
            "false_swing": float(evidence.swing[made].sum()),
            "false_by_kind": evidence.by_kind(made),
            "missed": float(evidence.probability[apart].sum()) + unmet["beyond"],
            "missed_swing": float(evidence.swing[apart].sum()),
            "missed_by_kind": evidence.by_kind(apart),
            **unmet,
        }
        errors = errors_of(sums, spread)
        result.append(
            ThresholdQuality(
                name=name,
                link_probability=probability,
                links=int(made.sum()),
                persons_of_two_or_more=_persons(ends, linked),
                precision=Estimate(not_estimable=unknown) if unknown else precision(errors),
                recall=Estimate(not_estimable=unknown) if unknown else recall(errors),
                link_rates=_rates(census.sources, total, source, ends[:, made]),
            )
        )
    return tuple(result)


def grades(census: Census, evidence: Evidence) -> tuple[GradeCount, ...]:
    """Return how many links each pair of sources has of each grade."""
    made = np.flatnonzero(evidence.between & evidence.linked)
    ends = np.sort(np.stack([census.source[evidence.left[made]], census.source[evidence.right[made]]]), axis=0)
    least = np.asarray([probability for _, probability in GRADES])
    grade = np.argmax(evidence.probability[made][:, None] >= least, axis=1)
    shape = len(census.sources), len(census.sources), len(GRADES)
    count = np.bincount(np.ravel_multi_index((*ends.astype(np.int64), grade), shape), minlength=np.prod(shape))
    return tuple(
        GradeCount(
            left_source=census.sources[one],
            right_source=census.sources[other],
            grade=GRADES[which][0],
            links=int(count.reshape(shape)[one, other, which]),
        )
        for one, other, which in np.argwhere(count.reshape(shape))
    )


def _persons(ends: IntArray, linked: BoolArray) -> int:
    """Return how many persons of two or more subjects the links make; `ends` (2, pairs) numbers the subjects."""
    left, right = ends[:, linked]
    person = components(int(ends.max(initial=-1)) + 1, left, right)
    return int(np.count_nonzero(np.bincount(person[left], minlength=1)))


def _rates(
    sources: tuple[str, ...], total: IntArray, source: npt.NDArray[np.uint16], ends: IntArray
) -> dict[str, float]:
    """Return the share of each source's subjects (`total`) that have a link; `ends` (2, links) number those of which
    `source` is the code.
    """
    has = np.zeros(len(source), dtype=np.bool_)
    has[ends] = True
    some = np.bincount(source[has], minlength=len(sources))
    return {name: round(float(some[i] / max(total[i], 1)), 6) for i, name in enumerate(sources)}
