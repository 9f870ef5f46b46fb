"""Every metric that hwlink shows: name, kind, labels, meaning. Dashboards and alert rules may name these and no others.

Names follow Prometheus: a prefix, a unit, `_total` for what only rises. Labels hold ids of sources, reasons, names of
topics, methods and roles: few, and never a value, token, reference or person id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.figures import Figure


class Kind(StrEnum):
    """What a metric's figures are."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """One metric, with the names of its labels."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()


_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

METRICS: Final = (
    # What comes in by gRPC (role ingest; requests of every role that serves).
    Metric("hwlink_ingest_accepted_records_total", _C, "Records taken in.", ("source",)),
    Metric("hwlink_ingest_refused_records_total", _C, "Records refused, by their first fault.", ("source", "reason")),
    Metric("hwlink_ingest_batches_total", _C, "Batches that got a receipt.", ("source",)),
    Metric("hwlink_ingest_bytes_in_flight", _G, "Bytes of batches staged and not acknowledged by the bus yet."),
    Metric("hwlink_ingest_publish_duration_seconds", _H, "From a staged batch to its receipt."),
    Metric("hwlink_grpc_request_duration_seconds", _H, "Calls, streams by their whole length.", ("method", "code")),
    # The bus as each process uses it.
    Metric("hwlink_bus_sent_messages_total", _C, "Messages acknowledged by the bus."),
    Metric("hwlink_bus_sent_bytes_total", _C, "Bytes of the values sent."),
    Metric("hwlink_bus_read_messages_total", _C, "Messages handed out by polls."),
    Metric("hwlink_bus_read_bytes_total", _C, "Bytes of the values read."),
    Metric("hwlink_bus_commits_total", _C, "Positions stored for a group."),
    Metric("hwlink_bus_refused_commits_total", _C, "Positions that a group no longer took from this member."),
    Metric("hwlink_bus_busy_total", _C, "Sends turned away since too much waited for acknowledgement."),
    Metric("hwlink_bus_failures_total", _C, "Calls that failed for want of a broker or a file."),
    Metric("hwlink_bus_rebalances_total", _C, "Times that the partitions of this member changed."),
    Metric("hwlink_bus_rejoins_total", _C, "Times that this member found itself out of its group and began anew."),
    Metric("hwlink_bus_bytes_in_flight", _G, "Bytes sent and not acknowledged yet."),
    Metric("hwlink_bus_unread_messages", _G, "Messages that this process had not been handed when it last looked."),
    # Loops.
    Metric("hwlink_loop_step_duration_seconds", _H, "Steps of a role's loop, idle ones too.", ("role",)),
    Metric("hwlink_loop_waits_total", _C, "Steps that failed and were tried again.", ("role", "reason")),
    Metric("hwlink_loop_last_step_timestamp_seconds", _G, "When a role's loop last ended a step well.", ("role",)),
    # Roles.
    Metric("hwlink_landing_messages_total", _C, "Messages dealt with.", ("zone",)),
    Metric("hwlink_landing_rows_total", _C, "Rows handed to tables.", ("zone",)),
    Metric("hwlink_landing_replayed_appends_total", _C, "Appends of which the table had everything.", ("zone",)),
    Metric("hwlink_landing_dead_letters_total", _C, "Messages put aside as unusable.", ("zone",)),
    Metric("hwlink_landing_lost_messages_total", _C, "Messages that retention took before they landed.", ("zone",)),
    Metric("hwlink_matcher_loaded_rows_total", _C, "Rows taken into the index at a start."),
    Metric("hwlink_matcher_subjects_total", _C, "Subjects matched."),
    Metric("hwlink_matcher_roster_rows_total", _C, "Subject versions said to the resolver."),
    Metric("hwlink_matcher_pairs_total", _C, "Pairs said to the resolver."),
    Metric("hwlink_matcher_index_rows", _G, "Subject versions in the index."),
    Metric("hwlink_matcher_shards", _G, "Shards that this matcher has."),
    Metric("hwlink_resolver_active", _G, "1 while this resolver works, 0 while it stands by."),
    Metric("hwlink_resolver_messages_total", _C, "Messages of links read."),
    Metric("hwlink_resolver_steps_total", _C, "Transactions of the resolver."),
    Metric("hwlink_resolver_roster_rows_total", _C, "Subject versions taken in."),
    Metric("hwlink_resolver_pairs_total", _C, "Pairs taken in."),
    Metric("hwlink_resolver_membership_changes_total", _C, "Subjects that changed their person."),
    Metric("hwlink_resolver_dead_letters_total", _C, "Messages put aside as unusable."),
    Metric("hwlink_resolver_lost_messages_total", _C, "Messages that retention took before they were resolved."),
    Metric("hwlink_resolver_candidate_pairs_total", _C, "Pairs by a model that is being adopted."),
    Metric("hwlink_features_snapshots_total", _C, "Snapshots published."),
    Metric("hwlink_features_published_messages_total", _C, "Messages sent to consumers."),
    Metric("hwlink_features_people", _G, "People in the last snapshot."),
    # The line as a whole, shown by the role review: also of roles that are down.
    Metric(
        "hwlink_consumer_lag_messages", _G, "Messages a role has still to deal with.", ("role", "topic", "partition")
    ),
    Metric("hwlink_unpublished_results", _G, "Results a role holds and has not passed on.", ("role",)),
    Metric("hwlink_oldest_unread_age_seconds", _G, "How long the oldest unread message waits.", ("role", "shard")),
    Metric("hwlink_retention_used_ratio", _G, "That age as a share of what its topic keeps.", ("role", "topic")),
    Metric("hwlink_dead_letters", _G, "Messages put aside that are still kept."),
    Metric("hwlink_drift_alarms", _G, "Measures of a source that have drifted.", ("source",)),
    # The exporter itself.
    Metric("hwlink_scrape_failures", _G, "Parts of this page that could not be told.", ("part",)),
)

BY_NAME: Final[Mapping[str, Metric]] = {metric.name: metric for metric in METRICS}

OF_COUNTS: Final[Mapping[str, Mapping[str, str]]] = {
    "bus": {
        "sent": "hwlink_bus_sent_messages_total",
        "sent_bytes": "hwlink_bus_sent_bytes_total",
        "read": "hwlink_bus_read_messages_total",
        "read_bytes": "hwlink_bus_read_bytes_total",
        "commits": "hwlink_bus_commits_total",
        "commits_refused": "hwlink_bus_refused_commits_total",
        "busy": "hwlink_bus_busy_total",
        "failures": "hwlink_bus_failures_total",
        "rebalances": "hwlink_bus_rebalances_total",
        "rejoins": "hwlink_bus_rejoins_total",
        "in_flight_bytes": "hwlink_bus_bytes_in_flight",
        "lag": "hwlink_bus_unread_messages",
    },
    "landing": {
        "messages": "hwlink_landing_messages_total",
        "rows": "hwlink_landing_rows_total",
        "replayed": "hwlink_landing_replayed_appends_total",
        "dead": "hwlink_landing_dead_letters_total",
        "lost": "hwlink_landing_lost_messages_total",
    },
    "matcher": {
        "loaded": "hwlink_matcher_loaded_rows_total",
        "subjects": "hwlink_matcher_subjects_total",
        "roster": "hwlink_matcher_roster_rows_total",
        "pairs": "hwlink_matcher_pairs_total",
        "index_rows": "hwlink_matcher_index_rows",
        "shards": "hwlink_matcher_shards",
    },
    "resolver": {
        "messages": "hwlink_resolver_messages_total",
        "steps": "hwlink_resolver_steps_total",
        "roster": "hwlink_resolver_roster_rows_total",
        "pairs": "hwlink_resolver_pairs_total",
        "changes": "hwlink_resolver_membership_changes_total",
        "dead": "hwlink_resolver_dead_letters_total",
        "lost": "hwlink_resolver_lost_messages_total",
        "candidate_pairs": "hwlink_resolver_candidate_pairs_total",
        "active": "hwlink_resolver_active",
    },
    "features": {
        "snapshots": "hwlink_features_snapshots_total",
        "sent": "hwlink_features_published_messages_total",
        "people": "hwlink_features_people",
    },
}
"""Under which metric each count of a role, or of the bus, is shown."""


def counted(of: str, counts: Mapping[str, float], **labels: str) -> Iterable[Figure]:
    """Yield the figures of what `of` counts; each metric is there from the start, at 0, as Prometheus wants it."""
    for count, name in OF_COUNTS[of].items():
        yield Figure(name, counts.get(count, 0), labels)
