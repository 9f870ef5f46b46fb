"""Stages on the cohort side: features built in full and for changed persons, and answers over gRPC."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from tests.bench.inputs import Inputs
from tests.bench.linking import land_content
from tests.bench.measure import Measure, Stopwatch, peak_mib
from tests.bench.role_server import server_peak_mib, serving

CHANGED = 1_000
"""Health records that come again with other content before the second build."""

FLAGS = ("reg_htn", "reg_dm", "reg_asthma", "reg_depression", "reg_obesity", "uc_in_payment", "hb_in_payment", "core20")
NARROWED = ("{}", "{} AND sex_code = '1'", "{} AND age >= 50", "{} AND age < 40", "NOT {}")
DIMENSIONS = (
    "life_stage",
    "sex_code",
    "authority",
    "ethnic_group_5",
    "tenure",
    "household_type",
    "income_band",
    "arrears_band",
)
ASKED_AGAIN = 5
"""How often the same questions are asked again."""


def features(inputs: Inputs, state: Path) -> list[Measure]:
    """A full build from what is there, and the next one after some records changed; consumers' records included."""
    from schemas.purposes import shipped_purposes
    from services.bootstrap import consumer_keys, open_registry, open_zone
    from services.bootstrap.stores import open_reference
    from services.features.records import Consumer
    from services.features.role import Features, Pace

    settings = inputs.settings(state)
    assert settings.as_of is not None
    as_of: date = settings.as_of
    registry, keys, content = open_registry(settings), consumer_keys(settings), open_zone(settings, "content")
    purposes = [p for p in shipped_purposes().values() if p.feeds_topic and p.consumer is not None]
    role = Features(
        inputs.bus(state),
        content,
        open_zone(settings, "products"),
        registry.features,
        reference=open_reference(settings),
        consumers=[Consumer(p, keys.key(str(p.consumer))) for p in purposes],
        today=lambda: as_of,
        pace=Pace(poll_s=0.0),
    )
    facts = sum(_rows(content.scan(table)) for table in content.tables())
    with Stopwatch() as building:
        role.drain()
    persons = _rows(open_zone(settings, "products").scan("features"))
    full = Measure.of(building, "full build", "persons", persons, peak_mib(), facts=facts)
    changed = _change(inputs, state)
    with Stopwatch() as updating:
        role.drain()
    role.close()
    return [full, Measure.of(updating, f"update, {changed:,} changed records", "records", changed, peak_mib())]


def _rows(scan: pl.LazyFrame | None) -> int:
    return 0 if scan is None else int(scan.select(pl.len()).collect().item())


def _change(inputs: Inputs, state: Path) -> int:
    """Land a new version of some health records, each with the encounters of another; return how many."""
    from schemas.contracts.base import Feed
    from schemas.topics import CONTENT
    from services.ingest.split import Origin, split
    from tests.bench.inputs import SOURCES

    agreement = inputs.agreement
    records = pl.read_parquet(inputs.encoded("health"), n_rows=CHANGED)
    records = records.with_columns(pl.col("version") + 1, pl.col("encounters").reverse())
    origin = Origin(SOURCES[0], "bench-changes", agreement.agreement_id, agreement.key_epoch, True, None)
    messages = [m for m in split(records, Feed.HEALTH, origin) if m.topic == CONTENT[Feed.HEALTH].name]
    bus = inputs.bus(state)
    producer = bus.producer()
    producer.send(messages)
    producer.close()
    land_content(inputs, state, len(messages))
    return records.height


def query(inputs: Inputs, state: Path) -> list[Measure]:
    """Counts and two-way tables over the newest snapshot, from a real server: new questions, then the same again."""
    from services.cli.demo.commands import free_address
    from services.query.client import CohortClient

    address = free_address()
    filters = [pattern.format(flag) for flag in FLAGS for pattern in NARROWED]
    tables = [list(pair) for pair in itertools.combinations(DIMENSIONS, 2)]
    found = []
    with serving("query", inputs.environ(state, query=address), address, state / "server.log") as server:
        with CohortClient(address) as client:
            with Stopwatch(server.pid) as first:
                client.count(where="in_health")
            counts: list[Callable[[], object]] = [partial(client.count, where=text) for text in filters]
            cells: list[Callable[[], object]] = [partial(client.table, pair) for pair in tables]
            for name, questions in (("count", counts), ("two-way table", cells)):
                found.append(_latency(f"{name}, new question", questions, server.pid))
                found.append(_latency(f"{name}, asked before", questions * ASKED_AGAIN, server.pid))
        mib = server_peak_mib(server)
    loaded = Measure.of(first, "first answer: snapshot loaded", "answers", 1, mib, p50_ms=1e3 * first.seconds)
    return [loaded, *found]


def _latency(name: str, questions: list[Callable[[], object]], server_pid: int) -> Measure:
    """Ask one after the other; a refusal (too close to an earlier answer) is an answer too, and counted."""
    from schemas.errors import PolicyError

    taken, refused = [], 0
    with Stopwatch(server_pid) as watch:
        for ask in questions:
            started = time.perf_counter()
            try:
                ask()
            except PolicyError:
                refused += 1
            taken.append(time.perf_counter() - started)
    p50, p95 = (1e3 * float(np.percentile(taken, q)) for q in (50, 95))
    return Measure.of(watch, name, "answers", len(taken), p50_ms=p50, p95_ms=p95, refused=refused)
