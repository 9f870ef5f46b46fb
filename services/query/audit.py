"""One call's entry in the audit chain: what was released to whom for what, or why it was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from schemas.errors import HwlinkError
from schemas.purposes import shipped_purposes
from services.registry import AuditEvent, QueryRegistry


class Audit:
    """An event to be written once: by `write`, or by the ledger in the transaction that records the release."""

    def __init__(self, registry: QueryRegistry, principal: str, purpose_id: str, action: str) -> None:
        """Prepare the event of `action`."""
        self._registry = registry
        self._principal = principal
        # The id of a purpose that does not exist is a text of the caller's, and could be anything.
        self._purpose = purpose_id if purpose_id in shipped_purposes() else "unknown"
        self._action = action

    def event(self, outcome: str, detail: Mapping[str, str]) -> AuditEvent:
        """Return the event without writing it."""
        return AuditEvent(self._principal, self._purpose, self._action, outcome, detail)

    def write(self, outcome: str, detail: Mapping[str, str]) -> None:
        """Append the event to the chain."""
        self._registry.audit(self.event(outcome, detail))


@contextmanager
def audited(registry: QueryRegistry, principal: str, purpose_id: str, action: str) -> Iterator[Audit]:
    """Give the call's audit; a refusal inside is written with its reason and raised on."""
    audit = Audit(registry, principal, purpose_id, action)
    try:
        yield audit
    except HwlinkError as error:
        audit.write("refused", {"reason": error.reason.value})
        raise
