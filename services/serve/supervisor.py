"""The supervisor: a child process a role. It holds no records, so that killing anything but it loses nothing."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.errors import (
    AgreementError,
    DefectError,
    HwlinkError,
    InputError,
    PolicyError,
    Reason,
    StateError,
)

_TICK_S: Final = 0.1
_FIRST_DELAY_S: Final = 0.2
_LONGEST_DELAY_S: Final = 10.0
_STEADY_AFTER_S: Final = 30.0
"""A role that ran this long before it died starts with the first delay again."""
_KILL_AFTER_S: Final = 30.0
PERMANENT: Final = frozenset(kind.exit_code for kind in (InputError, AgreementError, PolicyError, StateError))
"""Exit codes that a restart cannot mend: the role said that its input, files or settings are wrong."""
_MOST_DEFECTS: Final = 8
"""Restarts in a row after which a role that never ran steadily is given up."""

log = logging.getLogger(__name__)


@dataclass
class _Child:
    role: str
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    restart_at: float | None = None


class Supervisor:
    """Runs roles as child processes until `stop` is set, a role fails for good, or all of them have to end."""

    def __init__(
        self, roles: Sequence[str], command: Callable[[str], Sequence[str]], environ: Mapping[str, str]
    ) -> None:
        """`command` gives a role's command line; every child gets `environ`."""
        self._command = command
        self._environ = dict(environ)
        self._children = [self._start(role) for role in roles]

    def run(self, stop: threading.Event) -> None:
        """Watch the children; StateError or DefectError when one of them is given up. All are stopped on return."""
        try:
            while not stop.wait(_TICK_S):
                for child in self._children:
                    self._look_after(child)
        finally:
            self._stop_all()

    def _start(self, role: str) -> _Child:
        # A group of its own: Ctrl-C reaches the supervisor alone, which then stops the roles. The pipe to its standard
        # input closes when the supervisor ends, `kill -9` too, and tells the role to stop (see `stop_with_supervisor`).
        process = subprocess.Popen(
            self._command(role), env=self._environ, start_new_session=True, stdin=subprocess.PIPE
        )
        return _Child(role, process, time.monotonic())

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.restart_at is not None:
            if now >= child.restart_at:
                if child.process.stdin is not None:
                    child.process.stdin.close()
                fresh = self._start(child.role)
                child.process, child.started, child.restart_at = fresh.process, fresh.started, None
                log.warning(
                    "role_restarted", extra={"role": child.role, "attempt": child.deaths, "pid": fresh.process.pid}
                )
            return
        code = child.process.poll()
        if code is None:
            return
        log.error("role_exited", extra={"role": child.role, "exit_code": code})
        if code in PERMANENT:
            raise _given_up(child.role, code)
        child.deaths = 1 if now - child.started > _STEADY_AFTER_S else child.deaths + 1
        if child.deaths > _MOST_DEFECTS and code > 0:
            raise _given_up(child.role, code)
        child.restart_at = now + min(_FIRST_DELAY_S * 2 ** (child.deaths - 1), _LONGEST_DELAY_S)

    def _stop_all(self) -> None:
        """Ask all to stop at once, and kill only what does not: what is under way is durable and goes on next time."""
        alive = [child for child in self._children if child.restart_at is None and child.process.poll() is None]
        for child in alive:
            child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _KILL_AFTER_S
        for child in alive:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
                log.error("role_killed", extra={"role": child.role})
        for child in self._children:
            if child.process.stdin is not None:
                child.process.stdin.close()


def stop_with_supervisor(stop: threading.Event, pipe: int) -> None:
    """Set `stop` once the supervisor at the other end of the file descriptor `pipe` has ended; returns at once.

    Without it, roles would outlive a killed supervisor and keep a new one off their files.
    """

    def watch() -> None:
        # Not through `sys.stdin`: its lock, held by a thread that waits, makes the interpreter abort at its end.
        while os.read(pipe, 1):
            pass
        stop.set()

    threading.Thread(target=watch, name="supervisor", daemon=True).start()


def _given_up(role: str, code: int) -> HwlinkError:
    if code in PERMANENT:
        return StateError(
            Reason.UNAVAILABLE, f"The role {role} cannot run (exit code {code}); its own words stand above."
        )
    return DefectError(
        Reason.INTERNAL, f"The role {role} fails whenever it starts (exit code {code}); see its log lines."
    )
