"""Who keeps which person id when components are clustered anew, and what became of the others.

While the stream goes on (`assign`), an id lives on in the cluster that holds its oldest remaining subject; where
several ids meet in one cluster the oldest stays and the others merge into it. When a model is adopted (`carry_over`),
everybody is clustered anew, and ids go where most of their subjects are. A cluster that inherits no id gets a new one.
Oldest means lowest serial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.contracts.persons import PersonEventKind


@dataclass(frozen=True)
class Assignment:
    """Persons after a step.

    `subjects` is the input with the column `now` (person serial, null where a subject is in no person). `added` are the
    serials of new persons, `retired` (serial, superseded_by) those that are no more, `events` (kind, person,
    superseded_by) the lineage, by person.
    """

    subjects: pl.DataFrame
    added: pl.Series
    retired: pl.DataFrame
    events: pl.DataFrame


_KEPT: Final = pl.Schema({"person": pl.Int64(), "label": pl.Int64()})


def assign(subjects: pl.DataFrame, next_person: int) -> Assignment:
    """Give each cluster a person.

    `subjects` holds every subject of the touched components: `serial`, `person` (serial of the person it was in, or
    null) and `label` (its cluster now, null for a subject that has left). New serials count up from `next_person`, in
    the order of the clusters' oldest subjects.
    """
    here = _here(subjects)
    heirs = here.filter(pl.col("person").is_not_null()).group_by("person").agg(heir=pl.col("label").first())
    keepers = heirs.group_by(label="heir").agg(kept=pl.col("person").min())
    return _assigned(subjects, heirs, keepers, next_person)


def carry_over(subjects: pl.DataFrame, next_person: int) -> Assignment:
    """Give each cluster a person as `assign` does, but let ids go by largest overlap, then to the oldest.

    Of all pairs of an id and a cluster, that with the most subjects in common comes first, of equals that with the
    older id, then that with the older cluster; each id and each cluster is served once. An id that goes nowhere merges
    into the cluster that has most of its subjects.
    """
    here = _here(subjects)
    shared = (
        here.filter(pl.col("person").is_not_null())
        .group_by("person", "label")
        .agg(subjects=pl.len())
        .join(here.group_by("label").agg(cluster=pl.col("serial").min()), on="label")
        .sort(pl.col("subjects"), "person", "cluster", descending=[True, False, False])
    )
    settled = shared.filter(pl.len().over("person") == 1, pl.len().over("label") == 1)
    contested = shared.join(settled, on="person", how="anti", maintain_order="left")
    # One after another, since each choice narrows those after it; most persons stay who they are and are not here.
    kept: dict[int, int] = {}
    served: set[int] = set()
    for person, label in contested.select("person", "label").rows():
        if person not in kept and label not in served:
            kept[person] = label
            served.add(label)
    keepers = pl.concat([settled.select("person", "label"), pl.DataFrame(list(kept.items()), _KEPT, orient="row")])
    heirs = (
        shared.group_by("person", maintain_order=True)
        .agg(most=pl.col("label").first())
        .join(keepers, on="person", how="left")
        .select("person", heir=pl.coalesce("label", "most"))
    )
    return _assigned(subjects, heirs, keepers.select("label", kept="person"), next_person)


def _here(subjects: pl.DataFrame) -> pl.DataFrame:
    return subjects.filter(pl.col("label").is_not_null()).sort("serial")


def _assigned(subjects: pl.DataFrame, heirs: pl.DataFrame, keepers: pl.DataFrame, next_person: int) -> Assignment:
    """Return what follows from where each id went (`person`, `heir`), and which each cluster has (`label`, `kept`)."""
    here = _here(subjects)
    clusters = (
        here.group_by("label").agg(oldest=pl.col("serial").min()).join(keepers, on="label", how="left").sort("oldest")
    )
    is_new = pl.col("kept").is_null()
    clusters = clusters.with_columns(
        now=pl.when(is_new).then(next_person + is_new.cast(pl.Int64).cum_sum() - 1).otherwise(pl.col("kept"))
    )
    now = clusters.select("label", "now")
    assigned = subjects.join(now, on="label", how="left", nulls_equal=False, maintain_order="left")

    persons = subjects.select("person").drop_nulls().unique()
    ends = (
        persons.join(heirs, on="person", how="left")
        .join(now, left_on="heir", right_on="label", how="left", nulls_equal=False)
        .filter(pl.col("now").is_null() | (pl.col("now") != pl.col("person")))
        .select(
            kind=pl.when(pl.col("now").is_null())
            .then(pl.lit(PersonEventKind.RETIRE.value))
            .otherwise(pl.lit(PersonEventKind.MERGE.value)),
            person="person",
            superseded_by="now",
        )
    )
    splits = (
        here.filter(pl.col("person").is_not_null())
        .join(heirs, on="person")
        .filter(pl.col("label") != pl.col("heir"))
        .join(now, on="label")
        .select(kind=pl.lit(PersonEventKind.SPLIT.value), person="person", superseded_by="now")
        .unique()
    )
    return Assignment(
        subjects=assigned,
        added=clusters.filter(is_new)["now"],
        retired=ends.select(pl.col("person").alias("serial"), "superseded_by").sort("serial"),
        events=pl.concat([ends, splits]).sort("person", "kind", "superseded_by"),
    )
