"""Answers over one state: what is counted, and what disclosure control lets through before the ledger has its say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from linkage.disclosure import Release, ReleasedTable, conflicts, release_table
from linkage.disclosure.counts import Counts, Mask
from schemas.disclosure import DisclosurePolicy
from schemas.features import Sensitivity
from services.query.ledger import Proposal
from services.query.questions import Kind, Question
from services.query.states import Codes, Dimension, State

_OTHER, _MEMBER, _UNKNOWN = range(3)
_STATUSES: Final = 3
_PRESENCES: Final = (2, 2)
"""Not in the feed or in it: health, then welfare."""
_LINKED, _HEALTH, _WELFARE = 4, 5, 7
"""Where the table of presences with margins, flattened, has who is in both, in health at all, in welfare at all."""
LINKAGE: Final = np.array([_LINKED, _HEALTH, _WELFARE])


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


def linkage_rates(state: State, policy: DisclosurePolicy) -> tuple[ReleasedTable, Release]:
    """Return the linkage of the whole snapshot, which comes with every answer, and the release that telling it is."""
    table, cells = _linkage(state, None, policy, ())
    told = np.zeros(table.values.size, np.bool_)
    told[LINKAGE] = ~table.suppressed.ravel()[LINKAGE]
    return table, Release.of_table(cells, _PRESENCES).told(told)


def count_answer(state: State, question: Question, policy: DisclosurePolicy) -> CountAnswer:
    """Return the count of a selection, of those of whom it cannot be told, of its denominator, and how that is linked.

    The three first are one table (with the others, who are not told, and their total). The linkage rates give way
    where they are too close to one of them: how many receive a benefit, say, beside a cohort of nearly all who do.
    """
    rows = question.selection.rows(state.people)
    inside = rows.inside.to_numpy()
    status = np.where(rows.members.to_numpy(), _MEMBER, np.where(rows.unknown.to_numpy(), _UNKNOWN, _OTHER))
    classes = [feature.sensitivity for feature in question.features]
    statuses = release_table(_counted(np.where(inside, status, -1), (_STATUSES,)), policy.rule(classes), (True,))
    linkage, presence = _linkage(state, inside, policy, classes)
    own, rates = [_MEMBER, _UNKNOWN, _STATUSES], LINKAGE
    permitted = np.concatenate([~statuses.suppressed[own], ~linkage.suppressed.ravel()[rates]])
    cells = np.where(inside, status * 4 + presence, -1).astype(np.int32)
    release = Release(cells, sparse.csr_matrix(_count_groups()))
    first = np.arange(len(permitted)) < len(own)
    told, further = release.told(permitted & first), permitted & ~first
    permitted[further] = ~conflicts(release.told(further), [told], policy.min_difference)
    numbers = np.concatenate([statuses.values[own], linkage.values.ravel()[rates]])
    return CountAnswer(
        numbers, Proposal(release, permitted, np.arange(len(permitted)) == 0, int(rows.members.sum() or 0))
    )


def table_answer(state: State, question: Question, policy: DisclosurePolicy) -> TableAnswer:
    """Return a selection's members counted by the question's dimensions, unknown as a value of its own."""
    rows = question.selection.rows(state.people)
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


def _linkage(
    state: State, inside: Mask | None, policy: DisclosurePolicy, classes: Iterable[Sensitivity]
) -> tuple[ReleasedTable, Codes]:
    """Return people by presence in health and in welfare, protected, and everybody's cell of that table."""
    held = [state.people[name].fill_null(False).to_numpy() for name in ("in_health", "in_welfare")]
    presence = np.ravel_multi_index([part.astype(np.int32) for part in held], _PRESENCES).astype(np.int32)
    counts = _counted(presence if inside is None else np.where(inside, presence, -1), _PRESENCES)
    # To be in a welfare source says something of each person; to be in a health source does not.
    return release_table(counts, policy.rule([*classes, Sensitivity.WELFARE]), (False, True)), presence


def _count_groups() -> Counts:
    """Return the groups of a count over cells `status * 4 + presence`, one row each, in the order of `CountAnswer`."""
    status, presence = np.divmod(np.arange(_STATUSES * 4), 4)
    health, welfare = presence >= 2, presence % 2 == 1
    everybody = np.ones(_STATUSES * 4, np.bool_)
    groups = [status == _MEMBER, status == _UNKNOWN, everybody, health & welfare, health, welfare]
    return np.array(groups).astype(np.int64)


def _counted(cells: Codes, shape: tuple[int, ...]) -> Counts:
    size = int(np.prod(shape))
    return np.bincount(cells[cells >= 0], minlength=size).reshape(shape).astype(np.int64)


def _margins(shape: tuple[int, ...]) -> Mask:
    """Return which entries of a table with margins, flattened, are totals over at least one dimension."""
    places = np.indices([width + 1 for width in shape]).reshape(len(shape), -1)
    return np.asarray((places == np.array(shape)[:, None]).any(axis=0))
