"""Every `sh` block of the README runs, in order, in one empty folder, as a reader would run it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh(?P<how> background)?\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
STEP_TIMEOUT_S = 180


def blocks(text: str) -> list[tuple[bool, str]]:
    """Return (in the background?, code) of each runnable block."""
    return [(bool(match["how"]), match["code"]) for match in BLOCK.finditer(text)]


def listens(port: int) -> bool:
    """Return whether something answers on a local port."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_every_block_of_the_readme_runs(tmp_path: Path) -> None:
    """Ports are replaced by free ones, since a reader's own server may be running here."""
    text = (ROOT / "README.md").read_text("utf-8")
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ports = {str(port): free_port() for port in (7401, 7402, 7403)}
    for role, port in zip(("INGEST", "QUERY", "REVIEW"), ports.values(), strict=True):
        environ[f"HWLINK_{role}_ADDRESS"] = f"127.0.0.1:{port}"
    for default, port in ports.items():
        text = text.replace(f"127.0.0.1:{default}", f"127.0.0.1:{port}")
    found = blocks(text)
    background: list[subprocess.Popen[bytes]] = []
    try:
        for in_background, code in found:
            command = ["bash", "-euo", "pipefail", "-c", code]
            if in_background:
                with (tmp_path / "background.log").open("wb") as log:
                    background.append(
                        subprocess.Popen(
                            command, cwd=tmp_path, env=environ, stdout=log, stderr=log, start_new_session=True
                        )
                    )
                deadline = time.monotonic() + STEP_TIMEOUT_S
                while not all(map(listens, ports.values())) and time.monotonic() < deadline:
                    time.sleep(0.2)
                continue
            done = subprocess.run(
                command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=STEP_TIMEOUT_S, check=False
            )
            assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    finally:
        for process in background:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)

    assert len(found) >= 8, "the README lost its runnable blocks"


@pytest.mark.parametrize("name", ["README.md", "deploy/README.md", "deploy/RUNBOOK.md", "deploy/THREATS.md"])
def test_links_and_files_named_in_documents_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"`((?:services|linkage|schemas|protos|deploy|tests)/[\w./-]+\.\w+)`", text))
    named |= set(re.findall(r"\]\(([^)#:]+)\)", text))

    missing = sorted(
        path for path in named if not (ROOT / path).exists() and not ((ROOT / name).parent / path).exists()
    )

    assert missing == []
