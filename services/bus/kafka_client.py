"""Making the clients of kafka-python, so that nothing is left of one that finds no broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.net.compat import KafkaNetClient

C = TypeVar("C")


def connected(kind: Callable[..., C], **options: Any) -> C:
    """Return a connected KafkaProducer, KafkaConsumer or KafkaAdminClient; raises what its constructor raises.

    A constructor of kafka-python's that finds no broker leaves a thread and four descriptors behind (measured with
    3.0.12), which a role that tries again every second runs out of in minutes. So we keep hold of what it opens.
    """
    opened: list[KafkaNetClient] = []

    def inside(**settings: Any) -> KafkaNetClient:
        opened.append(KafkaNetClient(**settings))
        return opened[-1]

    try:
        return kind(**options, kafka_client=inside)
    except BaseException:
        for client in opened:
            client.close()
        raise
