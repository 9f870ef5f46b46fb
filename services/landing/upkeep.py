"""Upkeep of the bus: what has landed and is past its topic's retention goes, so that the embedded bus stays small."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from schemas.errors import TransientError
from services.bus import Bus

EVERY_S: Final = 3600.0
"""Retention counts in days, so that an hour more or less is nothing; a trim of nothing takes milliseconds."""

log = logging.getLogger(__name__)


def run(bus: Bus, stop: threading.Event, every_s: float = EVERY_S) -> None:
    """Trim the bus every `every_s` seconds until `stop` is set; a busy bus is trimmed the next time."""
    while not stop.wait(every_s):
        try:
            gone = bus.trim(time.time_ns() // 1_000_000)
        except TransientError as error:
            log.warning("trim waits: %s", error.reason)
            continue
        if gone:
            log.info("trimmed messages past their retention", extra={"count": gone})
