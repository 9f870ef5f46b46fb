"""Runs hwlink's own commands as a user would, timing each and watching the memory of what it started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import typer

from schemas.errors import DefectError, Reason, StateError

_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 60.0
_SAMPLE_S = 0.5


class Commands:
    """Runs commands in one environment and says what it runs, unless quiet."""

    def __init__(self, environ: Mapping[str, str], quiet: bool) -> None:
        self._environ = {**os.environ, **environ}
        self._quiet = quiet

    def say(self, text: str = "") -> None:
        """Print a line of the narrative."""
        if not self._quiet:
            typer.echo(text)

    def run(self, *arguments: str | Path, show_output: bool = False) -> float:
        """Run `hwlink` with these arguments and return its seconds; DefectError when it fails, with its own words."""
        words = [str(a) for a in arguments]
        self.say(f"\n$ hwlink {' '.join(words)}")
        return self._run(words, show_output=show_output)

    def run_beside(self, *commands: Sequence[str | Path]) -> float:
        """Run several commands, two at a time, and return the seconds of all; DefectError when one fails."""
        lines = [[str(word) for word in command] for command in commands]
        self.say("")
        for words in lines:
            self.say(f"$ hwlink {' '.join(words)}")
        started = time.perf_counter()
        with ThreadPoolExecutor(2) as two:
            list(two.map(lambda words: self._run(words, show_output=False), lines))
        return time.perf_counter() - started

    def _run(self, words: Sequence[str], *, show_output: bool) -> float:
        started = time.perf_counter()
        done = subprocess.run(_hwlink(words), env=self._environ, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        if done.returncode:
            sys.stderr.write(done.stderr)
            raise DefectError(
                Reason.INTERNAL, f"`hwlink {words[0]}` ended with exit code {done.returncode}; its words stand above."
            )
        if show_output:
            self.say(done.stdout.rstrip())
        return seconds


class Server:
    """`hwlink serve all` in a process tree of its own, and the most memory the tree held at any time."""

    def __init__(self, environ: Mapping[str, str], log: Path, addresses: Sequence[str]) -> None:
        self.peak_bytes = 0
        self.peak_bytes_by_role: dict[str, int] = {}
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            _hwlink(["serve", "all"]), env={**os.environ, **environ}, stdout=self._log, stderr=subprocess.STDOUT
        )
        self._stopped = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not all(_listens(address) for address in addresses):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StateError(Reason.UNAVAILABLE, f"The services did not start; {log} says why.")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the tree gracefully; kill it only when it does not stop."""
        self._stopped.set()
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._sampler.join()
        self._log.close()

    def _sample(self) -> None:
        while not self._stopped.wait(_SAMPLE_S):
            try:
                tree = psutil.Process(self._process.pid)
                # Proportional set size: what several processes share (libraries, mapped files) counts once.
                held = {_role(p): p.memory_full_info().pss for p in (tree, *tree.children(recursive=True))}
            except psutil.Error:
                continue
            self.peak_bytes = max(self.peak_bytes, sum(held.values()))
            for role, size in held.items():
                self.peak_bytes_by_role[role] = max(size, self.peak_bytes_by_role.get(role, 0))


def free_address() -> str:
    """Return a loopback address that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _hwlink(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "services.cli.app", *words]


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=0.2):
            return True
    except OSError:
        return False


def _role(process: psutil.Process) -> str:
    words = process.cmdline()
    role: str = words[words.index("serve") + 1] if "serve" in words[:-1] else f"other-{process.pid}"
    return "supervisor" if role == "all" else role
