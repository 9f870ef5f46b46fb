"""`python -m tests.bench.streaming`: the matcher's work on a stream, with 1 and 2 million subjects in memory, or more.

    python -m tests.bench.streaming                              # 1 and 2 million held; needs some 3 GiB
    python -m tests.bench.streaming --millions 1 2 5 10          # up to 10 million: some 9 GiB, and 15 minutes
    python -m tests.bench.streaming --millions 0.1 0.2 --out x   # a small run

Measured is what the role does with a micro-batch between reading messages and sending them: rows of the subjects topic
in, roster and pairs out (`services.matcher.index`). Stored subjects are regions of one million each: every region is
the same synthetic people (GP register and welfare claims) with all tokens hashed again under the region's number, so
that no value of one region meets another's. Block sizes are then those of real data at any number of regions, and the
candidates of a record stay the same while what is searched grows. New records come from all regions in turn.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from linkage.held import HeldSubjects
from linkage.subjects import Subjects, mix
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.model import MatchModel, default_model
from services.cli.demo.commands import Commands
from services.link.files import open_encoded
from services.matcher.index import Index
from tests.bench.machine import commit, machine
from tests.bench.measure import peak_mib
from tests.bench.run import RESULTS
from tests.bench.table import markdown

STREAMING: Final = RESULTS.with_name("streaming.json")
MILLIONS: Final = (1.0, 2.0)
CLAIMS_SHARE: Final = 0.25
"""Share of a region's subjects that are welfare records; half of those are stored, half arrive later."""

BATCH_ROWS: Final = 500
RATE_PER_S: Final = 2_000
MESSAGE_ROWS: Final = 50
"""Records of one message of the open-loop run: 40 messages a second, at random moments."""

OPEN_LOOP_S: Final = 15.0
MICRO_BATCHES: Final = 60
LOAD_ROWS: Final = 50_000
SOURCES: Final = ("bench.gp", "bench.hb")
SEED: Final = 1
OWNED: Final = frozenset({0})


@dataclass(frozen=True)
class Region:
    """The people that every region is made of: stored health and welfare records, and welfare records to come."""

    stored: tuple[Subjects, ...]
    arriving: Subjects

    @property
    def rows(self) -> int:
        """Return how many subjects a region stores."""
        return sum(map(len, self.stored))


def make_region(folder: Path, rows: int) -> Region:
    """Synthesise and pseudonymise a region of so many stored subjects with hwlink's own commands."""
    commands, claims = Commands({}, quiet=True), int(CLAIMS_SHARE * rows)
    people = rows - claims // 2
    commands.run("synthesise", folder, "--people", str(people), "--claims", str(claims), "--seed", str(SEED))
    commands.run("keys", "new", folder / "project.key")
    sides = []
    for source, feed in zip(SOURCES, ("health", "welfare"), strict=True):
        encoded = folder / f"{feed}-encoded.parquet"
        options = ("--agreement", "test", "--key-file", folder / "project.key", "--source", source, "--feed", feed)
        commands.run("pseudonymise", *options, folder / f"{feed}.parquet", encoded)
        batches = open_encoded(encoded).batches()
        sides.append([Subjects.from_batch(batch, source, source == SOURCES[0]) for batch in batches])
    health, welfare = ([_narrow(batch) for batch in side] for side in sides)
    late = [batch.take(np.s_[1::2]) for batch in welfare]
    everyone = (*health, *(batch.take(np.s_[::2]) for batch in welfare))
    return Region(everyone, _joined(late))


def frame(subjects: Subjects, region: int, offset: int) -> pl.DataFrame:
    """Return subjects as rows of the subjects topic in a region of this number."""
    columns: dict[str, Any] = {}
    for position, name in enumerate(TOKEN_COLUMNS):
        columns[name] = _binary(subjects.table[:, position], region, 2)
    for position, name in enumerate(FILTER_COLUMNS):
        columns[name] = _fixed(subjects.filters[:, position], subjects.filters[:, position].any(axis=1))
    columns["claim_group"] = _binary(subjects.claim_group, region, 2)
    rows = len(subjects)
    source = SOURCES[int(subjects.sources[0] == SOURCES[1])]
    return pl.DataFrame(pl.from_arrow(pa.table(columns))).with_columns(
        pl.lit(source).alias("source"),
        (pl.lit(f"{region:02d}") + subjects.ref_column(np.arange(rows)).str.slice(2)).alias("subject_ref"),
        pl.Series("version", subjects.version),
        pl.lit("upsert").alias("operation"),
        pl.lit(0, dtype=pl.Int64).alias("content_hash"),
        pl.lit(None, dtype=pl.String).alias("claim_role"),
        pl.lit(source == SOURCES[0]).alias("_one_record_per_person"),
        pl.lit(0, dtype=pl.Int64).alias("_partition"),
        pl.int_range(offset, offset + rows, dtype=pl.Int64).alias("_offset"),
    )


class Stream:
    """New records from all regions in turn, as frames; none comes twice."""

    def __init__(self, region: Region) -> None:
        """Begin at the first record."""
        self._region = region
        self._next: dict[int, int] = {}

    def batches(self, count: int, rows: int, regions: int) -> Iterator[pl.DataFrame]:
        """Yield so many frames of `rows` records each."""
        for number in range(count):
            region = number % regions
            start = self._next.get(region, 0)
            self._next[region] = start + rows
            assert start + rows <= len(self._region.arriving), "no records are left to come"
            yield frame(self._region.arriving.take(np.s_[start : start + rows]), region, start)


def measure(
    region: Region, millions: Sequence[float], model: MatchModel, micro_batches: int, open_loop_s: float
) -> list[dict[str, Any]]:
    """Load up to each size in turn, without a word before of how many will come, and measure there."""
    index, stream = Index(model, 1), Stream(region)
    held = index._held
    gc.collect()
    before = _resident_mib()
    regions, sizes = 0, []
    for size in millions:
        started, rows = time.perf_counter(), len(index)
        while regions * region.rows < size * 1e6 * (1 - 1e-9):
            for batch in region.stored:
                for part in frame(batch, regions, 0).iter_slices(LOAD_ROWS):
                    index.load(part)
            regions += 1
        loading = time.perf_counter() - started
        gc.collect()
        steady = _resident_mib() - before
        sizes.append(
            {
                "held": len(index),
                "load_rows_per_s": round((len(index) - rows) / loading),
                "array_bytes_a_subject": round(held.nbytes / len(held)),
                "resident_bytes_a_subject": round(steady * 2**20 / len(index)),
                "peak_bytes_a_subject": round(((peak_mib() or 0) - before) * 2**20 / len(index)),
                "micro_batches": _micro_batches(index, held, list(stream.batches(micro_batches, BATCH_ROWS, regions))),
                "open_loop": _open_loop(
                    index, list(stream.batches(int(open_loop_s * RATE_PER_S / MESSAGE_ROWS), MESSAGE_ROWS, regions))
                ),
            }
        )
        _say(json.dumps(sizes[-1]))
    return sizes


def block(result: dict[str, Any]) -> str:
    """Return the figures as a table, a line of it for each size."""
    rows = []
    for size in result["sizes"]:
        batches, arrivals = size["micro_batches"], size["open_loop"]
        rows.append(
            (
                f"{size['held']:,}",
                f"{batches['candidates_a_record']:.1f}",
                f"{batches['records_per_s']:,}",
                f"{batches['records_per_cpu_s']:,}",
                f"{arrivals['p50_ms']:.0f}",
                f"{arrivals['p95_ms']:.0f}",
                f"{arrivals['p99_ms']:.0f}",
                f"{arrivals['p999_ms']:.0f}",
                f"{arrivals['max_ms']:.0f}",
                f"{size['array_bytes_a_subject']:,}",
                f"{size['resident_bytes_a_subject']:,}",
                f"{size['peak_bytes_a_subject']:,}",
            )
        )
    facts = result["machine"]
    columns = (
        "held",
        "candidates a record",
        "a second",
        "a CPU second",
        "50 % ms",
        "95 % ms",
        "99 % ms",
        "99.9 % ms",
        "longest ms",
    )
    memory = ("bytes a subject", "resident", "with growth")
    return "\n\n".join(
        [
            f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']:.0f} GiB, Python {facts['python']}; "
            f"{result['measured_on']}. Records back to back in micro-batches of {result['batch_rows']}; latency with "
            f"{RATE_PER_S:,} records a second arriving in messages of {result['message_rows']} at random moments; "
            "bytes of a subject's data and indexes, of the process beyond its start, and of the most it ever held.",
            markdown((*columns, *memory), "r" * 12, rows),
        ]
    )


def _micro_batches(index: Index, held: HeldSubjects, batches: Sequence[pl.DataFrame]) -> dict[str, float]:
    """Work off micro-batches back to back; `records_per_cpu_s` is what one core does, other work beside it or not."""
    seconds, cpu, pairs, candidates = [], [], 0, 0
    for batch in batches:
        wall, process = time.perf_counter(), time.process_time()
        pairs += index.evaluate(batch, OWNED)[1].height
        seconds.append(time.perf_counter() - wall)
        cpu.append(time.process_time() - process)
        asked = np.arange(len(held) - batch.height, len(held))
        candidates += sum(len(found) for _, found in held.candidates(asked))
    rows = sum(batch.height for batch in batches)
    return {
        "rows": rows,
        "records_per_s": round(rows / sum(seconds)),
        "records_per_cpu_s": round(rows / sum(cpu)),
        "p50_ms": round(float(np.median(seconds)) * 1000, 1),
        "p99_ms": round(float(np.quantile(seconds, 0.99)) * 1000, 1),
        "candidates_a_record": round(candidates / rows, 2),
        "pairs_a_record": round(pairs / rows, 3),
    }


def _open_loop(index: Index, messages: Sequence[pl.DataFrame]) -> dict[str, float]:
    """Take messages that arrive at random moments at a fixed rate, whether or not the last ones are done.

    Whatever waits when the matcher is free is its next micro-batch. A record's latency runs from the moment its message
    was due, so that a stall counts against all that came during it.
    """
    count = len(messages)
    due = np.cumsum(np.random.default_rng(SEED).exponential(MESSAGE_ROWS / RATE_PER_S, count))
    latency, done, batches, busy = np.zeros(count), 0, 0, 0.0
    began = time.perf_counter()
    while done < count:
        now = time.perf_counter() - began
        if due[done] > now:
            time.sleep(due[done] - now)
            continue
        waiting = int(np.searchsorted(due, now, side="right"))
        index.evaluate(pl.concat(messages[done:waiting]), OWNED)
        ended = time.perf_counter() - began
        latency[done:waiting] = ended - due[done:waiting]
        done, batches, busy = waiting, batches + 1, busy + ended - now
    quantiles = np.quantile(latency, [0.5, 0.95, 0.99, 0.999, 1.0]) * 1000
    return {
        "rate_per_s": RATE_PER_S,
        "rows": count * MESSAGE_ROWS,
        "rows_a_batch": round(count * MESSAGE_ROWS / batches, 1),
        "busy_share": round(busy / float(due[-1]), 3),
        **{
            name: round(float(q), 1)
            for name, q in zip(("p50_ms", "p95_ms", "p99_ms", "p999_ms", "max_ms"), quantiles, strict=True)
        },
    }


def _binary(words: np.typing.NDArray[np.uint64], region: int, repeats: int) -> pa.Array:
    """Return words as tokens of a region: hashed again with its number, missing ones left missing."""
    salted = np.maximum(mix(words + np.uint64(region)), np.uint64(1))
    return _fixed(np.repeat(salted[:, None], repeats, axis=1), words != 0)


def _fixed(words: np.typing.NDArray[np.uint64], there: np.typing.NDArray[np.bool_]) -> pa.Array:
    """Return rows of words as binaries, null where nothing is there."""
    buffers = [pa.py_buffer(np.packbits(there, bitorder="little")), pa.py_buffer(np.ascontiguousarray(words))]
    return pa.Array.from_buffers(pa.binary(8 * words.shape[1]), len(words), buffers)


def _narrow(subjects: Subjects) -> Subjects:
    """Return a copy that holds on to nothing larger."""
    return subjects.take(np.arange(len(subjects)))


def _joined(parts: Sequence[Subjects]) -> Subjects:
    first = parts[0]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in first.__dataclass_fields__
        if name not in {"sources", "unique"}
    }
    return Subjects(**arrays, sources=first.sources, unique=first.unique)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 2**20


def main(arguments: Sequence[str]) -> None:
    """Measure as the arguments say, and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.streaming")
    parser.add_argument("--millions", type=float, nargs="+", default=list(MILLIONS), help="sizes, rising")
    parser.add_argument(
        "--batches", type=int, default=MICRO_BATCHES, help=f"micro-batches of {BATCH_ROWS} at each size"
    )
    parser.add_argument("--seconds", type=float, default=OPEN_LOOP_S, help="of arrivals at each size")
    parser.add_argument("--out", type=Path, help="file to write instead of results/streaming.json")
    options = parser.parse_args(arguments)
    facts = machine()
    with tempfile.TemporaryDirectory(prefix="hwlink-bench-") as folder:
        region = make_region(Path(folder), round(min([1.0, *options.millions]) * 1e6))
        sizes = measure(region, options.millions, default_model(), options.batches, options.seconds)
    result = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "machine": facts,
        "batch_rows": BATCH_ROWS,
        "message_rows": MESSAGE_ROWS,
        "sizes": sizes,
    }
    target = options.out or STREAMING
    target.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    target.with_suffix(".md").write_text(block(result) + "\n", "utf-8")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
