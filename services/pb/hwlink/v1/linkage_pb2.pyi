from services.pb.hwlink.v1 import core_pb2 as _core_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LinkDecision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LINK_DECISION_UNSPECIFIED: _ClassVar[LinkDecision]
    LINK_DECISION_LINK: _ClassVar[LinkDecision]
    LINK_DECISION_REVIEW: _ClassVar[LinkDecision]
    LINK_DECISION_APART: _ClassVar[LinkDecision]

class Rarity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RARITY_UNSPECIFIED: _ClassVar[Rarity]
    RARITY_COMMON: _ClassVar[Rarity]
    RARITY_TYPICAL: _ClassVar[Rarity]
    RARITY_RARE: _ClassVar[Rarity]

class ReviewVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_VERDICT_UNSPECIFIED: _ClassVar[ReviewVerdict]
    REVIEW_VERDICT_SAME: _ClassVar[ReviewVerdict]
    REVIEW_VERDICT_DIFFERENT: _ClassVar[ReviewVerdict]
    REVIEW_VERDICT_UNSURE: _ClassVar[ReviewVerdict]
LINK_DECISION_UNSPECIFIED: LinkDecision
LINK_DECISION_LINK: LinkDecision
LINK_DECISION_REVIEW: LinkDecision
LINK_DECISION_APART: LinkDecision
RARITY_UNSPECIFIED: Rarity
RARITY_COMMON: Rarity
RARITY_TYPICAL: Rarity
RARITY_RARE: Rarity
REVIEW_VERDICT_UNSPECIFIED: ReviewVerdict
REVIEW_VERDICT_SAME: ReviewVerdict
REVIEW_VERDICT_DIFFERENT: ReviewVerdict
REVIEW_VERDICT_UNSURE: ReviewVerdict

class ComparedField(_message.Message):
    __slots__ = ("name", "level", "weight_bits", "rarity", "m", "u", "running_bits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BITS_FIELD_NUMBER: _ClassVar[int]
    RARITY_FIELD_NUMBER: _ClassVar[int]
    M_FIELD_NUMBER: _ClassVar[int]
    U_FIELD_NUMBER: _ClassVar[int]
    RUNNING_BITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    level: str
    weight_bits: float
    rarity: Rarity
    m: float
    u: float
    running_bits: float
    def __init__(self, name: _Optional[str] = ..., level: _Optional[str] = ..., weight_bits: _Optional[float] = ..., rarity: _Optional[_Union[Rarity, str]] = ..., m: _Optional[float] = ..., u: _Optional[float] = ..., running_bits: _Optional[float] = ...) -> None: ...

class DecisionThresholds(_message.Message):
    __slots__ = ("link_probability", "review_probability", "margin_bits")
    LINK_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    REVIEW_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MARGIN_BITS_FIELD_NUMBER: _ClassVar[int]
    link_probability: float
    review_probability: float
    margin_bits: float
    def __init__(self, link_probability: _Optional[float] = ..., review_probability: _Optional[float] = ..., margin_bits: _Optional[float] = ...) -> None: ...

class PairEvidence(_message.Message):
    __slots__ = ("fields", "prior_bits", "weight_bits", "probability", "guard", "decision", "model_id", "guard_reason", "because", "because_reason", "thresholds")
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    PRIOR_BITS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BITS_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    GUARD_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    GUARD_REASON_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    fields: _containers.RepeatedCompositeFieldContainer[ComparedField]
    prior_bits: float
    weight_bits: float
    probability: float
    guard: str
    decision: LinkDecision
    model_id: str
    guard_reason: str
    because: str
    because_reason: str
    thresholds: DecisionThresholds
    def __init__(self, fields: _Optional[_Iterable[_Union[ComparedField, _Mapping]]] = ..., prior_bits: _Optional[float] = ..., weight_bits: _Optional[float] = ..., probability: _Optional[float] = ..., guard: _Optional[str] = ..., decision: _Optional[_Union[LinkDecision, str]] = ..., model_id: _Optional[str] = ..., guard_reason: _Optional[str] = ..., because: _Optional[str] = ..., because_reason: _Optional[str] = ..., thresholds: _Optional[_Union[DecisionThresholds, _Mapping]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("purpose", "left", "right")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    left: _core_pb2.SubjectKey
    right: _core_pb2.SubjectKey
    def __init__(self, purpose: _Optional[str] = ..., left: _Optional[_Union[_core_pb2.SubjectKey, _Mapping]] = ..., right: _Optional[_Union[_core_pb2.SubjectKey, _Mapping]] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("evidence", "same_person", "path")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    SAME_PERSON_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    evidence: PairEvidence
    same_person: bool
    path: LinkPath
    def __init__(self, evidence: _Optional[_Union[PairEvidence, _Mapping]] = ..., same_person: _Optional[bool] = ..., path: _Optional[_Union[LinkPath, _Mapping]] = ...) -> None: ...

class LinkPath(_message.Message):
    __slots__ = ("links",)
    LINKS_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[PairEvidence]
    def __init__(self, links: _Optional[_Iterable[_Union[PairEvidence, _Mapping]]] = ...) -> None: ...

class NextReviewRequest(_message.Message):
    __slots__ = ("purpose", "page_token")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    page_token: str
    def __init__(self, purpose: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class NextReviewResponse(_message.Message):
    __slots__ = ("review", "open_reviews", "next_page_token")
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    OPEN_REVIEWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    review: Review
    open_reviews: int
    next_page_token: str
    def __init__(self, review: _Optional[_Union[Review, _Mapping]] = ..., open_reviews: _Optional[int] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Review(_message.Message):
    __slots__ = ("review_id", "evidence")
    REVIEW_ID_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    review_id: str
    evidence: PairEvidence
    def __init__(self, review_id: _Optional[str] = ..., evidence: _Optional[_Union[PairEvidence, _Mapping]] = ...) -> None: ...

class DecideReviewRequest(_message.Message):
    __slots__ = ("purpose", "review_id", "verdict")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    REVIEW_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    review_id: str
    verdict: ReviewVerdict
    def __init__(self, purpose: _Optional[str] = ..., review_id: _Optional[str] = ..., verdict: _Optional[_Union[ReviewVerdict, str]] = ...) -> None: ...

class DecideReviewResponse(_message.Message):
    __slots__ = ("open_reviews",)
    OPEN_REVIEWS_FIELD_NUMBER: _ClassVar[int]
    open_reviews: int
    def __init__(self, open_reviews: _Optional[int] = ...) -> None: ...

class QualityRequest(_message.Message):
    __slots__ = ("purpose", "snapshot_id", "by", "page_size", "page_token")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    snapshot_id: str
    by: str
    page_size: int
    page_token: str
    def __init__(self, purpose: _Optional[str] = ..., snapshot_id: _Optional[str] = ..., by: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class QualityResponse(_message.Message):
    __slots__ = ("groups", "snapshot_id", "model_id", "policy_id", "reviews_per_10000", "next_page_token", "thresholds")
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    POLICY_ID_FIELD_NUMBER: _ClassVar[int]
    REVIEWS_PER_10000_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    groups: _containers.RepeatedCompositeFieldContainer[GroupQuality]
    snapshot_id: str
    model_id: str
    policy_id: str
    reviews_per_10000: float
    next_page_token: str
    thresholds: _containers.RepeatedCompositeFieldContainer[ThresholdQuality]
    def __init__(self, groups: _Optional[_Iterable[_Union[GroupQuality, _Mapping]]] = ..., snapshot_id: _Optional[str] = ..., model_id: _Optional[str] = ..., policy_id: _Optional[str] = ..., reviews_per_10000: _Optional[float] = ..., next_page_token: _Optional[str] = ..., thresholds: _Optional[_Iterable[_Union[ThresholdQuality, _Mapping]]] = ...) -> None: ...

class ThresholdQuality(_message.Message):
    __slots__ = ("label", "link_probability", "links_ratio", "precision", "recall")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    LINK_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LINKS_RATIO_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    label: str
    link_probability: float
    links_ratio: float
    precision: Estimate
    recall: Estimate
    def __init__(self, label: _Optional[str] = ..., link_probability: _Optional[float] = ..., links_ratio: _Optional[float] = ..., precision: _Optional[_Union[Estimate, _Mapping]] = ..., recall: _Optional[_Union[Estimate, _Mapping]] = ...) -> None: ...

class GroupQuality(_message.Message):
    __slots__ = ("group", "feed", "subjects", "linked", "unlinkable", "precision", "recall", "link_rate", "standardised_difference", "unlinkable_rate")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    LINKED_FIELD_NUMBER: _ClassVar[int]
    UNLINKABLE_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    LINK_RATE_FIELD_NUMBER: _ClassVar[int]
    STANDARDISED_DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    UNLINKABLE_RATE_FIELD_NUMBER: _ClassVar[int]
    group: str
    feed: _core_pb2.Feed
    subjects: _core_pb2.ReleasedCount
    linked: _core_pb2.ReleasedCount
    unlinkable: _core_pb2.ReleasedCount
    precision: Estimate
    recall: Estimate
    link_rate: float
    standardised_difference: float
    unlinkable_rate: float
    def __init__(self, group: _Optional[str] = ..., feed: _Optional[_Union[_core_pb2.Feed, str]] = ..., subjects: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., linked: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., unlinkable: _Optional[_Union[_core_pb2.ReleasedCount, _Mapping]] = ..., precision: _Optional[_Union[Estimate, _Mapping]] = ..., recall: _Optional[_Union[Estimate, _Mapping]] = ..., link_rate: _Optional[float] = ..., standardised_difference: _Optional[float] = ..., unlinkable_rate: _Optional[float] = ...) -> None: ...

class Estimate(_message.Message):
    __slots__ = ("value", "low", "high")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    value: float
    low: float
    high: float
    def __init__(self, value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...
