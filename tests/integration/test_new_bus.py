"""An empty bus in place of a lost one: where it begins, and which receipts are taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import HwlinkError, Reason
from schemas.topics import CONTENT, LINKS, PERSONS, SUBJECTS, Topic
from services.bootstrap import open_bus, open_layout, open_registry, open_zone
from services.bus import Bus, Outgoing, TopicPartition
from services.cli.store import open_stores
from services.registry import Registry
from services.settings import Settings, read_settings
from services.store.new_bus import RECENT, NumberedOn, number_on

HEALTH = CONTENT["health"]  # type: ignore[index]


def settings_in(folder: Path, **more: str) -> Settings:
    return read_settings({"HWLINK_DATA_DIR": str(folder), **more})


def go_on(settings: Settings) -> NumberedOn:
    return number_on(open_stores(settings), partial(open_layout, settings), lambda _: None)


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.brokers)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        return settings_in(tmp_path)
    return settings_in(tmp_path, HWLINK_BUS_URL=request.getfixturevalue("kafka_url"))


@pytest.fixture
def bus(settings: Settings) -> Iterator[Bus]:
    with closing(open_bus(settings)) as opened:
        yield opened


def send(bus: Bus, topic: Topic, *values: bytes) -> list[int]:
    """Send to partition 1 and return the offsets."""
    messages = [Outgoing(topic.name, 1, b"k", value, {}) for value in values]
    return [offset for _, offset in bus.producer().send(messages)]


def test_a_topic_begins_where_it_is_told_and_what_stands_before_is_gone(settings: Settings, bus: Bus) -> None:
    place = TopicPartition(SUBJECTS.name, 1)
    assert send(bus, SUBJECTS, b"a", b"b", b"c") == [0, 1, 2]
    with closing(open_layout(settings)) as admin:
        admin.begin_at(SUBJECTS, {place: 2})
        assert (bus.begin_offsets(SUBJECTS)[place], bus.end_offsets(SUBJECTS)[place]) == (2, 3)
        for _ in range(2):
            admin.begin_at(SUBJECTS, {place: 2_345})
            assert (bus.begin_offsets(SUBJECTS)[place], bus.end_offsets(SUBJECTS)[place]) == (2_345, 2_345)
    assert send(bus, SUBJECTS, b"d") == [2_345]
    with closing(bus.consumer("g", [SUBJECTS])) as consumer:
        consumer.seek({place: 2_345})
        assert [(m.offset, m.value) for m in consumer.poll(9, 10.0)] == [(2_345, b"d")]
    other = TopicPartition(SUBJECTS.name, 0)
    assert (bus.begin_offsets(SUBJECTS)[other], bus.end_offsets(SUBJECTS)[other]) == (0, 0)


def land(settings: Settings, batch: int, offset: int, rows: int = 10, *, content: bool = True) -> None:
    """Put a batch of stream `s` into the lake as one message of partition 1."""
    frame = pl.DataFrame(
        {
            "subject_ref": [f"{batch}-{n}" for n in range(rows)],
            "version": 1,
            "content_hash": 7,
            "_stream": "s",
            "_batch": batch,
            "_partition": 1,
            "_offset": offset,
        }
    )
    for zone, table, topic in (("linkage", "subjects", SUBJECTS), ("content", "health_demographics", HEALTH)):
        if zone == "linkage" or content:
            named = frame.with_columns(_topic=pl.lit(topic.name))
            open_zone(settings, zone).append(table, named, {f"{topic.name}-1": offset})  # type: ignore[arg-type]


def receipts(registry: Registry, batches: int) -> None:
    registry.ingest.open_stream("s", "a.one", "health", "{}")
    for batch in range(batches):
        registry.ingest.record_batch("s", batch, f"d{batch}", accepted=10, refused={"FIELD_INVALID": 1}, fields={})
    registry.ingest.complete_stream("s")


def test_only_receipts_of_what_may_not_have_landed_are_taken_back(settings: Settings) -> None:
    with closing(open_registry(settings)) as registry:
        receipts(registry, 6)
        land(settings, 0, 5)
        land(settings, 1, 6, rows=9)
        land(settings, 2, 7, content=False)
        land(settings, 3, 8)
        land(settings, 3, 9)  # delivered twice, which is no more than once
        land(settings, 4, 9 + RECENT)  # whole as far as one can see, but other facts of it may have been on their way

        done = go_on(settings)

        assert done.taken_back == {"s": 4}
        [stream] = registry.ingest.streams()
        assert (stream.next_batch, stream.accepted, stream.refused, stream.completed) == (1, 20, 2, False)
        held = [batch for batch in range(6) if registry.ingest.recorded_batch("s", batch) is not None]
        assert held == [0, 3]
        receipts(registry, 6)
        assert registry.ingest.streams()[0].next_batch == 6


def test_topics_begin_after_all_that_lake_and_registry_have_read(settings: Settings) -> None:
    with closing(open_registry(settings)) as registry, closing(open_bus(settings)) as bus:
        registry.matcher.adopt_first_model("m", "{}")
        shard = registry.matcher.claim_shard("m", 0, "w")
        matched = {f"{SUBJECTS.name}-0": 30, f"{SUBJECTS.name}-1": 3}
        registry.matcher.advance_shard("m", 0, shard.epoch, {}, matched, {})
        land(settings, 0, 11)
        send(bus, LINKS, b"of the time before it was noticed")

        go_on(settings)

        for topic, begins in (
            (SUBJECTS, [30, 12, 0, 0]),
            (HEALTH, [0, 12, 0, 0]),
            (LINKS, [1, 2, 1, 1]),
            (PERSONS, [1]),
        ):
            expected = {TopicPartition(topic.name, n): begin for n, begin in enumerate(begins)}
            assert bus.begin_offsets(topic) == bus.end_offsets(topic) == expected
        with pytest.raises(HwlinkError) as caught:
            go_on(settings)
        assert caught.value.reason is Reason.OPTION_INVALID


def test_no_bus_is_made_where_there_is_no_registry(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with pytest.raises(HwlinkError) as caught:
        go_on(settings)
    assert caught.value.reason in (Reason.STORE_VERSION, Reason.STORE_MISSING)
    assert not (tmp_path / "bus.db").exists()
