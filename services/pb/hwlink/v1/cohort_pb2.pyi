from services.pb.hwlink.v1 import core_pb2 as _core_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ValueType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VALUE_TYPE_UNSPECIFIED: _ClassVar[ValueType]
    VALUE_TYPE_CATEGORY: _ClassVar[ValueType]
    VALUE_TYPE_BOOLEAN: _ClassVar[ValueType]
    VALUE_TYPE_INTEGER: _ClassVar[ValueType]
    VALUE_TYPE_PROBABILITY: _ClassVar[ValueType]
    VALUE_TYPE_REAL: _ClassVar[ValueType]

class Output(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTPUT_UNSPECIFIED: _ClassVar[Output]
    OUTPUT_COUNTS: _ClassVar[Output]
    OUTPUT_MEMBERS: _ClassVar[Output]

class DimensionValueKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIMENSION_VALUE_KIND_UNSPECIFIED: _ClassVar[DimensionValueKind]
    DIMENSION_VALUE_KIND_VALUE: _ClassVar[DimensionValueKind]
    DIMENSION_VALUE_KIND_UNKNOWN: _ClassVar[DimensionValueKind]
    DIMENSION_VALUE_KIND_TOTAL: _ClassVar[DimensionValueKind]
VALUE_TYPE_UNSPECIFIED: ValueType
VALUE_TYPE_CATEGORY: ValueType
VALUE_TYPE_BOOLEAN: ValueType
VALUE_TYPE_INTEGER: ValueType
VALUE_TYPE_PROBABILITY: ValueType
VALUE_TYPE_REAL: ValueType
OUTPUT_UNSPECIFIED: Output
OUTPUT_COUNTS: Output
OUTPUT_MEMBERS: Output
DIMENSION_VALUE_KIND_UNSPECIFIED: DimensionValueKind
DIMENSION_VALUE_KIND_VALUE: DimensionValueKind
DIMENSION_VALUE_KIND_UNKNOWN: DimensionValueKind
DIMENSION_VALUE_KIND_TOTAL: DimensionValueKind

class Selection(_message.Message):
    __slots__ = ("cohort_id", "filter", "freeze_id")
    COHORT_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    FREEZE_ID_FIELD_NUMBER: _ClassVar[int]
    cohort_id: str
    filter: str
    freeze_id: str
    def __init__(self, cohort_id: _Optional[str] = ..., filter: _Optional[str] = ..., freeze_id: _Optional[str] = ...) -> None: ...

class AnswerContext(_message.Message):
    __slots__ = ("snapshot_id", "as_of", "published_at_ms", "model_id", "policy_id", "linkage_rates", "reference_version")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    LINKAGE_RATES_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    as_of: str
    published_at_ms: int
    model_id: str
    policy_id: str
    linkage_rates: _containers.RepeatedCompositeFieldContainer[LinkageRate]
    reference_version: str
    def __init__(self, snapshot_id: _Optional[str] = ..., as_of: _Optional[str] = ..., published_at_ms: _Optional[int] = ..., model_id: _Optional[str] = ..., policy_id: _Optional[str] = ..., linkage_rates: _Optional[_Iterable[_Union[LinkageRate, _Mapping]]] = ..., reference_version: _Optional[str] = ...) -> None: ...

class LinkageRate(_message.Message):
    __slots__ = ("feed", "people", "linked", "linked_percent")
    FEED_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    LINKED_FIELD_NUMBER: _ClassVar[int]
    LINKED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    feed: _core_pb2.Feed
    people: _core_pb2.ReleasedCount
    linked: _core_pb2.ReleasedCount
    linked_percent: float
    def __init__(self, feed: _Optional[_Union[_core_pb2.Feed, str]] = ..., people: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., linked: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., linked_percent: _Optional[float] = ...) -> None: ...

class Feature(_message.Message):
    __slots__ = ("name", "value_type", "definition", "unknown_when", "values", "bands", "sources", "sensitivity", "marmot_domain", "household_basis", "look_back_months", "outputs")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_TYPE_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_WHEN_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    BANDS_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SENSITIVITY_FIELD_NUMBER: _ClassVar[int]
    MARMOT_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    HOUSEHOLD_BASIS_FIELD_NUMBER: _ClassVar[int]
    LOOK_BACK_MONTHS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    value_type: ValueType
    definition: str
    unknown_when: str
    values: _containers.RepeatedScalarFieldContainer[str]
    bands: _containers.RepeatedScalarFieldContainer[str]
    sources: _containers.RepeatedScalarFieldContainer[_core_pb2.Feed]
    sensitivity: str
    marmot_domain: str
    household_basis: str
    look_back_months: int
    outputs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., value_type: _Optional[_Union[ValueType, str]] = ..., definition: _Optional[str] = ..., unknown_when: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., bands: _Optional[_Iterable[str]] = ..., sources: _Optional[_Iterable[_Union[_core_pb2.Feed, str]]] = ..., sensitivity: _Optional[str] = ..., marmot_domain: _Optional[str] = ..., household_basis: _Optional[str] = ..., look_back_months: _Optional[int] = ..., outputs: _Optional[_Iterable[str]] = ...) -> None: ...

class ListFeaturesRequest(_message.Message):
    __slots__ = ("purpose", "page_size", "page_token")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    page_size: int
    page_token: str
    def __init__(self, purpose: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFeaturesResponse(_message.Message):
    __slots__ = ("features", "next_page_token")
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    features: _containers.RepeatedCompositeFieldContainer[Feature]
    next_page_token: str
    def __init__(self, features: _Optional[_Iterable[_Union[Feature, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Cohort(_message.Message):
    __slots__ = ("cohort_id", "version", "title", "description", "filter", "denominator", "exclusions", "outputs", "source", "restricted", "dimensions", "refusal", "min_count", "review_on")
    COHORT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIONS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RESTRICTED_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    MIN_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVIEW_ON_FIELD_NUMBER: _ClassVar[int]
    cohort_id: str
    version: int
    title: str
    description: str
    filter: str
    denominator: str
    exclusions: _containers.RepeatedCompositeFieldContainer[CohortExclusion]
    outputs: _containers.RepeatedScalarFieldContainer[Output]
    source: str
    restricted: bool
    dimensions: _containers.RepeatedScalarFieldContainer[str]
    refusal: str
    min_count: int
    review_on: str
    def __init__(self, cohort_id: _Optional[str] = ..., version: _Optional[int] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., filter: _Optional[str] = ..., denominator: _Optional[str] = ..., exclusions: _Optional[_Iterable[_Union[CohortExclusion, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[Output, str]]] = ..., source: _Optional[str] = ..., restricted: _Optional[bool] = ..., dimensions: _Optional[_Iterable[str]] = ..., refusal: _Optional[str] = ..., min_count: _Optional[int] = ..., review_on: _Optional[str] = ...) -> None: ...

class CohortExclusion(_message.Message):
    __slots__ = ("filter", "because")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    filter: str
    because: str
    def __init__(self, filter: _Optional[str] = ..., because: _Optional[str] = ...) -> None: ...

class ListPublishedSnapshotsRequest(_message.Message):
    __slots__ = ("purpose", "page_size", "page_token")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    page_size: int
    page_token: str
    def __init__(self, purpose: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPublishedSnapshotsResponse(_message.Message):
    __slots__ = ("snapshots", "next_page_token")
    SNAPSHOTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    snapshots: _containers.RepeatedCompositeFieldContainer[PublishedSnapshot]
    next_page_token: str
    def __init__(self, snapshots: _Optional[_Iterable[_Union[PublishedSnapshot, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class PublishedSnapshot(_message.Message):
    __slots__ = ("snapshot_id", "as_of", "reference_version")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    as_of: str
    reference_version: str
    def __init__(self, snapshot_id: _Optional[str] = ..., as_of: _Optional[str] = ..., reference_version: _Optional[str] = ...) -> None: ...

class ListCohortsRequest(_message.Message):
    __slots__ = ("purpose", "page_size", "page_token")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    page_size: int
    page_token: str
    def __init__(self, purpose: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCohortsResponse(_message.Message):
    __slots__ = ("cohorts", "next_page_token")
    COHORTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    cohorts: _containers.RepeatedCompositeFieldContainer[Cohort]
    next_page_token: str
    def __init__(self, cohorts: _Optional[_Iterable[_Union[Cohort, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CountRequest(_message.Message):
    __slots__ = ("purpose", "snapshot_id", "selection")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    snapshot_id: str
    selection: Selection
    def __init__(self, purpose: _Optional[str] = ..., snapshot_id: _Optional[str] = ..., selection: _Optional[_Union[Selection, _Mapping]] = ...) -> None: ...

class CountResponse(_message.Message):
    __slots__ = ("count", "denominator", "context", "percent", "unknown", "linkage")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    count: _core_pb2.ReleasedCount
    denominator: _core_pb2.ReleasedCount
    context: AnswerContext
    percent: float
    unknown: _core_pb2.ReleasedCount
    linkage: DenominatorLinkage
    def __init__(self, count: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., denominator: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., context: _Optional[_Union[AnswerContext, _Mapping]] = ..., percent: _Optional[float] = ..., unknown: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., linkage: _Optional[_Union[DenominatorLinkage, _Mapping]] = ...) -> None: ...

class DenominatorLinkage(_message.Message):
    __slots__ = ("health", "welfare")
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    WELFARE_FIELD_NUMBER: _ClassVar[int]
    health: LinkageRate
    welfare: LinkageRate
    def __init__(self, health: _Optional[_Union[LinkageRate, _Mapping]] = ..., welfare: _Optional[_Union[LinkageRate, _Mapping]] = ...) -> None: ...

class TableRequest(_message.Message):
    __slots__ = ("purpose", "snapshot_id", "selection", "dimensions", "margins", "page_size", "page_token")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    MARGINS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    snapshot_id: str
    selection: Selection
    dimensions: _containers.RepeatedScalarFieldContainer[str]
    margins: bool
    page_size: int
    page_token: str
    def __init__(self, purpose: _Optional[str] = ..., snapshot_id: _Optional[str] = ..., selection: _Optional[_Union[Selection, _Mapping]] = ..., dimensions: _Optional[_Iterable[str]] = ..., margins: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class TableResponse(_message.Message):
    __slots__ = ("dimensions", "cells", "context", "next_page_token")
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    dimensions: _containers.RepeatedScalarFieldContainer[str]
    cells: _containers.RepeatedCompositeFieldContainer[TableCell]
    context: AnswerContext
    next_page_token: str
    def __init__(self, dimensions: _Optional[_Iterable[str]] = ..., cells: _Optional[_Iterable[_Union[TableCell, _Mapping]]] = ..., context: _Optional[_Union[AnswerContext, _Mapping]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class TableCell(_message.Message):
    __slots__ = ("values", "count")
    VALUES_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[DimensionValue]
    count: _core_pb2.ReleasedCount
    def __init__(self, values: _Optional[_Iterable[_Union[DimensionValue, _Mapping]]] = ..., count: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ...) -> None: ...

class DimensionValue(_message.Message):
    __slots__ = ("kind", "value")
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    kind: DimensionValueKind
    value: str
    def __init__(self, kind: _Optional[_Union[DimensionValueKind, str]] = ..., value: _Optional[str] = ...) -> None: ...

class MembersRequest(_message.Message):
    __slots__ = ("purpose", "snapshot_id", "selection", "features", "page_size", "page_token")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    snapshot_id: str
    selection: Selection
    features: _containers.RepeatedScalarFieldContainer[str]
    page_size: int
    page_token: str
    def __init__(self, purpose: _Optional[str] = ..., snapshot_id: _Optional[str] = ..., selection: _Optional[_Union[Selection, _Mapping]] = ..., features: _Optional[_Iterable[str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class MembersResponse(_message.Message):
    __slots__ = ("context", "rows", "anonymity")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ANONYMITY_FIELD_NUMBER: _ClassVar[int]
    context: AnswerContext
    rows: MemberRows
    anonymity: AnonymityReport
    def __init__(self, context: _Optional[_Union[AnswerContext, _Mapping]] = ..., rows: _Optional[_Union[MemberRows, _Mapping]] = ..., anonymity: _Optional[_Union[AnonymityReport, _Mapping]] = ...) -> None: ...

class AnonymityReport(_message.Message):
    __slots__ = ("k", "quasi_identifiers", "members", "generalised", "withheld")
    K_FIELD_NUMBER: _ClassVar[int]
    QUASI_IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    GENERALISED_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    k: int
    quasi_identifiers: _containers.RepeatedScalarFieldContainer[str]
    members: _core_pb2.ReleasedCount
    generalised: _core_pb2.ReleasedCount
    withheld: _core_pb2.ReleasedCount
    def __init__(self, k: _Optional[int] = ..., quasi_identifiers: _Optional[_Iterable[str]] = ..., members: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., generalised: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., withheld: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ...) -> None: ...

class MemberRows(_message.Message):
    __slots__ = ("arrow_ipc", "next_page_token")
    ARROW_IPC_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    arrow_ipc: bytes
    next_page_token: str
    def __init__(self, arrow_ipc: _Optional[bytes] = ..., next_page_token: _Optional[str] = ...) -> None: ...
