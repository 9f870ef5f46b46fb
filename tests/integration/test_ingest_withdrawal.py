"""A completed full extract withdraws what it no longer holds: from what landed, within its limit, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest

from schemas.contracts.base import Feed
from schemas.errors import InputError, PolicyError, Reason, TransientError
from schemas.topics import SUBJECTS
from services.lake.latest import latest
from services.landing.role import Landing, Pace
from services.rpc.client import our_errors
from services.send.encode import close_request, columns_request, open_request

VERSION = 1_750_000_000_000


@contextmanager
def landing(running: Any) -> Iterator[None]:
    """Land subjects beside the server while the block runs."""
    stop = threading.Event()
    role = Landing.of_linkage(running.bus, running.zone, Pace(linger_s=0, poll_s=0.02))
    thread = threading.Thread(target=role.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def send_extract(kit: Any, running: Any, stream_id: str, *frames: pl.DataFrame, full: bool = True) -> Any:
    """Send one extract and return how its stream was closed; raises the server's refusal."""
    feed = Feed.HEALTH
    batches = [columns_request(feed, number, frame) for number, frame in enumerate(frames)]
    opening = open_request(stream_id, kit.declaration(feed, full_extract=full))
    with our_errors():
        requests = [opening, *batches, close_request(feed, len(frames))]
        return kit.client(running.address).exchange(feed, requests)[-1].closed


def held(running: Any) -> dict[str, tuple[int, str]]:
    """Return what holds of each subject in the lake."""
    with landing(running):
        ends = {f"{p.topic}-{p.partition}": end for p, end in running.bus.end_offsets(SUBJECTS).items() if end}
        while not all(running.zone.offsets("subjects").get(name, -1) >= end - 1 for name, end in ends.items()):
            threading.Event().wait(0.02)
    rows = latest(running.zone.scan("subjects")).select("subject_ref", "version", "operation").collect()
    return {ref: (version, operation) for ref, version, operation in rows.iter_rows()}


def test_subjects_that_a_full_extract_lacks_are_withdrawn_on_both_sides(kit: Any, running: Any) -> None:
    first = kit.records(Feed.HEALTH, 50, version=VERSION)
    second = first.head(45).with_columns(version=pl.lit(VERSION + 1))
    with landing(running):
        assert send_extract(kit, running, "extract-1", first).withdrawn == 0
        closed = send_extract(kit, running, "extract-2", second.head(30), second.tail(15))
    assert (closed.accepted, closed.withdrawn) == (45, 5)
    now = held(running)
    gone = set(first["subject_ref"].tail(5))
    assert {ref for ref, (_, operation) in now.items() if operation == "withdraw"} == gone
    assert all(now[ref][0] == VERSION + 1 for ref in gone)
    facts = running.facts(Feed.HEALTH, "demographics").filter(pl.col("operation") == "withdraw")
    assert set(facts["subject_ref"]) == gone


def test_closing_again_withdraws_nothing_more(kit: Any, running: Any) -> None:
    first = kit.records(Feed.HEALTH, 20, version=VERSION)
    with landing(running):
        send_extract(kit, running, "extract-1", first)
        send_extract(kit, running, "extract-2", first.head(18).with_columns(version=pl.lit(VERSION + 1)))
        opening = open_request("extract-2", kit.declaration(Feed.HEALTH, full_extract=True))
        responses = kit.client(running.address).exchange(Feed.HEALTH, [opening, close_request(Feed.HEALTH, 1)])
    assert responses[0].opened.completed
    assert responses[-1].closed.withdrawn == 0
    assert sum(operation == "withdraw" for _, operation in held(running).values()) == 2


def test_an_incremental_extract_withdraws_nothing(kit: Any, running: Any) -> None:
    first = kit.records(Feed.HEALTH, 20, version=VERSION)
    with landing(running):
        send_extract(kit, running, "extract-1", first)
        closed = send_extract(kit, running, "extract-2", kit.records(Feed.HEALTH, 2, seed=5), full=False)
    assert closed.withdrawn == 0
    assert {operation for _, operation in held(running).values()} == {"upsert"}


def test_more_than_the_limit_is_refused_and_can_be_closed_again(kit: Any, running: Any) -> None:
    first = kit.records(Feed.HEALTH, 50, version=VERSION)
    part = first.head(20).with_columns(version=pl.lit(VERSION + 1))
    with landing(running):
        send_extract(kit, running, "extract-1", first)
        with pytest.raises(PolicyError) as caught:
            send_extract(kit, running, "extract-2", part)
    assert caught.value.reason is Reason.WITHDRAWAL_TOO_LARGE
    assert "30 of the source's 50" in caught.value.message
    assert not running.registry.ingest.streams()[1].completed
    assert {operation for _, operation in held(running).values()} == {"upsert"}


def test_a_record_that_came_after_the_extract_stays(kit: Any, running: Any) -> None:
    first = kit.records(Feed.HEALTH, 20, version=VERSION)
    newer = first.tail(1).with_columns(version=pl.lit(VERSION + 10))
    with landing(running):
        send_extract(kit, running, "extract-1", first)
        send_extract(kit, running, "change-01", newer, full=False)
        closed = send_extract(kit, running, "extract-2", first.head(18).with_columns(version=pl.lit(VERSION + 1)))
    assert closed.withdrawn == 1
    assert held(running)[newer["subject_ref"].item()] == (VERSION + 10, "upsert")


def test_other_sources_are_left_alone(kit: Any, running: Any) -> None:
    with landing(running):
        requests = [
            open_request("welfare-1", kit.declaration(Feed.WELFARE)),
            columns_request(Feed.WELFARE, 0, kit.records(Feed.WELFARE, 10)),
            close_request(Feed.WELFARE, 1),
        ]
        kit.client(running.address).exchange(Feed.WELFARE, requests)
        assert send_extract(kit, running, "extract-1", kit.records(Feed.HEALTH, 10, seed=2)).withdrawn == 0
    assert {operation for _, operation in held(running).values()} == {"upsert"}


def test_with_refused_records_nothing_is_withdrawn(kit: Any, running: Any) -> None:
    """A refused record is in the extract all the same, and the server cannot tell it from those that are missing."""
    first = kit.records(Feed.HEALTH, 20, version=VERSION)
    second = first.head(19).with_columns(
        version=pl.lit(VERSION + 1), sex=pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("m")).otherwise("sex")
    )
    with landing(running):
        send_extract(kit, running, "extract-1", first)
        closed = send_extract(kit, running, "extract-2", second)
    assert (closed.refused, closed.withdrawn) == (1, 0)
    assert {operation for _, operation in held(running).values()} == {"upsert"}


def test_without_landing_the_closing_is_put_off(kit: Any, tmp_path: Any) -> None:
    running = kit.start(tmp_path / "data", landing_timeout_s=0.3)
    with pytest.raises(TransientError) as caught:
        send_extract(kit, running, "extract-1", kit.records(Feed.HEALTH, 5))
    assert caught.value.reason is Reason.UNAVAILABLE
    with landing(running):
        opening = open_request("extract-1", kit.declaration(Feed.HEALTH, full_extract=True))
        responses = kit.client(running.address).exchange(Feed.HEALTH, [opening, close_request(Feed.HEALTH, 1)])
    assert responses[-1].closed.accepted == 5
    kit.stop(running)


def test_an_unfinished_extract_withdraws_nothing(kit: Any, running: Any) -> None:
    first = kit.records(Feed.HEALTH, 20, version=VERSION)
    with landing(running):
        send_extract(kit, running, "extract-1", first)
        opening = open_request("extract-2", kit.declaration(Feed.HEALTH, full_extract=True))
        batch = columns_request(Feed.HEALTH, 0, first.head(18).with_columns(version=pl.lit(VERSION + 1)))
        with pytest.raises(InputError), our_errors():
            kit.client(running.address).exchange(Feed.HEALTH, [opening, batch, close_request(Feed.HEALTH, 2)])
    assert {operation for _, operation in held(running).values()} == {"upsert"}
