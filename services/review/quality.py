"""How good the linkage is, from what is counted anyway: a snapshot's summary, and the probabilities of its links.

Counts are the linkage rates that come with every answer of the query service, protected in the same way, so that
telling them here tells nothing further. Counts of subgroups are that service's to tell: its ledger sees to it
that answers cannot be set against one another, and this service has neither the ledger nor the people. What is told of
a subgroup here is its link rate, coarsely, and where the group is large.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from linkage.disclosure import release_count
from linkage.quality.groups import standardised_difference
from schemas.contracts.base import Feed
from schemas.disclosure import DisclosurePolicy
from schemas.errors import InputError, Reason, StateError
from schemas.features import Sensitivity
from services.registry import Registry
from services.review.estimates import FEWEST_IN_GROUP, NOT_ESTIMABLE, AtThreshold, Linkage, Share

BY_SOURCE: Final = "source"
"""What to ask by for estimates of each source."""


@dataclass(frozen=True)
class FeedQuality:
    """How well one feed is linked, in people known to it; a count is None where it is withheld.

    `precision` and `recall` are absent where they are not estimable, and their intervals where only a mean is known.
    `link_rate` and `standardised_difference` are told of groups, whose counts are not. `unlinkable_rate` is the share
    of subjects with too few fields for a link.
    """

    feed: Feed
    people: int | None
    linked: int | None
    precision: Share = NOT_ESTIMABLE
    recall: Share = NOT_ESTIMABLE
    group: str = ""
    link_rate: float | None = None
    standardised_difference: float | None = None
    unlinkable_rate: float | None = None


@dataclass(frozen=True)
class Quality:
    """The report: its feeds, and what it was computed from. `reviews_per_10000` subjects is as of now; `thresholds` are
    told of the whole alone, lowest first.
    """

    feeds: tuple[FeedQuality, ...]
    snapshot_id: str
    model_id: str
    policy_id: str
    reviews_per_10000: float
    thresholds: tuple[AtThreshold, ...] = ()


def quality(registry: Registry, policy: DisclosurePolicy, by: str = "", snapshot_id: str = "") -> Quality:
    """Return the report on a snapshot (the newest, if none is named).

    `by` is a subgroup of the snapshot's summary, or `source`. Raises StateError NO_SNAPSHOT, InputError NOT_FOUND for
    an unknown snapshot, OPTION_INVALID for `by` anything else.
    """
    newest = registry.query.latest_snapshot()
    if newest is None:
        raise StateError(Reason.NO_SNAPSHOT, "No snapshot has been published yet; wait until the line has drained.")
    snapshot = newest if snapshot_id in ("", newest.snapshot_id) else registry.query.snapshot(snapshot_id)
    if snapshot is None:
        raise InputError(Reason.NOT_FOUND, "There is no snapshot of that id; `hwlink snapshot list` shows them.")
    counts = json.loads(snapshot.summary_json)
    # Probabilities are those of now and of the model in force: they say nothing of a state that is gone.
    is_now = snapshot is newest and snapshot.model_id == registry.matcher.in_use().active
    summary = registry.resolver.summary()
    linkage = Linkage.read(registry, policy, summary.subjects_by_source) if is_now and by in ("", BY_SOURCE) else None
    subjects = sum(summary.subjects_by_source.values())
    if by == BY_SOURCE:
        told = () if linkage is None else _sources(linkage)
    else:
        told = _groups(counts, by) if by else _feeds(_rates(counts, policy), linkage)
    return Quality(
        feeds=told,
        snapshot_id=snapshot.snapshot_id,
        model_id=snapshot.model_id or "",
        policy_id=policy.policy_id,
        reviews_per_10000=round(10_000 * summary.reviews / subjects, 1) if subjects else 0.0,
        thresholds=() if linkage is None or by else linkage.thresholds(),
    )


@dataclass(frozen=True)
class _Rates:
    """People linked, in health and in welfare; None where a number is withheld."""

    linked: int | None
    health: int | None
    welfare: int | None


def _rates(counts: dict[str, Any], policy: DisclosurePolicy) -> _Rates:
    """Return what may be told of a snapshot's linkage.

    To be in a welfare source says something of each person, to be in a health source does not: so all of everybody in
    welfare, or all of health linked, is withheld, and all in health is told.
    """
    linked, health, welfare, everybody = (counts[name] for name in ("linked", "health", "welfare", "persons"))
    rule = policy.rule([Sensitivity.WELFARE])
    untelling = rule.model_copy(update={"suppress_full": False})
    of_welfare = release_count(linked, untelling, welfare)
    return _Rates(
        linked=None if of_welfare is None else release_count(linked, rule, health),
        health=release_count(health, untelling, everybody),
        welfare=release_count(welfare, rule, everybody),
    )


def _groups(counts: dict[str, Any], by: str) -> tuple[FeedQuality, ...]:
    """Return the link rates of a feature's groups, without any count; small groups say that they are there, no more."""
    if by not in counts.get("by", {}):
        known = ", ".join(counts.get("by", {})) or "none"
        raise InputError(
            Reason.OPTION_INVALID,
            f"Link rates are told by: {known}. For another feature ask the query service for a table by it and "
            "in_welfare, under a purpose that permits both.",
        )
    told = []
    for feed in (Feed.HEALTH, Feed.WELFARE):
        people, linked = counts[feed.value], counts["linked"]
        for row in counts["by"][by]:
            group = "missing" if row["value"] is None else str(row["value"])
            enough = row[feed.value] >= FEWEST_IN_GROUP and min(row["linked"], row[feed.value] - row["linked"]) >= 10
            difference = standardised_difference(row["linked"], row[feed.value], linked, people) if enough else None
            told.append(
                FeedQuality(
                    feed=feed,
                    people=None,
                    linked=None,
                    group=group,
                    link_rate=round(row["linked"] / row[feed.value], 2) if enough else None,
                    standardised_difference=None if difference is None else round(difference, 1),
                )
            )
    return tuple(told)


def _feeds(rates: _Rates, linkage: Linkage | None) -> tuple[FeedQuality, ...]:
    """Return each feed as a whole."""
    told = []
    for feed, people in ((Feed.HEALTH, rates.health), (Feed.WELFARE, rates.welfare)):
        estimates = {} if linkage is None else linkage.of(linkage.sources(feed), feed)
        told.append(FeedQuality(feed, people, rates.linked, **estimates))
    return tuple(told)


def _sources(linkage: Linkage) -> tuple[FeedQuality, ...]:
    """Return the estimates of each source, without any count."""
    return tuple(
        FeedQuality(Feed(feed), None, None, group=source, **linkage.of(frozenset({source}), None))
        for source, feed in sorted(linkage.feeds.items(), key=lambda each: (each[1], each[0]))
    )
