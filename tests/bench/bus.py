"""`python -m tests.bench.bus`: messages of 500 encoded subjects through each bus, and through kafka-python alone.

    python -m tests.bench.bus            # starts a broker (or takes that of STACK_KAFKA_URL), writes results and table
    python -m tests.bench.bus --check    # only says whether the table of services/bus/README.md is that of the results

One sender and one reader in one process, beside the broker on the same machine. `send` waits for the acknowledgement of
eight messages at a time, as ingest does; `read` takes up to 64 at a time, as landing does. Each figure is the median of
several runs, in which the three take turns, so that what else the machine does meets all alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from schemas.topics import Topic
from schemas.wire import to_ipc
from services.bus import Bus, Outgoing
from services.bus.kafka import KafkaBus, parse_url
from services.bus.kafka_producer import COMPRESSION
from services.bus.kafka_topics import BATCH_LIMIT_BYTES
from services.bus.sqlite import SqliteBus
from services.cli.demo.commands import Commands
from services.stack import find_or_start_kafka
from tests.bench.machine import ROOT, commit, machine
from tests.bench.run import RESULTS
from tests.bench.table import between, markdown

BUS: Final = RESULTS.with_name("bus.json")
README: Final = ROOT / "services" / "bus" / "README.md"
BEGIN, END = "<!-- bus:begin -->", "<!-- bus:end -->"

ROWS: Final = 500
MESSAGES: Final = 160
AT_ONCE: Final = 8
POLL: Final = 64
PARTITIONS: Final = 4
RUNS: Final = 9
SEED: Final = 1

Seconds = tuple[float, float]
"""What sending and reading took."""


def payloads(folder: Path) -> list[bytes]:
    """Return `MESSAGES` messages' values: synthetic people, encoded by hwlink's own commands."""
    commands, people = Commands({}, quiet=True), ROWS * 20
    commands.run("synthesise", folder, "--people", str(people), "--claims", "100", "--seed", str(SEED))
    commands.run("keys", "new", folder / "project.key")
    encoded = folder / "encoded.parquet"
    commands.run(
        *("pseudonymise", "--agreement", "test", "--key-file", folder / "project.key"),
        *("--source", "bench.gp", "--feed", "health", folder / "health.parquet", encoded),
    )
    rows = pl.read_parquet(encoded, n_rows=people)
    whole = [to_ipc(rows[start : start + ROWS]) for start in range(0, rows.height - ROWS + 1, ROWS)]
    return [whole[n % len(whole)] for n in range(MESSAGES)]


def through(bus: Bus, values: Sequence[bytes]) -> Seconds:
    """Send and read all values through one of our adapters, on a topic of their own."""
    topic = Topic(f"bench.{uuid.uuid4().hex}.v1", PARTITIONS, "source", "Arrow", ())
    bus.create_topics([topic])
    producer, consumer = bus.producer(), bus.consumer("bench", [topic])
    producer.send([Outgoing(topic.name, p, None, b"first", {}) for p in range(PARTITIONS)])  # connects
    while sum(consumer.position().values()) < PARTITIONS:
        consumer.poll(POLL, 1)
    messages = [
        Outgoing(topic.name, n % PARTITIONS, b"bench.gp", value, {"kind": "subjects"}) for n, value in enumerate(values)
    ]

    def send() -> None:
        for start in range(0, len(messages), AT_ONCE):
            producer.send(messages[start : start + AT_ONCE])

    def read() -> None:
        left = len(messages)
        while left:
            left -= len(consumer.poll(POLL, 1))

    seconds = timed(send), timed(read)
    consumer.close()
    producer.close()
    return seconds


def through_kafka_python(servers: Sequence[str], bus: Bus, values: Sequence[bytes]) -> Seconds:
    """Send and read all values with kafka-python alone, at the same settings."""
    topic = Topic(f"bench.{uuid.uuid4().hex}.v1", PARTITIONS, "source", "Arrow", ())
    bus.create_topics([topic])
    producer = KafkaProducer(
        bootstrap_servers=servers,
        acks="all",
        compression_type=COMPRESSION,
        max_request_size=BATCH_LIMIT_BYTES,
        linger_ms=2,
    )
    consumer = KafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", max_partition_fetch_bytes=BATCH_LIMIT_BYTES
    )
    consumer.assign([TopicPartition(topic.name, p) for p in range(PARTITIONS)])
    for p in range(PARTITIONS):
        producer.send(topic.name, b"first", partition=p).get(30)
    left = PARTITIONS
    while left:
        left -= sum(map(len, consumer.poll(1000).values()))

    def send() -> None:
        for start in range(0, len(values), AT_ONCE):
            futures = [
                producer.send(topic.name, value, b"bench.gp", [("kind", b"subjects")], (start + n) % PARTITIONS)
                for n, value in enumerate(values[start : start + AT_ONCE])
            ]
            for future in futures:
                future.get(30)

    def read() -> None:
        left = len(values)
        while left:
            left -= sum(map(len, consumer.poll(1000, POLL).values()))

    seconds = timed(send), timed(read)
    consumer.close()
    producer.close()
    return seconds


def timed(call: Callable[[], None]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure() -> dict[str, Any]:
    """Return the medians of every bus."""
    facts = machine()
    with tempfile.TemporaryDirectory() as name, find_or_start_kafka() as server:
        folder = Path(name)
        values = payloads(folder)
        servers, _ = parse_url(server.url)
        kafka, sqlite = KafkaBus(server.url), SqliteBus(folder / "bus.db")
        ways: dict[str, Callable[[], Seconds]] = {
            "SQLite": lambda: through(sqlite, values),
            "Kafka": lambda: through(kafka, values),
            "kafka-python alone": lambda: through_kafka_python(servers, kafka, values),
        }
        taken: dict[str, list[Seconds]] = {way: [] for way in ways}
        for run in range(RUNS + 1):
            for way, go in ways.items():
                seconds = go()
                if run:  # the first warms up
                    taken[way].append(seconds)
        kafka.close()
        sqlite.close()
    rows = MESSAGES * ROWS
    return {
        "machine": facts,
        "commit": commit(),
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "broker": server.what,
        "rows": rows,
        "message_bytes": sum(map(len, values)) // len(values),
        "runs": RUNS,
        "rows_a_second": {
            way: {
                "send": round(rows / statistics.median(one[0] for one in seconds)),
                "read": round(rows / statistics.median(one[1] for one in seconds)),
            }
            for way, seconds in taken.items()
        },
    }


def block(result: dict[str, Any]) -> str:
    """Return the table, and what it was measured on."""
    on = result["machine"]
    rates = result["rows_a_second"]
    alone = rates["kafka-python alone"]
    rows = [
        (
            way,
            *(f"{rate[what]:,}" for what in ("send", "read")),
            *(f"{rate[what] / alone[what]:.2f}" for what in ("send", "read")),
        )
        for way, rate in rates.items()
    ]
    where = (
        f"{result['measured']}, {on['cores']} cores ({on['cpu']}) shared with the broker ({result['broker']}), Python "
        f"{on['python']}, load average {on['load_average_at_start']} at the start; medians of {result['runs']} runs of "
        f"{result['rows']:,} rows in messages of {result['message_bytes']:,} bytes."
    )
    head = ("bus", "sent, rows a second", "read, rows a second", "send : kafka-python", "read : kafka-python")
    return f"{where}\n\n{markdown(head, 'lrrrr', rows)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the table, or check it; return the exit code."""
    parser = argparse.ArgumentParser(description="Throughput of each bus.")
    parser.add_argument("--check", action="store_true", help="only compare the table with the committed results")
    chosen = parser.parse_args(arguments)
    if not chosen.check:
        BUS.write_text(json.dumps(measure(), indent=2) + "\n")
    text = README.read_text("utf-8")
    wanted = between(text, BEGIN, END, block(json.loads(BUS.read_text("utf-8"))))
    if not chosen.check:
        README.write_text(wanted, "utf-8")
        return 0
    return int(text != wanted)


if __name__ == "__main__":
    sys.exit(main())
