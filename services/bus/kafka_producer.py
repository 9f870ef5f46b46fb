"""Sending to Kafka: idempotent, acknowledged by all replicas, and bounded in what is on its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from kafka import KafkaProducer, errors

from schemas.errors import Reason, TransientError
from services.bus import Outgoing, TopicPartition
from services.bus.counts import Counts
from services.bus.kafka_client import connected
from services.bus.kafka_cluster import Cluster
from services.bus.kafka_topics import BATCH_LIMIT_BYTES
from services.bus.rules import refuse_unsendable

COMPRESSION: Final = "lz4"
"""Decision 0002: what is large is Arrow, and compressed already; what is small gains, and costs little."""

_BATCH_BYTES: Final = 64 * 1024
"""Small messages of one partition go together up to this much; a larger one goes by itself, without waiting."""

_LINGER_MS: Final = 2
_GRACE_S: Final = 1.0
_CLOSE_S: Final = 5.0
_END_S: Final = 5.0
"""More than a thread that is told to end needs on a busy machine: it fails what it holds and hangs up."""


class InFlight:
    """Room for what is sent and not acknowledged: kafka-python's own buffer has no end. Thread-safe."""

    def __init__(self, limit_bytes: int, counts: Counts) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._changed = threading.Condition()
        self._counts = counts

    def take(self, size: int, timeout_s: float) -> None:
        """Wait for room for `size` bytes; TransientError BUSY when there is none within `timeout_s`.

        What is larger than the limit goes when nothing else is on its way.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._held + size <= self._limit or not self._held, timeout_s):
                self._counts.add(busy=1)
                raise TransientError(
                    Reason.BUSY,
                    "The Kafka broker is slower than what is sent to it; wait a moment, then send the same again.",
                )
            self._held += size
        self._counts.add(in_flight_bytes=size)

    def give(self, size: int) -> None:
        """Give room back."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()
        self._counts.add(in_flight_bytes=-size)


class KafkaBusProducer:
    """Sends messages. Thread-safe; threads share one connection and one bound."""

    def __init__(self, cluster: Cluster) -> None:
        """Connect at the first send."""
        timing = cluster.timing
        self._options = {
            **cluster.options,
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": COMPRESSION,
            "batch_size": _BATCH_BYTES,
            "linger_ms": _LINGER_MS,
            "max_request_size": BATCH_LIMIT_BYTES,
            "allow_auto_create_topics": False,
            "max_block_ms": int(timing.request_s * 1000),
            "request_timeout_ms": int(timing.request_s * 1000),
            "delivery_timeout_ms": int(timing.delivery_s * 1000),
        }
        self._cluster = cluster
        self._in_flight = InFlight(timing.in_flight_bytes, cluster.counts)
        self._lock = threading.Lock()
        self._client: KafkaProducer | None = None

    def send(self, messages: Sequence[Outgoing]) -> list[tuple[TopicPartition, int]]:
        """Send and wait until every message is acknowledged; return each one's partition and offset, in order.

        Raises TransientError BUSY when there was no room within `Timing.block_s`, UNAVAILABLE when the broker did not
        acknowledge within `Timing.delivery_s`; some of the messages may then have been written.
        """
        catalogue = self._cluster.catalogue
        for m in messages:
            refuse_unsendable(m, len(catalogue.partitions(m.topic)), catalogue.is_compacted(m.topic))
        if not messages:
            return []
        topics = ", ".join(sorted({m.topic for m in messages}))
        with self._cluster.errors(topics):
            client = self._connected()
            try:
                futures = [self._hand_over(client, message) for message in messages]
                deadline = time.monotonic() + self._cluster.timing.delivery_s + _GRACE_S
                done = [future.get(max(0.0, deadline - time.monotonic())) for future in futures]
            except errors.KafkaError:
                self._abandon(client)
                raise
        self._cluster.counts.add(sent=len(messages), sent_bytes=sum(len(m.value or b"") for m in messages))
        return [(TopicPartition(m.topic, m.partition), one.offset) for m, one in zip(messages, done, strict=True)]

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            _close(client, _CLOSE_S)

    def _hand_over(self, client: KafkaProducer, message: Outgoing) -> Any:
        headers = [(name, text.encode()) for name, text in message.headers.items()]
        size = len(message.value or b"") + len(message.key or b"") + sum(len(n) + len(v) for n, v in headers)
        self._in_flight.take(size, self._cluster.timing.block_s)
        try:
            future = client.send(
                self._cluster.names.on_broker(message.topic),
                value=message.value,
                key=message.key,
                headers=headers,
                partition=message.partition,
            )
        except BaseException:
            self._in_flight.give(size)
            raise
        future.add_both(lambda _: self._in_flight.give(size))
        return future

    def _connected(self) -> KafkaProducer:
        with self._lock:
            if self._client is None:
                self._client = connected(KafkaProducer, **self._options)
            return self._client

    def _abandon(self, client: KafkaProducer) -> None:
        """Throw the client away, so that nothing which was reported as failed arrives later, out of order.

        An idempotent producer of kafka-python's is of no more use then anyway: one refused message ends it.
        """
        with self._lock:
            if self._client is not client:
                return  # another thread has done it
            self._client = None
        _close(client, 0)


def _close(client: KafkaProducer, timeout_s: float) -> None:
    """Close a client; what it could not deliver by then has been, or is about to be, reported as failed.

    Its own `close` flushes first and, in 3.0.12, closes nothing at all when that does not end in time: the thread goes
    on sending what was reported as failed, and the room of what never ends is never given back. So its thread is ended
    here; then nothing is left to flush.
    """
    with suppress(errors.KafkaError):
        client.flush(timeout_s)
    client._sender.force_close()
    client._sender.join(_END_S)
    with suppress(errors.KafkaTimeoutError):
        client.close(timeout=0)
