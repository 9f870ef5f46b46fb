"""The whole line as real processes over a broker and a PostgreSQL of its own, to which everything may happen."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil

from schemas.errors import TransientError
from schemas.topics import REPLAYABLE
from services.bootstrap import BESIDE, open_bus, open_registry, open_zone
from services.bus import Bus, Outgoing
from services.registry import Registry
from services.settings import Settings, read_settings
from services.stack import OwnServer
from tests.robustness.faults import Fault, Kind
from tests.robustness.lake_disk import LakeDisk

CREW: Final[Mapping[str, int]] = {
    "ingest": 1,
    "landing": 2,
    "matcher": 3,
    "resolver": 2,
    "features": 1,
    "query": 1,
    "review": 1,
}
SHARDS: Final = 8
AS_OF: Final = "2026-06-30"
BACK_S: Final = 1.0
"""After how long a worker that ended by itself, for a reason that may pass, is started again: a supervisor's task."""

STOP_S: Final = 40.0
_ECHOED: Final = 24
_ECHO_ATTEMPTS: Final = 20
_LOG_LINES: Final = 15


@dataclass
class Worker:
    """One process of a role, which is down while `process` is None; started at `start_at`, a time of the machine's
    clock, None for one that is not to come back before it is said.
    """

    role: str
    number: int
    process: subprocess.Popen[bytes] | None = None
    start_at: float | None = 0.0
    paused: bool = False
    dismissed: bool = False
    peak_rss: int = 0
    ended: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.role}-{self.number}"

    @property
    def machine(self) -> str:
        """Whose data folder it uses: matchers and resolvers share two, of other roles one process runs on each."""
        return f"machine-{1 + (self.number - 1) % 2 if self.role in BESIDE else self.number}"

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def let_go(self) -> None:
        """Forget a process that has ended, and close the pipe that it watched."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
        self.process, self.paused = None, False


class Line:
    """Workers, servers and lake; `tick` looks after them and must be called often. Everything ends with `close`."""

    def __init__(
        self,
        folder: Path,
        kafka: OwnServer,
        postgresql: OwnServer,
        crew: Mapping[str, int] = CREW,
        shards: int = SHARDS,
    ) -> None:
        self.folder = folder
        self.servers = {"kafka": kafka, "postgresql": postgresql}
        self.disk = LakeDisk(folder / "lake")
        self.address, query, review = (_free_address() for _ in range(3))
        self._environ = {
            "HWLINK_BUS_URL": f"{kafka.url}/storm",
            "HWLINK_REGISTRY_URL": postgresql.url,
            "HWLINK_LAKE_URL": f"file://{self.disk.folder}",
            "HWLINK_INGEST_ADDRESS": self.address,
            "HWLINK_QUERY_ADDRESS": query,
            "HWLINK_REVIEW_ADDRESS": review,
            "HWLINK_SHARDS": str(shards),
            "HWLINK_MATCHERS": str(crew.get("matcher", 1)),
            "HWLINK_ACCEPT_TEST_AGREEMENT": "true",
            "HWLINK_AS_OF": AS_OF,
        }
        self.workers = {w.name: w for role, count in crew.items() for w in (Worker(role, n + 1) for n in range(count))}
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._background = ThreadPoolExecutor(4)
        self._under_way: list[Future[None]] = []
        self.troubled: set[str] = set()
        self._lock = threading.Lock()
        self._next_look = 0.0
        self._open: Bus | None = None
        self._registry: Registry | None = None
        self.failures: list[str] = []
        self.happened: dict[str, int] = {}
        self.story: list[str] = []
        self._began = time.monotonic()

    @property
    def settings(self) -> Settings:
        """What the workers of the first machine go by."""
        return read_settings(self._environ | {"HWLINK_DATA_DIR": str(self.folder / "machine-1")})

    @property
    def bus(self) -> Bus:
        if self._open is None:
            self._open = open_bus(self.settings)
        return self._open

    @property
    def registry(self) -> Registry:
        if self._registry is None:
            self._registry = open_registry(self.settings)
        return self._registry

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start every worker, and return when ingest listens."""
        deadline = time.monotonic() + 180
        host, _, port = self.address.rpartition(":")
        while True:
            self.tick()
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    return
            assert time.monotonic() < deadline, f"ingest did not come up\n{self.last_words()}"
            time.sleep(0.2)

    def hwlink(self, *words: str, timeout_s: float = 600) -> str:
        """Run a command of hwlink's on this line; it must end well."""
        environ = {**os.environ, **self._environ, "HWLINK_DATA_DIR": str(self.folder / "machine-1")}
        done = subprocess.run(
            [sys.executable, "-m", "services.cli.app", *words],
            env=environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"hwlink {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    # What may happen

    def can(self, fault: Fault) -> bool:
        """Whether this fault finds its target in a state in which it means something."""
        if fault.kind in (Kind.JOIN, Kind.ECHO):
            return True
        if fault.target in self.workers:
            worker = self._target(fault.target)
            return worker is not None and (fault.kind is Kind.KILL or not worker.paused)
        return fault.target not in self.troubled

    def let_happen(self, fault: Fault) -> None:
        """Do it, and see to it that it ends."""
        self.happened[f"{fault.kind} {fault.target.rpartition('-')[0] or fault.target}"] = (
            self.happened.get(f"{fault.kind} {fault.target.rpartition('-')[0] or fault.target}", 0) + 1
        )
        self.tell(str(fault))
        if fault.kind is Kind.ECHO:
            self._under_way.append(self._background.submit(self._echo, random.Random(str(fault))))
        elif fault.kind is Kind.JOIN:
            self._join(fault.target, fault.lasts_s)
        elif fault.kind is Kind.DISK_FULL:
            self.troubled.add(fault.target)
            writers = [w.process.pid for w in self.workers.values() if w.process and w.role in ("landing", "features")]
            self.disk.fill(writers)
            self._later(fault.lasts_s, self._free_disk)
        elif fault.target in self.servers:
            self.troubled.add(fault.target)
            self._under_way.append(self._background.submit(self._trouble, fault))
        else:
            worker = self._target(fault.target)
            assert worker is not None
            self._harm(worker, fault)

    def _harm(self, worker: Worker, fault: Fault) -> None:
        assert worker.process is not None
        if fault.kind is Kind.PAUSE:
            worker.paused = True
            worker.process.send_signal(signal.SIGSTOP)
            self._later(fault.lasts_s, lambda: self._resume(worker))
            return
        worker.start_at = time.monotonic() + fault.lasts_s
        if fault.kind is Kind.KILL:
            worker.process.kill()
            worker.process.wait()
            worker.let_go()
        else:
            self._dismiss(worker)

    def _trouble(self, fault: Fault) -> None:
        server = self.servers[fault.target]
        if fault.kind is Kind.PAUSE:
            server.pause()
            time.sleep(fault.lasts_s)
            server.resume()
        else:
            server.kill() if fault.kind is Kind.KILL else server.stop()
            time.sleep(fault.lasts_s)
            server.restart()
        self.tell(f"{fault.target} is back")
        with self._lock:
            self.troubled.discard(fault.target)

    def _echo(self, chance: random.Random) -> None:
        """Send some of what is on ingest's topics again, as a broker's or a client's repeats would."""
        for _ in range(_ECHO_ATTEMPTS):
            bus = None
            try:
                bus = open_bus(self.settings)
                with contextlib.closing(bus.consumer("storm", list(REPLAYABLE))) as consumer:
                    held = []
                    while batch := consumer.poll(400, 0.5):
                        held += batch
                        if len(held) > 4_000:
                            break
                chosen = chance.sample(held, min(_ECHOED, len(held)))
                with contextlib.closing(bus.producer()) as producer:
                    for m in chosen:
                        producer.send([Outgoing(m.topic, m.partition, m.key, m.value, m.headers)])
                return
            except TransientError:
                time.sleep(2)
            finally:
                if bus is not None:
                    bus.close()
        raise AssertionError("nothing could be sent again")

    def _join(self, role: str, lasts_s: float) -> None:
        worker = Worker(role, 1 + max(w.number for w in self.workers.values() if w.role == role))
        self.workers[worker.name] = worker

        def go() -> None:
            worker.start_at = None
            if worker.process is not None:
                self._dismiss(worker)

        self._later(lasts_s, go)

    def _dismiss(self, worker: Worker) -> None:
        assert worker.process is not None
        worker.dismissed = True
        worker.process.terminate()

    def _target(self, name: str) -> Worker | None:
        """Return the named worker, or another of its role if that one is down."""
        named = self.workers[name]
        alike = [named, *(w for w in self.workers.values() if w.role == named.role)]
        return next((worker for worker in alike if worker.is_up and not worker.dismissed), None)

    def _free_disk(self) -> None:
        self.disk.free()
        self.troubled.discard("lake")

    def _resume(self, worker: Worker) -> None:
        worker.paused = False
        if worker.is_up and worker.process is not None:
            worker.process.send_signal(signal.SIGCONT)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._due.append((time.monotonic() + seconds, act))

    # Looking after it

    def tick(self, *, at_once: bool = False) -> None:
        """Do what is due (or everything that is still to come), start what ended, and note memory and failures."""
        now = time.monotonic()
        due = [act for when, act in self._due if at_once or when <= now]
        self._due = [] if at_once else [(when, act) for when, act in self._due if when > now]
        if at_once:
            for worker in self.workers.values():
                worker.start_at = None if worker.start_at is None else 0.0
        for act in due:
            act()
        for one in [future for future in self._under_way if future.done()]:
            self._under_way.remove(one)
            if (error := one.exception()) is not None:
                self.failures.append(f"{type(error).__name__}: {error}")
        for worker in self.workers.values():
            self._look_after(worker)
        if now >= self._next_look:
            self._next_look = now + 1.0
            self._note_memory()

    @property
    def istroubled(self) -> bool:
        """Whether anything is still out of order on purpose."""
        expected = any(w.process is None and w.start_at is not None for w in self.workers.values())
        return bool(self._due or self._under_way or expected)

    def _look_after(self, worker: Worker) -> None:
        if worker.process is not None and not worker.is_up:
            code = worker.process.returncode
            worker.let_go()
            if not worker.dismissed:
                # It ended by itself. Where that may pass it is started again; nothing else may happen to it.
                worker.ended.append(code)
                worker.start_at = time.monotonic() + BACK_S
                if code != TransientError.exit_code:
                    self.failures.append(f"{worker.name} ended by itself with exit code {code}")
            worker.dismissed = False
        if worker.process is None and worker.start_at is not None and worker.start_at <= time.monotonic():
            self._start(worker)

    def _start(self, worker: Worker) -> None:
        environ = {**os.environ, **self._environ, "HWLINK_DATA_DIR": str(self.folder / worker.machine)}
        with self.log(worker).open("ab") as log:
            words = [sys.executable, "-m", "services.cli.app", "serve", worker.role, "--supervised"]
            worker.process = subprocess.Popen(words, env=environ, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def _note_memory(self) -> None:
        for worker in self.workers.values():
            worker.peak_rss = max(worker.peak_rss, self.rss(worker))

    def rss(self, worker: Worker) -> int:
        """Return the resident memory of a worker in bytes, 0 while it is down."""
        if not worker.is_up or worker.process is None:
            return 0
        try:
            return int(psutil.Process(worker.process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def log(self, worker: Worker) -> Path:
        """Return the file with everything that a worker said."""
        return self.folder / f"{worker.name}.log"

    def tell(self, what: str) -> None:
        """Add to the story of this run."""
        self.story.append(f"{time.monotonic() - self._began:6.1f}s {what}")

    def last_words(self) -> str:
        """Return the end of every worker's log."""
        parts = []
        for worker in self.workers.values():
            path = self.log(worker)
            lines = path.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:] if path.exists() else []
            parts.append("\n".join([f"--- {worker.name} (ended with {worker.ended})", *lines]))
        return "\n".join(parts)

    def heal(self) -> None:
        """End every trouble, and return when servers are back."""
        deadline = time.monotonic() + 300
        while self.istroubled:
            self.tick(at_once=True)
            assert time.monotonic() < deadline, "what was stopped did not come back"
            time.sleep(0.2)
        self.tick()

    def close(self) -> None:
        """End every process, whatever state it is in. Idempotent."""
        self._due = []
        self.disk.free()
        alive = [worker.process for worker in self.workers.values() if worker.is_up and worker.process is not None]
        for process in alive:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in alive:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for worker in self.workers.values():
            worker.let_go()
        self._background.shutdown(wait=True, cancel_futures=True)
        with contextlib.suppress(TransientError):
            if self._open is not None:
                self._open.close()
            if self._registry is not None:
                self._registry.close()
        self._open = self._registry = None
        self.disk.close()

    def zones(self) -> dict[str, Any]:
        """Return the lake's zones by name."""
        return {name: open_zone(self.settings, name) for name in ("linkage", "content", "products")}  # type: ignore[arg-type]

    def summary(self) -> dict[str, Any]:
        """Return what happened, as figures."""
        peaks: dict[str, int] = {}
        for worker in self.workers.values():
            peaks[worker.role] = max(peaks.get(worker.role, 0), round(worker.peak_rss / 2**20))
        ended = {w.name: w.ended for w in self.workers.values() if w.ended}
        return {
            "faults": dict(sorted(self.happened.items())),
            "disk": self.disk.what,
            "ended_by_themselves": ended,
            "peak_rss_mib": peaks,
        }


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def as_json(value: Any) -> str:
    """Return a result as JSON."""
    return json.dumps(value, indent=2, default=str)
