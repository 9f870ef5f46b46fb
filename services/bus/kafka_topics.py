"""Topics and offsets as a Kafka cluster has them: made, looked up, listed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from kafka import KafkaAdminClient, errors
from kafka import TopicPartition as Place
from kafka.protocol.consumer import OffsetSpec

from schemas.topics import DAYS_MS, Topic
from services.bus import TopicPartition
from services.bus.counts import Counts
from services.bus.kafka_client import connected
from services.bus.kafka_errors import our_errors
from services.bus.rules import MESSAGE_LIMIT_BYTES, TOMBSTONE_RETENTION_MS, unknown_topic

_PAUSE_S: Final = 0.1

ENVELOPE_BYTES: Final = 64 * 1024
"""What a message may have around its value: key, headers, and what the log adds."""

BATCH_LIMIT_BYTES: Final = MESSAGE_LIMIT_BYTES + ENVELOPE_BYTES


def topic_settings(topic: Topic) -> dict[str, str]:
    """Return the settings that a topic has on the broker, as `hwlink topics apply` sets them.

    Partitions and key are not among them, nor the replication, which is the cluster's default. A closed segment is what
    retention and compaction work on, so that segments are closed daily: else tokens would stay for twice their time.
    """
    settings = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "max.message.bytes": str(BATCH_LIMIT_BYTES),
        "message.timestamp.type": "LogAppendTime",  # retention then goes by one clock
        "retention.ms": str(-1 if topic.retention_ms is None else topic.retention_ms),
        "segment.ms": str(DAYS_MS),
    }
    if topic.compacted:
        settings |= {
            "delete.retention.ms": str(TOMBSTONE_RETENTION_MS),
            "min.compaction.lag.ms": "0",
            "max.compaction.lag.ms": str(DAYS_MS),  # what was superseded, an erased person's record too, goes in time
        }
    return settings


_RESOLUTION_MS: Final = 1000
_CLOCKS_MS: Final = 24 * 60 * 60 * 1000
"""How far the broker's clock may be ahead of this one."""


class Names:
    """The names on the broker: the installation's before every topic and group, so that several share a cluster."""

    def __init__(self, namespace: str) -> None:
        self._prefix = f"{namespace}." if namespace else ""

    def on_broker(self, name: str) -> str:
        """Return the broker's name of a topic or group."""
        return self._prefix + name

    def place(self, partition: TopicPartition) -> Place:
        """Return the broker's name of a partition."""
        return Place(self._prefix + partition.topic, partition.partition)

    def partition(self, place: Place) -> TopicPartition:
        """Return our name of a partition."""
        return TopicPartition(place.topic.removeprefix(self._prefix), place.partition)


class Catalogue:
    """What there is on the cluster. Thread-safe. Topics are never removed, so what was looked up once holds."""

    def __init__(self, names: Names, options: Mapping[str, Any], timeout_s: float, counts: Counts) -> None:
        self._names = names
        self._options = options
        self._timeout_s = timeout_s
        self._counts = counts
        self._lock = threading.Lock()
        self._client: KafkaAdminClient | None = None
        self._partitions: dict[str, int] = {}
        self._compacted: set[str] = set()

    def create(self, topics: Iterable[Topic]) -> None:
        """Make the topics that do not exist; existing ones are left as they are."""
        wanted = {topic.name: topic for topic in topics}
        self._look_up(wanted)
        missing = [topic for name, topic in wanted.items() if name not in self._partitions]
        if missing:
            with self._errors(", ".join(topic.name for topic in missing)):
                answer = self._admin().create_topics(
                    {
                        self._names.on_broker(topic.name): {
                            "num_partitions": topic.partitions,
                            "configs": topic_settings(topic),
                        }
                        for topic in missing
                    },
                    raise_errors=False,
                )
                for made in answer["topics"]:
                    kind = errors.for_code(made["error_code"])
                    if kind not in (errors.NoError, errors.TopicAlreadyExistsError):
                        raise kind
                self._admin().wait_for_topics(
                    [self._names.on_broker(topic.name) for topic in missing], timeout_ms=int(self._timeout_s * 1000)
                )
            self._look_up(wanted)
        self._compacted.update(topic.name for topic in wanted.values() if topic.compacted)

    def partitions(self, topic: str) -> list[TopicPartition]:
        """Return a topic's partitions; StateError STORE_MISSING when nobody has made it."""
        if topic not in self._partitions:
            self._look_up([topic])
        if topic not in self._partitions:
            raise unknown_topic(topic)
        return [TopicPartition(topic, partition) for partition in range(self._partitions[topic])]

    def is_compacted(self, topic: str) -> bool:
        """Return whether a topic that this process made or found by its table is compacted."""
        return topic in self._compacted

    def offsets(self, partitions: Iterable[TopicPartition], spec: OffsetSpec) -> dict[TopicPartition, int]:
        """Return the earliest or latest offset of each partition."""
        wanted = {self._names.place(partition): spec for partition in partitions}
        with self._errors("the topics"):
            found = self._patiently(lambda admin: admin.list_partition_offsets(wanted))
        return {self._names.partition(place): one.offset for place, one in found.items()}

    def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Return a group's committed offsets, 0 where it has none."""
        name = self._names.on_broker(group)
        with self._errors(f"the group {group}"):
            found = self._patiently(
                lambda admin: admin.list_group_offsets({name: list(map(self._names.place, partitions))})
            )
            held = found[name]
        offsets = {self._names.partition(place): one.offset for place, one in held.items()}
        return {p: max(0, offsets.get(p, 0)) for p in partitions}

    def sent_at_ms(self, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return when the first message at or after each offset was sent; a partition that holds none is left out.

        The broker only says which offset is the first at or after a moment, so that the moment is found by halving:
        some twenty questions about all partitions at once, where reading one message of each could fetch 8 MB of each.
        """
        begins, ends = self.offsets(places, OffsetSpec.EARLIEST), self.offsets(places, OffsetSpec.LATEST)
        wanted = {p: max(offset, begins[p]) for p, offset in places.items() if max(offset, begins[p]) < ends[p]}
        low = dict.fromkeys(wanted, 0)
        high = dict.fromkeys(wanted, (time.time_ns() // 1_000_000 + _CLOCKS_MS))
        ask = dict(low)  # first of all the oldest message of each, which bounds the search by what is retained
        while ask:
            for p, found in self._first_at(ask).items():
                if found is not None and found[0] <= wanted[p]:
                    low[p] = max(ask[p], found[1])
                else:
                    high[p] = ask[p]
            ask = {p: (low[p] + high[p]) // 2 for p in wanted if high[p] - low[p] > _RESOLUTION_MS}
        return low

    def _first_at(self, moments: Mapping[TopicPartition, int]) -> dict[TopicPartition, tuple[int, int] | None]:
        """Return the offset and time of the first message at or after each moment, None where there is none."""
        asked = {self._names.place(partition): moment for partition, moment in moments.items()}
        with self._errors("the topics"):
            found = self._admin().list_partition_offsets(asked, timeout_ms=int(self._timeout_s * 1000))
        return {
            self._names.partition(place): (one.offset, one.timestamp) if one.offset >= 0 else None
            for place, one in found.items()
        }

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _look_up(self, names: Iterable[str]) -> None:
        unknown = [name for name in names if name not in self._partitions]
        if not unknown:
            return
        with self._errors(", ".join(unknown)):
            for found in self._admin().describe_topics([self._names.on_broker(name) for name in unknown]):
                kind = errors.for_code(found["error_code"])
                if kind is errors.NoError:
                    name = self._names.partition(Place(found["name"], 0)).topic
                    self._partitions[name] = len(found["partitions"])
                elif kind is not errors.UnknownTopicOrPartitionError:
                    raise kind

    def _admin(self) -> KafkaAdminClient:
        with self._lock:
            if self._client is None:
                self._client = connected(
                    KafkaAdminClient, **self._options, request_timeout_ms=int(self._timeout_s * 1000)
                )
            return self._client

    def _patiently(self, ask: Callable[[KafkaAdminClient], Any]) -> Any:
        """Ask again while the cluster is about to elect a leader or coordinator, as a new one is at first."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                return ask(self._admin())
            except errors.UnknownTopicOrPartitionError:
                raise
            except errors.RetriableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_S)

    def _errors(self, what: str) -> Any:
        return our_errors(what, lambda: self._counts.add(failures=1))
