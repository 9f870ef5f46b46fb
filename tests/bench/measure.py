"""One figure: what was done, how many records, how long it took, how much of a core, and the most memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

import psutil


class Stopwatch:
    """Times a `with` block: `seconds` on the wall, and `cpu_s` of all threads, ended children and, if named, a server.

    Where `cpu_s` is far below what the wall and the cores would allow, the block waited: for disks, or for other work.
    """

    def __init__(self, server_pid: int | None = None) -> None:
        self.seconds = self.cpu_s = 0.0
        self._server = None if server_pid is None else psutil.Process(server_pid)

    def __enter__(self) -> Self:
        self._cpu_before = self._cpu_now()
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._started
        self.cpu_s = self._cpu_now() - self._cpu_before

    def _cpu_now(self) -> float:
        served = 0.0 if self._server is None else sum(self._server.cpu_times()[:2])
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime + served


@dataclass(frozen=True)
class Measure:
    """One run of one piece of work. `details` are further numbers by name, with their unit in the name."""

    name: str
    unit: str
    records: int
    seconds: float
    cpu_s: float
    peak_mib: int | None = None
    details: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, watch: Stopwatch, name: str, unit: str, records: int, peak: int | None = None, **details: float
    ) -> Measure:
        """Return the figure of a block that was timed."""
        return cls(name, unit, records, watch.seconds, watch.cpu_s, peak, {k: float(v) for k, v in details.items()})

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
        "cpu_s": round(median(run["cpu_s"] for run in runs), 4),
        "records_per_s": round(records / typical) if typical else 0,
        "peak_mib": max(peaks, default=None),
        "details": {key: round(median(run["details"][key] for run in runs), 3) for key in first["details"]},
    }


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
