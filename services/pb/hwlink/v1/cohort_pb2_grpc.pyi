"""Generated from `protos/hwlink/v1/cohort.proto` by `python -m services.generate`."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import grpc
from services.pb.hwlink.v1 import cohort_pb2

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

class CohortQueryServiceStub:
    def __init__(self, channel: grpc.Channel) -> None: ...
    ListFeatures: _Unary[cohort_pb2.ListFeaturesRequest, cohort_pb2.ListFeaturesResponse]
    ListCohorts: _Unary[cohort_pb2.ListCohortsRequest, cohort_pb2.ListCohortsResponse]
    Count: _Unary[cohort_pb2.CountRequest, cohort_pb2.CountResponse]
    Table: _Unary[cohort_pb2.TableRequest, cohort_pb2.TableResponse]
    ListPublishedSnapshots: _Unary[cohort_pb2.ListPublishedSnapshotsRequest, cohort_pb2.ListPublishedSnapshotsResponse]
    Members: _Streaming[cohort_pb2.MembersRequest, cohort_pb2.MembersResponse]

class CohortQueryServiceServicer:
    def ListFeatures(self, request: cohort_pb2.ListFeaturesRequest, context: grpc.ServicerContext) -> cohort_pb2.ListFeaturesResponse: ...
    def ListCohorts(self, request: cohort_pb2.ListCohortsRequest, context: grpc.ServicerContext) -> cohort_pb2.ListCohortsResponse: ...
    def Count(self, request: cohort_pb2.CountRequest, context: grpc.ServicerContext) -> cohort_pb2.CountResponse: ...
    def Table(self, request: cohort_pb2.TableRequest, context: grpc.ServicerContext) -> cohort_pb2.TableResponse: ...
    def ListPublishedSnapshots(self, request: cohort_pb2.ListPublishedSnapshotsRequest, context: grpc.ServicerContext) -> cohort_pb2.ListPublishedSnapshotsResponse: ...
    def Members(self, request: cohort_pb2.MembersRequest, context: grpc.ServicerContext) -> Iterator[cohort_pb2.MembersResponse]: ...

def add_CohortQueryServiceServicer_to_server(servicer: CohortQueryServiceServicer, server: grpc.Server) -> None: ...
