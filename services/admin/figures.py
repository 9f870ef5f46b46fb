"""Figures of the line as a whole, for metrics: how far every role is, whether it runs or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from services.admin.backlog import backlogs
from services.admin.dead_letters import count
from services.admin.status import drift_alarms, status
from services.bus import Bus
from services.figures import Figure
from services.lake import Zone
from services.registry import Registry


def line_figures(bus: Bus, registry: Registry, content: Zone) -> Iterator[Figure]:
    """Yield lag, age and share of retention of what waits, dead letters, alarms of drift; raises as the stores do."""
    roles = status(bus, registry, content)
    for role in roles:
        yield Figure("hwlink_unpublished_results", role.unpublished, {"role": role.role})
        for position in role.positions:
            where = {"role": role.role, "topic": position.topic, "partition": str(position.partition)}
            yield Figure("hwlink_consumer_lag_messages", position.lag_messages, where)
    waiting = backlogs(bus, registry, roles)
    oldest: dict[tuple[str, str], float] = {(role.role, ""): 0.0 for role in roles}
    shares: dict[tuple[str, str], float] = {(role.role, p.topic): 0.0 for role in roles for p in role.positions}
    for one in waiting:
        reader = (one.role, "" if one.shard is None else str(one.shard))
        oldest[reader] = max(one.age_s, oldest.get(reader, 0.0))
        place = (one.role, one.topic)
        shares[place] = max(one.retention_share or 0.0, shares.get(place, 0.0))
    for (name, shard), age_s in oldest.items():
        yield Figure("hwlink_oldest_unread_age_seconds", age_s, {"role": name, "shard": shard})
    for (name, topic), share in shares.items():
        yield Figure("hwlink_retention_used_ratio", share, {"role": name, "topic": topic})
    yield Figure("hwlink_dead_letters", count(bus))
    for source, alarms in Counter(alarm.source for alarm in drift_alarms(registry)).items():
        yield Figure("hwlink_drift_alarms", alarms, {"source": source})
