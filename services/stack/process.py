"""A server that runs as a process of this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from services.stack import guard
from services.stack.server import OwnServer, RungUnusableError

_READY_S: Final = 180.0
"""Generous: a broker is ready after 3 s on an idle machine, and after many times that on a busy one."""
_TICK_S: Final = 0.05
_ENDED_S: Final = 20.0
_ATTEMPTS: Final = 3
_RESTARTS: Final = 5
_PAUSE_S: Final = 1.0
_LOG_LINES: Final = 12


def in_new_folder(name: str, start: Callable[[Path], OwnServer]) -> OwnServer:
    """Return what `start` makes in a temporary folder of its own; the folder is removed when it fails.

    It is tried three times: another process may take a free port between our look and the server's start.
    """
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(RungUnusableError):
            return _once(name, start)
    return _once(name, start)


def _once(name: str, start: Callable[[Path], OwnServer]) -> OwnServer:
    folder = Path(tempfile.mkdtemp(prefix=f"hwlink-{name}-"))
    try:
        return start(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class ServerProcess(OwnServer):
    """A command that is a server: ready when its log says so, its data in `folder`, ended with this process.

    `user` names the account it runs as, empty for our own; `stop_signal` is the signal that stops it in good order.
    """

    def __init__(
        self,
        url: str,
        what: str,
        *,
        command: Sequence[str],
        folder: Path,
        ready_line: str,
        stop_signal: str = "SIGTERM",
        user: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Start it and return when it is ready; RungUnusableError, with the end of its log, if it does not come up."""
        super().__init__(url, what)
        self._folder = folder
        self._log = folder / "server.log"
        self._ready_line = ready_line.encode()
        self._environ = environ
        self._command = [
            *(sys.executable, "-I", guard.__file__, str(os.getpid()), str(folder), stop_signal, user),
            *command,
        ]
        self._guard: subprocess.Popen[bytes] | None = None
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            before = log.tell()
            # A group of its own, so that Ctrl-C ends the clients first and the server in good order.
            self._guard = subprocess.Popen(
                self._command,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._await_ready(self._guard, before)
        except BaseException:
            self.kill()
            raise

    def _await_ready(self, started: subprocess.Popen[bytes], before: int) -> None:
        deadline = time.monotonic() + _READY_S
        while True:
            ended = started.poll() is not None
            said = self._log.read_bytes()[before:]
            if self._ready_line in said:
                return
            if ended or time.monotonic() > deadline:
                end = " | ".join(said.decode(errors="replace").splitlines()[-_LOG_LINES:])
                raise RungUnusableError(f"{'it ended' if ended else 'it was not ready in time'}; its log: {end}")
            time.sleep(_TICK_S)

    def _processes(self) -> list[psutil.Process]:
        if self._guard is None:
            return []
        try:
            return list(psutil.Process(self._guard.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def stop(self) -> None:
        """Stop it in good order; killed only if it does not. Idempotent."""
        if self._guard is not None:
            self.resume()
            self._guard.terminate()
            self._guard.wait(guard.STOP_S + _ENDED_S)
            self._guard = None

    def kill(self) -> None:
        """Send SIGKILL to the server and to every process it has; return when they are gone. Idempotent."""
        if self._guard is None:
            return
        processes = self._processes()
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        if not processes:
            self._guard.kill()
        self._guard.wait(_ENDED_S)
        self._guard = None
        deadline = time.monotonic() + _ENDED_S
        while any(map(runs, processes)) and time.monotonic() < deadline:
            time.sleep(_TICK_S)

    def restart(self) -> None:
        """Start it again on the same data and port; RungUnusableError, with its log, when it does not come up."""
        self.stop()
        for _ in range(_RESTARTS - 1):
            with contextlib.suppress(RungUnusableError):
                return self._start()
            # What the kernel or a last process of the killed server still holds is free a moment later.
            time.sleep(_PAUSE_S)
        self._start()

    def pause(self) -> None:
        """Send SIGSTOP to every process of the server."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # a process that served one connection ends with it
                process.suspend()

    def resume(self) -> None:
        """Send SIGCONT to every process of the server."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def close(self) -> None:
        """Stop it and remove its data. Idempotent."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def runs(process: psutil.Process) -> bool:
    """Say whether `process` has not ended yet, waited for or not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
