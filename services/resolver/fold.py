"""What arrived and what is stored, folded into one: the highest rank wins, whatever the order of arrival.

A shard that has shown a subject's new record has said all its pairs, so its pairs of lower rank are superseded; they
are dropped once every shard has shown the record, so that nobody is split and joined again on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from schemas.contracts.base import Operation
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS

KEY: Final = ("source", "subject_ref")
PAIR: Final = ("left_serial", "right_serial")
RANK: Final = ("version", "withdrawn", "content_hash")
"""What orders the records of a subject: each column decides where those before it are equal."""

UNSEEN_VERSION: Final = -1
"""Version of a subject that only a pair has named."""


def all_shards(shards: int) -> int:
    """Return the mask with a bit for each of 1 to 64 shards, as the signed 64-bit integer that columns hold."""
    return int(np.array((1 << shards) - 1, dtype=np.uint64).astype(np.int64))


def latest_roster(roster: pl.DataFrame) -> pl.DataFrame:
    """Return one row a subject, in order of first mention: its latest record, and in `passed` who has shown it.

    Latest is the highest `RANK`; the other columns settle what is left, so that any order of arrival gives the same row
    (as `linkage.cluster.resolve` does).
    """
    bits = np.left_shift(np.uint64(1), roster["shard"].to_numpy().astype(np.uint64)).astype(np.int64)
    return (
        roster.with_row_index("seen")
        .with_columns(pl.Series("passed", bits), (pl.col("operation") == Operation.WITHDRAW.value).alias("withdrawn"))
        .sort(*RANK, "claim_group", "one_record_per_person", nulls_last=False)
        .group_by(KEY)
        .agg(
            pl.col(*RANK, "claim_group", "one_record_per_person").last(),
            pl.col("passed").filter(pl.all_horizontal(pl.col(c) == pl.col(c).last() for c in RANK)).bitwise_or(),
            pl.col("seen").min(),
        )
        .sort("seen")
        .drop("seen")
    )


def fold_subjects(latest: pl.DataFrame, named_by_pairs: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """Fold the latest roster rows, and the keys that only pairs name, into the stored subjects.

    Returns SUBJECT_COLUMNS with a null `serial` where the subject is new, in order of mention, and `changed`: whether a
    stored one differs now.
    """
    mentioned = pl.concat(
        [latest, named_by_pairs.join(latest, on=KEY, how="anti", maintain_order="left")], how="diagonal"
    )
    before = stored.rename({c: f"old_{c}" for c in SUBJECT_COLUMNS if c not in KEY})
    both = mentioned.join(before, on=KEY, how="left", maintain_order="left")

    rank = (
        pl.col("version").fill_null(UNSEEN_VERSION),
        pl.col("withdrawn").fill_null(False),
        pl.col("content_hash").fill_null(0),
    )
    old_rank = [pl.col(f"old_{c}") for c in RANK]
    later = exceeds(rank, old_rank)
    same = pl.all_horizontal(now == old for now, old in zip(rank, old_rank, strict=True))
    claim, old_claim = pl.col("claim_group"), pl.col("old_claim_group")
    unique, old_unique = pl.col("one_record_per_person").fill_null(False), pl.col("old_one_record_per_person")
    greater_claim = claim.is_not_null() & (old_claim.is_null() | (claim > old_claim)).fill_null(True)
    tie_won = greater_claim | (claim.eq_missing(old_claim) & unique & ~old_unique)
    is_new = pl.col("old_serial").is_null()
    wins = is_new | later | (same & tie_won)
    passed, old_passed = pl.col("passed").fill_null(0), pl.col("old_passed")
    folded = both.select(
        *KEY,
        serial="old_serial",
        **{c: pl.when(wins).then(now).otherwise(old) for c, now, old in zip(RANK, rank, old_rank, strict=True)},
        one_record_per_person=pl.when(wins).then(unique).otherwise(old_unique),
        claim_group=pl.when(wins).then(claim).otherwise(old_claim),
        passed=pl.when(is_new | later).then(passed).when(same).then(passed | old_passed).otherwise(old_passed),
        person="old_person",
        link_probability="old_link_probability",
        changed=~is_new & (wins | (same & ((passed | old_passed) != old_passed))),
    )
    return folded.select(*SUBJECT_COLUMNS, "changed")


def fold_pairs(stored: pl.DataFrame, arrived: pl.DataFrame, subjects: pl.DataFrame, full: int) -> pl.DataFrame:
    """Return the pairs that hold (PAIR_COLUMNS and `live`): of each the latest, without the superseded.

    `subjects` must hold both ends of every pair; `full` is the mask of all shards. A pair is `live` when both its ends
    are current; one whose end has not been seen yet, or comes back after a withdrawal, waits.
    """
    # What one shard says of each end only rises, so in this order a pair's last row is its latest; of equals the newer.
    latest = (
        pl.concat([stored, arrived])
        .with_row_index("row")
        .sort("left_version", "left_hash", "right_version", "right_hash", "row")
        .unique(PAIR, keep="last", maintain_order=True)
        .drop("row")
    )
    about = subjects.select(
        "serial",
        *RANK,
        full=pl.col("passed") == full,
        current=(pl.col("version") > UNSEEN_VERSION) & ~pl.col("withdrawn"),
    )
    for side in ("left", "right"):
        renamed = about.rename({c: f"_{side}_{c}" for c in about.columns})
        latest = latest.join(renamed, left_on=f"{side}_serial", right_on=f"_{side}_serial", how="left")
    holds, live = pl.lit(True), pl.lit(True)
    for side in ("left", "right"):
        # Only records that are not withdrawn are compared, so that is the rank of those that a pair names.
        compared = pl.col(f"{side}_version"), pl.lit(False), pl.col(f"{side}_hash")
        outdated = exceeds([pl.col(f"_{side}_{c}") for c in RANK], compared)
        holds &= ~(outdated & (pl.col(f"_{side}_full") | pl.col(f"_{side}_withdrawn")))
        live &= pl.col(f"_{side}_current")
    return latest.filter(holds).select(*PAIR_COLUMNS, live.alias("live")).sort(PAIR)


def exceeds(one: Sequence[pl.Expr], other: Sequence[pl.Expr]) -> pl.Expr:
    """Return whether a rank (expressions for `RANK`) is higher than another."""
    exceeds = pl.lit(False)
    for mine, theirs in zip(reversed(one), reversed(other), strict=True):
        exceeds = (mine > theirs) | ((mine == theirs) & exceeds)
    return exceeds
