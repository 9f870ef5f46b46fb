"""One sending client in a process of its own: `python -m tests.bench.sender ADDRESS FEED SOURCE ENTRANCE FILE`.

It imports, opens the file and says `ready`; sends the file as `hwlink send` does once it is told to; and prints what it
cost. So several clients begin together, and none is timed while it starts.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.bench.machine import ROOT

ENTRANCES: Final = ("columns", "rows")


@dataclass(frozen=True)
class Stream:
    """What one client sends: a pseudonymised file as a source of its own."""

    address: str
    feed: str
    source: str
    entrance: str
    file: Path


class Clients:
    """Clients that are ready and wait; `send` lets all of them go and returns what each measured."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        """Start a process for each stream, and return when all are ready."""
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.bench.sender"),
                    *(one.address, one.feed, one.source, one.entrance, str(one.file)),
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for one in streams
        ]
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", "a client did not start; its words stand above"

    def send(self) -> list[dict[str, Any]]:
        """Send everything; return each client's `accepted` rows, `cpu_s` and `peak_mib`."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.communicate()[0] for process in self._processes]
        assert not any(process.returncode for process in self._processes), "a client failed; its words stand above"
        return [json.loads(text) for text in told]


def main(arguments: Sequence[str]) -> None:
    """Be one client."""
    from schemas.agreement import shipped_agreement
    from schemas.contracts.base import Feed
    from services.send.file import FeedFile, Stated, lawful
    from services.send.session import Sending, send
    from tests.bench.measure import Stopwatch, peak_mib

    address, feed, source, entrance, path = arguments
    file = FeedFile(Path(path), Feed(feed))
    declared = lawful(file, shipped_agreement("test"), Stated()).model_copy(update={"source": source})
    print("ready", flush=True)
    sys.stdin.readline()
    with Stopwatch() as watch:
        report = send(file, declared, address, Sending(rows_entrance=entrance == "rows"))
    print(json.dumps({"accepted": report.accepted, "cpu_s": watch.cpu_s, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main(sys.argv[1:])
