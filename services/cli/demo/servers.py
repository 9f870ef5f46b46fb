"""What the demo runs on: files of its own, or real servers, found or started for as long as it runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from schemas.errors import InputError, Reason
from services.stack import OwnServer, Server, find_or_start_kafka, find_or_start_postgresql

EMBEDDED: Final = "sqlite"

_FIND: Final[dict[str, tuple[str, Callable[[], Server]]]] = {
    "kafka": ("HWLINK_BUS_URL", find_or_start_kafka),
    "postgresql": ("HWLINK_REGISTRY_URL", find_or_start_postgresql),
}


@contextmanager
def servers(bus: str, registry: str, say: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Lend the settings that name bus and registry: `sqlite` for a file, `kafka` or `postgresql`, or a URL.

    What is started here ends with the demo. Raises InputError OPTION_INVALID for anything else, and StateError
    UNAVAILABLE where no server can be had.
    """
    with ExitStack() as started:
        environ = {}
        for asked, kind in ((bus, "kafka"), (registry, "postgresql")):
            setting, find = _FIND[kind]
            if asked == EMBEDDED:
                continue
            if asked.startswith(kind) and "://" in asked:
                environ[setting] = asked
            elif asked == kind:
                server = started.enter_context(find())
                environ[setting] = server.url
                say(_told(server))
            else:
                raise InputError(Reason.OPTION_INVALID, f"Give {EMBEDDED}, {kind}, or a URL of {kind}.")
        url = environ.get("HWLINK_BUS_URL", "")
        if url and "/" not in url.removeprefix("kafka://"):
            # Topics of its own: the broker may be another's, or have held a demo before.
            environ["HWLINK_BUS_URL"] = f"{url}/demo-{secrets.token_hex(4)}"
        yield environ


def _told(server: Server) -> str:
    """Say what a server is and how it is stopped; never its address, which may hold a password."""
    if isinstance(server, OwnServer):
        return f"Started {server.what}. It ends with the demo, data and all; Ctrl-C ends both before their time."
    return f"Using {server.what}. It goes on when the demo has ended; stop it where it was started."
