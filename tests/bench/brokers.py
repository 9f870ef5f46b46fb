"""`python -m tests.bench.brokers`: ingest, and if asked the whole line, on Apache Kafka and PostgreSQL on this machine.

    python -m tests.bench.brokers                     # both entrances to acknowledged Kafka, median of 3 (2 min)
    python -m tests.bench.brokers --line medway       # only the whole line for 428,000 people (5 min)
    python -m tests.bench.brokers --people 5000 --claims 1000 --repeats 1 --out somewhere/brokers.json

Writes `results/brokers.json` and, as tables, `results/brokers.md`; what is not measured stays as it stands there.
Broker, PostgreSQL, server and clients share the machine, and none is told to keep less than a deployment would: every
topic acknowledges each batch (acks=all, idempotent), and PostgreSQL commits it with synchronous_commit and fsync on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import polars as pl
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import create_engine, make_url, text

from tests.bench.inputs import Inputs, make_inputs
from tests.bench.machine import ROOT, commit, machine
from tests.bench.measure import Measure, combined, peak_mib
from tests.bench.role_server import serving
from tests.bench.run import DEFAULT_CLAIMS, DEFAULT_PEOPLE, RESULTS, SEED
from tests.bench.sender import ENTRANCES, Clients, Load
from tests.bench.table import line_parts, markdown

BROKERS: Final = RESULTS.with_name("brokers.json")
CLIENTS: Final = 2
"""Clients at once, each with sources of its own: while the server works on a batch of one, another is written."""

COPIES: Final = {"columns": 4, "rows": 2}
"""Times that each client sends the file in a run, so that a run takes seconds. A first run warms the broker up."""

NAMES: Final = {"columns": "columns (Arrow)", "rows": "rows (protobuf)"}
ALONE: Final = ", subjects alone"
"""Behind the name of a load whose records carry no listed facts."""


class Watched:
    """Processes whose CPU is counted: each by a name, and all that they started."""

    def __init__(self, **processes: psutil.Process) -> None:
        self._processes = processes
        self._before = self._now()

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds of each since the watch began; of children, those that are still there."""
        return {name: now - self._before[name] for name, now in self._now().items()}

    def _now(self) -> dict[str, float]:
        return {
            name: sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))
            for name, process in self._processes.items()
        }


def listening(url: str) -> psutil.Process:
    """Return the process of this machine that listens at a server's address."""
    port = urlsplit(url).port
    found = (c.pid for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == port)
    return psutil.Process(next(pid for pid in found if pid))


@contextmanager
def own_database(url: str, name: str) -> Iterator[str]:
    """Lend an empty database on a PostgreSQL server."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def without_facts(file: Path) -> Path:
    """Write a pseudonymised file again without its listed facts, beside it; return the copy."""
    table = pq.read_table(file)
    lists = [field.name for field in table.schema if pa.types.is_list(field.type) or pa.types.is_large_list(field.type)]
    alone = file.with_name(f"alone-{file.name}")
    pq.write_table(table.drop_columns(lists), alone, row_group_size=pq.read_metadata(file).row_group(0).num_rows)
    return alone


def ingest(entrance: str, inputs: Inputs, file: Path, kafka: str, postgresql: str, run: str) -> Measure:
    """Send the file from `CLIENTS` clients at once, so many times each; everything acknowledged is counted."""
    from services.cli.demo.commands import free_address

    address = free_address()
    with (
        tempfile.TemporaryDirectory(prefix="hwlink-bench-") as name,
        own_database(postgresql, f"bench_{run}") as registry,
    ):
        folder = Path(name)
        environ = {
            **inputs.environ(folder, ingest=address),
            "HWLINK_BUS_URL": f"{kafka}/bench-{run.replace('_', '-')}",
            "HWLINK_REGISTRY_URL": registry,
        }
        with serving("ingest", environ, address, folder / "server.log") as server:
            sources = [[f"kmpt.gp{client}x{copy}" for copy in range(COPIES[entrance])] for client in range(CLIENTS)]
            clients = Clients([Load(address, "health", entrance, file, own) for own in sources])
            watched = Watched(
                broker=listening(kafka), postgresql=listening(postgresql), server=psutil.Process(server.pid)
            )
            seconds, told = clients.send()
            used = watched.cpu_s()
            server_mib = peak_mib(server.pid)
    used["clients"] = sum(one["cpu_s"] for one in told)
    accepted = sum(one["accepted"] for one in told)
    details = {f"{name}_cpu_us_a_subject": 1e6 * cpu_s / accepted for name, cpu_s in used.items()}
    details["client_peak_mib"] = max(one["peak_mib"] or 0 for one in told)
    return Measure(NAMES[entrance], "subjects", accepted, seconds, sum(used.values()), server_mib, details)


def measure_ingest(people: int, claims: int, repeats: int) -> dict[str, Any]:
    """Return the figures of both entrances, and how many facts come beside a subject."""
    from services.stack import find_or_start_kafka, find_or_start_postgresql
    from tests.bench.controllers import facts

    measures = []
    with (
        tempfile.TemporaryDirectory(prefix="hwlink-bench-") as folder,
        find_or_start_kafka() as kafka,
        find_or_start_postgresql() as postgresql,
    ):
        _say(f"inputs: {people:,} people, {claims:,} claims; on {kafka.what}, {postgresql.what}")
        inputs = make_inputs(Path(folder) / "inputs", people, claims, SEED)
        whole = inputs.encoded("health")
        files = {"": whole, ALONE: without_facts(whole)}
        for number, (entrance, (suffix, file)) in enumerate(product(ENTRANCES, files.items())):
            runs = []
            for repeat in range(repeats + 1):
                one = ingest(entrance, inputs, file, kafka.url, postgresql.url, f"{number}_{repeat}")
                one = replace(one, name=one.name + suffix)
                _say(f"{one.name}: {one.records / one.seconds:,.0f} a second{'' if repeat else ' (not counted)'}")
                runs += [one.as_json()] if repeat else []
            measures.append(combined("ingest", runs))
        a_subject = (
            facts(inputs, ["health"]) / pl.scan_parquet(inputs.encoded("health")).select(pl.len()).collect().item()
        )
        servers = [kafka.what, postgresql.what]
    return {
        "people": people,
        "repeats": repeats,
        "clients": CLIENTS,
        "servers": servers,
        "facts_a_subject": round(a_subject, 2),
        "measures": measures,
    }


def measure_line(size: str) -> dict[str, Any]:
    """Run the whole line as `hwlink demo --bus kafka --registry postgresql` does, and return what it measured."""
    _say(f"the whole line on Kafka and PostgreSQL: hwlink demo --size {size}")
    with tempfile.TemporaryDirectory(prefix="hwlink-bench-") as folder:
        words = ["demo", "--size", size, "--bus", "kafka", "--registry", "postgresql", "--out", f"{folder}/demo"]
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.app", *words, "--json"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit("the demo failed; its words stand above")
    return {"size": size, **json.loads(done.stdout)}


def block(result: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    parts = []
    if found := result["ingest"]:
        where, measures = found["where"], found["measures"]
        parts.append(
            f"{_where(where)}. {' and '.join(found['servers'])}. From {found['clients']} clients over gRPC to "
            f"acknowledged Kafka, all on this machine; {found['facts_a_subject']} facts come with each subject and are "
            f"counted apart, or left out where subjects go alone. Median of {found['repeats']}."
        )
        header = ("entrance", "subjects", "seconds", "subjects a second", "facts a second")
        columns = ("clients", "server", "broker", "postgresql")
        rows = (
            (
                one["name"],
                f"{one['records']:,}",
                f"{one['seconds']:.2f}",
                f"{round(one['records_per_s'], -2):,}",
                "-"
                if one["name"].endswith(ALONE)
                else f"{round(one['records_per_s'] * found['facts_a_subject'], -3):,.0f}",
                *(f"{one['details'][f'{name}_cpu_us_a_subject']:.1f}" for name in columns),
                f"{one['peak_mib']:,}",
                f"{one['details']['client_peak_mib']:,.0f}",
            )
            for one in measures
        )
        cost = [f"{name}, CPU microseconds a subject" for name in columns]
        parts.append(markdown((*header, *cost, "server peak MiB", "client peak MiB"), "l" + "r" * 10, rows))
    if found := result["line"]:
        parts.append(f"{_where(found['where'])}.")
        parts += line_parts(found, " --bus kafka --registry postgresql")
        held = ", ".join(f"{role} {mib:,}" for role, mib in found["services_peak_mib_by_role"].items())
        parts.append(f"Each at most (MiB): {held}.")
    return "\n\n".join(parts) + "\n"


def _where(where: Mapping[str, Any]) -> str:
    facts = where["machine"]
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']:.0f} GiB, {facts['system']}, Python "
        f"{facts['python']}; {where['measured_on']}, load average before {facts['load_average_at_start']}"
    )


def main(arguments: Sequence[str]) -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.brokers", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help="rows of the health file")
    parser.add_argument("--claims", type=int, default=DEFAULT_CLAIMS, help="rows of the welfare file")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each entrance; the median is reported")
    parser.add_argument(
        "--line", choices=("small", "medway"), help="measure the whole line, at this size, and no entrance"
    )
    parser.add_argument("--out", type=Path, default=BROKERS, help="file to write; the tables go beside it, as .md")
    asked = parser.parse_args(arguments)
    result: dict[str, Any] = {"format": 1, "ingest": None, "line": None}
    if asked.out.exists():
        result |= json.loads(asked.out.read_text("utf-8"))
    where = {
        "measured_on": datetime.now(UTC).date().isoformat(),
        "commit": commit(),
        "seed": SEED,
        "machine": machine(),
    }
    if asked.line:
        result["line"] = {"where": where, **measure_line(asked.line)}
    else:
        result["ingest"] = {"where": where, **measure_ingest(asked.people, asked.claims, asked.repeats)}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    asked.out.with_suffix(".md").write_text(block(result), "utf-8")
    _say(f"wrote {asked.out}")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
