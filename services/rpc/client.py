"""Channels to our own servers: message limits as theirs, retries of what is safe to repeat, errors in our words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import grpc

from schemas.errors import InputError, Reason
from services.rpc.errors import from_rpc_error
from services.rpc.server import MAX_MESSAGE_BYTES

UNARY_DEADLINE_S: Final = 30.0
"""How long a unary call may take, retries included."""

_RETRIES: Final = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                # Only where the server cannot have acted, or says itself that the call may be repeated.
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
_OPTIONS: Final = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.enable_http_proxy", 0),  # records never pass through a proxy that the environment happens to name
]
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")

Response = TypeVar("Response")


def open_channel(address: str, *, retries: bool = True) -> grpc.Channel:
    """Open a channel to `HOST:PORT`; InputError OPTION_INVALID when that is none.

    `retries` lets gRPC repeat unary calls that found no server. Streams go without: their sender knows where to resume.
    """
    if not _ADDRESS.fullmatch(address):
        raise InputError(Reason.OPTION_INVALID, "An address is HOST:PORT, such as 127.0.0.1:7401.")
    service_config = [("grpc.service_config", json.dumps(_RETRIES)), ("grpc.enable_retries", 1)]
    # A channel of its own each time: shared subchannels would share back-off, and a resumed stream would wait it out.
    return grpc.insecure_channel(
        address,
        options=[*_OPTIONS, *(service_config if retries else []), ("grpc.use_local_subchannel_pool", 1)],
    )


def call(method: Callable[..., Response], request: Any, deadline_s: float = UNARY_DEADLINE_S) -> Response:
    """Call a unary method within a deadline, waiting for a server that is just starting; raises HwlinkError."""
    with our_errors():
        return method(request, timeout=deadline_s, wait_for_ready=True)


@contextmanager
def our_errors() -> Iterator[None]:
    """Raise gRPC's failures as ours, without the peer's text."""
    try:
        yield
    except grpc.RpcError as error:
        raise from_rpc_error(error) from None
