"""Counts that tell a reader where to look: what reviewers are asked and why, and persons that cannot be right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from linkage.quality.evidence import Census, Evidence
from linkage.reason import Because, because
from schemas.decision import Decision, DecisionPolicy
from schemas.quality import ReviewReason

LARGEST_PERSON: Final = 10
"""Subjects of one person beyond which it is more likely several people chained together (GUILD's implausible links)."""


def reviews(links: pl.DataFrame, policy: DecisionPolicy, subjects: int) -> tuple[ReviewReason, ...]:
    """Return how many pairs are put to review, by reason: the guard that asks, else a `Because`, where no reviewer has
    spoken.
    """
    why = because(policy).alias("reason")
    told = links.filter(pl.col("decision") == Decision.REVIEW.value).with_columns(override=pl.lit(None, pl.String))
    told = told.with_columns(why)
    guarded = pl.col("reason") == Because.GUARD.value
    asked = told.group_by(pl.when(guarded).then("guard").otherwise("reason").alias("reason")).len()
    return tuple(
        ReviewReason(reason=name, pairs=pairs, per_10000_subjects=round(10_000 * pairs / max(subjects, 1), 2))
        for name, pairs in asked.sort("reason").rows()
    )


def guards(links: pl.DataFrame) -> dict[str, int]:
    """Return how many pairs each guard held back."""
    held = links.filter(pl.col("guard").is_not_null()).group_by("guard").len().sort("guard")
    return dict(held.rows())


def implausible(census: Census, evidence: Evidence, attributes: Mapping[str, pl.Series]) -> dict[str, int]:
    """Return how many persons look like several people, by what is wrong with them.

    `attributes` may have `birth` (in months), `sex`, `role` and `claim` of each subject; what is not given is not
    checked. A child older than a claimant is judged by the earliest birth months of the two persons.
    """
    person, size = evidence.label, np.bincount(evidence.label)
    found = {"over_10_subjects": int((size > LARGEST_PERSON).sum())}
    several = np.flatnonzero(size[person] > 1)
    for name in ("birth", "sex"):
        if name in attributes:
            values = pl.DataFrame({"person": person[several], "value": attributes[name].gather(several)}).drop_nulls()
            found[f"several_{name}_values"] = int((values.unique().group_by("person").len()["len"] > 1).sum())
    if {"birth", "role", "claim"} <= attributes.keys():
        theirs = np.flatnonzero(attributes["role"].is_not_null() & attributes["claim"].is_not_null())
        claimed = pl.DataFrame(
            {"person": person[theirs], **{name: attributes[name].gather(theirs) for name in ("role", "claim")}}
        )
        claims = np.zeros(len(size), dtype=np.bool_)
        claims[person[theirs]] = True
        told = np.flatnonzero(claims[person])
        birth = pl.DataFrame({"person": person[told], "birth": attributes["birth"].gather(told)}).drop_nulls()
        birth = birth.group_by("person").agg(pl.col("birth").min())
        claimed = claimed.join(birth, on="person")
        parent = claimed.filter(pl.col("role") == "claimant").select("claim", parent="birth")
        child = claimed.filter(pl.col("role") == "child").join(parent, on="claim")
        found["child_older_than_claimant"] = int((child["birth"] <= child["parent"]).sum())
    return found
