"""Stands between a server and the process that started it, so that the server ends when that process does.

Run by path, with the standard library alone: `guard.py PARENT FOLDER SIGNAL USER COMMAND...` runs COMMAND
as USER (empty: our own account). SIGTERM here stops it with SIGNAL. When PARENT has ended, however it ended, the server
is stopped and FOLDER is removed. The exit code is the server's.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from typing import Final

_TICK_S: Final = 0.1
STOP_S: Final = 30.0
"""How long a server may take to stop before it is killed."""


def main(arguments: list[str]) -> int:
    """Run and watch the server; return its exit code."""
    parent, folder, stop_signal, user, *command = arguments
    asked = False

    def ask(_signal: int, _frame: object) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, ask)
    server = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=user or None,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    orphaned = False
    while server.poll() is None and not asked and not orphaned:
        time.sleep(_TICK_S)
        orphaned = os.getppid() != int(parent)
    if server.poll() is None:
        server.send_signal(signal.Signals[stop_signal])
        server.send_signal(signal.SIGCONT)  # a paused server hears nothing
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
    code = server.wait()
    if orphaned:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
