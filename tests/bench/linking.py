"""Stages on the linkage side, each role driven over real messages of the SQLite bus: landing, matcher, resolver.

A role is stepped until it has read every message that was there, so that no waiting for further ones is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tests.bench.inputs import Inputs
from tests.bench.measure import Measure, Stopwatch, peak_mib


def landing(inputs: Inputs, state: Path) -> list[Measure]:
    """Both instances one after the other: subjects into the linkage zone, facts into the content zone."""
    from schemas.topics import HEALTH, SUBJECTS, WELFARE

    bus = inputs.bus(state)
    subjects, facts = (
        sum(end for topic in topics for end in bus.end_offsets(topic).values())
        for topics in ((SUBJECTS,), (HEALTH, WELFARE))
    )
    return [_land(inputs, state, "linkage", "subjects", subjects), _land(inputs, state, "content", "facts", facts)]


def land_content(inputs: Inputs, state: Path, messages: int) -> None:
    """Land so many further messages of facts."""
    _land(inputs, state, "content", "facts", messages)


def _land(inputs: Inputs, state: Path, zone: Literal["linkage", "content"], unit: str, messages: int) -> Measure:
    from services.bootstrap import open_zone
    from services.landing.role import Landing, Pace

    make = Landing.of_linkage if zone == "linkage" else Landing.of_content
    # No lingering for messages that will not come; a commit still takes as much as it would in a backlog.
    role = make(inputs.bus(state), open_zone(inputs.settings(state), zone), Pace(linger_s=0.0, poll_s=0.0))
    with Stopwatch() as watch:
        _work_off(role.step, messages)
    rows = role.counts["rows"]
    role.close()
    return Measure.of(watch, f"{unit} into the lake", unit, rows, peak_mib(), messages=messages)


def match(inputs: Inputs, state: Path) -> list[Measure]:
    """The matcher role from subjects messages to links messages, positions moved in the registry."""
    from schemas.topics import SUBJECTS
    from services.bootstrap import open_model, open_registry, open_zone
    from services.matcher.role import Matcher

    settings = inputs.settings(state)
    bus = inputs.bus(state)
    matcher = Matcher(
        bus,
        open_registry(settings).matcher,
        open_zone(settings, "linkage"),
        open_model(settings),
        owner="bench",
        shards=settings.shards,
    )
    matcher.load()
    waiting = sum(bus.end_offsets(SUBJECTS).values())
    with Stopwatch() as watch:
        _work_off(matcher.step, waiting)
    counts = matcher.counts
    matcher.close()
    details = {"messages": waiting, "pairs": counts["pairs"]}
    return [Measure.of(watch, "matcher role", "subjects", counts["subjects"], peak_mib(), **details)]


def resolve(inputs: Inputs, state: Path) -> list[Measure]:
    """The resolver role from links messages to persons messages, everything durable in the SQLite registry."""
    from schemas.topics import LINKS
    from services.bootstrap import open_model, open_registry
    from services.resolver.role import Resolver

    settings = inputs.settings(state)
    bus, model = inputs.bus(state), open_model(settings)
    assert model is not None
    registry = open_registry(settings)
    resolver = Resolver(bus, registry.resolver, model.policy, owner="bench", shards=settings.shards)
    waiting = sum(bus.end_offsets(LINKS).values())
    with Stopwatch() as watch:
        _work_off(resolver.step, waiting)
    counts = resolver.counts
    resolver.close()
    summary = registry.resolver.summary()
    details = {
        "messages": waiting,
        "transactions": counts["steps"],
        "pairs": counts["pairs"],
        "persons": summary.persons,
        "reviews": summary.reviews,
    }
    return [Measure.of(watch, "resolver role", "subjects", counts["roster"], peak_mib(), **details)]


def _work_off(step: Callable[[], int], messages: int) -> None:
    """Step until this many messages are dealt with."""
    while messages > 0:
        done = step()
        assert done, "a role saw no message although there are some"
        messages -= done
