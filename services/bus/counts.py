"""What a bus has done since it was opened, as plain numbers for whoever exports metrics."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

COUNTS: Final[Mapping[str, str]] = {
    "sent": "messages acknowledged",
    "sent_bytes": "bytes of their values",
    "read": "messages handed out by polls",
    "read_bytes": "bytes of their values",
    "commits": "positions stored for a group",
    "commits_refused": "positions a group no longer took from this member, since its partitions had moved on",
    "busy": "sends refused because too much was waiting for acknowledgement",
    "failures": "calls that failed for want of a broker or a file, and may be tried again",
    "rebalances": "times that the partitions of a member changed",
    "rejoins": "times that a member found itself out of its group and began anew",
    "in_flight_bytes": "now: bytes sent and not yet acknowledged",
    "lag": "now: messages that open consumers had not been handed when they last looked",
}
"""Every name that `Bus.counts` has, and what it counts; all but the two marked `now` only ever rise."""


class Counts:
    """The numbers of one bus, shared by its producers and consumers. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values = dict.fromkeys(COUNTS, 0)
        self._lags: dict[object, int] = {}

    def add(self, **numbers: int) -> None:
        """Add to numbers by name."""
        with self._lock:
            for name, number in numbers.items():
                self._values[name] += number

    def set_lag(self, consumer: object, messages: int) -> None:
        """Note how far behind one consumer is."""
        with self._lock:
            self._lags[consumer] = messages

    def forget(self, consumer: object) -> None:
        """Leave a closed consumer out of the lag."""
        with self._lock:
            self._lags.pop(consumer, None)

    def now(self) -> dict[str, int]:
        """Return every number by name."""
        with self._lock:
            return {**self._values, "lag": sum(self._lags.values())}
