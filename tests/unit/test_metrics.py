"""The exporter: what it shows, what it withholds, and that one part that fails hides nothing else."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import Reason, StateError
from services.bootstrap import ROLES
from services.bus.counts import COUNTS
from services.figures import BOUNDS_S, Durations, Figure, Spread, Tally
from services.metrics.catalogue import BY_NAME, METRICS, OF_COUNTS, Kind, counted
from services.metrics.exporter import MOST_SERIES, Exporter, safe_label
from services.metrics.place import PORTS, metrics_addresses

ACCEPTED = "hwlink_ingest_accepted_records_total"


def page(**parts: Callable[[], Iterable[Figure]]) -> str:
    with (
        Exporter("127.0.0.1:0", parts) as exporter,
        urllib.request.urlopen(f"http://{exporter.address}/metrics", timeout=10) as answer,
    ):
        text: str = answer.read().decode()
    return text


def test_names_follow_prometheus() -> None:
    assert len(BY_NAME) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith("hwlink_")
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name
        if metric.kind is Kind.HISTOGRAM:
            assert metric.name.endswith("_seconds")
        assert metric.meaning.endswith(".")
        assert set(metric.labels) <= {
            "source", "reason", "method", "code", "role", "zone", "topic", "partition", "shard", "part",
        }  # fmt: skip


def test_every_count_of_the_bus_has_a_metric() -> None:
    assert OF_COUNTS["bus"].keys() == COUNTS.keys()
    assert {name for names in OF_COUNTS.values() for name in names.values()} <= BY_NAME.keys()


def test_counts_are_shown_from_the_start_and_with_their_labels() -> None:
    text = page(landing=lambda: counted("landing", {"rows": 7}, zone="content"))
    assert 'hwlink_landing_rows_total{zone="content"} 7.0' in text
    assert 'hwlink_landing_lost_messages_total{zone="content"} 0.0' in text
    assert "process_resident_memory_bytes" in text


def test_durations_are_a_histogram() -> None:
    durations = Durations("hwlink_loop_step_duration_seconds", ("role",))
    for seconds in (0.001, 0.2, 1000.0):
        durations.observe(seconds, "matcher")
    text = page(loop=durations.now)
    assert 'hwlink_loop_step_duration_seconds_bucket{le="0.005",role="matcher"} 1.0' in text
    assert 'hwlink_loop_step_duration_seconds_bucket{le="0.25",role="matcher"} 2.0' in text
    assert 'hwlink_loop_step_duration_seconds_bucket{le="+Inf",role="matcher"} 3.0' in text
    assert 'hwlink_loop_step_duration_seconds_count{role="matcher"} 3.0' in text


@given(st.lists(st.floats(min_value=0, max_value=1000), max_size=50))
def test_every_duration_is_in_one_class(seconds: list[float]) -> None:
    durations = Durations("hwlink_loop_step_duration_seconds", ())
    for one in seconds:
        durations.observe(one)
    for figure in durations.now():
        assert isinstance(figure.value, Spread)
        assert sum(figure.value.counts) == len(seconds)
        within = sum(figure.value.counts[: len(BOUNDS_S)])
        assert within == sum(one <= BOUNDS_S[-1] for one in seconds)


def test_tallies_may_be_added_to_by_many_threads() -> None:
    tally = Tally(ACCEPTED, ("source",))

    def add() -> None:
        for _ in range(1000):
            tally.add(1, "a.b")

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [figure.value for figure in tally.now()] == [8000]


def test_a_part_that_fails_hides_nothing_else_and_its_text_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> Iterable[Figure]:
        raise ValueError("9434765919")

    text = page(broken=fails, ingest=lambda: [Figure(ACCEPTED, 3, {"source": "kmpt.gp"})])
    assert 'hwlink_scrape_failures{part="broken"} 1.0' in text
    assert 'hwlink_scrape_failures{part="ingest"} 0.0' in text
    assert f'{ACCEPTED}{{source="kmpt.gp"}} 3.0' in text
    assert "9434765919" not in text + caplog.text


def test_a_scrape_does_not_wait_for_one_that_hangs() -> None:
    asked, go = threading.Event(), threading.Event()

    def hangs() -> Iterable[Figure]:
        asked.set()
        go.wait(20)
        return []

    with Exporter("127.0.0.1:0", {"line": hangs}) as exporter:
        url = f"http://{exporter.address}/metrics"
        first = threading.Thread(target=lambda: urllib.request.urlopen(url, timeout=30).close())
        first.start()
        assert asked.wait(10)
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert 'hwlink_scrape_failures{part="line"} 1.0' in answer.read().decode()
        go.set()
        first.join()


@pytest.mark.parametrize(
    "value",
    ["9434765919", "943476591", "QQ123456C", "f" * 32, "Zebedee Canary", "a@b.example", "x" * 101, "+447700900123"],
)
def test_what_could_be_a_value_is_withheld_from_labels(value: str) -> None:
    assert safe_label(value) == "withheld"
    text = page(ingest=lambda: [Figure(ACCEPTED, 1, {"source": value, "person_id": value})])
    assert value not in text


@pytest.mark.parametrize(
    "name",
    ["kmpt.gp", "medway.shbe", "CLEAR_IDENTIFIER", "hwlink.subjects.v1", "/hwlink.v1.IngestService/IngestHealth"],
)
def test_names_of_ours_are_shown(name: str) -> None:
    assert safe_label(name) == name


def test_many_sources_are_cut_off() -> None:
    text = page(ingest=lambda: [Figure(ACCEPTED, 1, {"source": f"s{n}.x"}) for n in range(MOST_SERIES + 50)])
    [family] = [f for f in text_string_to_metric_families(text) if f.name == ACCEPTED.removesuffix("_total")]
    assert len(family.samples) == MOST_SERIES


def test_a_port_that_is_taken_is_said() -> None:
    with Exporter("127.0.0.1:0", {}) as exporter, pytest.raises(StateError) as refused:
        Exporter(exporter.address, {})
    assert refused.value.reason is Reason.PORT_IN_USE


def test_each_role_under_a_supervisor_has_ports_of_its_own() -> None:
    assert metrics_addresses("127.0.0.1:9400", None) == ["127.0.0.1:9400"]
    tried = [metrics_addresses("127.0.0.1:9400", (number, len(ROLES))) for number in range(len(ROLES))]
    assert [addresses[0] for addresses in tried] == [f"127.0.0.1:{9400 + n}" for n in range(len(ROLES))]
    assert len({address for addresses in tried for address in addresses}) == len(ROLES) * PORTS
    assert metrics_addresses("", (2, len(ROLES))) == []
