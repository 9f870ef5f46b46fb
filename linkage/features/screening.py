"""The group of cancer screening: the newest entry of each programme holds."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.edges import NOT_RECORDED
from linkage.features.entry import category, count
from linkage.features.wording import UNLINKED, health
from schemas.codes import ScreeningProgramme, ScreeningStatus

_STATUSES: Final = tuple(status.value for status in ScreeningStatus)

ENTRIES: Final = (
    *(
        category(
            f"{programme}_screen_status",
            (NOT_RECORDED, *_STATUSES),
            f"Where the person stands in {programme} screening by the newest entry.",
            **health((programme.value,)),
        )
        for programme in ScreeningProgramme
    ),
    count(
        "overdue_screen_n",
        (0, 1, 2, 3),
        "Number of the three screening programmes in which the person is overdue.",
        **health(
            tuple(map(str, ScreeningProgramme)), unknown_when=f"{UNLINKED}, or one of the three programmes is missing"
        ),
    ),
)


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the features of `ENTRIES`, one row a person."""
    programme, day = pl.col("programme"), pl.col("recorded_on")
    rank = pl.col("status").replace_strict(_STATUSES, range(len(_STATUSES)), default=None, return_dtype=pl.Int64)
    # Day and place in the list in one whole number: the greatest is the newest, and of one day always the same.
    newest = day.cast(pl.Int32).cast(pl.Int64) * len(_STATUSES) + rank
    told = (
        context.plan("screenings")
        .filter(day <= context.as_of)
        .group_by("person_id")
        .agg(pl.when(programme == p.value).then(newest).max().alias(f"_{p}") for p in ScreeningProgramme)
    )
    status = {
        p: pl.when(pl.col(f"covers_{p}")).then(
            (pl.col(f"_{p}") % len(_STATUSES))
            .replace_strict(range(len(_STATUSES)), _STATUSES, default=None, return_dtype=pl.String)
            .fill_null(NOT_RECORDED)
        )
        for p in ScreeningProgramme
    }
    overdue = [(one == ScreeningStatus.OVERDUE.value).cast(pl.Int32) for one in status.values()]
    return (
        context.persons.lazy()
        .join(told, on="person_id", how="left", maintain_order="left")
        .select(
            "person_id",
            *(one.alias(f"{p}_screen_status") for p, one in status.items()),
            reduce(add, overdue).alias("overdue_screen_n"),
        )
        .collect()
    )
