"""Figures that a process keeps of itself, as plain numbers: what `services.metrics` shows to Prometheus.

Roles and servers count without knowing of any metrics library; labels are names of ours (sources, reasons, topics,
methods), never a record's value.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the classes that durations are counted in: from a call of milliseconds to a rebuild of minutes."""


@dataclass(frozen=True)
class Spread:
    """How many durations fell into each class of `BOUNDS_S`, with one class more beyond the last, and their sum."""

    counts: tuple[int, ...]
    sum_s: float


@dataclass(frozen=True)
class Figure:
    """One figure under the name that its metric has; a `Spread` for a metric that is a histogram."""

    name: str
    value: float | Spread
    labels: Mapping[str, str] = field(default_factory=dict)


class Durations:
    """Durations of one kind by the values of its labels. Thread-safe."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        """`name` is that of the metric, `labels` are the names of its labels in the order of `observe`."""
        self._name = name
        self._labels = tuple(labels)
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, seconds: float, *labels: str) -> None:
        """Count one duration."""
        with self._lock:
            counts = self._counts.setdefault(labels, [0] * (len(BOUNDS_S) + 1))
            counts[bisect_left(BOUNDS_S, seconds)] += 1
            self._sums[labels] = self._sums.get(labels, 0.0) + seconds

    def now(self) -> list[Figure]:
        """Return what was counted so far."""
        with self._lock:
            return [
                Figure(
                    self._name,
                    Spread(tuple(counts), self._sums[labels]),
                    dict(zip(self._labels, labels, strict=True)),
                )
                for labels, counts in self._counts.items()
            ]


class Tally:
    """Counts of one kind by the values of its labels. Thread-safe."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        """As `Durations`."""
        self._name = name
        self._labels = tuple(labels)
        self._lock = threading.Lock()
        self._values: dict[tuple[str, ...], float] = {}

    def add(self, number: float, *labels: str) -> None:
        """Add to one count."""
        with self._lock:
            self._values[labels] = self._values.get(labels, 0.0) + number

    def now(self) -> list[Figure]:
        """Return what was counted so far."""
        with self._lock:
            return [
                Figure(self._name, value, dict(zip(self._labels, labels, strict=True)))
                for labels, value in self._values.items()
            ]
