"""The group of general practice: registers, multimorbidity, frailty, priority groups, lifestyle, control, medicines,
needs.

`evidence` makes one row a person of all that the GP record says, in one pass over each kind of fact; the modules beside
it are expressions over that row, each with its entries, in steps of which a later one may read the features before it.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.practice import (
    control,
    frailty,
    lifestyle,
    medicines,
    multimorbidity,
    needs,
    priority,
    registers,
)
from linkage.features.practice.evidence import evidence

_SUBJECTS: Final = (registers, multimorbidity, frailty, priority, lifestyle, control, medicines, needs)

ENTRIES: Final = tuple(entry for subject in _SUBJECTS for entry in subject.ENTRIES)


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the features of `ENTRIES`, one row a person."""
    frame = evidence(context)
    for subject in _SUBJECTS:
        for step in subject.columns(context.as_of):
            frame = frame.with_columns(step)
    return frame.select("person_id", *(entry.name for entry in ENTRIES)).collect()
