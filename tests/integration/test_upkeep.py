"""The embedded bus is trimmed while the services run."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from schemas.errors import Reason, TransientError
from schemas.topics import Topic
from services.bus import Outgoing
from services.bus.memory import MemoryBus
from services.landing.upkeep import run

BRIEF = Topic("hwlink.brief.v1", 1, "none", "anything", ("nobody",), retention_ms=1)


def until(condition: object, timeout_s: float = 10.0) -> bool:
    """Wait until a condition holds; say whether it came to hold."""
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def test_what_is_past_its_retention_goes() -> None:
    bus, stop = MemoryBus(), threading.Event()
    bus.create_topics([BRIEF])
    messages: Sequence[Outgoing] = [Outgoing(BRIEF.name, 0, None, b"x", {})] * 3
    bus.producer().send(messages)
    thread = threading.Thread(target=run, args=(bus, stop, 0.01))
    thread.start()

    trimmed = until(lambda: set(bus.begin_offsets(BRIEF).values()) == {3})
    stop.set()
    thread.join(10)

    assert trimmed
    assert not thread.is_alive()


def test_a_busy_bus_is_trimmed_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, stop = MemoryBus(), threading.Event()
    calls: list[int] = []

    def trim(now_ms: int) -> int:
        calls.append(now_ms)
        if len(calls) == 1:
            raise TransientError(Reason.BUSY, "busy; try again")
        stop.set()
        return 0

    monkeypatch.setattr(bus, "trim", trim)
    run(bus, stop, 0.01)

    assert len(calls) == 2
