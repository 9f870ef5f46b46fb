"""Stages at the controllers' end: pseudonymising a clear file, and sending both feeds through either entrance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tests.bench.inputs import FEEDS, Inputs
from tests.bench.measure import Measure, Stopwatch, largest_child_mib, peak_mib
from tests.bench.role_server import server_peak_mib, serving


def pseudonymise_two(inputs: Inputs, state: Path) -> list[Measure]:
    """Names, date of birth, postcode and address in two processes, starting the second included."""
    return [_pseudonymise(inputs, state, workers=2)]


def pseudonymise_one(inputs: Inputs, state: Path) -> list[Measure]:
    """The same in one process."""
    return [_pseudonymise(inputs, state, workers=1)]


def _pseudonymise(inputs: Inputs, state: Path, workers: int) -> Measure:
    from services.pseudonymise import Job, run
    from services.pseudonymise.declare import declaration
    from tests.bench.inputs import SOURCES

    declared = declaration(inputs.agreement, source=SOURCES[0], feed="health")
    job = Job(inputs.names, state / "names.parquet", inputs.agreement, inputs.keys, declared)
    with Stopwatch() as watch:
        report = run(job, workers=workers)
    own = peak_mib()
    peak = None if own is None else own + (workers - 1) * largest_child_mib()
    name = f"names, birth, postcode, address; {workers} worker{'s' if workers > 1 else ''}"
    return Measure.of(watch, name, "records", report.rows_read, peak)


def ingest_columns(inputs: Inputs, state: Path) -> list[Measure]:
    """Both feeds through the Arrow entrance of a real server."""
    return [_ingest(inputs, state, rows_entrance=False)]


def ingest_rows(inputs: Inputs, state: Path) -> list[Measure]:
    """Both feeds through the protobuf entrance of a real server."""
    return [_ingest(inputs, state, rows_entrance=True)]


def _ingest(inputs: Inputs, state: Path, rows_entrance: bool) -> Measure:
    from schemas.contracts.base import Feed
    from services.cli.demo.commands import free_address
    from services.send.file import FeedFile, Stated, lawful
    from services.send.session import Sending, send

    address = free_address()
    reports = []
    with serving("ingest", inputs.environ(state, ingest=address), address, state / "server.log") as server:
        with Stopwatch(server.pid) as watch:
            for feed in FEEDS:
                file = FeedFile(inputs.encoded(feed), Feed(feed))
                declared = lawful(file, inputs.agreement, Stated())
                reports.append(send(file, declared, address, Sending(rows_entrance=rows_entrance)))
        server_mib = server_peak_mib(server)
    assert sum(report.accepted for report in reports) == inputs.rows(), "the server refused synthetic records"
    name = "rows (protobuf)" if rows_entrance else "columns (Arrow)"
    accepted = sum(report.accepted for report in reports)
    own = peak_mib() or 0
    return Measure.of(watch, name, "subjects", accepted, server_mib, client_peak_mib=own, facts=facts(inputs))


def facts(inputs: Inputs, feeds: Sequence[str] = FEEDS) -> int:
    """Return how many facts the files carry: demographics of each subject, and every element of its lists."""
    total = 0
    for feed in feeds:
        scan = pl.scan_parquet(inputs.encoded(feed))
        lists = [name for name, dtype in scan.collect_schema().items() if isinstance(dtype, pl.List)]
        counted = scan.select(pl.len().alias("demographics"), *(pl.col(name).list.len().sum() for name in lists))
        total += sum(counted.collect().row(0))
    return total
