"""Generated from `protos/hwlink/v1/ingest.proto` by `python -m services.generate`."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import grpc
from services.pb.hwlink.v1 import ingest_pb2

_Request_contra = TypeVar("_Request_contra", contravariant=True)
_Response_co = TypeVar("_Response_co", covariant=True)

class _Responses(Generic[_Response_co]):
    def __iter__(self) -> Iterator[_Response_co]: ...
    def __next__(self) -> _Response_co: ...
    def cancel(self) -> bool: ...
    def is_active(self) -> bool: ...
    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str: ...
    def initial_metadata(self) -> Any: ...
    def trailing_metadata(self) -> Any: ...

class _Unary(Generic[_Request_contra, _Response_co]):
    def __call__(
        self,
        request: _Request_contra,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> _Response_co: ...
    def with_call(
        self, request: _Request_contra, timeout: float | None = None, metadata: Any = None
    ) -> tuple[_Response_co, Any]: ...

class _Streaming(Generic[_Request_contra, _Response_co]):
    def __call__(
        self,
        request: _Request_contra,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> _Responses[_Response_co]: ...

class IngestServiceStub:
    def __init__(self, channel: grpc.Channel) -> None: ...
    IngestHealth: _Streaming[Iterator[ingest_pb2.HealthIngestRequest], ingest_pb2.IngestResponse]
    IngestWelfare: _Streaming[Iterator[ingest_pb2.WelfareIngestRequest], ingest_pb2.IngestResponse]

class IngestServiceServicer:
    def IngestHealth(self, request_iterator: Iterator[ingest_pb2.HealthIngestRequest], context: grpc.ServicerContext) -> Iterator[ingest_pb2.IngestResponse]: ...
    def IngestWelfare(self, request_iterator: Iterator[ingest_pb2.WelfareIngestRequest], context: grpc.ServicerContext) -> Iterator[ingest_pb2.IngestResponse]: ...

def add_IngestServiceServicer_to_server(servicer: IngestServiceServicer, server: grpc.Server) -> None: ...
