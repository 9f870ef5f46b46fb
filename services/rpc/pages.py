"""Page tokens: opaque, signed, and good only for the request they continue."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Any, Final, TypeVar

from google.protobuf.message import Message as Proto

from schemas.errors import InputError, Reason

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE: Final = 100
LARGEST_PAGE_SIZE: Final = 1_000
_SIGNATURE_BYTES: Final = 16


class Pages:
    """Cuts answers into pages. A token is good for the server that gave it, as long as that runs."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def page(self, request: Proto, items: Sequence[Item]) -> tuple[Sequence[Item], str]:
        """Return the page of `items` that `request` (with `page_size` and `page_token`) asks for, and the next token.

        Raises InputError PAGE_TOKEN_INVALID for a token that was not given for this request.
        """
        start = self.position(request)
        size: int = min(getattr(request, "page_size", 0) or DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE)
        stop = start + size
        return items[start:stop], self.token(request, stop) if stop < len(items) else ""

    def token(self, request: Proto, position: int) -> str:
        """Return the token that continues `request` at `position`."""
        where = position.to_bytes(8, "big")
        return base64.urlsafe_b64encode(where + self._signature(request, where)).decode()

    def position(self, request: Proto) -> int:
        """Return the position that the request's token names, 0 without one; raises as `page`."""
        token: str = getattr(request, "page_token", "")
        if not token:
            return 0
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii"))
        except ValueError:
            raw = b""
        where, signature = raw[:8], raw[8:]
        if len(where) != 8 or not hmac.compare_digest(signature, self._signature(request, where)):
            raise InputError(
                Reason.PAGE_TOKEN_INVALID,
                "The page token does not belong to this request or to this server's run; ask again without a token.",
            )
        return int.from_bytes(where, "big")

    def _signature(self, request: Proto, where: bytes) -> bytes:
        rest: Any = type(request)()
        rest.CopyFrom(request)
        rest.page_token = ""
        text = type(request).__name__.encode() + b"\0" + rest.SerializeToString(deterministic=True)
        return hmac.new(self._secret, text + b"\0" + where, hashlib.sha256).digest()[:_SIGNATURE_BYTES]
