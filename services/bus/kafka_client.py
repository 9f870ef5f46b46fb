"""Making the clients of kafka-python, so that nothing is left of one that finds no broker, and it says why."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Final, TypeVar

from kafka import errors
from kafka.net.compat import KafkaNetClient

from services.bus.kafka_sockets import DIRECT

C = TypeVar("C")

UNACCEPTED: Final = (
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    ssl.SSLError,
)
"""How a connection ends when one side does not accept who the other is."""

_HUNG_UP: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Of those, what says nothing about anybody: a broker that dies, or a proxy without one, ends handshakes so too."""


def connected(kind: Callable[..., C], **options: Any) -> C:
    """Return a connected KafkaProducer, KafkaConsumer or KafkaAdminClient; raises what its constructor raises.

    A constructor of kafka-python's that finds no broker leaves a thread and four descriptors behind (measured with
    3.0.12), which a role that tries again every second runs out of in minutes: so we keep hold of what it opens. And it
    says no more than that time ran out, when it was in fact refused: so we listen to its connections.
    """
    opened: list[KafkaNetClient] = []
    refusals: list[BaseException] = []

    def note(error: BaseException) -> None:
        refusals.extend(
            one for one in (error, error.__context__) if isinstance(one, UNACCEPTED) and not isinstance(one, _HUNG_UP)
        )

    def inside(**settings: Any) -> KafkaNetClient:
        client = KafkaNetClient(**settings)
        opened.append(client)
        manager = client._manager
        get = manager.get_connection

        def watched(*given: Any, **named: Any) -> Any:
            connection = get(*given, **named)
            connection.init_future.add_errback(note)
            return connection

        manager.get_connection = watched
        return client

    try:
        made = kind(**options, proxy_url=DIRECT, kafka_client=inside)
    except BaseException as error:
        for client in opened:
            client.close()
        if refusals and isinstance(error, errors.KafkaTimeoutError):
            raise refusals[-1] from None
        raise
    for client in opened:
        del client._manager.get_connection  # its own again
    return made
