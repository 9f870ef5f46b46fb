"""Serving in real processes: ready, healthy, alone on its port and files, restarted when killed, stopped gracefully."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from schemas.errors import DefectError, StateError
from services.rpc.client import open_channel
from services.serve.supervisor import Supervisor

STARTS_WITHIN_S = 60.0


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def wait_for(done: Callable[[], Any], what: str, within_s: float = STARTS_WITHIN_S) -> Any:
    deadline = time.monotonic() + within_s
    while not (result := done()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)
    return result


class Processes:
    """Starts `hwlink serve` in processes of their own over one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = free_address()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, role: str, folder: str = "data", address: str | None = None) -> subprocess.Popen[str]:
        environ = {
            **os.environ,
            "HWLINK_DATA_DIR": str(self.folder / folder),
            "HWLINK_INGEST_ADDRESS": address or self.address,
            "HWLINK_QUERY_ADDRESS": free_address(),
            "HWLINK_REVIEW_ADDRESS": free_address(),
            "HWLINK_ACCEPT_TEST_AGREEMENT": "true",
        }
        words = [sys.executable, "-m", "services.cli.app", "serve", role]
        process = subprocess.Popen(words, env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.started.append(process)
        return process

    def healthy(self, service: str = "", address: str | None = None) -> bool:
        channel = open_channel(address or self.address, retries=False)
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=2)
        except Exception:
            return False
        finally:
            channel.close()
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def fails(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait for a process that cannot run; return its exit code and what it said."""
        _, said = process.communicate(timeout=STARTS_WITHIN_S)
        return process.returncode, said


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=60)
        elif process.stderr is not None:
            process.stderr.close()


def test_one_role_serves_healthily_reflects_and_ends_gracefully(processes: Processes) -> None:
    server = processes.start("ingest")
    wait_for(lambda: processes.healthy("hwlink.v1.IngestService"), "the ingest service")
    channel = open_channel(processes.address)
    names = ProtoReflectionDescriptorDatabase(channel).get_services()
    channel.close()
    assert {"hwlink.v1.IngestService", "grpc.health.v1.Health"} <= set(names)
    server.send_signal(signal.SIGTERM)
    _, said = server.communicate(timeout=30)
    assert server.returncode == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    assert any(line["event"] == "serving" and line["address"] == processes.address for line in lines)


def test_a_second_server_is_kept_off_the_files_and_off_the_port(processes: Processes) -> None:
    processes.start("ingest")
    wait_for(processes.healthy, "the first server")
    code, said = processes.fails(processes.start("ingest", address=free_address()))
    assert (code, "error[ALREADY_RUNNING]" in said) == (6, True), said
    code, said = processes.fails(processes.start("ingest", folder="other"))
    assert (code, "error[PORT_IN_USE]" in said) == (6, True), said
    assert processes.healthy()


def test_a_killed_server_leaves_no_lock_behind(processes: Processes) -> None:
    first = processes.start("ingest")
    wait_for(processes.healthy, "the first server")
    first.kill()
    first.wait()
    processes.start("ingest")
    wait_for(processes.healthy, "the server that follows")


def test_an_unknown_role_and_an_unknown_setting_are_refused(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = processes.fails(processes.start("baker"))
    assert (code, "error[OPTION_INVALID]" in said) == (3, True), said
    monkeypatch.setenv("HWLINK_SHADRS", "2")
    code, said = processes.fails(processes.start("ingest"))
    assert (code, "HWLINK_SHADRS" in said) == (6, True), said


def children(process: subprocess.Popen[str]) -> dict[str, psutil.Process]:
    found = {}
    for child in psutil.Process(process.pid).children():
        try:
            words = child.cmdline()
        except psutil.Error:  # it has just ended
            continue
        if "serve" in words:
            found[words[words.index("serve") + 1]] = child
    return found


@pytest.mark.slow
def test_all_roles_run_are_restarted_when_killed_and_end_together(processes: Processes) -> None:
    server = processes.start("all")
    wait_for(processes.healthy, "the ingest role")
    roles = wait_for(lambda: len(found := children(server)) == 7 and found, "every role")
    killed = roles["ingest"]
    killed.kill()
    wait_for(lambda: children(server).get("ingest", killed).pid != killed.pid, "another ingest process")
    wait_for(processes.healthy, "the restarted role")
    alive = list(children(server).values())
    server.send_signal(signal.SIGTERM)
    _, said = server.communicate(timeout=60)
    assert server.returncode == 0, said
    assert psutil.wait_procs(alive, timeout=10)[1] == []


def test_roles_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    """Else they would keep the next supervisor off their files."""
    script = (
        "import sys, threading\n"
        "from services.serve.supervisor import stop_with_supervisor\n"
        "stop = threading.Event()\n"
        "stop_with_supervisor(stop, sys.stdin.fileno())\n"
        "print('up', flush=True)\n"
        "stop.wait()\n"
    )
    outer = (
        "import os, sys, threading\n"
        "from services.serve.supervisor import Supervisor\n"
        f"s = Supervisor(['a'], lambda role: [sys.executable, '-c', {script!r}], os.environ)\n"
        "s.run(threading.Event())\n"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE, text=True)
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == "up\n"
    (child,) = psutil.Process(supervisor.pid).children()
    supervisor.kill()
    supervisor.communicate(timeout=30)
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the role's end", 20)


# --- the supervisor over processes that do what the test wants ----------------------------------------------------


def supervise(scripts: dict[str, str], stop: threading.Event) -> None:
    Supervisor(list(scripts), lambda role: [sys.executable, "-c", scripts[role]], os.environ).run(stop)


SLEEPS = "import time; time.sleep(60)"


@pytest.mark.parametrize("code", [3, 4, 5, 6])
def test_a_role_that_says_it_cannot_run_ends_everything(code: int) -> None:
    with pytest.raises(StateError, match="matcher"):
        supervise({"ingest": SLEEPS, "matcher": f"raise SystemExit({code})"}, threading.Event())


def test_a_role_that_never_runs_steadily_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.serve.supervisor._FIRST_DELAY_S", 0.001)
    monkeypatch.setattr("services.serve.supervisor._MOST_DEFECTS", 2)
    with pytest.raises(DefectError, match="matcher"):
        supervise({"matcher": "raise SystemExit(70)"}, threading.Event())


def test_a_role_that_dies_is_started_again_and_stopping_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.serve.supervisor._FIRST_DELAY_S", 0.001)
    mark = tmp_path / "starts"
    script = (
        f"import os, pathlib, time\np = pathlib.Path({str(mark)!r})\n"
        "n = len(p.read_text()) if p.exists() else 0\np.write_text('x' * (n + 1))\n"
        "os.kill(os.getpid(), 9) if n < 2 else time.sleep(60)\n"
    )
    stop = threading.Event()
    thread = threading.Thread(target=supervise, args=({"ingest": script}, stop))
    thread.start()
    wait_for(lambda: mark.exists() and len(mark.read_text()) == 3, "the third start")
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
