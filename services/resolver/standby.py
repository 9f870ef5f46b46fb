"""One active resolver, and any number that stand by: whoever joined first is active, and the next takes over."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from schemas.errors import Reason, StateError
from services.leases import Lease
from services.loop import step_until
from services.resolver.role import Resolver

_POLL_S: Final = 0.5

log = logging.getLogger(__name__)


class Standby:
    """A resolver that works while it is its turn. Not thread-safe; `run` is its loop."""

    def __init__(self, lease: Lease, resolver: Callable[[], Resolver], poll_s: float = _POLL_S) -> None:
        """`resolver` makes one that claims: it is called whenever this one's turn comes."""
        self._lease = lease
        self._make = resolver
        self._poll_s = poll_s
        self._resolver: Resolver | None = None

    @property
    def is_active(self) -> bool:
        """Whether this one resolves."""
        return self._resolver is not None

    @property
    def counts(self) -> Mapping[str, int]:
        """What the resolver counts since this one's turn came, and `active`: 1 while it is."""
        resolver = self._resolver
        return {"active": 0} if resolver is None else {**resolver.counts, "active": 1}

    def step(self) -> int:
        """Resolve some messages and return how many were read, if it is this one's turn.

        Whoever finds that another has claimed gives its place up and stands by as the last.
        """
        self._lease.note_progress()
        if not self._lease.joined:
            self._lease.join()
        if not self._lease.is_first:
            self._stand_by()
            return 0
        try:
            if self._resolver is None:
                self._resolver = self._make()
                log.info("resolver is active", extra={"role": "resolver"})
            return self._resolver.step()
        except StateError as error:
            if error.reason is not Reason.OWNERSHIP_LOST:
                raise
            self._stand_by()
            self._lease.rejoin()
            return 0

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; transient failures are tried again, all others raised."""

        def turn() -> None:
            self.step()
            if not self.is_active:
                stop.wait(self._poll_s)

        step_until(stop, turn, self.close, "resolver")

    def close(self) -> None:
        """Close what is open, and be a member no more: the next may take over at once."""
        if self._resolver is not None:
            self._resolver.close()
        self._lease.leave()

    def _stand_by(self) -> None:
        if self._resolver is not None:
            log.warning("resolver stands by", extra={"role": "resolver"})
            self._resolver.close()
            self._resolver = None
