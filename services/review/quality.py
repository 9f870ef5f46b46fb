"""How good the linkage is, from what is counted anyway: a snapshot's summary, and the probabilities of its links.

Counts are the linkage rates that come with every answer of the query service, protected in the same way, so that
telling them here tells nothing further. Rates of subgroups are that service's to tell: its ledger sees to it
that answers cannot be set against one another, and this service has neither the ledger nor the people.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import polars as pl

from linkage.disclosure import release_count
from schemas.contracts.base import Feed
from schemas.disclosure import DisclosurePolicy
from schemas.errors import InputError, Reason, StateError
from schemas.features import Sensitivity
from services.registry import Registry, Snapshot


@dataclass(frozen=True)
class FeedQuality:
    """How well one feed is linked, in people known to it; a count is None where it is withheld.

    `precision` is the mean probability of the links that were made, None where it is not estimable.
    """

    feed: Feed
    people: int | None
    linked: int | None
    precision: float | None


@dataclass(frozen=True)
class Quality:
    """The report: its feeds, and what it was computed from. `reviews_per_10000` subjects is as of now."""

    feeds: tuple[FeedQuality, ...]
    snapshot_id: str
    model_id: str
    policy_id: str
    reviews_per_10000: float


def quality(registry: Registry, policy: DisclosurePolicy, by: str = "", snapshot_id: str = "") -> Quality:
    """Return the report on a snapshot (the newest, if none is named).

    Raises StateError NO_SNAPSHOT, InputError NOT_FOUND for an unknown snapshot, OPTION_INVALID for `by` a feature.
    """
    if by:
        raise InputError(
            Reason.OPTION_INVALID,
            "Subgroups are counted by the query service: ask it for a table by the feature and in_welfare, under a "
            "purpose that permits both; leave `by` empty here.",
        )
    newest = registry.query.latest_snapshot()
    if newest is None:
        raise StateError(Reason.NO_SNAPSHOT, "No snapshot has been published yet; wait until the line has drained.")
    snapshot = newest if snapshot_id in ("", newest.snapshot_id) else registry.query.snapshot(snapshot_id)
    if snapshot is None:
        raise InputError(Reason.NOT_FOUND, "There is no snapshot of that id; `hwlink snapshot list` shows them.")
    rates = _rates(snapshot, policy)
    # Probabilities are those of now: they say nothing of a state that is gone.
    precision = _precision(registry, policy) if snapshot is newest else {}
    summary = registry.resolver.summary()
    subjects = sum(summary.subjects_by_source.values())
    return Quality(
        feeds=(
            FeedQuality(Feed.HEALTH, rates.health, rates.linked, precision.get(Feed.HEALTH)),
            FeedQuality(Feed.WELFARE, rates.welfare, rates.linked, precision.get(Feed.WELFARE)),
        ),
        snapshot_id=snapshot.snapshot_id,
        model_id=snapshot.model_id or "",
        policy_id=policy.policy_id,
        reviews_per_10000=round(10_000 * summary.reviews / subjects, 1) if subjects else 0.0,
    )


@dataclass(frozen=True)
class _Rates:
    """People linked, in health and in welfare; None where a number is withheld."""

    linked: int | None
    health: int | None
    welfare: int | None


def _rates(snapshot: Snapshot, policy: DisclosurePolicy) -> _Rates:
    """Return what may be told of a snapshot's linkage.

    To be in a welfare source says something of each person, to be in a health source does not: so all of everybody in
    welfare, or all of health linked, is withheld, and all in health is told.
    """
    counts = json.loads(snapshot.summary_json)
    linked, health, welfare, everybody = (counts[name] for name in ("linked", "health", "welfare", "persons"))
    rule = policy.rule([Sensitivity.WELFARE])
    untelling = rule.model_copy(update={"suppress_full": False})
    of_welfare = release_count(linked, untelling, welfare)
    return _Rates(
        linked=None if of_welfare is None else release_count(linked, rule, health),
        health=release_count(health, untelling, everybody),
        welfare=release_count(welfare, rule, everybody),
    )


def _precision(registry: Registry, policy: DisclosurePolicy) -> dict[Feed, float]:
    """Return each feed's expected precision: the mean over its linked subjects of their weakest link's probability.

    An estimate as good as the model's probabilities are. Left out where fewer subjects are linked than a mean needs.
    """
    feeds = {row.source: row.feed for row in registry.ingest.streams()}
    if not feeds:
        return {}
    feed = pl.col("source").replace_strict(feeds, default=None, return_dtype=pl.String).alias("feed")
    means = (
        registry.resolver.persons()
        .drop_nulls("link_probability")
        .group_by(feed)
        .agg(pl.len().alias("subjects"), pl.col("link_probability").mean())
        .filter(pl.col("subjects") >= policy.min_contributors, pl.col("feed").is_not_null())
    )
    return {Feed(name): round(mean, 3) for name, mean in means.select("feed", "link_probability").rows()}
