"""The one loop of every role that steps: what is transient is tried again, anything else ends the role."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from schemas.errors import TransientError

RETRY_S: Final = 1.0
"""Pause after a transient failure: long enough for a locked file or a lost connection to come back."""

log = logging.getLogger(__name__)


def step_until(stop: threading.Event, step: Callable[[], object], close: Callable[[], None], role: str) -> None:
    """Call `step` until `stop` is set, and `close` at the end, whatever the end is.

    A TransientError is logged by its reason and the step called again after `RETRY_S`; all other errors are raised.
    """
    try:
        while not stop.is_set():
            try:
                step()
            except TransientError as error:
                log.warning("role waits", extra={"role": role, "reason": error.reason})
                stop.wait(RETRY_S)
    finally:
        close()
