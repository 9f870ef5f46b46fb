"""Keys by which person ids are re-keyed, one a consumer: a file each on the cohort side, readable by its owner alone.

Made at first use. Who holds a consumer's key and the internal ids could join what that consumer holds with
another's, so the keys never leave this folder, and losing one gives the consumer new ids for everybody.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from pathlib import Path
from typing import Final

from schemas.errors import DefectError, PolicyError, Reason, StateError

_BYTES: Final = 32
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")


class ConsumerKeys:
    """The keys in one folder. Thread-safe, and safe between processes: whoever makes a key first has made it for
    all.
    """

    def __init__(self, folder: Path) -> None:
        """Use this folder; it is made when the first key is."""
        self._folder = folder
        self._held: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def key(self, consumer: str) -> bytes:
        """Return the consumer's key, making one where there is none.

        Raises PolicyError UNSAFE_CONFIGURATION when others may read the file, StateError STORE_MISSING when it is
        no key.
        """
        if not _NAME.fullmatch(consumer):
            raise DefectError(Reason.INTERNAL, "A consumer's name is not one; report this as a defect.")
        with self._lock:
            if consumer not in self._held:
                self._held[consumer] = self._read(self._folder / f"{consumer}.key")
            return self._held[consumer]

    def _read(self, path: Path) -> bytes:
        if not path.exists():
            self._make(path)
        if path.stat().st_mode & 0o077:
            raise PolicyError(
                Reason.UNSAFE_CONFIGURATION,
                f"The consumer key {path.name} can be read by others; take their rights away (chmod 600).",
            )
        text = path.read_text("ascii", errors="replace").strip()
        if not re.fullmatch(f"[0-9a-f]{{{2 * _BYTES}}}", text):
            raise StateError(
                Reason.STORE_MISSING,
                f"The file {path.name} holds no consumer key; restore it from a backup, or move it away for new ids.",
            )
        return bytes.fromhex(text)

    def _make(self, path: Path) -> None:
        """Write the key beside its place and link it there, so that nobody reads half a key and the first one
        stays.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                return  # Another process was first; its key is the one.
        finally:
            draft.unlink()
