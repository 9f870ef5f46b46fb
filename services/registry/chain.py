"""The audit chain: each event's hash covers the one before, so that no event can be changed or left out unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from services.registry import AuditEvent

GENESIS: Final = "0" * 64
"""What the first event's hash covers in place of a previous one."""


def chain_hash(previous: str, serial: int, event: AuditEvent) -> str:
    """Return the hexadecimal SHA-256 of the previous hash and the event in canonical JSON."""
    document = json.dumps(
        {
            "serial": serial,
            "occurred_at_ms": event.occurred_at_ms,
            "principal": event.principal,
            "purpose": event.purpose,
            "action": event.action,
            "outcome": event.outcome,
            "detail": dict(event.detail),
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    )
    return hashlib.sha256(f"{previous}\n{document}".encode()).hexdigest()


def first_break(events: Iterable[tuple[int, AuditEvent, str]]) -> int | None:
    """Return the serial at which the chain does not hold (a gap, or a changed event), None when all of it does."""
    previous, expected = GENESIS, 1
    for serial, event, digest in events:
        if serial != expected or digest != chain_hash(previous, serial, event):
            return expected
        previous, expected = digest, serial + 1
    return None
