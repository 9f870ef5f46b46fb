"""One serving role in a process of its own, as an operator starts it, and the most memory it held."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench.measure import peak_mib

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


@contextmanager
def serving(role: str, environ: Mapping[str, str], address: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `hwlink serve ROLE` until the block ends, and stop it gracefully; its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli.app", "serve", role],
            env={**os.environ, **environ},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, address, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def server_peak_mib(process: subprocess.Popen[bytes]) -> int | None:
    """Return the most memory that a running server has held, in MiB."""
    return peak_mib(process.pid)


def _await(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection((host, int(port)), timeout=0.2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start; its log says:\n{log.read_text('utf-8', errors='replace')}")
