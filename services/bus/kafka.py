"""The bus on Apache Kafka, through kafka-python: any number of processes on any number of machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kafka.protocol.consumer import OffsetSpec

from schemas.errors import InputError, Reason
from schemas.topics import Topic
from services.bus import Assigned, TopicPartition
from services.bus.counts import Counts
from services.bus.kafka_cluster import Cluster, Timing
from services.bus.kafka_consumer import KafkaBusConsumer
from services.bus.kafka_producer import KafkaBusProducer
from services.bus.kafka_security import client_options
from services.bus.kafka_topics import Catalogue, Names

_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}")
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9-]{1,64}")


def parse_url(url: str) -> tuple[list[str], str]:
    """Return the servers and the namespace of `kafka://HOST:PORT[,HOST:PORT...][/NAMESPACE]`.

    Raises InputError OPTION_INVALID, without the URL, when it is not of that form.
    """
    scheme, _, rest = url.partition("://")
    addresses, _, namespace = rest.partition("/")
    servers = addresses.split(",")
    named = not namespace or _NAMESPACE.fullmatch(namespace)
    if scheme != "kafka" or not named or not all(map(_ADDRESS.fullmatch, servers)):
        raise InputError(
            Reason.OPTION_INVALID,
            "The bus URL is not usable; give kafka://HOST:PORT[,HOST:PORT...][/NAMESPACE], where a namespace is of "
            "letters, digits and hyphens; user names and passwords belong into HWLINK_KAFKA_SECURITY_PATH.",
        )
    return servers, namespace


class KafkaBus:
    """A bus on a Kafka cluster. Thread-safe; not to be forked. Holds one connection of its own."""

    compresses = True

    def __init__(self, url: str, security: Path | None = None, timing: Timing = Timing()) -> None:  # noqa: B008 - frozen
        """Use the cluster and namespace of `url`, as the principal of the `security` file. Connects at first use.

        Raises as `parse_url` and `services.bus.kafka_security.client_options`.
        """
        servers, namespace = parse_url(url)
        names, counts = Names(namespace), Counts()
        options: dict[str, Any] = {
            "bootstrap_servers": servers,
            "client_id": "hwlink",
            "bootstrap_timeout_ms": int(timing.request_s * 1000),
            "reconnect_backoff_max_ms": 1000,
            **client_options(security, servers),
        }
        self._catalogue = Catalogue(names, options, timing.request_s, counts)
        self._cluster = Cluster(options, names, self._catalogue, timing, counts)
        self._opened: list[KafkaBusProducer | KafkaBusConsumer] = []

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened since the bus was opened, by the names of `services.bus.counts.COUNTS`."""
        return self._cluster.counts.now()

    def create_topics(self, topics: Iterable[Topic]) -> None:
        """Make the topics that do not exist; existing ones are left as they are."""
        self._catalogue.create(topics)

    def producer(self) -> KafkaBusProducer:
        """Open a producer."""
        producer = KafkaBusProducer(self._cluster)
        self._opened.append(producer)
        return producer

    def consumer(
        self,
        group: str,
        topics: Sequence[Topic],
        *,
        member: str | None = None,
        assigned: Assigned | None = None,
    ) -> KafkaBusConsumer:
        """Open a consumer, as the port says."""
        consumer = KafkaBusConsumer(self._cluster, group, [topic.name for topic in topics], member, assigned)
        self._opened.append(consumer)
        return consumer

    def end_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the offset that the next message of each partition will get."""
        return self._catalogue.offsets(self._catalogue.partitions(topic.name), OffsetSpec.LATEST)

    def begin_offsets(self, topic: Topic) -> dict[TopicPartition, int]:
        """Return the first offset still held of each partition; its end where it holds none."""
        return self._catalogue.offsets(self._catalogue.partitions(topic.name), OffsetSpec.EARLIEST)

    def committed(self, group: str, topic: Topic) -> dict[TopicPartition, int]:
        """Return the group's committed offset of each partition, 0 where it has none."""
        return self._catalogue.committed(group, self._catalogue.partitions(topic.name))

    def sent_at_ms(self, places: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return when the first message at or after each offset was sent. Needs the right to describe topics only."""
        return self._catalogue.sent_at_ms(places)

    def trim(self, now_ms: int) -> int:
        """Do nothing and return 0: the broker applies retention and compaction itself."""
        return 0

    def close(self) -> None:
        """Close the bus, and the producers and consumers that are still open, since each has a thread."""
        for opened in self._opened:
            opened.close()
        self._opened.clear()
        self._catalogue.close()
