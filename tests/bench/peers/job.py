"""What a peer is asked and what it answers: one JSON file in, two Parquet files and one JSON file out.

Only the standard library and pyarrow, because every peer imports this in an environment of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pa_parquet

ANSWER: Final = "answer.json"
LINKS: Final = "links.parquet"
SCORED: Final = "scored.parquet"
DEFAULT: Final = "default"


@dataclass(frozen=True)
class Job:
    """One set as a peer sees it.

    `files` are one (find duplicates) or two (link) clean files, see `clean`; `fields` their columns that can be
    compared; `unique` says of each whether it holds a person once at most. `out` is the folder for the answer.
    `sweep` asks for scores below the default threshold too, made after the clock has stopped.
    """

    files: tuple[str, ...]
    fields: tuple[str, ...]
    unique: tuple[bool, ...]
    out: str
    sweep: bool

    def write(self, path: Path) -> None:
        """Write it for a peer to read."""
        path.write_text(json.dumps(asdict(self)), "utf-8")


def read_job(path: Path) -> Job:
    """Return the job that a file holds."""
    given = json.loads(path.read_text("utf-8"))
    return Job(tuple(given["files"]), tuple(given["fields"]), tuple(given["unique"]), given["out"], given["sweep"])


class Watch:
    """Times a peer's stages from the moment that its libraries are imported."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self.stages: dict[str, float] = {}
        self.set_apart: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Book the time since the last lap under a stage."""
        now = time.perf_counter()
        self.stages[stage] = round(self.stages.get(stage, 0.0) + now - self._last, 3)
        self._last = now

    def apart(self, stage: str) -> None:
        """Book the time so far under a stage that is not linking, such as encoding, and begin anew."""
        now = time.perf_counter()
        self.set_apart[stage] = round(now - self._began, 3)
        self._began = self._last = now

    def seconds(self) -> float:
        """Return the seconds from the beginning to the last lap."""
        return round(self._last - self._began, 3)

    def told(self) -> dict[str, Any]:
        """Return the seconds, the stages and what was set apart, as `answer` takes them."""
        return {"seconds": self.seconds(), "stages": self.stages, "apart": self.set_apart}


def write_pairs(
    path: Path, left: Sequence[str] | pa.Array, right: Sequence[str] | pa.Array, score: Sequence[float] | pa.Array
) -> None:
    """Write pairs of record ids with their scores; the left file's record stands on the left."""
    pa_parquet.write_table(pa.table({"left": left, "right": right, "score": score}), path)


def at(out: str, threshold: float | str) -> Path:
    """Return the folder in which hwlink's outputs at a threshold stand."""
    return Path(out) / (threshold if isinstance(threshold, str) else f"at-{threshold:g}")


def answer(
    job: Job,
    packages: Sequence[str],
    *,
    seconds: float,
    stages: dict[str, float],
    threshold: float,
    thresholds: Sequence[float],
    apart: dict[str, float] | None = None,
) -> None:
    """Write what the parent wants to know of the timed part: the links are written, nothing else has been done yet.

    `seconds` are those of linking after imports, `stages` their parts and `apart` what is not linking. `finished_at`
    is the time of day, from which the parent counts the seconds of the whole process up to here. `threshold` is the
    default, `thresholds` are those among which the best is looked for.
    """
    told = {
        "seconds": seconds,
        "stages": stages,
        "apart": apart or {},
        "finished_at": time.time(),
        "peak_mib": peak_mib(),
        "versions": {name: version(name) for name in packages},
        "threshold": threshold,
        "thresholds": sorted({threshold, *thresholds}),
    }
    Path(job.out, ANSWER).write_text(json.dumps(told), "utf-8")


def peak_mib() -> int:
    """Return the most resident memory of this process, in MiB (Linux's `VmHWM`, which no parent's size enters)."""
    lines = Path("/proc/self/status").read_text("ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


def run(main: Callable[[Job, Watch], Any]) -> None:
    """Run a peer on the job that the command line names; the clock starts here, after the imports."""
    main(read_job(Path(sys.argv[1])), Watch())
