"""The metrics of a running line: every role has a page, names and labels are those of the catalogue, and no value."""

from __future__ import annotations

import re
import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.bootstrap import ROLES
from services.metrics.catalogue import BY_NAME, METRICS, Kind


def free_ports(count: int) -> int:
    """Return the first of so many ports in a row on which nothing listens."""
    for base in range(20_100, 32_000, count):
        probes = [socket.socket() for _ in range(count)]
        try:
            for number, probe in enumerate(probes):
                probe.bind(("127.0.0.1", base + number))
        except OSError:
            continue
        else:
            return base
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no ports are free")


def scrape(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as page:
        text: str = page.read().decode()
    return text


def samples(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


@pytest.mark.slow
def test_a_running_line_shows_its_figures_and_nothing_else(line: Any, tmp_path: Path) -> None:
    base = free_ports(len(ROLES))
    line.environ["HWLINK_METRICS_ADDRESS"] = f"127.0.0.1:{base}"
    line.hwlink("synthesise", tmp_path / "people", "--people", "300", "--claims", "60", "--seed", "11")
    line.hwlink("keys", "new", tmp_path / "project.key")
    file = tmp_path / "health.parquet"
    line.hwlink(
        "pseudonymise", "--agreement", "test", "--key-file", tmp_path / "project.key", "--source", "kmpt.gp",
        "--feed", "health", tmp_path / "people" / "health.parquet", file,
    )  # fmt: skip
    line.serve()
    line.hwlink("send", "--feed", "health", "--to", line.ingest, file)
    line.drain()
    time.sleep(1.0)  # gauges of loops are of their last whole step
    pages = {role: scrape(f"127.0.0.1:{base + number}") for number, role in enumerate(ROLES)}
    read = {role: samples(page) for role, page in pages.items()}

    for role, page in read.items():
        ours = {name for name in page if name.startswith("hwlink_")}
        bare = {re.sub("_(bucket|count|sum)$", "", name) if name not in BY_NAME else name for name in ours}
        assert bare <= BY_NAME.keys(), role
        for name in bare & page.keys():
            assert all(set(labels) == set(BY_NAME[name].labels) for labels, _ in page[name])
        assert page["process_resident_memory_bytes"][0][1] > 1e6
        assert not any(value for _, value in page["hwlink_scrape_failures"]), role

    accepted = read["ingest"]["hwlink_ingest_accepted_records_total"]
    assert [labels for labels, _ in accepted] == [{"source": "kmpt.gp"}]
    records = accepted[0][1]
    assert records > 0
    assert read["ingest"]["hwlink_ingest_bytes_in_flight"][0][1] == 0
    calls = read["ingest"]["hwlink_grpc_request_duration_seconds_count"]
    assert any(
        labels["method"] == "/hwlink.v1.IngestService/IngestHealth" and labels["code"] == "OK" for labels, _ in calls
    )
    landed = {labels["zone"]: value for labels, value in read["landing"]["hwlink_landing_rows_total"]}
    assert landed["linkage"] == records
    assert landed["content"] >= records
    assert read["matcher"]["hwlink_matcher_index_rows"][0][1] == records
    assert read["resolver"]["hwlink_resolver_roster_rows_total"][0][1] >= records
    assert read["features"]["hwlink_features_people"][0][1] > 0
    assert {labels["role"] for labels, _ in read["matcher"]["hwlink_loop_step_duration_seconds_count"]} == {"matcher"}
    lag = read["review"]["hwlink_consumer_lag_messages"]
    assert {labels["role"] for labels, _ in lag} == {
        "landing-linkage",
        "landing-content",
        "matcher",
        "resolver",
        "features",
    }
    assert not any(value for _, value in lag)

    shown = {name for page in read.values() for name in page}
    waiting_for_something = {
        "hwlink_drift_alarms", "hwlink_loop_waits_total", "hwlink_ingest_refused_records_total",
    }  # fmt: skip
    for metric in METRICS:
        name = f"{metric.name}_count" if metric.kind is Kind.HISTOGRAM else metric.name
        assert name in shown or metric.name in waiting_for_something, metric.name

    # No subject reference, token or person id: nothing on any page looks like one.
    for page in pages.values():
        for text in re.findall(r'="([^"]*)"', page):
            assert not re.search(r"[0-9a-f]{16}|[0-9]{9}", text), text
