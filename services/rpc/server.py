"""A gRPC server as every serving role runs one: health, reflection, limits, errors in our words, graceful stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from schemas.errors import Reason, StateError
from services.rpc.errors import status_of_any
from services.rpc.measuring import MeasuringInterceptor, call_durations

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""gRPC's default of 4 MiB is less than one full column batch; beyond this a call ends in RESOURCE_EXHAUSTED."""

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Linux lets two servers share a port in silence, and each would get half of the calls.
    ("grpc.so_reuseport", 0),
    # A client that vanished without a word (a cut cable) is noticed within a minute, and its stream ends.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


@dataclass(frozen=True)
class Service:
    """One service to offer: its full name (`hwlink.v1.IngestService`) and what adds its servicer to a server."""

    name: str
    add: Callable[[grpc.Server], None]


class RpcServer:
    """A server on one address. Health answers for each service and for "" as a whole; reflection names them all."""

    def __init__(self, address: str, services: Sequence[Service], *, threads: int = 16) -> None:
        """Bind `address` (`HOST:PORT`, port 0 for any); StateError PORT_IN_USE when another process listens there.

        `threads` bounds the calls that run at once, a stream being one call for as long as it is open.
        """
        self.calls = call_durations()
        """How long calls took since the start, by method and code."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="rpc")
        self._server = grpc.server(
            self._pool, interceptors=[MeasuringInterceptor(self.calls), ErrorInterceptor()], options=_OPTIONS
        )
        self._health = health.HealthServicer()
        self._names = ["", *(service.name for service in services)]
        for service in services:
            service.add(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            [*self._names[1:], health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
        )
        self.address = _bind(self._server, address)
        """Where it listens, with the port that was given out for port 0."""

    def start(self) -> None:
        """Serve, and say so in health."""
        self._server.start()
        self._say(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float = 10.0) -> None:
        """Turn new calls away, let running ones end for up to `grace_s` seconds, and then stop."""
        self._health.enter_graceful_shutdown()  # every service is NOT_SERVING from here on
        ended: threading.Event = self._server.stop(grace_s)
        ended.wait()
        self._pool.shutdown(wait=True)

    def _say(self, status: int) -> None:
        for name in self._names:
            self._health.set(name, status)


def _bind(server: grpc.Server, address: str) -> str:
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:  # its text repeats the address and the operating system's words; ours says what to do
        port = 0
    if port == 0:
        raise StateError(
            Reason.PORT_IN_USE,
            f"Nothing can listen on {address}: another process does, or the host is not this one's; "
            "stop that process, or choose another address.",
        )
    return f"{address.rpartition(':')[0]}:{port}"


class ErrorInterceptor(grpc.ServerInterceptor):  # type: ignore[misc]
    """Ends every failed call of ours with a status of `services.rpc.errors`; grpc alone would send `str(exception)`."""

    def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """Wrap the method's handler."""
        handler = continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith("/hwlink."):
            return handler
        wrap = _stream_wrapper if handler.response_streaming else _unary_wrapper
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        return make(wrap(behaviour), handler.request_deserializer, handler.response_serializer)


def _unary_wrapper(behaviour: Callable[[Any, grpc.ServicerContext], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return behaviour(request, context)
        except Exception as error:
            _end(context, error)

    return call


def _stream_wrapper(
    behaviour: Callable[[Any, grpc.ServicerContext], Iterator[Any]],
) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:
    def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        try:
            yield from behaviour(request, context)
        except Exception as error:
            _end(context, error)

    return call


def _end(context: grpc.ServicerContext, error: Exception) -> None:
    """End the call with the status of `error`; raises, as grpc's abort does."""
    if not context.is_active() and isinstance(error, grpc.RpcError):
        raise error  # the caller has gone, and its request iterator says so: no failure of ours
    status = rpc_status.to_status(status_of_any(error))
    if not context.is_active():
        raise grpc.RpcError from None  # nobody listens; grpc would log the text of what we raise, so it has none
    context.abort_with_status(status)
