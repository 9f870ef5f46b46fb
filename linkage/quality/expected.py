"""How many errors are expected: false links and missed matches, of every subject and of persons.

A link is false with one minus its probability. A match is missed where a pair was not linked although it has some
probability, and where it was never emitted (`linkage.quality.beyond`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from linkage.quality.beyond import never_emitted
from linkage.quality.evidence import Census, Evidence
from linkage.subjects import IntArray
from linkage.weigh import FloatArray


@dataclass(frozen=True)
class Expected:
    """By subject (n): `links` that were made, how many of them are expected `false`, how many matches were `missed`.

    `missed` has the part `beyond` in it, matches that were never emitted. `false_swing` and `missed_swing` are by how
    much the pairs among the two would change if all log odds moved by one (natural) unit: the sums of p(1 - p), which
    is the variance of counting too. `beyond_swing` is that of what is beyond for subjects whose matches mostly show,
    `sparse_swing` for those whose do not. A pair counts for both of its subjects.
    """

    links: FloatArray
    false: FloatArray
    false_swing: FloatArray
    missed: FloatArray
    missed_swing: FloatArray
    beyond: FloatArray
    beyond_swing: FloatArray
    sparse_swing: FloatArray
    leader: int
    """Code of the source whose own gaps say how many matches were never emitted, and whose subjects those are."""


def expected(census: Census, evidence: Evidence) -> Expected:
    """Return the expected errors among links, by subject."""
    size = len(census)
    made = evidence.between & evidence.linked
    apart = evidence.between & ~evidence.linked
    swing = evidence.swing
    likely = _by_subject(evidence, np.where(evidence.between, evidence.probability, 0.0), size)
    never = never_emitted(census.source, census.found_share, census.link_share, likely)
    return Expected(
        links=_by_subject(evidence, made.astype(np.float64), size),
        false=_by_subject(evidence, np.where(made, 1 - evidence.probability, 0.0), size),
        false_swing=_by_subject(evidence, np.where(made, swing, 0.0), size),
        missed=_by_subject(evidence, np.where(apart, evidence.probability, 0.0), size) + never.missing,
        missed_swing=_by_subject(evidence, np.where(apart, swing, 0.0), size),
        beyond=never.missing,
        beyond_swing=never.swing,
        sparse_swing=never.sparse_swing,
        leader=never.leader,
    )


def expected_persons(evidence: Evidence, unmet: Mapping[str, float]) -> dict[str, float]:
    """Return the same sums over pairs within persons, within files too: `links`, `false`, `missed` and so on.

    `unmet` are the sums of what is beyond, of links.

    Two subjects of a person that have no pair of their own are one through a third: as likely as both their own links.
    """
    person, size = evidence.label, np.bincount(evidence.label)
    found = int((size * (size - 1) // 2).sum())
    inside, apart = evidence.linked, ~evidence.linked
    left, right, probability = evidence.left[inside], evidence.right[inside], evidence.probability[inside]
    sure = np.zeros(len(person))
    np.maximum.at(sure, left, probability)
    np.maximum.at(sure, right, probability)
    total = np.bincount(person, weights=sure, minlength=len(size))
    squares = np.bincount(person, weights=sure**2, minlength=len(size))
    through = float(((total**2 - squares) / 2).sum()) - float((sure[left] * sure[right]).sum())
    swing = evidence.swing
    return {
        **unmet,
        "links": float(found),
        "false": max(found - float(probability.sum()) - max(through, 0.0), 0.0),
        "false_swing": float(swing[inside].sum()),
        "false_by_kind": evidence.by_kind(inside),
        "missed": float(evidence.probability[apart].sum()) + unmet["beyond"],
        "missed_swing": float(swing[apart].sum()),
        "missed_by_kind": evidence.by_kind(apart),
    }


def _by_subject(evidence: Evidence, weight: FloatArray, size: int) -> FloatArray:
    """Return the sum of pairs' weights by subject; a pair counts for both of its ends."""
    at = np.flatnonzero(weight)
    ends: IntArray = np.concatenate([evidence.left[at], evidence.right[at]])
    total = np.bincount(ends, weights=np.concatenate([weight[at], weight[at]]), minlength=size)
    return total.astype(np.float64)
