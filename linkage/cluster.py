"""The whole step from pairs to persons over frames: number the subjects, decide every pair, cluster, report.

`hwlink link` and the resolver role both call `resolve`, so that they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.accept import accept
from linkage.compare import LEVEL, PLACE, levels_of
from linkage.decide import BoolArray, Candidates, FloatArray, IntArray, Members, decide
from linkage.lone import Rest, with_left_over
from linkage.repeats import Joining
from linkage.weigh import Guard
from schemas.contracts.base import Operation
from schemas.decision import ConstraintKind, Decision, DecisionPolicy

KEY = ("source", "subject_ref")
ENDS = ("left_source", "left_ref", "right_source", "right_ref")


@dataclass(frozen=True)
class Resolution:
    """What was resolved, in canonical order (by source, then subject_ref).

    `links`: the pairs with both ends in the roster, each once, with `probability` (rivals counted), `rival_bits` (what
    rivals take from `log2_odds`; below 0, what is added where both are left over) and `decision`: `link` when both ends
    are one person, else `review` or `apart`.
    `labels`: a row per current subject: `source, subject_ref, label, link_probability`. Subjects of one person share a
    label, the number of its first subject; `link_probability` is that of the subject's weakest accepted link (one that
    was eligible and joins two of the person's subjects), null for a person of one subject.
    """

    links: pl.DataFrame
    labels: pl.DataFrame


def resolve(
    roster: pl.DataFrame, pairs: pl.DataFrame, policy: DecisionPolicy, constraints: pl.DataFrame | None = None
) -> Resolution:
    """Decide every pair and cluster the subjects into persons; a pure function of its inputs, whatever their order.

    `roster` needs `source, subject_ref, one_record_per_person` and may have `claim_group, version, operation,
    content_hash`; of several rows of a subject the highest version holds (a withdrawal over an upsert, then the higher
    content hash), and withdrawn subjects are left out.
    `pairs` has the columns of `PairLink` (needed: both keys and `log2_odds`; `guard` and versions where there); of a
    pair given twice the later versions hold, and pairs of subjects that are not in the roster are left out.
    `constraints` has the columns of `schemas.decision.Constraint`.
    """
    subjects = _subjects(roster)
    members = _members(subjects)
    numbered, candidates = _candidates(subjects, members, pairs, constraints)
    names = subjects["source"].unique(maintain_order=True).to_list()
    joining = Joining.of(members, names, policy)
    verdicts = decide(members, candidates, policy)
    label = accept(members, candidates, verdicts, policy, joining)
    rest = Rest.of(members, names, policy, joining)
    verdicts, label = with_left_over(members, candidates, verdicts, label, policy, rest)

    together = label[candidates.left] == label[candidates.right]
    doubtful = verdicts.probability >= policy.review_probability
    decision = np.where(together, Decision.LINK.value, np.where(doubtful, Decision.REVIEW.value, Decision.APART.value))
    weakest = _weakest_link(len(members), candidates, verdicts.probability, verdicts.eligible & together)
    return Resolution(
        links=numbered.with_columns(
            pl.Series("probability", verdicts.probability),
            pl.Series("decision", decision, dtype=pl.String),
            rival_bits=pl.Series(candidates.log2_odds) - pl.Series(verdicts.log2_odds),
        )
        .filter("_evidence")
        .drop("_evidence", "_left", "_right", "_must", "_cannot"),
        labels=subjects.select(
            *KEY, pl.Series("label", label), pl.Series("link_probability", weakest, nan_to_null=True)
        ),
    )


def _subjects(roster: pl.DataFrame) -> pl.DataFrame:
    """Return the current subjects in canonical order, one row each."""
    have = set(roster.columns)
    withdrawn = pl.col("operation") == Operation.WITHDRAW.value if "operation" in have else pl.lit(False)
    frame = roster.select(
        *KEY,
        "one_record_per_person",
        pl.col("claim_group") if "claim_group" in have else pl.lit(None, dtype=pl.Binary).alias("claim_group"),
        pl.col("version") if "version" in have else pl.lit(0).alias("version"),
        withdrawn.alias("withdrawn"),
        pl.col("content_hash").fill_null(0) if "content_hash" in have else pl.lit(0).alias("content_hash"),
    ).sort(*KEY, "version", "withdrawn", "content_hash", "claim_group", "one_record_per_person")
    last = pl.struct(*KEY).rle_id() != pl.struct(*KEY).rle_id().shift(-1)
    return frame.filter(last.fill_null(True), ~pl.col("withdrawn"))


def _members(subjects: pl.DataFrame) -> Members:
    """Return the subjects as arrays. A claim group counts within its source: one claimant may be in two of them."""
    claim = pl.struct("source", "claim_group").rank("dense").cast(pl.Int64)
    arrays = subjects.select(
        source=pl.col("source").rle_id().cast(pl.Int64),
        unique="one_record_per_person",
        claim=pl.when(pl.col("claim_group").is_null()).then(-1).otherwise(claim),
    )
    return Members(arrays["source"].to_numpy(), arrays["unique"].to_numpy(), arrays["claim"].to_numpy())


def _candidates(
    subjects: pl.DataFrame, members: Members, pairs: pl.DataFrame, constraints: pl.DataFrame | None
) -> tuple[pl.DataFrame, Candidates]:
    """Return the pairs in canonical order, with those that only a constraint names, as a frame and as arrays."""
    numbers = subjects.select(*KEY).with_row_index("_row").with_columns(pl.col("_row").cast(pl.Int64))
    frame = _numbered(numbers, pairs).with_columns(pl.lit(True).alias("_evidence"))
    if "guard" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("guard"))
    ranks = ("left_version", "right_version", "left_hash", "right_hash")
    order = ["_left", "_right", *(c for c in ranks if c in frame.columns)]
    frame = frame.sort(*order, "log2_odds", "guard").unique(["_left", "_right"], keep="last", maintain_order=True)
    if constraints is not None and constraints.height:
        frame = frame.join(_overrides(numbers, constraints), on=["_left", "_right"], how="full", coalesce=True)
        frame = frame.sort("_left", "_right")
    else:
        frame = frame.with_columns(pl.lit(None).alias("_must"), pl.lit(None).alias("_cannot"))
    frame = frame.with_columns(pl.col("_must", "_cannot", "_evidence").cast(pl.Boolean).fill_null(False))

    left, right = frame["_left"].to_numpy(), frame["_right"].to_numpy()
    cannot = frame["_cannot"].to_numpy()
    repeated = (frame["guard"] == Guard.REPEAT.label).fill_null(False).to_numpy() & ~cannot
    repeated &= ~members.claimed_together(left, right)
    excluded = (members.excluded(left, right) & ~repeated) | cannot
    candidates = Candidates(
        left=left,
        right=right,
        log2_odds=frame["log2_odds"].fill_null(-np.inf).to_numpy(),
        guarded=frame["guard"].is_not_null().to_numpy() & ~repeated,
        must=frame["_must"].to_numpy() & ~excluded,
        cannot=cannot,
        excluded=excluded,
        repeated=repeated,
        at_one_home=_at_one_home(frame),
        by_number=_by_number(frame),
    )
    return frame, candidates


def _at_one_home(frame: pl.DataFrame) -> BoolArray:
    """Return which pairs have the same address, as their patterns say; none where there are no patterns."""
    if "pattern" not in frame.columns:
        return np.zeros(frame.height, dtype=bool)
    home = levels_of(frame["pattern"].fill_null(0).to_numpy())[PLACE["home"]]
    return np.isin(home, [level for name, level in LEVEL["home"].items() if name.startswith("address_same")])


def _by_number(frame: pl.DataFrame) -> BoolArray:
    """Return the pairs of which nothing but numbers was compared, as their patterns say: all else is missing."""
    if "pattern" not in frame.columns:
        return np.zeros(frame.height, dtype=bool)
    levels = levels_of(frame["pattern"].fill_null(0).to_numpy())
    compared = levels > 0
    numbers = [PLACE["nhs_number"], PLACE["nino"]]
    found: BoolArray = compared[numbers].any(axis=0) & (compared.sum(axis=0) == compared[numbers].sum(axis=0))
    return found


def _numbered(numbers: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs whose ends are both current and different, with their ends' numbers, lower first."""
    joined = pairs.join(
        numbers.rename({"_row": "_a"}), left_on=["left_source", "left_ref"], right_on=list(KEY), how="inner"
    ).join(numbers.rename({"_row": "_b"}), left_on=["right_source", "right_ref"], right_on=list(KEY), how="inner")
    return (
        joined.with_columns(pl.min_horizontal("_a", "_b").alias("_left"), pl.max_horizontal("_a", "_b").alias("_right"))
        .drop("_a", "_b")
        .filter(pl.col("_left") < pl.col("_right"))
    )


def _overrides(numbers: pl.DataFrame, constraints: pl.DataFrame) -> pl.DataFrame:
    """Return the overrides by pair; where a pair has both kinds, cannot-link wins."""
    kind = pl.col("kind")
    return (
        _numbered(numbers, constraints.select(*ENDS, "kind"))
        .group_by("_left", "_right")
        .agg(
            _must=(kind == ConstraintKind.MUST_LINK.value).any() & ~(kind == ConstraintKind.CANNOT_LINK.value).any(),
            _cannot=(kind == ConstraintKind.CANNOT_LINK.value).any(),
        )
    )


def _weakest_link(size: int, pairs: Candidates, probability: FloatArray, accepted: BoolArray) -> FloatArray:
    """Return the lowest probability among each subject's accepted links, NaN where it has none."""
    weakest = np.full(size, np.inf)
    rows: IntArray = np.flatnonzero(accepted)
    for end in (pairs.left[rows], pairs.right[rows]):
        np.minimum.at(weakest, end, probability[rows])
    return np.where(np.isinf(weakest), np.nan, weakest)
