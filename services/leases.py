"""A lease: how a process of a role says that it is alive, and knows who else is.

It says who should work. Nothing is safe because of it: whoever was held for dead and goes on writing is turned away by
the epochs of what it writes to.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from schemas.errors import TransientError
from services.registry import LeaseRegistry

LEASE_S: Final = 10.0
"""How long a member's count may stand still: a dead one's work waits so long, and a pause of that length costs no more
than handing work over and back."""

BEATS_A_LEASE: Final = 4
"""Beats within a lease: some may fail or be late."""

STALLED_S: Final = 900.0
"""A loop that has not come round for so long counts as hung. Longer than any step: the switch of a model is one."""

log = logging.getLogger(__name__)


class Lease:
    """This process's place among the members of a role. `run` beats in a thread of its own, so that long steps may."""

    def __init__(
        self,
        registry: LeaseRegistry,
        role: str,
        member: str,
        *,
        former: str | None = None,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Be nobody yet. `former` is a member that is known to be dead: its place is free at once."""
        self._registry = registry
        self._role = role
        self.member = member
        self._lease_s = lease_s
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, float]] = {}
        self._came_round = clock()
        self.joined = False
        self.members: tuple[str, ...] = ()
        """Who is alive, in the order of joining, as of the last look."""
        self.looks = 0
        """How often was looked."""
        if former is not None:
            registry.end(role, former)

    @property
    def is_first(self) -> bool:
        """Whether this is the member that joined before all others."""
        return self.members[:1] == (self.member,)

    def join(self) -> None:
        """Become a member, the last to join, and look who else is."""
        self.joined = True
        self.beat()

    def rejoin(self) -> None:
        """Give the place up and become the last to join."""
        self._registry.end(self._role, self.member)
        self.join()

    def leave(self) -> None:
        """Be no member any more. What cannot be said now, others conclude once the lease has passed."""
        with self._lock:
            if self.joined:
                self.joined, self.members = False, ()
                with contextlib.suppress(TransientError):
                    self._registry.end(self._role, self.member)

    def beat(self) -> None:
        """Say that this process is alive, and look who else is; those whose count stood still for a lease are taken
        out.
        """
        with self._lock:
            if not self.joined:
                return
            asked = self._clock()
            counts = self._registry.beat(self._role, self.member)
            answered = self._clock()
            # A pause of this process may fall anywhere: of the two times, the one is taken that makes others younger.
            before, self._seen = self._seen, {}
            for member, count in counts.items():
                known = before.get(member)
                self._seen[member] = known if known is not None and known[0] == count else (count, answered)
                if member != self.member and asked - self._seen[member][1] >= self._lease_s:
                    log.warning("a lease has ended", extra={"role": self._role})
                    self._registry.end(self._role, member, seen=count)
                    del self._seen[member]
            self.members = tuple(self._seen)
            self.looks += 1

    def note_progress(self) -> None:
        """Say that the loop has come round, or that a long step has got further."""
        self._came_round = self._clock()

    def run(self, stop: threading.Event) -> None:
        """Beat until `stop` is set, but not for a loop that hangs."""
        while not stop.wait(self._lease_s / BEATS_A_LEASE):
            if self._clock() - self._came_round > STALLED_S:
                log.error("a loop hangs and loses its lease", extra={"role": self._role})
                continue
            try:
                self.beat()
            except TransientError as error:
                log.warning("a beat failed", extra={"role": self._role, "reason": error.reason})
