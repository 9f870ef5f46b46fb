"""Keys: one project secret, and a sub-key for each (domain, purpose, epoch) by HKDF-SHA256 (RFC 5869).

The key file is one line of text, so that it survives e-mail-proof channels and printing:
`hwlink-project-secret:1:<64 hexadecimal digits>:<checksum>`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.errors import AgreementError, Reason

SECRET_BYTES: Final = 32
_HEADER: Final = "hwlink-project-secret:1"
_CHECKSUM_DIGITS: Final = 8


class KeyPurpose(StrEnum):
    """What a sub-key is for: keys of different purposes never make the same value, even from the same input."""

    TOKEN = "token"  # noqa: S105 - a purpose, not a secret
    FILTER = "filter"
    REFERENCE = "ref"
    CLAIM = "claim"
    ACCOUNT = "account"
    CASE = "case"
    PROPERTY = "property"


def derive_key(secret: bytes, info: bytes, *, salt: bytes | None = None, length: int = SECRET_BYTES) -> bytes:
    """HKDF-SHA256 extract and expand, RFC 5869: `length` bytes of key bound to `info`."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


@dataclass(frozen=True)
class ProjectKeys:
    """The project secret in one key epoch. Held by controllers only; its `repr` shows no secret."""

    secret: bytes = field(repr=False)
    epoch: str

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise AgreementError(
                Reason.KEY_INVALID,
                f"A project secret has {SECRET_BYTES} bytes; make one with `hwlink keys new FILE`.",
            )

    def sub_key(self, domain: str, purpose: KeyPurpose) -> bytes:
        """Return the 32-byte sub-key of a domain and purpose in this epoch."""
        info = "\x1f".join(("hwlink/1", purpose.value, domain, self.epoch))
        return derive_key(self.secret, info.encode())


def key_file_text(secret: bytes) -> str:
    """Return the text of a key file: one line that names its purpose and carries a checksum against mistyping."""
    digits = secret.hex()
    return f"{_HEADER}:{digits}:{_checksum(digits)}\n"


def secret_from_key_file(text: str) -> bytes:
    """Return the secret in a key file's text; AgreementError KEY_INVALID says what is wrong with it, never what it
    holds."""
    line = text.strip()
    purpose, _, rest = line.rpartition("secret:1:")
    digits, _, checksum = rest.partition(":")
    if not line.startswith(_HEADER + ":") or purpose == "" or "\n" in line:
        raise _invalid("is not an hwlink key file")
    if len(digits) != 2 * SECRET_BYTES or not set(digits) <= set("0123456789abcdef"):
        raise _invalid("does not hold 64 hexadecimal digits")
    if checksum != _checksum(digits):
        raise _invalid("has a wrong checksum, so it was cut short or mistyped")
    return bytes.fromhex(digits)


def _checksum(digits: str) -> str:
    return hashlib.sha256(f"{_HEADER}:{digits}".encode()).hexdigest()[:_CHECKSUM_DIGITS]


def _invalid(what: str) -> AgreementError:
    return AgreementError(
        Reason.KEY_INVALID,
        f"The key file {what}; ask the key's keeper for a fresh copy, or make one with `hwlink keys new FILE`.",
    )
