"""What a server is to whoever asked for one, and how the ways to get one are tried in turn."""

from __future__ import annotations

import random
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

from schemas.errors import Reason, StateError

_PORTS: Final = range(20_000, 32_768)
"""Below the ports that systems give to outgoing connections (32768 on, on Linux). A client that keeps trying a port of
that range while its server is down can be connected to itself, and then the server cannot come back.
"""
_ANSWER_S: Final = 10.0


class RungUnusableError(StateError):
    """This way to a server is not open here; the message says why, and another one may be tried."""

    def __init__(self, message: str) -> None:
        super().__init__(Reason.UNAVAILABLE, message)


class Server:
    """A server that answers at `url`; `what` says in words what it is and where."""

    def __init__(self, url: str, what: str) -> None:
        self.url = url
        self.what = what

    def close(self) -> None:
        """End what was started for this server, and remove its data. Idempotent. One that was given goes on."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class OwnServer(Server, ABC):
    """A server that was started for its holder alone, who may stop it, kill it and start it again.

    Port and data stay the same until `close`, so that clients find it again where it was.
    """

    @abstractmethod
    def stop(self) -> None:
        """Stop it in good order. Idempotent."""

    @abstractmethod
    def kill(self) -> None:
        """End it without warning, as `kill -9` does. Idempotent."""

    @abstractmethod
    def restart(self) -> None:
        """Start it again, after stopping it if it runs, and return when it is ready."""

    @abstractmethod
    def pause(self) -> None:
        """Hold it still: connections stay open and nothing answers."""

    @abstractmethod
    def resume(self) -> None:
        """Let a paused server go on."""


_Any = TypeVar("_Any", bound=Server)


def given(variable: str, scheme: str, environ: Mapping[str, str]) -> Server | None:
    """Return the server whose address stands in `variable`, None if it is not set.

    StateError SETTING_INVALID or UNAVAILABLE when it is no address of `scheme`, or nothing answers there: who names a
    server wants that one, so no other is looked for.
    """
    url = environ.get(variable, "")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme != scheme or not parts.netloc:
        raise StateError(Reason.SETTING_INVALID, f"{variable} is not an address; write {scheme}://HOST:PORT.")
    for address in parts.netloc.rpartition("@")[2].split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
        except (OSError, ValueError):
            continue
        return Server(url, f"the server that {variable} names")
    raise StateError(
        Reason.UNAVAILABLE, f"Nothing answers at the address in {variable}; start that server, or unset the variable."
    )


def climb(what: str, rungs: Sequence[tuple[str, Callable[[], _Any]]], remedy: str) -> _Any:
    """Return the server of the first rung that gives one; StateError UNAVAILABLE says what was tried, and `remedy`."""
    tried = []
    for name, start in rungs:
        try:
            return start()
        except RungUnusableError as reason:
            tried.append(f"{name}: {reason}")
    raise StateError(Reason.UNAVAILABLE, f"No {what} can be had here. Tried {'; '.join(tried)}. {remedy}")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now; another process may still come first."""
    chance = random.SystemRandom()  # seeded alike, two processes would try the same ports
    while True:
        port = chance.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
