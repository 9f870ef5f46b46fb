"""One figure: what was done, how many records, how long it took, and the most memory it took."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One run of one piece of work. `details` are further numbers by name, with their unit in the name."""

    name: str
    unit: str
    records: int
    seconds: float
    peak_mib: int | None = None
    details: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return dict(vars(self))


def combined(stage: str, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figure of several runs: medians of seconds and details, the highest peak of memory."""
    first = runs[0]
    assert all(run["name"] == first["name"] and run["unit"] == first["unit"] for run in runs)
    seconds = [run["seconds"] for run in runs]
    typical = median(seconds)
    records = round(median(run["records"] for run in runs))
    peaks = [run["peak_mib"] for run in runs if run["peak_mib"] is not None]
    return {
        "stage": stage,
        "name": first["name"],
        "unit": first["unit"],
        "records": records,
        "seconds": round(typical, 4),
        "seconds_each": [round(s, 4) for s in seconds],
        "records_per_s": round(records / typical) if typical else 0,
        "peak_mib": max(peaks, default=None),
        "details": {key: round(median(run["details"][key] for run in runs), 3) for key in first["details"]},
    }


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Give a function that returns the seconds since here; after the block, those that the block took."""
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - started
    ended.append(time.perf_counter())


def peak_mib(pid: int | None = None) -> int | None:
    """Return the most resident memory that a process (this one by default) has held, in MiB; None where unknown.

    Linux's own high-water mark is preferred: `ru_maxrss` of a process may still be its parent's from before the exec.
    """
    try:
        lines = Path(f"/proc/{pid or 'self'}/status").read_text("ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        if pid is not None:
            return None
    return _mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def largest_child_mib() -> int:
    """Return the most resident memory that any ended child of this process held, in MiB."""
    return _mib(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _mib(peak: int) -> int:
    """getrusage counts KiB, on macOS bytes."""
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)
