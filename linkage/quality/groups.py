"""Quality by subgroup: who is linked, how right the links are expected to be, and how the linked differ.

Standardised differences compare how common a group is among the linked and the unlinked of one source, in units of the
pooled standard deviation; beyond 0.1 is noteworthy (Austin, Stat Med 2009). A variable's difference as a whole is the
Mahalanobis distance of its categories' shares (Yang and Dalton, SAS Global Forum 2012).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from linkage.quality.estimate import Errors, precision, recall, share_interval
from linkage.quality.evidence import Census, Evidence
from linkage.quality.expected import Expected
from linkage.subjects import BoolArray
from linkage.weigh import FloatArray
from schemas.quality import Estimate, GroupQuality, NotEstimable, SourceQuality, Spread

NOTEWORTHY: Final = 0.1
BELOW_OVERALL: Final = 0.05
"""A group's link rate this far below its source's, by the whole of its interval, asks for somebody's attention."""

MISSING: Final = "missing"

MODEL_BITS: Final = 0.5
"""By how many bits the log odds of a fitted model may be out, all alike (standard deviation)."""

KIND_BITS: Final = 1.5
"""By how many bits the log odds of each pattern of levels may be out by itself (standard deviation): what a model that
fits its data still gets wrong is how fields go together, which is one thing for movers, another for namesakes. Measured
over populations: `decisions/0091`."""

BEYOND_SPREAD: Final = 1.0
"""By how much the odds (natural logarithm) may be out with which a match is never emitted: errors come together more
than a model of independent fields knows, and subjects with and without fields may overlap differently. Measured in
`decisions/0091`."""

MOST_UNPLACED: Final = 0.01
"""Missed matches of an unknown group, as a share of a group's links, beyond which its recall cannot be told."""

UNMET: Final = ("beyond", "beyond_swing", "sparse_swing")
SUMS: Final = ("links", "false", "false_swing", "missed", "missed_swing", *UNMET)
"""Columns of `Expected` that are summed."""


def tallied(
    census: Census,
    evidence: Evidence,
    expected: Expected,
    attributes: Mapping[str, pl.Series],
    linked: BoolArray,
) -> pl.DataFrame:
    """Return counts and expected errors by source, variable and group: one row each, of groups that have subjects.

    `attributes` are String or Enum columns (n), null where not known; a variable that a source knows of nobody
    is left out for that source. `linked` (n) says who has a link. Variable and group are empty for the source as a
    whole.
    """
    numbers = pl.DataFrame(
        {
            "source": pl.Series(census.sources, dtype=pl.Enum(census.sources)).gather(census.source),
            "linked": linked,
            "unlinkable": census.unlinkable,
            **{name: getattr(expected, name) for name in SUMS},
        }
    )
    sums = [pl.len().alias("subjects"), pl.col("linked", "unlinkable", *SUMS).sum()]
    doubtful = _doubtful(census, evidence)
    named = {"": pl.repeat("", len(census), dtype=pl.Enum([""]), eager=True), **attributes}
    tables = []
    for variable, column in named.items():
        table = numbers.with_columns(column.alias("group")).group_by("source", "group").agg(sums)
        table = table.with_columns(pl.col("source", "group").cast(pl.String)).with_columns(
            pl.col("group").fill_null(MISSING)
        )
        own = doubtful.with_columns(
            column.gather(doubtful["subject"]).cast(pl.String).fill_null(MISSING).alias("group")
        )
        table = table.join(_by_kind(own), on=["source", "group"], how="left").with_columns(
            pl.col("false_by_kind", "missed_by_kind").fill_null(0.0)
        )
        table = table.sort("source", "group")
        table = table.filter((pl.col("group") != MISSING).any().over("source"))
        table = _as_the_leader_has_them(table, census.sources[expected.leader])
        tables.append(table.select("source", pl.lit(variable).alias("variable"), pl.all().exclude("source")))
    return pl.concat(tables)


def _doubtful(census: Census, evidence: Evidence) -> pl.DataFrame:
    """Return `subject, source, pattern, false, missed` of both ends of each pair that could be either: its swing."""
    at = evidence.doubtful[evidence.between[evidence.doubtful]]
    ends = np.concatenate([evidence.left[at], evidence.right[at]])
    swing, linked = np.tile(evidence.swing[at], 2), np.tile(evidence.linked[at], 2)
    return pl.DataFrame(
        {
            "subject": ends,
            "source": pl.Series(census.sources, dtype=pl.String).gather(census.source[ends]),
            "pattern": np.tile(evidence.pattern[at], 2),
            "false": np.where(linked, swing, 0.0),
            "missed": np.where(linked, 0.0, swing),
        }
    )


def _by_kind(doubtful: pl.DataFrame) -> pl.DataFrame:
    """Return by source and group the roots of the sums of squares of patterns' sums (`Evidence.by_kind`)."""
    kinds = ("false", "missed")
    sums = doubtful.group_by("source", "group", "pattern").agg(pl.col(kinds).sum())
    return sums.group_by("source", "group").agg((pl.col(kinds) ** 2).sum().sqrt().name.suffix("_by_kind"))


def _as_the_leader_has_them(table: pl.DataFrame, leader: str) -> pl.DataFrame:
    """Return one variable's table with the matches that were never emitted in the groups in which the leader has them.

    They are the same people, so that they are of the same groups in each source that knows the variable. Those of whom
    the leader does not know it may be of any group: how many they are is the column `unplaced`.
    """
    theirs = table.filter(pl.col("source") == leader).select("group", pl.col(UNMET).name.suffix("_theirs"))
    unplaced = float(theirs.filter(pl.col("group") == MISSING)["beyond_theirs"].sum())
    table = table.with_columns(unplaced=pl.when(pl.col("source") == leader).then(0.0).otherwise(unplaced))
    if theirs["beyond_theirs"].sum() <= 0:
        return table
    # The same number in both, whatever of it is of groups that only one of them knows.
    scale = pl.col("beyond").sum().over("source") / pl.col("beyond_theirs").sum().over("source")
    moved = [(pl.col(f"{name}_theirs").fill_null(0.0) * scale).fill_nan(0.0).alias(name) for name in UNMET]
    return (
        table.join(theirs, on="group", how="left", maintain_order="left")
        .with_columns(pl.col("missed") - pl.col("beyond"), *moved)
        .with_columns(pl.col("missed") + pl.col("beyond"))
        .select(table.columns)
    )


def by_source(table: pl.DataFrame, census: Census) -> tuple[SourceQuality, ...]:
    """Return each source as a whole, from `tallied`."""
    whole = {row["source"]: row for row in table.filter(pl.col("variable") == "").to_dicts()}
    return tuple(
        SourceQuality(
            source=source,
            **{name: row[name] for name in ("subjects", "linked", "unlinkable")},
            link_rate=share_interval(row["linked"], row["subjects"]),
            completeness=census.completeness[source],
            differences={
                variable: round(distance(rows["linked"].to_numpy(), rows["subjects"].to_numpy()), 4)
                for (variable,), rows in table.filter(pl.col("source") == source, pl.col("variable") != "").group_by(
                    "variable", maintain_order=True
                )
            },
        )
        for source, row in whole.items()
    )


def by_group(table: pl.DataFrame, spread: Spread, unknown: NotEstimable | None) -> tuple[GroupQuality, ...]:
    """Return each group of each source, from `tallied`; the reason says why nothing can be estimated."""
    whole = {row["source"]: row for row in table.filter(pl.col("variable") == "").to_dicts()}
    groups = []
    for row in table.filter(pl.col("variable") != "").to_dicts():
        source = whole[row["source"]]
        difference = standardised_difference(row["linked"], row["subjects"], source["linked"], source["subjects"])
        errors = errors_of(row, spread)
        unplaced = NotEstimable.GROUP_UNKNOWN if row["unplaced"] > MOST_UNPLACED * row["links"] else None
        rate, overall = share_interval(row["linked"], row["subjects"]), source["linked"] / source["subjects"]
        groups.append(
            GroupQuality(
                **{name: row[name] for name in ("source", "variable", "group", "subjects", "linked", "unlinkable")},
                link_rate=rate,
                precision=_unless(unknown, precision(errors)),
                recall=_unless(unknown or unplaced, recall(errors)),
                standardised_difference=None if difference is None else round(difference, 4),
                noteworthy=difference is not None and abs(difference) > NOTEWORTHY,
                below_overall=(rate.high or 0.0) < overall - BELOW_OVERALL,
            )
        )
    return tuple(groups)


def errors_of(sums: Mapping[str, float], spread: Spread) -> Errors:
    """Return the errors of sums over pairs (`SUMS`, and both `by_kind`) with the deviations of their numbers from all
    causes: these have nothing to do with one another, so their variances add up.
    """
    alike, by_kind = spread.model_bits * np.log(2), spread.kind_bits * np.log(2)
    unmet = sums["beyond_swing"], sums["sparse_swing"]
    false = [
        np.sqrt(sums["false_swing"]),
        spread.refit_false * sums["false"],
        alike * sums["false_swing"],
        by_kind * sums["false_by_kind"],
    ]
    missed = [
        np.sqrt(sums["missed_swing"] + sum(unmet)),
        spread.refit_missed * (sums["missed"] - sums["beyond"]),
        alike * sums["missed_swing"],
        by_kind * sums["missed_by_kind"],
        *(spread.beyond * each for each in unmet),
    ]
    return Errors(
        found=round(sums["links"]),
        false=float(sums["false"]),
        missed=float(sums["missed"]),
        false_deviation=float(np.linalg.norm(false)),
        missed_deviation=float(np.linalg.norm(missed)),
    )


def standardised_difference(linked: int, subjects: int, all_linked: int, all_subjects: int) -> float | None:
    """Return how much commoner a group is among the linked than among the unlinked, in pooled standard deviations.

    None where nobody or everybody is linked, or where the group is nobody or everybody on both sides.
    """
    if not 0 < all_linked < all_subjects:
        return None
    share, other = linked / all_linked, (subjects - linked) / (all_subjects - all_linked)
    variance = (share * (1 - share) + other * (1 - other)) / 2
    return (share - other) / variance**0.5 if variance > 0 else None


def distance(linked: FloatArray, subjects: FloatArray) -> float:
    """Return a variable's standardised difference over all of its groups, from counts by group; 0 where there is none.

    The last group is left out, since shares add up to one.
    """
    unlinked = subjects - linked
    if len(linked) < 2 or not linked.sum() or not unlinked.sum():
        return 0.0
    share, other = linked / linked.sum(), unlinked / unlinked.sum()
    covariance = sum((np.diag(p) - np.outer(p, p))[:-1, :-1] for p in (share, other)) / 2
    gap = (share - other)[:-1]
    return float(np.sqrt(max(gap @ np.linalg.pinv(covariance) @ gap, 0.0)))


def _unless(reason: NotEstimable | None, estimate: Estimate) -> Estimate:
    return estimate if reason is None else Estimate(not_estimable=reason)
