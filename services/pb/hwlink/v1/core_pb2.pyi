from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Feed(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEED_UNSPECIFIED: _ClassVar[Feed]
    FEED_HEALTH: _ClassVar[Feed]
    FEED_WELFARE: _ClassVar[Feed]
FEED_UNSPECIFIED: Feed
FEED_HEALTH: Feed
FEED_WELFARE: Feed

class SubjectKey(_message.Message):
    __slots__ = ("source", "subject_ref")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    source: str
    subject_ref: str
    def __init__(self, source: _Optional[str] = ..., subject_ref: _Optional[str] = ...) -> None: ...

class ReleasedCount(_message.Message):
    __slots__ = ("value", "suppressed")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    value: int
    suppressed: bool
    def __init__(self, value: _Optional[int] = ..., suppressed: _Optional[bool] = ...) -> None: ...
