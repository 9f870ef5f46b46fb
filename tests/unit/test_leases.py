"""Leases: the dead are taken out by whoever sees their count stand still, and nobody's clock is compared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import Reason, TransientError
from services.leases import STALLED_S, Lease
from services.registry import LeaseRegistry
from services.registry.sql import open_registry


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, start: float = 0.0) -> None:
        self.now = start

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[LeaseRegistry]:
    opened = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    yield opened.leases
    opened.close()


def lease(registry: LeaseRegistry, member: str, clock: Clock, **options: str) -> Lease:
    return Lease(registry, "matcher", member, lease_s=10, clock=clock, **options)


def test_a_dead_member_is_taken_out_once_its_lease_has_passed_by_anothers_clock(registry: LeaseRegistry) -> None:
    clock, other_clock = Clock(), Clock(1e9)  # machines that disagree by thirty years
    one, two = lease(registry, "one", clock), lease(registry, "two", other_clock)
    one.join()
    two.join()
    one.beat()
    assert one.members == two.members == ("one", "two")
    assert (one.is_first, two.is_first) == (True, False)
    for _ in range(3):  # `two` dies
        clock.now += 3
        one.beat()
    assert one.members == ("one", "two")  # it was seen nine seconds ago at the latest
    clock.now += 3
    one.beat()
    assert one.members == ("one",)
    other_clock.now += 100
    two.beat()  # it was no more than paused
    assert two.members == ("one", "two")


def test_who_comes_back_from_a_pause_holds_nobody_for_dead_who_has_beaten_meanwhile(registry: LeaseRegistry) -> None:
    clock = Clock()
    one, two = lease(registry, "one", clock), lease(registry, "two", Clock())
    one.join()
    two.join()
    one.beat()
    clock.now += 1000
    two.beat()
    one.beat()
    assert one.members == ("one", "two")


def test_a_member_known_to_be_dead_makes_place_at_once(registry: LeaseRegistry) -> None:
    lease(registry, "killed", Clock()).join()
    successor = lease(registry, "successor", Clock(), former="killed")
    successor.join()
    assert successor.members == ("successor",)


def test_who_gives_its_place_up_is_the_last_to_join(registry: LeaseRegistry) -> None:
    one, two = lease(registry, "one", Clock()), lease(registry, "two", Clock())
    one.join()
    two.join()
    one.rejoin()
    assert one.members == ("two", "one")
    one.leave()
    one.beat()  # the thread's last, which comes late
    two.beat()
    assert two.members == ("two",)
    assert one.members == ()


def test_leaving_does_not_fail_with_the_registry() -> None:
    class Unreachable:
        def beat(self, role: str, member: str) -> dict[str, int]:
            return {member: 1}

        def end(self, role: str, member: str, seen: int | None = None) -> None:
            raise TransientError(Reason.UNAVAILABLE, "the registry cannot be reached")

    left = lease(Unreachable(), "one", Clock())
    left.join()
    left.leave()
    assert not left.joined


def test_the_thread_beats_through_failures_and_not_for_a_loop_that_hangs() -> None:
    clock, stop = Clock(), threading.Event()
    beats: list[float] = []

    class Flaky:
        def beat(self, role: str, member: str) -> dict[str, int]:
            beats.append(clock.now)
            if len(beats) == 2:
                raise TransientError(Reason.BUSY, "busy")
            if len(beats) == 4:
                clock.now += 2 * STALLED_S
                threading.Timer(0.2, stop.set).start()
            return {member: len(beats)}

        def end(self, role: str, member: str, seen: int | None = None) -> None:
            raise AssertionError

    flaky = Lease(Flaky(), "matcher", "one", lease_s=0.02, clock=clock)
    flaky.join()
    flaky.run(stop)
    assert len(beats) == 4
