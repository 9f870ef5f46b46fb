"""Generated from `protos/hwlink/v1/linkage.proto` by `python -m services.generate`."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import grpc
from services.pb.hwlink.v1 import linkage_pb2

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

class LinkageServiceStub:
    def __init__(self, channel: grpc.Channel) -> None: ...
    Explain: _Unary[linkage_pb2.ExplainRequest, linkage_pb2.ExplainResponse]
    NextReview: _Unary[linkage_pb2.NextReviewRequest, linkage_pb2.NextReviewResponse]
    DecideReview: _Unary[linkage_pb2.DecideReviewRequest, linkage_pb2.DecideReviewResponse]
    Quality: _Unary[linkage_pb2.QualityRequest, linkage_pb2.QualityResponse]

class LinkageServiceServicer:
    def Explain(self, request: linkage_pb2.ExplainRequest, context: grpc.ServicerContext) -> linkage_pb2.ExplainResponse: ...
    def NextReview(self, request: linkage_pb2.NextReviewRequest, context: grpc.ServicerContext) -> linkage_pb2.NextReviewResponse: ...
    def DecideReview(self, request: linkage_pb2.DecideReviewRequest, context: grpc.ServicerContext) -> linkage_pb2.DecideReviewResponse: ...
    def Quality(self, request: linkage_pb2.QualityRequest, context: grpc.ServicerContext) -> linkage_pb2.QualityResponse: ...

def add_LinkageServiceServicer_to_server(servicer: LinkageServiceServicer, server: grpc.Server) -> None: ...
