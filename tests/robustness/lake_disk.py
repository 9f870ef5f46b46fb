"""The lake's disk, which can be full: a file system of its own where we may mount one, else a limit for writers."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

_ROOM: Final = "size=75%"


class LakeDisk:
    """A folder whose disk can be filled and freed.

    As root it is a tmpfs that is shrunk to what it holds, so that writing ends with ENOSPC. Without that right, the
    processes given to `fill` may write no file any more (RLIMIT_FSIZE 0: EFBIG); what was there stays readable.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder, a file system of its own where that may be."""
        self.folder = folder
        folder.mkdir(parents=True)
        self.is_mounted = os.geteuid() == 0 and _runs("mount", "-t", "tmpfs", "-o", _ROOM, "tmpfs", str(folder))
        self._limited: list[psutil.Process] = []

    @property
    def what(self) -> str:
        """How it is filled."""
        return "tmpfs without room (ENOSPC)" if self.is_mounted else "RLIMIT_FSIZE of its writers (EFBIG)"

    def fill(self, writers: Iterable[int]) -> None:
        """Leave no room; `writers` are the ids of the processes that write to it."""
        if self.is_mounted:
            used = os.statvfs(self.folder)
            held = (used.f_blocks - used.f_bfree) * used.f_frsize
            _runs("mount", "-o", f"remount,size={max(held, used.f_frsize)}", str(self.folder))
            return
        for number in writers:
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(number)
                process.rlimit(resource.RLIMIT_FSIZE, (0, process.rlimit(resource.RLIMIT_FSIZE)[1]))
                self._limited.append(process)

    def free(self) -> None:
        """Make room again. Idempotent."""
        if self.is_mounted:
            _runs("mount", "-o", f"remount,{_ROOM}", str(self.folder))
        for process in self._limited:
            with contextlib.suppress(psutil.Error):
                hard = process.rlimit(resource.RLIMIT_FSIZE)[1]
                process.rlimit(resource.RLIMIT_FSIZE, (hard, hard))
        self._limited = []

    def close(self) -> None:
        """Take the file system away. Idempotent."""
        if self.is_mounted:
            self.is_mounted = not _runs("umount", "-l", str(self.folder))


def _runs(*words: str) -> bool:
    return subprocess.run(words, capture_output=True, check=False, timeout=60).returncode == 0
