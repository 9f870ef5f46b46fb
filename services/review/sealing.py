"""Names for pairs that say nothing about them: sealed numbers, which only the server that gave them can open."""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES: Final = 12  # AES-GCM's own size; random ones stay apart for some 2**32 seals under one key


class Seal:
    """Seals and opens lists of whole numbers under a key of its own, which ends with the process.

    The same numbers are sealed differently each time, so that two names cannot be told to mean one pair.
    """

    def __init__(self) -> None:
        """Make a key."""
        self._cipher = AESGCM(AESGCM.generate_key(256))

    def seal(self, use: str, numbers: tuple[int, ...]) -> str:
        """Return an opaque text for signed 64-bit numbers, good for `use` only; letters and digits alone."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, struct.pack(f">{len(numbers)}q", *numbers), use.encode())
        return base64.b32encode(nonce + sealed).decode().rstrip("=").lower()

    def opened(self, use: str, text: str) -> tuple[int, ...] | None:
        """Return the numbers, None for a text that was not sealed here or not for this use."""
        try:
            raw = base64.b32decode(text.encode("ascii") + b"=" * (-len(text) % 8), casefold=True)
            plain = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], use.encode())
        except (UnicodeEncodeError, binascii.Error, ValueError, InvalidTag):
            return None
        return struct.unpack(f">{len(plain) // 8}q", plain)
