"""Answers over one state: what is counted, and what disclosure control lets through before the ledger has its say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from linkage.disclosure import Release, ReleasedTable, conflicts, release_table
from linkage.disclosure.counts import Counts, Mask, leaves_too_few, rounded, too_small
from schemas.disclosure import DisclosurePolicy
from schemas.features import Sensitivity
from services.query.ledger import Proposal
from services.query.questions import Kind, Question
from services.query.states import Codes, Dimension, State

_OTHER, _MEMBER, _UNKNOWN = range(3)
_STATUSES: Final = 3
_PRESENCES: Final = 4
"""Cells of presence: 2 for being in health plus 1 for being in welfare."""


@dataclass(frozen=True)
class Linkage:
    """How people are linked: `numbers` of the linked, those in health and those in welfare; `permitted` which may
    be told.

    `release` is what telling all three would be.
    """

    numbers: Counts
    permitted: Mask
    release: Release


@dataclass(frozen=True)
class CountAnswer:
    """A count before the ledger; numbers and groups: member, unknown, all; linked, health, welfare."""

    numbers: Counts
    proposal: Proposal


@dataclass(frozen=True)
class TableAnswer:
    """A table before the ledger, margins included: one axis a dimension, last its unknown value and then its total."""

    dimensions: tuple[Dimension, ...]
    table: ReleasedTable
    proposal: Proposal


def propose(state: State, question: Question, policy: DisclosurePolicy) -> Proposal:
    """Return what the ledger needs of any question."""
    answer = count_answer if question.kind is Kind.COUNT else table_answer
    return answer(state, question, policy).proposal


def linkage(
    state: State, policy: DisclosurePolicy, inside: Mask | None = None, classes: Iterable[Sensitivity] = ()
) -> Linkage:
    """Return how the people `inside` are linked (all by default), protected with `classes` and as welfare data.

    To be in a welfare source says something of each person, to be in a health source does not: so all of a group in
    welfare, or all of health linked, is withheld, and all in health is told.
    """
    presence = state.presence
    cells = presence if inside is None else np.where(inside, presence, -1).astype(np.int32)
    release = Release(cells, sparse.csr_matrix(_linkage_groups(np.arange(_PRESENCES))))
    numbers = release.sizes
    health, welfare, everyone = (np.array([n]) for n in (*numbers[1:], (cells >= 0).sum()))
    rule = policy.rule([*classes, Sensitivity.WELFARE])
    withheld = too_small(numbers, rule)
    for part, whole, telling in (
        (0, health, True),
        (0, welfare, False),
        (1, everyone, False),
        (2, everyone, True),
    ):
        withheld[part] |= leaves_too_few(numbers[[part]], whole, rule, full=telling)[0]
    return Linkage(rounded(numbers, rule), ~withheld, release)


def count_answer(state: State, question: Question, policy: DisclosurePolicy) -> CountAnswer:
    """Return the count of a selection, of those of whom it cannot be told, of its denominator, and how that is linked.

    The three first are one table (with the others, who are not told, and their total). The linkage rates give way
    where they are too close to one of them: how many receive a benefit, say, beside a cohort of nearly all who do.
    """
    rows = question.rows(state)
    inside = rows.inside.to_numpy()
    status = np.where(rows.members.to_numpy(), _MEMBER, np.where(rows.unknown.to_numpy(), _UNKNOWN, _OTHER))
    classes = [feature.sensitivity for feature in question.features]
    statuses = release_table(_counted(np.where(inside, status, -1), (_STATUSES,)), policy.rule(classes), (True,))
    linked = linkage(state, policy, inside, classes)
    own = [_MEMBER, _UNKNOWN, _STATUSES]
    permitted = np.concatenate([~statuses.suppressed[own], linked.permitted])
    cells = np.where(inside, status * _PRESENCES + state.presence, -1).astype(np.int32)
    release = Release(cells, sparse.csr_matrix(_count_groups()))
    first = np.arange(len(permitted)) < len(own)
    told, further = release.told(permitted & first), permitted & ~first
    permitted[further] = ~conflicts(release.told(further), [told], policy.min_difference)
    numbers = np.concatenate([statuses.values[own], linked.numbers])
    essential = np.arange(len(permitted)) == 0
    return CountAnswer(numbers, Proposal(release, permitted, essential, int(rows.members.sum() or 0)))


def table_answer(state: State, question: Question, policy: DisclosurePolicy) -> TableAnswer:
    """Return a selection's members counted by the question's dimensions, unknown as a value of its own."""
    rows = question.rows(state)
    features = {feature.name: feature for feature in question.features}
    dimensions = tuple(state.dimension(features[name]) for name in question.dimensions)
    shape = tuple(dimension.width for dimension in dimensions)
    places = np.ravel_multi_index([dimension.codes for dimension in dimensions], shape)
    cells = np.where(rows.members.to_numpy(), places, -1).astype(np.int32)
    rule = policy.rule(feature.sensitivity for feature in question.features)
    telling = tuple(d.feature.sensitivity is not Sensitivity.ORDINARY for d in dimensions)
    table = release_table(_counted(cells, shape), rule, telling)
    permitted = ~table.suppressed.ravel()
    if not question.margins:
        permitted &= ~_margins(shape)
    essential = np.zeros_like(permitted)
    return TableAnswer(
        dimensions, table, Proposal(Release.of_table(cells, shape), permitted, essential, int(rows.members.sum() or 0))
    )


def _linkage_groups(presence: NDArray[np.signedinteger]) -> Counts:
    """Return which of these cells of presence are linked, in health, in welfare: one row each."""
    health, welfare = presence >= 2, presence % 2 == 1
    return np.array([health & welfare, health, welfare]).astype(np.int64)


def _count_groups() -> Counts:
    """Return the groups of a count over cells `status * 4 + presence`, one row each, in the order of `CountAnswer`."""
    status, presence = np.divmod(np.arange(_STATUSES * _PRESENCES), _PRESENCES)
    own = np.array([status == _MEMBER, status == _UNKNOWN, status >= 0]).astype(np.int64)
    return np.vstack([own, _linkage_groups(presence)])


def _counted(cells: Codes, shape: tuple[int, ...]) -> Counts:
    size = int(np.prod(shape))
    return np.bincount(cells[cells >= 0], minlength=size).reshape(shape).astype(np.int64)


def _margins(shape: tuple[int, ...]) -> Mask:
    """Return which entries of a table with margins, flattened, are totals over at least one dimension."""
    places = np.indices([width + 1 for width in shape]).reshape(len(shape), -1)
    return np.asarray((places == np.array(shape)[:, None]).any(axis=0))
