"""Who runs what on the same files: locks that die with their process."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import socket
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
        self.found = os.read(self._file, 256).decode("ascii", "replace").strip()
        """What its last holder noted."""
        self.note(str(os.getpid()))  # for people who look; the lock does not depend on it

    def note(self, text: str) -> None:
        """Note something in the file, for the next holder."""
        os.truncate(self._file, 0)
        os.pwrite(self._file, f"{text}\n".encode("ascii"), 0)

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


class Seat(ExclusiveLock):
    """One of several places of a role on the same files, for roles of which several may run beside one another.

    `member` is this process's name among all of the role, on other machines too; `former` that of the last one here,
    which is dead: the kernel says so at once, where others wait for its lease to end.
    """

    def __init__(self, folder: Path, role: str, seats: int) -> None:
        """Take the first free seat; StateError ALREADY_RUNNING when all of them are taken."""
        for seat in range(seats):
            try:
                super().__init__(folder, role if seat == 0 else f"{role}-{seat + 1}")
                break
            except StateError as error:
                if error.reason is not Reason.ALREADY_RUNNING or seat == seats - 1:
                    raise
        host = re.sub("[^A-Za-z0-9.-]", "-", socket.gethostname())[:32]
        self.former = self.found or None
        self.member = f"{host}:{os.getpid()}:{secrets.token_hex(4)}"
        self.note(self.member)
