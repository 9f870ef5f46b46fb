"""The group of hospital, mental health and community care, in one pass over a person's encounters.

Each module gives what is summed over the encounters (`per_event`) and the features over the sums (`columns`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.hospital import charlson, reasons, use
from linkage.features.hospital.events import events

_SUBJECTS: Final = (use, reasons, charlson)

ENTRIES: Final = tuple(entry for subject in _SUBJECTS for entry in subject.ENTRIES)


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the features of `ENTRIES`, one row a person."""
    told = events(context.facts("encounters"), context.as_of)
    asked = {name: expr for subject in _SUBJECTS for name, expr in subject.per_event(context.as_of).items()}
    sums = (
        told.select("person_id", *(expr.alias(name) for name, expr in asked.items()))
        .group_by("person_id")
        .agg(pl.col(*asked).sum())
    )
    frame = (
        context.persons.lazy()
        .join(sums, on="person_id", how="left", maintain_order="left")
        .join(use.readmissions(told), on="person_id", how="left", maintain_order="left")
    )
    steps = [column for subject in _SUBJECTS for column in subject.columns(context.as_of)]
    return frame.select("person_id", *steps).collect()
