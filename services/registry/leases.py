"""The port of leases: which processes of a role are alive, in the order in which they joined.

Who is alive raises a count of its own from time to time. Whoever sees another's count stand still for as long as a
lease lasts, by its own clock, takes that row out. So no two machines' clocks are ever compared, and who is alive is
what the table holds, alike for everybody who reads it. A lease says who should work, never who may write: that is
for the epochs of shards and of the resolver.
"""

from __future__ import annotations

from typing import Protocol


class LeaseRegistry(Protocol):
    """Who works on a role."""

    def beat(self, role: str, member: str) -> dict[str, int]:
        """Raise a member's count by one, as the last to join where it is not there; return all members' counts.

        They are in the order in which they joined.
        """
        ...

    def end(self, role: str, member: str, seen: int | None = None) -> None:
        """Take a member out; with `seen`, only if that is its count still. Idempotent."""
        ...
