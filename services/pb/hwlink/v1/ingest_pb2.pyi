from services.pb.hwlink.v1 import error_reason_pb2 as _error_reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_UNSPECIFIED: _ClassVar[Operation]
    OPERATION_UPSERT: _ClassVar[Operation]
    OPERATION_WITHDRAW: _ClassVar[Operation]
OPERATION_UNSPECIFIED: Operation
OPERATION_UPSERT: Operation
OPERATION_WITHDRAW: Operation

class HealthIngestRequest(_message.Message):
    __slots__ = ("open", "rows", "columns", "close")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    open: StreamOpening
    rows: HealthRowBatch
    columns: ColumnBatch
    close: StreamClosing
    def __init__(self, open: _Optional[_Union[StreamOpening, _Mapping]] = ..., rows: _Optional[_Union[HealthRowBatch, _Mapping]] = ..., columns: _Optional[_Union[ColumnBatch, _Mapping]] = ..., close: _Optional[_Union[StreamClosing, _Mapping]] = ...) -> None: ...

class WelfareIngestRequest(_message.Message):
    __slots__ = ("open", "rows", "columns", "close")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    open: StreamOpening
    rows: WelfareRowBatch
    columns: ColumnBatch
    close: StreamClosing
    def __init__(self, open: _Optional[_Union[StreamOpening, _Mapping]] = ..., rows: _Optional[_Union[WelfareRowBatch, _Mapping]] = ..., columns: _Optional[_Union[ColumnBatch, _Mapping]] = ..., close: _Optional[_Union[StreamClosing, _Mapping]] = ...) -> None: ...

class IngestResponse(_message.Message):
    __slots__ = ("opened", "receipt", "closed")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    opened: StreamOpened
    receipt: Receipt
    closed: StreamClosed
    def __init__(self, opened: _Optional[_Union[StreamOpened, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ..., closed: _Optional[_Union[StreamClosed, _Mapping]] = ...) -> None: ...

class StreamOpening(_message.Message):
    __slots__ = ("stream_id", "controller", "source", "agreement_id", "agreement_hash", "key_epoch", "legal_basis", "purpose", "data_sharing_agreement", "extract_date", "opt_outs_applied_on", "full_extract", "one_record_per_person")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    CONTROLLER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    KEY_EPOCH_FIELD_NUMBER: _ClassVar[int]
    LEGAL_BASIS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    DATA_SHARING_AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    EXTRACT_DATE_FIELD_NUMBER: _ClassVar[int]
    OPT_OUTS_APPLIED_ON_FIELD_NUMBER: _ClassVar[int]
    FULL_EXTRACT_FIELD_NUMBER: _ClassVar[int]
    ONE_RECORD_PER_PERSON_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    controller: str
    source: str
    agreement_id: str
    agreement_hash: str
    key_epoch: str
    legal_basis: str
    purpose: str
    data_sharing_agreement: str
    extract_date: str
    opt_outs_applied_on: str
    full_extract: bool
    one_record_per_person: bool
    def __init__(self, stream_id: _Optional[str] = ..., controller: _Optional[str] = ..., source: _Optional[str] = ..., agreement_id: _Optional[str] = ..., agreement_hash: _Optional[str] = ..., key_epoch: _Optional[str] = ..., legal_basis: _Optional[str] = ..., purpose: _Optional[str] = ..., data_sharing_agreement: _Optional[str] = ..., extract_date: _Optional[str] = ..., opt_outs_applied_on: _Optional[str] = ..., full_extract: _Optional[bool] = ..., one_record_per_person: _Optional[bool] = ...) -> None: ...

class HealthRowBatch(_message.Message):
    __slots__ = ("batch", "records")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    records: _containers.RepeatedCompositeFieldContainer[HealthRecord]
    def __init__(self, batch: _Optional[int] = ..., records: _Optional[_Iterable[_Union[HealthRecord, _Mapping]]] = ...) -> None: ...

class WelfareRowBatch(_message.Message):
    __slots__ = ("batch", "records")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    records: _containers.RepeatedCompositeFieldContainer[WelfareRecord]
    def __init__(self, batch: _Optional[int] = ..., records: _Optional[_Iterable[_Union[WelfareRecord, _Mapping]]] = ...) -> None: ...

class ColumnBatch(_message.Message):
    __slots__ = ("batch", "arrow_ipc")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ARROW_IPC_FIELD_NUMBER: _ClassVar[int]
    batch: int
    arrow_ipc: bytes
    def __init__(self, batch: _Optional[int] = ..., arrow_ipc: _Optional[bytes] = ...) -> None: ...

class StreamClosing(_message.Message):
    __slots__ = ("batches",)
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    batches: int
    def __init__(self, batches: _Optional[int] = ...) -> None: ...

class HealthRecord(_message.Message):
    __slots__ = ("subject_ref", "version", "operation", "linkage", "claim_group", "claim_role", "demographics", "diagnoses", "encounters")
    SUBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_GROUP_FIELD_NUMBER: _ClassVar[int]
    CLAIM_ROLE_FIELD_NUMBER: _ClassVar[int]
    DEMOGRAPHICS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTERS_FIELD_NUMBER: _ClassVar[int]
    subject_ref: str
    version: int
    operation: Operation
    linkage: LinkageVariables
    claim_group: bytes
    claim_role: str
    demographics: Demographics
    diagnoses: _containers.RepeatedCompositeFieldContainer[Diagnosis]
    encounters: _containers.RepeatedCompositeFieldContainer[Encounter]
    def __init__(self, subject_ref: _Optional[str] = ..., version: _Optional[int] = ..., operation: _Optional[_Union[Operation, str]] = ..., linkage: _Optional[_Union[LinkageVariables, _Mapping]] = ..., claim_group: _Optional[bytes] = ..., claim_role: _Optional[str] = ..., demographics: _Optional[_Union[Demographics, _Mapping]] = ..., diagnoses: _Optional[_Iterable[_Union[Diagnosis, _Mapping]]] = ..., encounters: _Optional[_Iterable[_Union[Encounter, _Mapping]]] = ...) -> None: ...

class WelfareRecord(_message.Message):
    __slots__ = ("subject_ref", "version", "operation", "linkage", "claim_group", "claim_role", "demographics", "claims", "arrears")
    SUBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_GROUP_FIELD_NUMBER: _ClassVar[int]
    CLAIM_ROLE_FIELD_NUMBER: _ClassVar[int]
    DEMOGRAPHICS_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    ARREARS_FIELD_NUMBER: _ClassVar[int]
    subject_ref: str
    version: int
    operation: Operation
    linkage: LinkageVariables
    claim_group: bytes
    claim_role: str
    demographics: Demographics
    claims: _containers.RepeatedCompositeFieldContainer[ClaimMembership]
    arrears: _containers.RepeatedCompositeFieldContainer[Arrears]
    def __init__(self, subject_ref: _Optional[str] = ..., version: _Optional[int] = ..., operation: _Optional[_Union[Operation, str]] = ..., linkage: _Optional[_Union[LinkageVariables, _Mapping]] = ..., claim_group: _Optional[bytes] = ..., claim_role: _Optional[str] = ..., demographics: _Optional[_Union[Demographics, _Mapping]] = ..., claims: _Optional[_Iterable[_Union[ClaimMembership, _Mapping]]] = ..., arrears: _Optional[_Iterable[_Union[Arrears, _Mapping]]] = ...) -> None: ...

class LinkageVariables(_message.Message):
    __slots__ = ("token_forename", "token_surname", "token_middle_names", "token_forename_phonetic", "token_surname_phonetic", "token_nickname", "token_date_of_birth", "token_date_of_birth_swapped", "token_postcode", "token_outcode", "token_address", "token_uprn", "token_nhs_number", "token_nino", "key_birth_sex", "key_names_year", "key_year_month_forename", "key_year_month_surname", "key_year_day_forename", "key_year_day_surname", "key_month_day_forename", "key_month_day_surname", "filter_forename", "filter_surname", "filter_address")
    TOKEN_FORENAME_FIELD_NUMBER: _ClassVar[int]
    TOKEN_SURNAME_FIELD_NUMBER: _ClassVar[int]
    TOKEN_MIDDLE_NAMES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FORENAME_PHONETIC_FIELD_NUMBER: _ClassVar[int]
    TOKEN_SURNAME_PHONETIC_FIELD_NUMBER: _ClassVar[int]
    TOKEN_NICKNAME_FIELD_NUMBER: _ClassVar[int]
    TOKEN_DATE_OF_BIRTH_FIELD_NUMBER: _ClassVar[int]
    TOKEN_DATE_OF_BIRTH_SWAPPED_FIELD_NUMBER: _ClassVar[int]
    TOKEN_POSTCODE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_OUTCODE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_UPRN_FIELD_NUMBER: _ClassVar[int]
    TOKEN_NHS_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TOKEN_NINO_FIELD_NUMBER: _ClassVar[int]
    KEY_BIRTH_SEX_FIELD_NUMBER: _ClassVar[int]
    KEY_NAMES_YEAR_FIELD_NUMBER: _ClassVar[int]
    KEY_YEAR_MONTH_FORENAME_FIELD_NUMBER: _ClassVar[int]
    KEY_YEAR_MONTH_SURNAME_FIELD_NUMBER: _ClassVar[int]
    KEY_YEAR_DAY_FORENAME_FIELD_NUMBER: _ClassVar[int]
    KEY_YEAR_DAY_SURNAME_FIELD_NUMBER: _ClassVar[int]
    KEY_MONTH_DAY_FORENAME_FIELD_NUMBER: _ClassVar[int]
    KEY_MONTH_DAY_SURNAME_FIELD_NUMBER: _ClassVar[int]
    FILTER_FORENAME_FIELD_NUMBER: _ClassVar[int]
    FILTER_SURNAME_FIELD_NUMBER: _ClassVar[int]
    FILTER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    token_forename: bytes
    token_surname: bytes
    token_middle_names: bytes
    token_forename_phonetic: bytes
    token_surname_phonetic: bytes
    token_nickname: bytes
    token_date_of_birth: bytes
    token_date_of_birth_swapped: bytes
    token_postcode: bytes
    token_outcode: bytes
    token_address: bytes
    token_uprn: bytes
    token_nhs_number: bytes
    token_nino: bytes
    key_birth_sex: bytes
    key_names_year: bytes
    key_year_month_forename: bytes
    key_year_month_surname: bytes
    key_year_day_forename: bytes
    key_year_day_surname: bytes
    key_month_day_forename: bytes
    key_month_day_surname: bytes
    filter_forename: bytes
    filter_surname: bytes
    filter_address: bytes
    def __init__(self, token_forename: _Optional[bytes] = ..., token_surname: _Optional[bytes] = ..., token_middle_names: _Optional[bytes] = ..., token_forename_phonetic: _Optional[bytes] = ..., token_surname_phonetic: _Optional[bytes] = ..., token_nickname: _Optional[bytes] = ..., token_date_of_birth: _Optional[bytes] = ..., token_date_of_birth_swapped: _Optional[bytes] = ..., token_postcode: _Optional[bytes] = ..., token_outcode: _Optional[bytes] = ..., token_address: _Optional[bytes] = ..., token_uprn: _Optional[bytes] = ..., token_nhs_number: _Optional[bytes] = ..., token_nino: _Optional[bytes] = ..., key_birth_sex: _Optional[bytes] = ..., key_names_year: _Optional[bytes] = ..., key_year_month_forename: _Optional[bytes] = ..., key_year_month_surname: _Optional[bytes] = ..., key_year_day_forename: _Optional[bytes] = ..., key_year_day_surname: _Optional[bytes] = ..., key_month_day_forename: _Optional[bytes] = ..., key_month_day_surname: _Optional[bytes] = ..., filter_forename: _Optional[bytes] = ..., filter_surname: _Optional[bytes] = ..., filter_address: _Optional[bytes] = ...) -> None: ...

class Demographics(_message.Message):
    __slots__ = ("birth_year_month", "sex", "ethnic_category", "lsoa", "practice_code", "death_year_month")
    BIRTH_YEAR_MONTH_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    ETHNIC_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    LSOA_FIELD_NUMBER: _ClassVar[int]
    PRACTICE_CODE_FIELD_NUMBER: _ClassVar[int]
    DEATH_YEAR_MONTH_FIELD_NUMBER: _ClassVar[int]
    birth_year_month: str
    sex: str
    ethnic_category: str
    lsoa: str
    practice_code: str
    death_year_month: str
    def __init__(self, birth_year_month: _Optional[str] = ..., sex: _Optional[str] = ..., ethnic_category: _Optional[str] = ..., lsoa: _Optional[str] = ..., practice_code: _Optional[str] = ..., death_year_month: _Optional[str] = ...) -> None: ...

class Diagnosis(_message.Message):
    __slots__ = ("condition", "status", "recorded_on")
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RECORDED_ON_FIELD_NUMBER: _ClassVar[int]
    condition: str
    status: str
    recorded_on: str
    def __init__(self, condition: _Optional[str] = ..., status: _Optional[str] = ..., recorded_on: _Optional[str] = ...) -> None: ...

class Encounter(_message.Message):
    __slots__ = ("kind", "started_on", "ended_on", "admission_method", "primary_diagnosis")
    KIND_FIELD_NUMBER: _ClassVar[int]
    STARTED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_METHOD_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    started_on: str
    ended_on: str
    admission_method: str
    primary_diagnosis: str
    def __init__(self, kind: _Optional[str] = ..., started_on: _Optional[str] = ..., ended_on: _Optional[str] = ..., admission_method: _Optional[str] = ..., primary_diagnosis: _Optional[str] = ...) -> None: ...

class ClaimMembership(_message.Message):
    __slots__ = ("claim_ref", "benefit", "role", "status", "started_on", "ended_on", "tenure", "weekly_award_pence", "weekly_income_pence")
    CLAIM_REF_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STARTED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    TENURE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_AWARD_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_INCOME_PENCE_FIELD_NUMBER: _ClassVar[int]
    claim_ref: str
    benefit: str
    role: str
    status: str
    started_on: str
    ended_on: str
    tenure: str
    weekly_award_pence: int
    weekly_income_pence: int
    def __init__(self, claim_ref: _Optional[str] = ..., benefit: _Optional[str] = ..., role: _Optional[str] = ..., status: _Optional[str] = ..., started_on: _Optional[str] = ..., ended_on: _Optional[str] = ..., tenure: _Optional[str] = ..., weekly_award_pence: _Optional[int] = ..., weekly_income_pence: _Optional[int] = ...) -> None: ...

class Arrears(_message.Message):
    __slots__ = ("kind", "balance_pence", "oldest_debt_on", "recovery_stage")
    KIND_FIELD_NUMBER: _ClassVar[int]
    BALANCE_PENCE_FIELD_NUMBER: _ClassVar[int]
    OLDEST_DEBT_ON_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_STAGE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    balance_pence: int
    oldest_debt_on: str
    recovery_stage: str
    def __init__(self, kind: _Optional[str] = ..., balance_pence: _Optional[int] = ..., oldest_debt_on: _Optional[str] = ..., recovery_stage: _Optional[str] = ...) -> None: ...

class StreamOpened(_message.Message):
    __slots__ = ("stream_id", "next_batch", "window", "max_batch_rows", "max_batch_bytes", "completed")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    NEXT_BATCH_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_ROWS_FIELD_NUMBER: _ClassVar[int]
    MAX_BATCH_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    next_batch: int
    window: int
    max_batch_rows: int
    max_batch_bytes: int
    completed: bool
    def __init__(self, stream_id: _Optional[str] = ..., next_batch: _Optional[int] = ..., window: _Optional[int] = ..., max_batch_rows: _Optional[int] = ..., max_batch_bytes: _Optional[int] = ..., completed: _Optional[bool] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("batch", "accepted", "refused", "duplicate", "reason", "refusals")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    batch: int
    accepted: int
    refused: int
    duplicate: bool
    reason: _error_reason_pb2.ErrorReason
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, batch: _Optional[int] = ..., accepted: _Optional[int] = ..., refused: _Optional[int] = ..., duplicate: _Optional[bool] = ..., reason: _Optional[_Union[_error_reason_pb2.ErrorReason, str]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("index", "field", "reason")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    index: int
    field: str
    reason: _error_reason_pb2.ErrorReason
    def __init__(self, index: _Optional[int] = ..., field: _Optional[str] = ..., reason: _Optional[_Union[_error_reason_pb2.ErrorReason, str]] = ...) -> None: ...

class StreamClosed(_message.Message):
    __slots__ = ("accepted", "refused", "duplicate", "withdrawn")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    accepted: int
    refused: int
    duplicate: int
    withdrawn: int
    def __init__(self, accepted: _Optional[int] = ..., refused: _Optional[int] = ..., duplicate: _Optional[int] = ..., withdrawn: _Optional[int] = ...) -> None: ...
