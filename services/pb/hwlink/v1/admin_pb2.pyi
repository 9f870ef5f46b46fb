from services.pb.hwlink.v1 import core_pb2 as _core_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StatusRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class StatusResponse(_message.Message):
    __slots__ = ("roles", "drained", "next_page_token", "drift")
    ROLES_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DRIFT_FIELD_NUMBER: _ClassVar[int]
    roles: _containers.RepeatedCompositeFieldContainer[RoleStatus]
    drained: bool
    next_page_token: str
    drift: _containers.RepeatedCompositeFieldContainer[DriftAlarm]
    def __init__(self, roles: _Optional[_Iterable[_Union[RoleStatus, _Mapping]]] = ..., drained: _Optional[bool] = ..., next_page_token: _Optional[str] = ..., drift: _Optional[_Iterable[_Union[DriftAlarm, _Mapping]]] = ...) -> None: ...

class DriftAlarm(_message.Message):
    __slots__ = ("source", "measure", "bucket", "usual_share", "share", "index")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    USUAL_SHARE_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    source: str
    measure: str
    bucket: str
    usual_share: float
    share: float
    index: float
    def __init__(self, source: _Optional[str] = ..., measure: _Optional[str] = ..., bucket: _Optional[str] = ..., usual_share: _Optional[float] = ..., share: _Optional[float] = ..., index: _Optional[float] = ...) -> None: ...

class RoleStatus(_message.Message):
    __slots__ = ("role", "lag_messages", "positions")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    LAG_MESSAGES_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    role: str
    lag_messages: int
    positions: _containers.RepeatedCompositeFieldContainer[PartitionPosition]
    def __init__(self, role: _Optional[str] = ..., lag_messages: _Optional[int] = ..., positions: _Optional[_Iterable[_Union[PartitionPosition, _Mapping]]] = ...) -> None: ...

class PartitionPosition(_message.Message):
    __slots__ = ("topic", "partition", "next_offset", "end_offset")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    topic: str
    partition: int
    next_offset: int
    end_offset: int
    def __init__(self, topic: _Optional[str] = ..., partition: _Optional[int] = ..., next_offset: _Optional[int] = ..., end_offset: _Optional[int] = ...) -> None: ...

class ReconcileRequest(_message.Message):
    __slots__ = ("source", "page_size", "page_token")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    source: str
    page_size: int
    page_token: str
    def __init__(self, source: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ReconcileResponse(_message.Message):
    __slots__ = ("streams", "agrees", "next_page_token")
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    AGREES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    streams: _containers.RepeatedCompositeFieldContainer[StreamReconciliation]
    agrees: bool
    next_page_token: str
    def __init__(self, streams: _Optional[_Iterable[_Union[StreamReconciliation, _Mapping]]] = ..., agrees: _Optional[bool] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamReconciliation(_message.Message):
    __slots__ = ("stream_id", "source", "feed", "completed", "sent", "accepted", "refused", "landed", "suppressed", "duplicate", "agrees")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    LANDED_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    AGREES_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    source: str
    feed: _core_pb2.Feed
    completed: bool
    sent: int
    accepted: int
    refused: int
    landed: int
    suppressed: int
    duplicate: int
    agrees: bool
    def __init__(self, stream_id: _Optional[str] = ..., source: _Optional[str] = ..., feed: _Optional[_Union[_core_pb2.Feed, str]] = ..., completed: _Optional[bool] = ..., sent: _Optional[int] = ..., accepted: _Optional[int] = ..., refused: _Optional[int] = ..., landed: _Optional[int] = ..., suppressed: _Optional[int] = ..., duplicate: _Optional[int] = ..., agrees: _Optional[bool] = ...) -> None: ...

class ListSnapshotsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSnapshotsResponse(_message.Message):
    __slots__ = ("snapshots", "next_page_token")
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    snapshots: _containers.RepeatedCompositeFieldContainer[Snapshot]
    next_page_token: str
    def __init__(self, snapshots: _Optional[_Iterable[_Union[Snapshot, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Snapshot(_message.Message):
    __slots__ = ("snapshot_id", "published_at_ms", "as_of", "model_id", "people")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    published_at_ms: int
    as_of: str
    model_id: str
    people: int
    def __init__(self, snapshot_id: _Optional[str] = ..., published_at_ms: _Optional[int] = ..., as_of: _Optional[str] = ..., model_id: _Optional[str] = ..., people: _Optional[int] = ...) -> None: ...
