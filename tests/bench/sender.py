"""One sending client in a process of its own: `python -m tests.bench.sender ADDRESS FEED ENTRANCE FILE SOURCE...`.

It imports, opens the file and says `ready`; sends the file as `hwlink send` does once it is told to, for each source;
and prints what it cost. So several clients begin together, and none is timed while it starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.machine import ROOT

ENTRANCES: Final = ("columns", "rows")


@dataclass(frozen=True)
class Load:
    """What one client sends: a pseudonymised file, as several sources one after the other."""

    address: str
    feed: str
    entrance: str
    file: Path
    sources: Sequence[str]


class Clients:
    """Clients that are ready and wait; `send` lets all of them go and returns what each measured."""

    def __init__(self, loads: Sequence[Load]) -> None:
        """Start a process for each load, and return when all are ready."""
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.bench.sender"),
                    *(one.address, one.feed, one.entrance, str(one.file), *one.sources),
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for one in loads
        ]
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "a client did not start; its words stand above"

    def send(self) -> tuple[float, list[dict[str, Any]]]:
        """Send everything; return the seconds until the last receipt, and each client's `accepted`, `cpu_s`,
        `peak_mib`.
        """
        started = time.perf_counter()
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.stdout.readline() for process in self._processes if process.stdout is not None]
        seconds = time.perf_counter() - started
        for process in self._processes:
            process.communicate()
        assert not any(process.returncode for process in self._processes), "a client failed; its words stand above"
        return seconds, [json.loads(text) for text in told]


def main(arguments: Sequence[str]) -> None:
    """Be one client."""
    from schemas.agreement import shipped_agreement
    from schemas.contracts.base import Feed
    from services.send.file import FeedFile, Stated, lawful
    from services.send.session import Sending, send
    from tests.bench.measure import Stopwatch, peak_mib

    address, feed, entrance, path, *sources = arguments
    file = FeedFile(Path(path), Feed(feed))
    declared = lawful(file, shipped_agreement("test"), Stated())
    accepted = 0
    print("ready", flush=True)
    sys.stdin.readline()
    with Stopwatch() as watch:
        for source in sources:
            own = declared.model_copy(update={"source": source})
            accepted += send(file, own, address, Sending(rows_entrance=entrance == "rows")).accepted
    print(json.dumps({"accepted": accepted, "cpu_s": watch.cpu_s, "peak_mib": peak_mib()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
