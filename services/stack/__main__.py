"""Finds or starts the servers that are named, says where they are, and keeps them until it is stopped.

`python -m services.stack kafka postgresql` is `make stack`. With `--owner` and `--state` it does so for the tests: it
writes what it found to a file in a folder of the owner's, and ends with the owner.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psutil

from schemas.errors import HwlinkError
from services.stack import Server, find_or_start_kafka, find_or_start_postgresql
from services.stack.process import runs

_FIND: Final[dict[str, Callable[[], Server]]] = {"kafka": find_or_start_kafka, "postgresql": find_or_start_postgresql}
_SETTING: Final = {"kafka": "HWLINK_BUS_URL", "postgresql": "HWLINK_REGISTRY_URL"}
_TICK_S: Final = 0.3


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT, SIGTERM or the owner's end; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.stack", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("servers", nargs="+", choices=sorted(_FIND))
    parser.add_argument("--owner", type=int, help="process id: end when that process has ended")
    parser.add_argument("--state", type=Path, help="file to write what was found to, instead of printing it")
    asked = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    owner = psutil.Process(asked.owner) if asked.owner else None
    try:
        with ExitStack() as servers:
            found = {name: servers.enter_context(_FIND[name]()) for name in asked.servers}
            if asked.state:
                urls = {name: server.url for name, server in found.items()}
                words = "; ".join(server.what for server in found.values())
                _write(asked.state, {**urls, "what": words, "pid": os.getpid()})
            else:
                _print(found)
            while not stop.wait(_TICK_S) and (owner is None or runs(owner)):
                pass
    except HwlinkError as error:
        if asked.state:
            _write(asked.state, {"error": error.message})
        else:
            print(f"error[{error.reason}]: {error.message}", file=sys.stderr)  # noqa: T201 - its own front end
        return error.exit_code
    if asked.state and owner is not None and not runs(owner):
        shutil.rmtree(asked.state.parent, ignore_errors=True)  # nobody else is left to do it
    return 0


def _write(path: Path, content: dict[str, str | int]) -> None:
    part = path.with_suffix(".part")
    part.touch(0o600)  # an address holds a password
    part.write_text(json.dumps(content), "utf-8")
    part.replace(path)


def _print(found: dict[str, Server]) -> None:
    lines = [f"{name}: {server.what}" for name, server in found.items()]
    lines += [f"  export {_SETTING[name]}={server.url}" for name, server in found.items()]
    lines += [f"Stop with Ctrl-C, or `kill {os.getpid()}`; what was started here ends then, with its data."]
    print("\n".join(lines), flush=True)  # noqa: T201 - its own front end


if __name__ == "__main__":
    sys.exit(main())
