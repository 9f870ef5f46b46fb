"""The one loop of every role that steps: what is transient is tried again, anything else ends the role."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from schemas.errors import TransientError
from services.figures import Durations, Figure, Tally

RETRY_S: Final = 1.0
"""Pause after a transient failure: long enough for a locked file or a lost connection to come back."""

_STEPS: Final = Durations("hwlink_loop_step_duration_seconds", ("role",))
_WAITS: Final = Tally("hwlink_loop_waits_total", ("role", "reason"))
_LAST: Final[dict[str, float]] = {}
"""Of this process, in which each role has one loop: figures for metrics, and nothing that a loop goes by."""

log = logging.getLogger(__name__)


def step_until(stop: threading.Event, step: Callable[[], object], close: Callable[[], None], role: str) -> None:
    """Call `step` until `stop` is set, and `close` at the end, whatever the end is.

    A TransientError is logged by its reason and the step called again after `RETRY_S`; all other errors are raised.
    """
    try:
        while not stop.is_set():
            started = time.monotonic()
            try:
                step()
                _STEPS.observe(time.monotonic() - started, role)
                _LAST[role] = time.time()
            except TransientError as error:
                _WAITS.add(1, role, error.reason)
                log.warning("role waits", extra={"role": role, "reason": error.reason})
                stop.wait(RETRY_S)
    finally:
        close()


def figures() -> list[Figure]:
    """Return how long the steps of this process's loops took, which had to wait, and when each loop last ended one."""
    last = [Figure("hwlink_loop_last_step_timestamp_seconds", at, {"role": role}) for role, at in dict(_LAST).items()]
    return [*_STEPS.now(), *_WAITS.now(), *last]
