"""The group of searches of the GP system: what they found, never merged with registers or groups worked out here.

Of one person the newest run of each search holds. A record is all that its source says of somebody, so that whom a
later run no longer finds comes in a newer record without the search.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.entry import category, count, flag
from linkage.features.states import known
from linkage.features.wording import UNLINKED, health
from schemas.codes import Condition, SearchKind
from schemas.features import FeatureDefinition

NONE: Final = "none"
GROUPS: Final = ("1", "2", "3", "4")
PRIORITY: Final[dict[Condition, str]] = {
    Condition.ASTHMA: "prio_group_asthma",
    Condition.COPD: "prio_group_copd_supplied",
    Condition.DIABETES: "prio_group_dm_supplied",
    Condition.HYPERTENSION: "prio_group_htn_supplied",
}
"""Asthma has no open rules, so that its supplied group is the only one."""
UNCODED: Final = (Condition.DIABETES, Condition.HYPERTENSION, Condition.COPD, Condition.CKD)
"""Conditions with a feature of their own; what is suspected of any other counts in `suspected_uncoded_any`."""
_RECORDED: Final = (SearchKind.PRIORITY_GROUP.value,)


def _entries() -> list[FeatureDefinition]:
    entries: list[FeatureDefinition] = []
    for condition, name in PRIORITY.items():
        entries += [
            category(
                name,
                (*GROUPS, NONE),
                f"Priority group of {condition} as the newest search of the GP system supplied it, 1 highest.",
                ordered=True,
                **health(_RECORDED),
            ),
            flag(
                f"prio_reviewed_{condition}",
                f"In a supplied priority group of {condition}, and reviewed since.",
                **health(_RECORDED),
            ),
            count(
                f"prio_review_months_{condition}",
                (0, 3, 6, 12),
                f"Completed months since the review of a supplied priority group of {condition}.",
                **health(_RECORDED, unknown_when=f"{UNLINKED}, or the person was not reviewed"),
            ),
        ]
    uncoded = (SearchKind.SUSPECTED_UNCODED.value,)
    return [
        *entries,
        *(
            flag(
                f"suspected_uncoded_{condition}",
                f"A search found signs of {condition} without its code; never a diagnosis.",
                **health(uncoded),
            )
            for condition in UNCODED
        ),
        flag(
            "suspected_uncoded_any",
            "A search found signs of some condition without its code; never a diagnosis.",
            **health(uncoded),
        ),
        flag(
            "asthma_highest_risk",
            "Found by the search for children and young people at the highest risk from asthma.",
            **health((SearchKind.HIGHEST_RISK.value,)),
        ),
    ]


ENTRIES: Final = tuple(_entries())


def features(context: Context) -> pl.DataFrame:
    """Return `person_id` and the features of `ENTRIES`, one row a person."""
    found = _found(context.plan("searches"), context.as_of)
    frame = context.persons.lazy().join(found, on="person_id", how="left", maintain_order="left")
    covered = pl.when(pl.col(f"covers_{SearchKind.PRIORITY_GROUP}"))
    columns: list[pl.Expr] = []
    for condition, name in PRIORITY.items():
        group, reviewed = pl.col(f"_group_{condition}"), pl.col(f"_reviewed_{condition}")
        columns += [
            covered.then(group.cast(pl.String).fill_null(NONE)).alias(name),
            known(SearchKind.PRIORITY_GROUP, reviewed.is_not_null()).alias(f"prio_reviewed_{condition}"),
            _months_since(reviewed, context.as_of).alias(f"prio_review_months_{condition}"),
        ]
    return frame.select(
        "person_id",
        *columns,
        *(
            known(SearchKind.SUSPECTED_UNCODED, pl.col(f"_uncoded_{c}")).alias(f"suspected_uncoded_{c}")
            for c in UNCODED
        ),
        known(SearchKind.SUSPECTED_UNCODED, pl.col("_uncoded")).alias("suspected_uncoded_any"),
        known(SearchKind.HIGHEST_RISK, pl.col("_highest")).alias("asthma_highest_risk"),
    ).collect()


def _months_since(day: pl.Expr, as_of: date) -> pl.Expr:
    months = (as_of.year - day.dt.year()) * 12 + as_of.month - day.dt.month().cast(pl.Int32)
    return (months - (day.dt.day() > as_of.day).cast(pl.Int32)).cast(pl.Int32)


def _found(rows: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Return one row a person of what the newest runs found; of one day, the highest group and the newest review."""
    search, condition = pl.col("search"), pl.col("condition")
    kind = {k: search == k.value for k in SearchKind}
    reviewed = pl.when(pl.col("reviewed_on") <= as_of).then(pl.col("reviewed_on"))
    priority = {c: kind[SearchKind.PRIORITY_GROUP] & (condition == c.value) for c in PRIORITY}
    return (
        rows.filter(pl.col("run_on") <= as_of)
        .filter(pl.col("run_on") == pl.col("run_on").max().over("person_id", "search", "condition"))
        .group_by("person_id")
        .agg(
            *(
                pl.when(which).then(pl.col("priority_group")).min().alias(f"_group_{c}")
                for c, which in priority.items()
            ),
            *(pl.when(which).then(reviewed).max().alias(f"_reviewed_{c}") for c, which in priority.items()),
            *(
                (kind[SearchKind.SUSPECTED_UNCODED] & (condition == c.value)).any().alias(f"_uncoded_{c}")
                for c in UNCODED
            ),
            kind[SearchKind.SUSPECTED_UNCODED].any().alias("_uncoded"),
            (kind[SearchKind.HIGHEST_RISK] & (condition == Condition.ASTHMA.value)).any().alias("_highest"),
        )
    )
