"""One run: read in chunks, encode them (on several cores if asked), write them in order, report."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from linkage.encode import ProjectKeys, check_agreement, encode
from linkage.normalise import FieldReason
from schemas.agreement import Agreement
from schemas.contracts.records import FileDeclaration
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.errors import InputError, Reason
from services.pseudonymise.areas import Areas
from services.pseudonymise.bridges import Pseudonyms, open_crossing, without_pseudonyms
from services.pseudonymise.clear import ClearSource, clear_chunks
from services.pseudonymise.layouts import Layout
from services.pseudonymise.mapping import ColumnMap
from services.pseudonymise.reading import Chunk
from services.pseudonymise.report import Report
from services.pseudonymise.seen import SeenRecords
from services.pseudonymise.writing import PseudonymisedFile

ROWS_AT_ONCE: Final = 100_000
"""A chunk: the larger it is, the more often a value is hashed once for several rows. At this size a process holds some
850 MiB at most, whatever the file; half the rows take a sixth longer.
"""
_CHUNKS_AHEAD: Final = 2
"""Chunks handed to each other process: one in work, one to go on with."""

Progress = Callable[[int, int | None], None]
"""Called after each chunk with the rows done and, where the file says so, the rows there are."""


@dataclass(frozen=True)
class Job:
    """What to pseudonymise, how, and what the file is to declare. `version` stands in for rows that have none.

    `extract_date` bounds births and deaths; without one it is the day of the run. With a `layout`, the source is a file
    (or folder) of that raw layout, and no column map is needed. Without `pseudonyms`, those in it are left out.
    `areas` give records a small area by their postcode.
    """

    source_path: Path
    output_path: Path
    agreement: Agreement
    keys: ProjectKeys
    declaration: FileDeclaration
    column_map: ColumnMap = field(default_factory=ColumnMap)
    version: int | None = None
    layout: Layout | None = None
    pseudonyms: Pseudonyms | None = None
    areas: Areas | None = None


@dataclass(frozen=True)
class _Settings:
    agreement: Agreement
    keys: ProjectKeys
    declaration: FileDeclaration
    version: int
    latest: date


@dataclass(frozen=True)
class _Encoded:
    """What comes back from a worker: the records as an Arrow IPC stream, which costs a fifth of a pickled frame."""

    records: bytes
    faults: pl.DataFrame
    rows_read: int
    rows_written: int
    rows_refused: int
    births: int
    bare: int
    values: dict[str, int]


def run(job: Job, *, workers: int = 1, rows_at_once: int = ROWS_AT_ONCE, progress: Progress | None = None) -> Report:
    """Pseudonymise a file and return the report; raises InputError or AgreementError, and then writes nothing.

    With more than one worker, chunks are encoded in that many processes (hashing holds Python's lock, so threads gain
    nothing); the output is the same to the byte.
    """
    check_agreement(job.agreement)
    _check_paths(job)
    started = time.perf_counter()
    settings = _Settings(
        job.agreement,
        job.keys,
        job.declaration,
        int(time.time() * 1000) if job.version is None else job.version,
        job.declaration.extract_date or datetime.now(UTC).date(),
    )
    report = Report(output=str(job.output_path))
    source = ClearSource(job.source_path, job.declaration.feed, job.layout, job.column_map)
    known = job.pseudonyms is not None and job.pseudonyms.domain is not None
    clear, row_count = clear_chunks(source, settings.latest, report, rows_at_once, pseudonyms=known)
    clear = _crossed(job, clear, settings.latest, report)
    if job.areas is not None:
        clear = (job.areas.apply(chunk, report) for chunk in clear)
    seen = SeenRecords()
    prepared = ((chunk, seen.repeated(chunk.frame)) for chunk in clear)

    with PseudonymisedFile(job.output_path, job.declaration) as output:
        for encoded in _encoded_in_order(prepared, settings, workers):
            output.write(pa.ipc.open_stream(encoded.records).read_all())
            output.write_faults(encoded.faults)
            _account(report, encoded)
            if progress is not None:
                progress(report.rows_read, row_count)
        if not report.rows_written:
            raise InputError(
                Reason.FIELD_INVALID,
                f"None of the {report.rows_read:,} rows of {job.source_path.name} can be used "
                f"({report.commonest_fault}); mend the file or the column map.",
            )
    report.faults_file = str(output.faults_path) if report.fault_counts else None
    report.seconds = time.perf_counter() - started
    return report


def _crossed(job: Job, clear: Iterator[Chunk], latest: date, report: Report) -> Iterator[Chunk]:
    """Return the chunks with pseudonyms of the agreement's hub, or with none."""
    asked = job.pseudonyms
    if asked is None or asked.domain is None:
        clear = (without_pseudonyms(chunk, report) for chunk in clear)
    return clear if asked is None else map(open_crossing(job.agreement, asked, latest, report).apply, clear)


def _check_paths(job: Job) -> None:
    if job.output_path.resolve() == job.source_path.resolve():
        raise InputError(
            Reason.OPTION_INVALID, "Input and output are the same file; name another output, so that no data is lost."
        )


def _encoded_in_order(
    chunks: Iterator[tuple[Chunk, pl.Series]], settings: _Settings, workers: int
) -> Iterator[_Encoded]:
    if workers <= 1:
        for chunk, repeated in chunks:
            yield _encode_chunk(settings, chunk, repeated)
        return
    # This process is one of the workers: it encodes while the others start, and whenever they have enough to do.
    others = workers - 1
    # Spawned, not forked: polars' threads do not survive a fork.
    with ProcessPoolExecutor(others, mp_context=get_context("spawn")) as pool:
        waiting: deque[Future[_Encoded]] = deque()
        for chunk, repeated in chunks:
            if sum(not future.done() for future in waiting) < _CHUNKS_AHEAD * others:
                waiting.append(pool.submit(_encode_chunk, settings, chunk, repeated))
            else:
                done: Future[_Encoded] = Future()
                done.set_result(_encode_chunk(settings, chunk, repeated))
                waiting.append(done)
            # Never more than these in memory, however far one worker falls behind.
            while waiting and (waiting[0].done() or len(waiting) > 2 * _CHUNKS_AHEAD * workers):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _encode_chunk(settings: _Settings, chunk: Chunk, repeated: pl.Series) -> _Encoded:
    declaration = settings.declaration
    batch = encode(
        chunk.frame,
        settings.agreement,
        settings.keys,
        declaration.feed,
        declaration.ids_kept,
        source=declaration.source,
        default_version=settings.version,
        latest=settings.latest,
        rows=chunk.rows,
        repeated=repeated,
    )
    unreadable = pl.DataFrame({"row": pl.Series(chunk.unreadable, dtype=pl.Int64)}).with_columns(
        field=pl.lit("row"), reason=pl.lit(FieldReason.UNREADABLE.value)
    )
    refused = pl.concat([unreadable, batch.rejects])
    faults = pl.concat(
        [
            refused.with_columns(row_refused=pl.lit(True)),
            pl.concat([chunk.dropped, batch.dropped]).with_columns(row_refused=pl.lit(False)),
        ]
    ).sort("row", maintain_order=True)
    counts = batch.frame.select(pl.col(*TOKEN_COLUMNS, *FILTER_COLUMNS).count())
    bare = batch.frame.select(pl.all_horizontal(pl.col(*TOKEN_COLUMNS).is_null()).sum()).item()
    return _Encoded(
        _arrow_stream(batch.frame),
        faults,
        chunk.frame.height + len(chunk.unreadable),
        batch.frame.height,
        refused.height,
        batch.first_of_january_births,
        bare,
        dict(zip(counts.columns, counts.row(0), strict=True)),
    )


def _arrow_stream(frame: pl.DataFrame) -> bytes:
    table = frame.to_arrow()
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = buffer.getvalue().to_pybytes()
    return stream


def _account(report: Report, encoded: _Encoded) -> None:
    report.rows_read += encoded.rows_read
    report.rows_written += encoded.rows_written
    report.rows_refused += encoded.rows_refused
    report.first_of_january_births += encoded.births
    report.rows_with_nothing_to_link_on += encoded.bare
    report.add_faults(encoded.faults)
    for column, count in encoded.values.items():
        report.values_by_column[column] = report.values_by_column.get(column, 0) + count
