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
    __slots__ = ("subject_ref", "version", "operation", "linkage", "claim_group", "claim_role", "demographics", "diagnoses", "encounters", "measurements", "medications", "coded_events", "screenings", "searches", "referrals", "care_arrangements", "fit_notes", "circumstances", "inclusion_flags")
    SUBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_GROUP_FIELD_NUMBER: _ClassVar[int]
    CLAIM_ROLE_FIELD_NUMBER: _ClassVar[int]
    DEMOGRAPHICS_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    ENCOUNTERS_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    MEDICATIONS_FIELD_NUMBER: _ClassVar[int]
    CODED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    SCREENINGS_FIELD_NUMBER: _ClassVar[int]
    SEARCHES_FIELD_NUMBER: _ClassVar[int]
    REFERRALS_FIELD_NUMBER: _ClassVar[int]
    CARE_ARRANGEMENTS_FIELD_NUMBER: _ClassVar[int]
    FIT_NOTES_FIELD_NUMBER: _ClassVar[int]
    CIRCUMSTANCES_FIELD_NUMBER: _ClassVar[int]
    INCLUSION_FLAGS_FIELD_NUMBER: _ClassVar[int]
    subject_ref: str
    version: int
    operation: Operation
    linkage: LinkageVariables
    claim_group: bytes
    claim_role: str
    demographics: Demographics
    diagnoses: _containers.RepeatedCompositeFieldContainer[Diagnosis]
    encounters: _containers.RepeatedCompositeFieldContainer[Encounter]
    measurements: _containers.RepeatedCompositeFieldContainer[Measurement]
    medications: _containers.RepeatedCompositeFieldContainer[MedicationCount]
    coded_events: _containers.RepeatedCompositeFieldContainer[CodedEvent]
    screenings: _containers.RepeatedCompositeFieldContainer[Screening]
    searches: _containers.RepeatedCompositeFieldContainer[SearchResult]
    referrals: _containers.RepeatedCompositeFieldContainer[Referral]
    care_arrangements: _containers.RepeatedCompositeFieldContainer[CareArrangement]
    fit_notes: _containers.RepeatedCompositeFieldContainer[FitNote]
    circumstances: _containers.RepeatedCompositeFieldContainer[Circumstance]
    inclusion_flags: _containers.RepeatedCompositeFieldContainer[InclusionFlag]
    def __init__(self, subject_ref: _Optional[str] = ..., version: _Optional[int] = ..., operation: _Optional[_Union[Operation, str]] = ..., linkage: _Optional[_Union[LinkageVariables, _Mapping]] = ..., claim_group: _Optional[bytes] = ..., claim_role: _Optional[str] = ..., demographics: _Optional[_Union[Demographics, _Mapping]] = ..., diagnoses: _Optional[_Iterable[_Union[Diagnosis, _Mapping]]] = ..., encounters: _Optional[_Iterable[_Union[Encounter, _Mapping]]] = ..., measurements: _Optional[_Iterable[_Union[Measurement, _Mapping]]] = ..., medications: _Optional[_Iterable[_Union[MedicationCount, _Mapping]]] = ..., coded_events: _Optional[_Iterable[_Union[CodedEvent, _Mapping]]] = ..., screenings: _Optional[_Iterable[_Union[Screening, _Mapping]]] = ..., searches: _Optional[_Iterable[_Union[SearchResult, _Mapping]]] = ..., referrals: _Optional[_Iterable[_Union[Referral, _Mapping]]] = ..., care_arrangements: _Optional[_Iterable[_Union[CareArrangement, _Mapping]]] = ..., fit_notes: _Optional[_Iterable[_Union[FitNote, _Mapping]]] = ..., circumstances: _Optional[_Iterable[_Union[Circumstance, _Mapping]]] = ..., inclusion_flags: _Optional[_Iterable[_Union[InclusionFlag, _Mapping]]] = ...) -> None: ...

class WelfareRecord(_message.Message):
    __slots__ = ("subject_ref", "version", "operation", "linkage", "claim_group", "claim_role", "demographics", "claims", "arrears", "credit_periods", "deductions", "occupancies", "dwellings", "homelessness", "living_standards", "unclaimed", "awards", "claim_changes")
    SUBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    LINKAGE_FIELD_NUMBER: _ClassVar[int]
    CLAIM_GROUP_FIELD_NUMBER: _ClassVar[int]
    CLAIM_ROLE_FIELD_NUMBER: _ClassVar[int]
    DEMOGRAPHICS_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    ARREARS_FIELD_NUMBER: _ClassVar[int]
    CREDIT_PERIODS_FIELD_NUMBER: _ClassVar[int]
    DEDUCTIONS_FIELD_NUMBER: _ClassVar[int]
    OCCUPANCIES_FIELD_NUMBER: _ClassVar[int]
    DWELLINGS_FIELD_NUMBER: _ClassVar[int]
    HOMELESSNESS_FIELD_NUMBER: _ClassVar[int]
    LIVING_STANDARDS_FIELD_NUMBER: _ClassVar[int]
    UNCLAIMED_FIELD_NUMBER: _ClassVar[int]
    AWARDS_FIELD_NUMBER: _ClassVar[int]
    CLAIM_CHANGES_FIELD_NUMBER: _ClassVar[int]
    subject_ref: str
    version: int
    operation: Operation
    linkage: LinkageVariables
    claim_group: bytes
    claim_role: str
    demographics: Demographics
    claims: _containers.RepeatedCompositeFieldContainer[ClaimMembership]
    arrears: _containers.RepeatedCompositeFieldContainer[Arrears]
    credit_periods: _containers.RepeatedCompositeFieldContainer[CreditPeriod]
    deductions: _containers.RepeatedCompositeFieldContainer[Deduction]
    occupancies: _containers.RepeatedCompositeFieldContainer[Occupancy]
    dwellings: _containers.RepeatedCompositeFieldContainer[Dwelling]
    homelessness: _containers.RepeatedCompositeFieldContainer[HomelessnessCase]
    living_standards: _containers.RepeatedCompositeFieldContainer[LivingStandardResult]
    unclaimed: _containers.RepeatedCompositeFieldContainer[UnclaimedEntitlement]
    awards: _containers.RepeatedCompositeFieldContainer[DiscretionaryAward]
    claim_changes: _containers.RepeatedCompositeFieldContainer[ClaimChange]
    def __init__(self, subject_ref: _Optional[str] = ..., version: _Optional[int] = ..., operation: _Optional[_Union[Operation, str]] = ..., linkage: _Optional[_Union[LinkageVariables, _Mapping]] = ..., claim_group: _Optional[bytes] = ..., claim_role: _Optional[str] = ..., demographics: _Optional[_Union[Demographics, _Mapping]] = ..., claims: _Optional[_Iterable[_Union[ClaimMembership, _Mapping]]] = ..., arrears: _Optional[_Iterable[_Union[Arrears, _Mapping]]] = ..., credit_periods: _Optional[_Iterable[_Union[CreditPeriod, _Mapping]]] = ..., deductions: _Optional[_Iterable[_Union[Deduction, _Mapping]]] = ..., occupancies: _Optional[_Iterable[_Union[Occupancy, _Mapping]]] = ..., dwellings: _Optional[_Iterable[_Union[Dwelling, _Mapping]]] = ..., homelessness: _Optional[_Iterable[_Union[HomelessnessCase, _Mapping]]] = ..., living_standards: _Optional[_Iterable[_Union[LivingStandardResult, _Mapping]]] = ..., unclaimed: _Optional[_Iterable[_Union[UnclaimedEntitlement, _Mapping]]] = ..., awards: _Optional[_Iterable[_Union[DiscretionaryAward, _Mapping]]] = ..., claim_changes: _Optional[_Iterable[_Union[ClaimChange, _Mapping]]] = ...) -> None: ...

class LinkageVariables(_message.Message):
    __slots__ = ("token_forename", "token_surname", "token_middle_names", "token_forename_phonetic", "token_surname_phonetic", "token_nickname", "token_date_of_birth", "token_date_of_birth_swapped", "token_postcode", "token_outcode", "token_address", "token_uprn", "token_nhs_number", "token_nino", "token_pseudonym", "key_birth_sex", "key_names_year", "key_year_month_forename", "key_year_month_surname", "key_year_day_forename", "key_year_day_surname", "key_month_day_forename", "key_month_day_surname", "filter_forename", "filter_surname", "filter_address")
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
    TOKEN_PSEUDONYM_FIELD_NUMBER: _ClassVar[int]
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
    token_pseudonym: bytes
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
    def __init__(self, token_forename: _Optional[bytes] = ..., token_surname: _Optional[bytes] = ..., token_middle_names: _Optional[bytes] = ..., token_forename_phonetic: _Optional[bytes] = ..., token_surname_phonetic: _Optional[bytes] = ..., token_nickname: _Optional[bytes] = ..., token_date_of_birth: _Optional[bytes] = ..., token_date_of_birth_swapped: _Optional[bytes] = ..., token_postcode: _Optional[bytes] = ..., token_outcode: _Optional[bytes] = ..., token_address: _Optional[bytes] = ..., token_uprn: _Optional[bytes] = ..., token_nhs_number: _Optional[bytes] = ..., token_nino: _Optional[bytes] = ..., token_pseudonym: _Optional[bytes] = ..., key_birth_sex: _Optional[bytes] = ..., key_names_year: _Optional[bytes] = ..., key_year_month_forename: _Optional[bytes] = ..., key_year_month_surname: _Optional[bytes] = ..., key_year_day_forename: _Optional[bytes] = ..., key_year_day_surname: _Optional[bytes] = ..., key_month_day_forename: _Optional[bytes] = ..., key_month_day_surname: _Optional[bytes] = ..., filter_forename: _Optional[bytes] = ..., filter_surname: _Optional[bytes] = ..., filter_address: _Optional[bytes] = ...) -> None: ...

class Demographics(_message.Message):
    __slots__ = ("birth_year_month", "sex", "ethnic_category", "lsoa", "practice_code", "death_year_month", "interpreter_needed", "property_ref", "property_match")
    BIRTH_YEAR_MONTH_FIELD_NUMBER: _ClassVar[int]
    SEX_FIELD_NUMBER: _ClassVar[int]
    ETHNIC_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    LSOA_FIELD_NUMBER: _ClassVar[int]
    PRACTICE_CODE_FIELD_NUMBER: _ClassVar[int]
    DEATH_YEAR_MONTH_FIELD_NUMBER: _ClassVar[int]
    INTERPRETER_NEEDED_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_REF_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_MATCH_FIELD_NUMBER: _ClassVar[int]
    birth_year_month: str
    sex: str
    ethnic_category: str
    lsoa: str
    practice_code: str
    death_year_month: str
    interpreter_needed: bool
    property_ref: str
    property_match: str
    def __init__(self, birth_year_month: _Optional[str] = ..., sex: _Optional[str] = ..., ethnic_category: _Optional[str] = ..., lsoa: _Optional[str] = ..., practice_code: _Optional[str] = ..., death_year_month: _Optional[str] = ..., interpreter_needed: _Optional[bool] = ..., property_ref: _Optional[str] = ..., property_match: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("kind", "started_on", "ended_on", "admission_method", "primary_diagnosis", "secondary_diagnoses", "attended", "injury_intent", "cost_pence")
    KIND_FIELD_NUMBER: _ClassVar[int]
    STARTED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_METHOD_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    SECONDARY_DIAGNOSES_FIELD_NUMBER: _ClassVar[int]
    ATTENDED_FIELD_NUMBER: _ClassVar[int]
    INJURY_INTENT_FIELD_NUMBER: _ClassVar[int]
    COST_PENCE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    started_on: str
    ended_on: str
    admission_method: str
    primary_diagnosis: str
    secondary_diagnoses: str
    attended: bool
    injury_intent: str
    cost_pence: int
    def __init__(self, kind: _Optional[str] = ..., started_on: _Optional[str] = ..., ended_on: _Optional[str] = ..., admission_method: _Optional[str] = ..., primary_diagnosis: _Optional[str] = ..., secondary_diagnoses: _Optional[str] = ..., attended: _Optional[bool] = ..., injury_intent: _Optional[str] = ..., cost_pence: _Optional[int] = ...) -> None: ...

class Measurement(_message.Message):
    __slots__ = ("kind", "value", "recorded_on", "setting")
    KIND_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_ON_FIELD_NUMBER: _ClassVar[int]
    SETTING_FIELD_NUMBER: _ClassVar[int]
    kind: str
    value: float
    recorded_on: str
    setting: str
    def __init__(self, kind: _Optional[str] = ..., value: _Optional[float] = ..., recorded_on: _Optional[str] = ..., setting: _Optional[str] = ...) -> None: ...

class MedicationCount(_message.Message):
    __slots__ = ("drug_group", "issued_on", "issues", "distinct_drugs")
    DRUG_GROUP_FIELD_NUMBER: _ClassVar[int]
    ISSUED_ON_FIELD_NUMBER: _ClassVar[int]
    ISSUES_FIELD_NUMBER: _ClassVar[int]
    DISTINCT_DRUGS_FIELD_NUMBER: _ClassVar[int]
    drug_group: str
    issued_on: str
    issues: int
    distinct_drugs: int
    def __init__(self, drug_group: _Optional[str] = ..., issued_on: _Optional[str] = ..., issues: _Optional[int] = ..., distinct_drugs: _Optional[int] = ...) -> None: ...

class CodedEvent(_message.Message):
    __slots__ = ("code", "recorded_on")
    CODE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_ON_FIELD_NUMBER: _ClassVar[int]
    code: str
    recorded_on: str
    def __init__(self, code: _Optional[str] = ..., recorded_on: _Optional[str] = ...) -> None: ...

class Screening(_message.Message):
    __slots__ = ("programme", "status", "recorded_on")
    PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RECORDED_ON_FIELD_NUMBER: _ClassVar[int]
    programme: str
    status: str
    recorded_on: str
    def __init__(self, programme: _Optional[str] = ..., status: _Optional[str] = ..., recorded_on: _Optional[str] = ...) -> None: ...

class SearchResult(_message.Message):
    __slots__ = ("search", "search_id", "condition", "run_on", "priority_group", "reviewed_on")
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    SEARCH_ID_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    RUN_ON_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_GROUP_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_ON_FIELD_NUMBER: _ClassVar[int]
    search: str
    search_id: str
    condition: str
    run_on: str
    priority_group: int
    reviewed_on: str
    def __init__(self, search: _Optional[str] = ..., search_id: _Optional[str] = ..., condition: _Optional[str] = ..., run_on: _Optional[str] = ..., priority_group: _Optional[int] = ..., reviewed_on: _Optional[str] = ...) -> None: ...

class Referral(_message.Message):
    __slots__ = ("service", "opened_on", "closed_on", "reason")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    OPENED_ON_FIELD_NUMBER: _ClassVar[int]
    CLOSED_ON_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    service: str
    opened_on: str
    closed_on: str
    reason: str
    def __init__(self, service: _Optional[str] = ..., opened_on: _Optional[str] = ..., closed_on: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CareArrangement(_message.Message):
    __slots__ = ("package", "started_on", "ended_on", "weekly_hours")
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    STARTED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_HOURS_FIELD_NUMBER: _ClassVar[int]
    package: str
    started_on: str
    ended_on: str
    weekly_hours: float
    def __init__(self, package: _Optional[str] = ..., started_on: _Optional[str] = ..., ended_on: _Optional[str] = ..., weekly_hours: _Optional[float] = ...) -> None: ...

class FitNote(_message.Message):
    __slots__ = ("started_on", "ended_on")
    STARTED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    started_on: str
    ended_on: str
    def __init__(self, started_on: _Optional[str] = ..., ended_on: _Optional[str] = ...) -> None: ...

class Circumstance(_message.Message):
    __slots__ = ("kind", "code", "recorded_on")
    KIND_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    RECORDED_ON_FIELD_NUMBER: _ClassVar[int]
    kind: str
    code: str
    recorded_on: str
    def __init__(self, kind: _Optional[str] = ..., code: _Optional[str] = ..., recorded_on: _Optional[str] = ...) -> None: ...

class InclusionFlag(_message.Message):
    __slots__ = ("group", "stated_on", "ended_on")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    STATED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    group: str
    stated_on: str
    ended_on: str
    def __init__(self, group: _Optional[str] = ..., stated_on: _Optional[str] = ..., ended_on: _Optional[str] = ...) -> None: ...

class ClaimMembership(_message.Message):
    __slots__ = ("claim_ref", "benefit", "role", "status", "started_on", "ended_on", "tenure", "weekly_award_pence", "weekly_income_pence", "account_ref", "passported", "children_declared", "non_dependants_declared", "weekly_eligible_rent_pence", "weekly_contractual_rent_pence", "weekly_lha_pence", "weekly_council_tax_pence", "weekly_cap_reduction_pence", "capital_pence", "weekly_earnings_pence", "weekly_work_hours", "disability_premium", "carer_premium", "supported_accommodation")
    CLAIM_REF_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STARTED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    TENURE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_AWARD_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_INCOME_PENCE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_REF_FIELD_NUMBER: _ClassVar[int]
    PASSPORTED_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_DECLARED_FIELD_NUMBER: _ClassVar[int]
    NON_DEPENDANTS_DECLARED_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_ELIGIBLE_RENT_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_CONTRACTUAL_RENT_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_LHA_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_COUNCIL_TAX_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_CAP_REDUCTION_PENCE_FIELD_NUMBER: _ClassVar[int]
    CAPITAL_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_EARNINGS_PENCE_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_WORK_HOURS_FIELD_NUMBER: _ClassVar[int]
    DISABILITY_PREMIUM_FIELD_NUMBER: _ClassVar[int]
    CARER_PREMIUM_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_ACCOMMODATION_FIELD_NUMBER: _ClassVar[int]
    claim_ref: str
    benefit: str
    role: str
    status: str
    started_on: str
    ended_on: str
    tenure: str
    weekly_award_pence: int
    weekly_income_pence: int
    account_ref: str
    passported: str
    children_declared: int
    non_dependants_declared: int
    weekly_eligible_rent_pence: int
    weekly_contractual_rent_pence: int
    weekly_lha_pence: int
    weekly_council_tax_pence: int
    weekly_cap_reduction_pence: int
    capital_pence: int
    weekly_earnings_pence: int
    weekly_work_hours: float
    disability_premium: bool
    carer_premium: bool
    supported_accommodation: bool
    def __init__(self, claim_ref: _Optional[str] = ..., benefit: _Optional[str] = ..., role: _Optional[str] = ..., status: _Optional[str] = ..., started_on: _Optional[str] = ..., ended_on: _Optional[str] = ..., tenure: _Optional[str] = ..., weekly_award_pence: _Optional[int] = ..., weekly_income_pence: _Optional[int] = ..., account_ref: _Optional[str] = ..., passported: _Optional[str] = ..., children_declared: _Optional[int] = ..., non_dependants_declared: _Optional[int] = ..., weekly_eligible_rent_pence: _Optional[int] = ..., weekly_contractual_rent_pence: _Optional[int] = ..., weekly_lha_pence: _Optional[int] = ..., weekly_council_tax_pence: _Optional[int] = ..., weekly_cap_reduction_pence: _Optional[int] = ..., capital_pence: _Optional[int] = ..., weekly_earnings_pence: _Optional[int] = ..., weekly_work_hours: _Optional[float] = ..., disability_premium: _Optional[bool] = ..., carer_premium: _Optional[bool] = ..., supported_accommodation: _Optional[bool] = ...) -> None: ...

class Arrears(_message.Message):
    __slots__ = ("kind", "balance_pence", "oldest_debt_on", "recovery_stage", "weeks_in_arrears")
    KIND_FIELD_NUMBER: _ClassVar[int]
    BALANCE_PENCE_FIELD_NUMBER: _ClassVar[int]
    OLDEST_DEBT_ON_FIELD_NUMBER: _ClassVar[int]
    RECOVERY_STAGE_FIELD_NUMBER: _ClassVar[int]
    WEEKS_IN_ARREARS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    balance_pence: int
    oldest_debt_on: str
    recovery_stage: str
    weeks_in_arrears: int
    def __init__(self, kind: _Optional[str] = ..., balance_pence: _Optional[int] = ..., oldest_debt_on: _Optional[str] = ..., recovery_stage: _Optional[str] = ..., weeks_in_arrears: _Optional[int] = ...) -> None: ...

class CreditPeriod(_message.Message):
    __slots__ = ("claim_ref", "period_from", "period_to", "conditionality", "work_capability", "carer_element", "monthly_net_award_pence", "monthly_housing_element_pence", "monthly_earnings_pence", "monthly_cap_reduction_pence", "two_child_limit", "sanctioned")
    CLAIM_REF_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FROM_FIELD_NUMBER: _ClassVar[int]
    PERIOD_TO_FIELD_NUMBER: _ClassVar[int]
    CONDITIONALITY_FIELD_NUMBER: _ClassVar[int]
    WORK_CAPABILITY_FIELD_NUMBER: _ClassVar[int]
    CARER_ELEMENT_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_NET_AWARD_PENCE_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_HOUSING_ELEMENT_PENCE_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_EARNINGS_PENCE_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_CAP_REDUCTION_PENCE_FIELD_NUMBER: _ClassVar[int]
    TWO_CHILD_LIMIT_FIELD_NUMBER: _ClassVar[int]
    SANCTIONED_FIELD_NUMBER: _ClassVar[int]
    claim_ref: str
    period_from: str
    period_to: str
    conditionality: str
    work_capability: str
    carer_element: bool
    monthly_net_award_pence: int
    monthly_housing_element_pence: int
    monthly_earnings_pence: int
    monthly_cap_reduction_pence: int
    two_child_limit: bool
    sanctioned: bool
    def __init__(self, claim_ref: _Optional[str] = ..., period_from: _Optional[str] = ..., period_to: _Optional[str] = ..., conditionality: _Optional[str] = ..., work_capability: _Optional[str] = ..., carer_element: _Optional[bool] = ..., monthly_net_award_pence: _Optional[int] = ..., monthly_housing_element_pence: _Optional[int] = ..., monthly_earnings_pence: _Optional[int] = ..., monthly_cap_reduction_pence: _Optional[int] = ..., two_child_limit: _Optional[bool] = ..., sanctioned: _Optional[bool] = ...) -> None: ...

class Deduction(_message.Message):
    __slots__ = ("reason", "deducted_on", "monthly_pence")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DEDUCTED_ON_FIELD_NUMBER: _ClassVar[int]
    MONTHLY_PENCE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    deducted_on: str
    monthly_pence: int
    def __init__(self, reason: _Optional[str] = ..., deducted_on: _Optional[str] = ..., monthly_pence: _Optional[int] = ...) -> None: ...

class Occupancy(_message.Message):
    __slots__ = ("claim_ref", "bedrooms", "bedrooms_needed", "recorded_on")
    CLAIM_REF_FIELD_NUMBER: _ClassVar[int]
    BEDROOMS_FIELD_NUMBER: _ClassVar[int]
    BEDROOMS_NEEDED_FIELD_NUMBER: _ClassVar[int]
    RECORDED_ON_FIELD_NUMBER: _ClassVar[int]
    claim_ref: str
    bedrooms: int
    bedrooms_needed: int
    recorded_on: str
    def __init__(self, claim_ref: _Optional[str] = ..., bedrooms: _Optional[int] = ..., bedrooms_needed: _Optional[int] = ..., recorded_on: _Optional[str] = ...) -> None: ...

class Dwelling(_message.Message):
    __slots__ = ("recorded_on", "energy_band", "yearly_energy_pence")
    RECORDED_ON_FIELD_NUMBER: _ClassVar[int]
    ENERGY_BAND_FIELD_NUMBER: _ClassVar[int]
    YEARLY_ENERGY_PENCE_FIELD_NUMBER: _ClassVar[int]
    recorded_on: str
    energy_band: str
    yearly_energy_pence: int
    def __init__(self, recorded_on: _Optional[str] = ..., energy_band: _Optional[str] = ..., yearly_energy_pence: _Optional[int] = ...) -> None: ...

class HomelessnessCase(_message.Message):
    __slots__ = ("case_ref", "duty", "started_on", "ended_on", "temporary_accommodation", "rough_sleeping", "support_needs")
    CASE_REF_FIELD_NUMBER: _ClassVar[int]
    DUTY_FIELD_NUMBER: _ClassVar[int]
    STARTED_ON_FIELD_NUMBER: _ClassVar[int]
    ENDED_ON_FIELD_NUMBER: _ClassVar[int]
    TEMPORARY_ACCOMMODATION_FIELD_NUMBER: _ClassVar[int]
    ROUGH_SLEEPING_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_NEEDS_FIELD_NUMBER: _ClassVar[int]
    case_ref: str
    duty: str
    started_on: str
    ended_on: str
    temporary_accommodation: bool
    rough_sleeping: bool
    support_needs: str
    def __init__(self, case_ref: _Optional[str] = ..., duty: _Optional[str] = ..., started_on: _Optional[str] = ..., ended_on: _Optional[str] = ..., temporary_accommodation: _Optional[bool] = ..., rough_sleeping: _Optional[bool] = ..., support_needs: _Optional[str] = ...) -> None: ...

class LivingStandardResult(_message.Message):
    __slots__ = ("category", "assessed_on", "definition_source")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_ON_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_SOURCE_FIELD_NUMBER: _ClassVar[int]
    category: str
    assessed_on: str
    definition_source: str
    def __init__(self, category: _Optional[str] = ..., assessed_on: _Optional[str] = ..., definition_source: _Optional[str] = ...) -> None: ...

class UnclaimedEntitlement(_message.Message):
    __slots__ = ("entitlement", "assessed_on", "yearly_pence")
    ENTITLEMENT_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_ON_FIELD_NUMBER: _ClassVar[int]
    YEARLY_PENCE_FIELD_NUMBER: _ClassVar[int]
    entitlement: str
    assessed_on: str
    yearly_pence: int
    def __init__(self, entitlement: _Optional[str] = ..., assessed_on: _Optional[str] = ..., yearly_pence: _Optional[int] = ...) -> None: ...

class DiscretionaryAward(_message.Message):
    __slots__ = ("kind", "awarded_on", "amount_pence")
    KIND_FIELD_NUMBER: _ClassVar[int]
    AWARDED_ON_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_PENCE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    awarded_on: str
    amount_pence: int
    def __init__(self, kind: _Optional[str] = ..., awarded_on: _Optional[str] = ..., amount_pence: _Optional[int] = ...) -> None: ...

class ClaimChange(_message.Message):
    __slots__ = ("claim_ref", "changed_on")
    CLAIM_REF_FIELD_NUMBER: _ClassVar[int]
    CHANGED_ON_FIELD_NUMBER: _ClassVar[int]
    claim_ref: str
    changed_on: str
    def __init__(self, claim_ref: _Optional[str] = ..., changed_on: _Optional[str] = ...) -> None: ...

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
