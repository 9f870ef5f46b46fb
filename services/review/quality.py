"""How good the linkage is, from what is counted anyway: a snapshot's summary, and the probabilities of its links.

Counts are of people known to a feed, as in the answers of the query service, so that rates of both directions and of
subgroups can be set side by side. They pass disclosure control under the strictest rule: that someone with a health
record is linked says that they are known to a benefits office.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from linkage.disclosure import release_table
from linkage.features.registry import feature
from schemas.contracts.base import Feed
from schemas.disclosure import DisclosurePolicy
from schemas.errors import InputError, PolicyError, Reason, StateError
from schemas.features import Sensitivity
from schemas.purposes import Purpose
from services.registry import Registry, Snapshot

UNKNOWN: Final = "unknown"
"""Name of the group of people of whom the feature is not known."""


@dataclass(frozen=True)
class GroupQuality:
    """How well one group of one feed is linked; a count is None where it is withheld.

    `precision` is the mean probability of the links that were made, None where it is not estimable.
    """

    group: str
    feed: Feed
    people: int | None
    linked: int | None
    precision: float | None = None


@dataclass(frozen=True)
class Quality:
    """The report: its groups, and what it was computed from. `reviews_per_10000` subjects is as of now."""

    groups: tuple[GroupQuality, ...]
    snapshot_id: str
    model_id: str
    policy_id: str
    reviews_per_10000: float


def quality(
    registry: Registry, policy: DisclosurePolicy, purpose: Purpose, by: str = "", snapshot_id: str = ""
) -> Quality:
    """Return the report on a snapshot (the newest, if none is named), for the whole or by a feature's values.

    Raises StateError NO_SNAPSHOT, InputError NOT_FOUND for an unknown snapshot, OPTION_INVALID for a feature that the
    snapshot's summary does not count by, PolicyError PURPOSE_NOT_PERMITTED for one that the purpose does not permit.
    """
    newest = registry.query.latest_snapshot()
    if newest is None:
        raise StateError(Reason.NO_SNAPSHOT, "No snapshot has been published yet; wait until the line has drained.")
    snapshot = newest if snapshot_id in ("", newest.snapshot_id) else registry.query.snapshot(snapshot_id)
    if snapshot is None:
        raise InputError(Reason.NOT_FOUND, "There is no snapshot of that id; `hwlink snapshot list` shows them.")
    precision = _precision(registry, policy) if snapshot is newest and not by else {}
    summary = registry.resolver.summary()
    subjects = sum(summary.subjects_by_source.values())
    return Quality(
        groups=tuple(
            group
            for feed in Feed
            for group in _protected(feed, *_groups(snapshot, feed, by, purpose), policy, precision.get(feed))
        ),
        snapshot_id=snapshot.snapshot_id,
        model_id=snapshot.model_id or "",
        policy_id=policy.policy_id,
        reviews_per_10000=round(10_000 * summary.reviews / subjects, 1) if subjects else 0.0,
    )


def _groups(snapshot: Snapshot, feed: Feed, by: str, purpose: Purpose) -> tuple[list[str], list[tuple[int, int]], bool]:
    """Return the groups' names, (linked, not linked) of each, and whether being in one of them is sensitive."""
    summary: Mapping[str, Any] = json.loads(snapshot.summary_json)
    if not by:
        return [""], [_counts(summary, feed)], False
    kept: Mapping[str, Any] = summary.get("by", {})
    if by not in kept:
        raise InputError(
            Reason.OPTION_INVALID,
            f"Quality is reported by one of: {', '.join(kept)}; ask the query service for tables by other features.",
        )
    sensitivity = feature(by).sensitivity
    if sensitivity not in purpose.sensitivities:
        raise PolicyError(
            Reason.PURPOSE_NOT_PERMITTED, f"Purpose {purpose.purpose_id} does not permit {by}; ask by another feature."
        )
    names = [UNKNOWN if entry["value"] is None else str(entry["value"]) for entry in kept[by]]
    return names, [_counts(entry, feed) for entry in kept[by]], sensitivity is not Sensitivity.ORDINARY


def _counts(summary: Mapping[str, Any], feed: Feed) -> tuple[int, int]:
    linked = int(summary["linked"])
    return linked, int(summary[feed.value]) - linked


def _protected(
    feed: Feed,
    names: list[str],
    counts: list[tuple[int, int]],
    sensitive_groups: bool,
    policy: DisclosurePolicy,
    precision: float | None,
) -> list[GroupQuality]:
    """Return the groups of one feed after disclosure control, protected together as one table."""
    rule = policy.rule(Sensitivity)
    # Of people in welfare data, being linked says that they have a GP: nothing. The other way about it says a benefit.
    table = release_table(np.array(counts, np.int64), rule, (sensitive_groups, feed is Feed.HEALTH))

    def told(row: int, column: int) -> int | None:
        return None if table.suppressed[row, column] else int(table.values[row, column])

    return [GroupQuality(name, feed, told(row, -1), told(row, 0), precision) for row, name in enumerate(names)]


def _precision(registry: Registry, policy: DisclosurePolicy) -> dict[Feed, float]:
    """Return each feed's expected precision: the mean over its linked subjects of their weakest link's probability.

    An estimate as good as the model's probabilities are. Left out where fewer subjects are linked than a mean needs.
    """
    feeds = {row.source: row.feed for row in registry.ingest.streams()}
    if not feeds:
        return {}
    means = (
        registry.resolver.persons()
        .lazy()
        .drop_nulls("link_probability")
        .group_by(pl.col("source").replace_strict(feeds, default=None, return_dtype=pl.String).alias("feed"))
        .agg(pl.len().alias("subjects"), pl.col("link_probability").mean())
        .filter(pl.col("subjects") >= policy.min_contributors, pl.col("feed").is_not_null())
        .collect()
    )
    return {Feed(feed): round(mean, 3) for feed, mean in means.select("feed", "link_probability").rows()}
