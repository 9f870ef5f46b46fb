"""What a role is to whoever runs it: a gRPC server, or loops side by side."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from services.loop import figures as loop_figures
from services.rpc.server import RpcServer, Service

if TYPE_CHECKING:
    from services.metrics.exporter import Figures

Ready = Callable[[Mapping[str, str]], None]
"""Told once a role works: address by name of service, empty for a role that serves none."""

GRACE_S: Final = 20.0
"""How long running calls may go on after a server was told to stop."""


class Role(Protocol):
    """What `run_role` runs: starts, says so, and works until `stop` is set."""

    parts: Mapping[str, Figures]
    """What tells metrics about it, by name."""

    def run(self, stop: threading.Event, ready: Ready) -> None:
        """Work until `stop` is set; raises HwlinkError when it cannot go on."""
        ...


class Serving:
    """A role that is a gRPC server."""

    def __init__(
        self,
        address: str,
        services: Sequence[Service],
        before_stop: Callable[[], None],
        after_stop: Callable[[], None],
        parts: Mapping[str, Figures] | None = None,
    ) -> None:
        """Bind the address. `before_stop` makes open streams end, `after_stop` releases what calls used."""
        self._server = RpcServer(address, services)
        self.parts: Mapping[str, Figures] = {"grpc": self._server.calls.now, **(parts or {})}
        self._names = [service.name for service in services]
        self._before_stop = before_stop
        self._after_stop = after_stop

    def run(self, stop: threading.Event, ready: Ready) -> None:
        """Serve until `stop` is set, then let what runs end."""
        # What start-up left behind (modules, schemas) is never garbage, and each full collection would walk it again:
        # measured 50 ms each, every few batches of typed rows.
        gc.freeze()
        self._server.start()
        ready(dict.fromkeys(self._names, self._server.address))
        stop.wait()
        self._before_stop()
        self._server.stop(GRACE_S)
        self._after_stop()


class Looping:
    """A role that is a loop, or several side by side: the first to fail stops the others, and its failure is raised."""

    def __init__(self, *loops: Callable[[threading.Event], None], parts: Mapping[str, Figures] | None = None) -> None:
        self._loops = loops
        self.parts: Mapping[str, Figures] = {"loop": loop_figures, **(parts or {})}

    def run(self, stop: threading.Event, ready: Ready) -> None:
        """Run the loops until `stop` is set."""
        ready({})
        first, *others = self._loops
        failures: list[BaseException] = []

        def guarded(loop: Callable[[threading.Event], None]) -> None:
            try:
                loop(stop)
            except BaseException as error:
                failures.append(error)
                stop.set()

        threads = [threading.Thread(target=guarded, args=(loop,)) for loop in others]
        for thread in threads:
            thread.start()
        guarded(first)
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
