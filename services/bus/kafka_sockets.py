"""Sockets of kafka-python's that are closed when a connection comes to nothing (decision 0005).

kafka-python 3.0.12 closes the sockets of connections that were made. One that is refused, or whose TLS handshake
fails, it leaves to the garbage collector: while a broker is away, descriptors pile up between two full collections.
Both classes here come in where the client lets others come in: a scheme of its `proxy_url`, a context's socket class.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final, cast

from kafka.net.inet import KafkaNetSocket

DIRECT: Final = "hwlink-direct://"
"""The `proxy_url` of our clients: no proxy, but `_DirectSocket`, which kafka-python finds by this scheme."""


class _DirectSocket(KafkaNetSocket):  # type: ignore[misc]
    """Connects without a proxy, as its base does, and closes what it could not connect."""

    SCHEMES = ("hwlink-direct",)

    async def sock_connect(
        self, net: Any, sock: socket.socket, sockaddr: object, timeout_at: float | None = None
    ) -> socket.socket:
        """Return `sock` connected; raises as its base does, and what a cancelled task raises."""
        try:
            return cast("socket.socket", await super().sock_connect(net, sock, sockaddr, timeout_at=timeout_at))
        except BaseException:
            sock.close()
            raise


class HandshakeSocket(ssl.SSLSocket):
    """A TLS socket, for `SSLContext.sslsocket_class`, that is closed when its handshake fails."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands; raises as its base does. One that waits for the other side is not at its end."""
        try:
            super().do_handshake(block)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except OSError:
            self.close()
            raise
