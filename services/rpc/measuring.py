"""How long calls take, by method and code: an interceptor around all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from services.figures import Durations


def call_durations() -> Durations:
    """Return an empty record of a server's calls."""
    return Durations("hwlink_grpc_request_duration_seconds", ("method", "code"))


class MeasuringInterceptor(grpc.ServerInterceptor):  # type: ignore[misc]
    """Notes every call of a method that the server has; calls of others, whose names are a caller's text, are not."""

    def __init__(self, durations: Durations) -> None:
        self._durations = durations

    def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        """Wrap the method's handler."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        method: str = handler_call_details.method
        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        wrapped = self._stream(behaviour, method) if handler.response_streaming else self._unary(behaviour, method)
        return make(wrapped, handler.request_deserializer, handler.response_serializer)

    def _unary(self, behaviour: Any, method: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            started = time.monotonic()
            try:
                answer = behaviour(request, context)
            except BaseException:
                self._note(method, context, started, failed=True)
                raise
            self._note(method, context, started, failed=False)
            return answer

        return call

    def _stream(self, behaviour: Any, method: str) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            started = time.monotonic()
            try:
                yield from behaviour(request, context)
            except BaseException:
                self._note(method, context, started, failed=True)
                raise
            self._note(method, context, started, failed=False)

        return call

    def _note(self, method: str, context: grpc.ServicerContext, started: float, *, failed: bool) -> None:
        code = context.code()
        if failed and code is None:
            code = grpc.StatusCode.UNKNOWN if context.is_active() else grpc.StatusCode.CANCELLED
        name = code.name if isinstance(code, grpc.StatusCode) else "OK"
        self._durations.observe(time.monotonic() - started, method, name)
