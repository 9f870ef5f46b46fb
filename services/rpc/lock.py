"""A second server on the same files: refused by an exclusive lock that dies with its process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.errors import Reason, StateError


class ExclusiveLock:
    """An exclusive lock on `folder/locks/<name>.lock`, held until `release` or the end of the process, `kill -9` too.

    Why flock and not a file's existence: the kernel lets go when the process ends, however it ends, so that no stale
    lock ever keeps a restart out.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Take the lock at once; StateError ALREADY_RUNNING when another process (or another holder here) has it."""
        path = folder / "locks" / f"{name}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            raise StateError(
                Reason.STORE_MISSING,
                "The data folder cannot be written; check HWLINK_DATA_DIR and its permissions.",
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise StateError(
                Reason.ALREADY_RUNNING,
                f"Another process runs {name} on these files; stop it, or give this one a data folder of its own.",
            ) from None
        os.truncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())  # for people who look; the lock does not depend on it

    def release(self) -> None:
        """Let go. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
