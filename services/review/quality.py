"""How good the linkage is, from what is counted anyway: a snapshot's summary, and the probabilities of its links.

Counts are the linkage rates that come with every answer of the query service, protected in the same way, so that
telling them here tells nothing further. Counts of subgroups are that service's to tell: its ledger sees to it
that answers cannot be set against one another, and this service has neither the ledger nor the people. What is told of
a subgroup here is its link rate, coarsely, and where the group is large.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Final

import polars as pl

from linkage.disclosure import release_count
from linkage.quality.estimate import FEWEST_LINKS, precision, recall
from linkage.quality.groups import BEYOND_SPREAD, MODEL_BITS, errors_of, standardised_difference
from linkage.quality.refit import training_matches
from schemas.contracts.base import Feed
from schemas.decision import Decision
from schemas.disclosure import DisclosurePolicy
from schemas.errors import InputError, Reason, StateError
from schemas.features import Sensitivity
from schemas.model import MatchModel, parse_model
from schemas.quality import Estimate, Spread
from services.registry import Registry


@dataclass(frozen=True)
class Share:
    """An estimated share and its 95 % interval; None where there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


NOT_ESTIMABLE: Final = Share()

FEWEST_IN_GROUP: Final = 1_000
"""People of a group whose link rate is told: to the full per cent, so that no rate says more than ten people would."""


@dataclass(frozen=True)
class FeedQuality:
    """How well one feed is linked, in people known to it; a count is None where it is withheld.

    `precision` and `recall` are absent where they are not estimable, and their intervals where only a mean is known.
    `link_rate` and `standardised_difference` are told of groups, whose counts are not.
    """

    feed: Feed
    people: int | None
    linked: int | None
    precision: Share = NOT_ESTIMABLE
    recall: Share = NOT_ESTIMABLE
    group: str = ""
    link_rate: float | None = None
    standardised_difference: float | None = None


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

    `by` is a subgroup of the snapshot's summary. Raises StateError NO_SNAPSHOT, InputError NOT_FOUND for an unknown
    snapshot, OPTION_INVALID for `by` anything else.
    """
    newest = registry.query.latest_snapshot()
    if newest is None:
        raise StateError(Reason.NO_SNAPSHOT, "No snapshot has been published yet; wait until the line has drained.")
    snapshot = newest if snapshot_id in ("", newest.snapshot_id) else registry.query.snapshot(snapshot_id)
    if snapshot is None:
        raise InputError(Reason.NOT_FOUND, "There is no snapshot of that id; `hwlink snapshot list` shows them.")
    counts = json.loads(snapshot.summary_json)
    rates = _rates(counts, policy)
    # Probabilities are those of now and of the model in force: they say nothing of a state that is gone.
    is_now = snapshot is newest and snapshot.model_id == registry.matcher.in_use().active
    precision, recall = _accuracy(registry, policy) if is_now else ({}, NOT_ESTIMABLE)
    summary = registry.resolver.summary()
    subjects = sum(summary.subjects_by_source.values())
    return Quality(
        feeds=_groups(counts, by)
        if by
        else (
            FeedQuality(Feed.HEALTH, rates.health, rates.linked, precision.get(Feed.HEALTH, NOT_ESTIMABLE), recall),
            FeedQuality(Feed.WELFARE, rates.welfare, rates.linked, precision.get(Feed.WELFARE, NOT_ESTIMABLE), recall),
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


def _accuracy(registry: Registry, policy: DisclosurePolicy) -> tuple[dict[Feed, Share], Share]:
    """Return (each feed's expected precision, the recall of links between the feeds).

    Precision is the mean over a feed's linked subjects of their weakest link's probability, left out where fewer are
    linked than a mean needs. Intervals and recall need a model that was fitted, and links enough.
    """
    feeds = {row.source: row.feed for row in registry.ingest.streams()}
    if not feeds:
        return {}, NOT_ESTIMABLE
    feed = pl.col("source").replace_strict(feeds, default=None, return_dtype=pl.String).alias("feed")
    p = pl.col("link_probability")
    sums = (
        registry.resolver.persons()
        .drop_nulls("link_probability")
        .group_by(feed)
        .agg(pl.len().alias("links"), p.sum().alias("true"), (p * (1 - p)).sum().alias("swing"))
        .filter(pl.col("links") >= policy.min_contributors, pl.col("feed").is_not_null())
    )
    active = registry.matcher.active_model()
    model = None if active is None else parse_model(active[1])
    fitted = model is not None and training_matches(model) > 0
    precisions = {}
    for row in sums.to_dicts():
        links, true = row["links"], row["true"]
        mean = Share(round(true / links, 3))
        tally = {"links": links, "false": links - true, "false_swing": row["swing"], **_nothing_missed()}
        precisions[Feed(row["feed"])] = (
            _share(precision(errors_of(tally, _SPREAD))) if fitted and links >= FEWEST_LINKS else mean
        )
    return precisions, between_feeds(
        registry.resolver.match_sums(), feeds, model
    ) if fitted and model else NOT_ESTIMABLE


def between_feeds(sums: pl.DataFrame, feeds: dict[str, str], model: MatchModel) -> Share:
    """Return the recall of links between the feeds: from the stored pairs, and what the fit reckons is never emitted.

    Nothing of sources that the model was not fitted to.
    """
    between = [row for row in sums.to_dicts() if feeds.get(row["left_source"]) != feeds.get(row["right_source"])]
    report = model.report
    fitted = set() if report is None else {frozenset((e.left_source, e.right_source)) for e in report.expected}
    missing = {frozenset((row["left_source"], row["right_source"])) for row in between} - fitted
    if report is None or report.unemitted is None or missing:
        return NOT_ESTIMABLE

    def total(rows: Iterable[dict[str, Any]], name: str) -> float:
        return float(sum(row[name] for row in rows))

    made = [row for row in between if row["decision"] == Decision.LINK.value]
    apart = [row for row in between if row["decision"] != Decision.LINK.value]
    never = total(between, "probability") * report.unemitted / (1 - report.unemitted)
    tally = {
        "links": total(made, "pairs"),
        "false": total(made, "pairs") - total(made, "probability"),
        "false_swing": total(made, "swing"),
        "missed": total(apart, "probability") + never,
        "missed_swing": total(apart, "swing"),
        "beyond": never,
    }
    return _share(recall(errors_of(tally, _SPREAD)))


_SPREAD: Final = Spread(refit_false=0.0, refit_missed=0.0, model_bits=MODEL_BITS, beyond=BEYOND_SPREAD)
"""The service keeps no sample to refit on: what a refit would add is small beside the model's own error
(`linkage/decisions/0050`)."""


def _nothing_missed() -> dict[str, float]:
    return {"missed": 0.0, "missed_swing": 0.0, "beyond": 0.0}


def _share(estimate: Estimate) -> Share:
    """Return an estimate to three decimals, its interval outward."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return NOT_ESTIMABLE
    return Share(round(estimate.value, 3), floor(estimate.low * 1000) / 1000, ceil(estimate.high * 1000) / 1000)
