"""Generated from `protos/hwlink/v1/admin.proto` by `python -m services.generate`."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import grpc
from services.pb.hwlink.v1 import admin_pb2

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

class AdminServiceStub:
    def __init__(self, channel: grpc.Channel) -> None: ...
    Status: _Unary[admin_pb2.StatusRequest, admin_pb2.StatusResponse]
    Reconcile: _Unary[admin_pb2.ReconcileRequest, admin_pb2.ReconcileResponse]
    ListSnapshots: _Unary[admin_pb2.ListSnapshotsRequest, admin_pb2.ListSnapshotsResponse]

class AdminServiceServicer:
    def Status(self, request: admin_pb2.StatusRequest, context: grpc.ServicerContext) -> admin_pb2.StatusResponse: ...
    def Reconcile(self, request: admin_pb2.ReconcileRequest, context: grpc.ServicerContext) -> admin_pb2.ReconcileResponse: ...
    def ListSnapshots(self, request: admin_pb2.ListSnapshotsRequest, context: grpc.ServicerContext) -> admin_pb2.ListSnapshotsResponse: ...

def add_AdminServiceServicer_to_server(servicer: AdminServiceServicer, server: grpc.Server) -> None: ...
