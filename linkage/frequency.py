"""How common values and full names are among the subjects held: frozen with the model that is fitted to them."""

from __future__ import annotations

from typing import Final

import numpy as np

from linkage.held import HeldSubjects
from linkage.levels import FloatArray
from linkage.subjects import TOKEN_POSITION, UInt64Array, token_prefix
from linkage.weigh import FULL_NAME, full_name_words
from schemas.model import Frequencies

FREQUENCY_FLOORS: Final = {"token_forename": 1e-3, "token_surname": 2e-4, "token_date_of_birth": 5e-5}
"""Frequency below which a value is taken to be no rarer. Measured in `decisions/0011`."""

MOST_FULL_NAMES: Final = 20_000
"""Full names that are listed at the most, the commonest: a model's size must not grow with the subjects it is fitted
to."""

_LEAST_COUNT: Final = 4  # subjects with a value before its frequency is more than chance


def frequencies(held: HeldSubjects) -> tuple[Frequencies, ...]:
    """Return how common each column's frequent values are, and full names where a source can tell."""
    subjects, alive = held.subjects, held.alive
    tables = []
    for column, floor in FREQUENCY_FLOORS.items():
        words = np.ascontiguousarray(subjects.table[:, TOKEN_POSITION[column]])
        present = [words[alive & (subjects.source == code) & (words != 0)] for code in range(len(subjects.sources))]
        tables.append(_table(column, floor, *_shares(present)))
    return (*tables, *_full_names(held))


def _full_names(held: HeldSubjects) -> tuple[Frequencies, ...]:
    """Return how common full names are, in sources of one record per person: elsewhere most who share one are one.

    The floor is how often somebody of a name that is not listed meets a namesake. Nothing where none is met.
    """
    subjects = held.subjects
    present = []
    for code in np.flatnonzero(subjects.unique):
        words = full_name_words(subjects.table[held.alive & (subjects.source == code)])
        present.append(words[words != 0])
    words, share = _shares(present)
    commonest = np.argsort(-share, kind="stable")[:MOST_FULL_NAMES]
    words, share = words[commonest], share[commonest]
    unlisted = [_namesakes(names[~np.isin(names, words)], len(names)) for names in present if len(names)]
    floor = float(np.mean(unlisted)) if unlisted else 0.0
    return (_table(FULL_NAME, floor, words, share),) if floor > 0 else ()


def _namesakes(words: UInt64Array, subjects: int) -> float:
    """Return the share of a source's subjects that the average of these shares a value with."""
    _, count = np.unique(words, return_counts=True)
    return float((count * (count - 1.0)).sum()) / max(len(words), 1) / max(subjects - 1, 1)


def _shares(present: list[UInt64Array]) -> tuple[UInt64Array, FloatArray]:
    """Return the frequent values of sources, and the mean over sources of their share of the *other* subjects.

    A subject does not count against itself, or every value that occurs once would look as common as 1 in all.
    """
    present = [values for values in present if len(values)]
    empty = np.zeros(0, dtype=np.uint64)
    common, count = np.unique(np.concatenate(present), return_counts=True) if present else (empty, empty)
    common = common[count >= _LEAST_COUNT]
    total = np.zeros(len(common))
    for values in present:
        ordered = np.sort(values)
        count = np.searchsorted(ordered, common, side="right") - np.searchsorted(ordered, common)
        total += np.maximum(count - 1, 0) / max(len(values) - 1, 1)
    return common, total / max(len(present), 1)


def _table(column: str, floor: float, words: UInt64Array, shares: FloatArray) -> Frequencies:
    values = {token_prefix(int(w)): float(s) for w, s in zip(words, shares, strict=True) if s > floor}
    return Frequencies(column=column, floor=floor, values=dict(sorted(values.items())))
