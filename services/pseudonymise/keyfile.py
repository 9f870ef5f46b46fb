"""The project secret on disk: made once, readable by its owner only, never overwritten."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from linkage.encode import key_file_text, secret_from_key_file
from linkage.encode.keys import SECRET_BYTES
from schemas.errors import AgreementError, InputError, Reason

_OWNER_ONLY: Final = 0o600
_LONGEST_KEY_FILE_BYTES: Final = 4096


def new_key_file(path: Path) -> None:
    """Write a new random secret to a file that does not exist yet; InputError OPTION_INVALID where it does or cannot
    be.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise InputError(
            Reason.OPTION_INVALID,
            f"{path.name} exists, and what was encoded with a lost key can never be linked again; name another file.",
        ) from None
    except OSError as error:
        raise InputError(
            Reason.OPTION_INVALID,
            f"{path.name} cannot be written ({error.strerror}); name a file in a folder that you may write to.",
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key_file_text(secrets.token_bytes(SECRET_BYTES)))
        file.flush()
        os.fsync(file.fileno())


def read_key_file(path: Path) -> bytes:
    """Return the secret in a key file; AgreementError KEY_INVALID when it cannot be read or is no key."""
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_KEY_FILE_BYTES).decode("ascii")
    except OSError as error:
        raise AgreementError(
            Reason.KEY_INVALID,
            f"The key file cannot be read ({error.strerror}); give the file that `hwlink keys new` made.",
        ) from None
    except UnicodeDecodeError:
        text = ""
    return secret_from_key_file(text)


def is_readable_by_others(path: Path) -> bool:
    """Whether somebody besides the owner may read the file (its group, or everybody)."""
    return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
