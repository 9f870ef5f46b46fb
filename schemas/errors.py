"""The one error tree: every failure has a class, a reason, a gRPC status and an exit code.

A message never carries a value from a record: it is written by us from names of fields, files, topics and counts, and
it ends with what to do next. Anything that is not an `HwlinkError` leaves the process as INTERNAL with an incident id.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something failed. Equal to `hwlink.v1.ErrorReason` in `protos/hwlink/v1/error_reason.proto`, without its
    prefix.
    """

    # Input: the data or the call is not what it must be; mend it and try again.
    FILE_UNREADABLE = "FILE_UNREADABLE"
    FILE_EMPTY = "FILE_EMPTY"
    ENCODING_WRONG = "ENCODING_WRONG"
    COLUMNS_WRONG = "COLUMNS_WRONG"
    FIELD_INVALID = "FIELD_INVALID"
    BATCH_TOO_LARGE = "BATCH_TOO_LARGE"
    BATCH_OUT_OF_ORDER = "BATCH_OUT_OF_ORDER"
    BATCH_UNREADABLE = "BATCH_UNREADABLE"
    STREAM_NOT_OPENED = "STREAM_NOT_OPENED"
    STREAM_INCOMPLETE = "STREAM_INCOMPLETE"
    FILTER_UNPARSABLE = "FILTER_UNPARSABLE"
    FILTER_FORBIDDEN = "FILTER_FORBIDDEN"
    FEATURE_UNKNOWN = "FEATURE_UNKNOWN"
    COHORT_UNKNOWN = "COHORT_UNKNOWN"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a reason, not a secret
    NOT_FOUND = "NOT_FOUND"
    OPTION_INVALID = "OPTION_INVALID"
    # Agreement: the two sides do not encode alike.
    AGREEMENT_INVALID = "AGREEMENT_INVALID"
    AGREEMENT_UNKNOWN = "AGREEMENT_UNKNOWN"
    KEY_EPOCH_UNKNOWN = "KEY_EPOCH_UNKNOWN"
    KEY_EPOCHS_MIXED = "KEY_EPOCHS_MIXED"
    KEY_INVALID = "KEY_INVALID"
    # Policy: it could be done, and must not be.
    CLEAR_IDENTIFIER = "CLEAR_IDENTIFIER"
    FEED_SUSPECT = "FEED_SUSPECT"
    PURPOSE_NOT_PERMITTED = "PURPOSE_NOT_PERMITTED"
    DISCLOSURE_RISK = "DISCLOSURE_RISK"
    WITHDRAWAL_TOO_LARGE = "WITHDRAWAL_TOO_LARGE"
    UNSAFE_CONFIGURATION = "UNSAFE_CONFIGURATION"
    # State: the system is not in the state that the call needs.
    ALREADY_RUNNING = "ALREADY_RUNNING"
    PORT_IN_USE = "PORT_IN_USE"
    STORE_VERSION = "STORE_VERSION"
    STORE_MISSING = "STORE_MISSING"
    OWNERSHIP_LOST = "OWNERSHIP_LOST"
    MODEL_MISMATCH = "MODEL_MISMATCH"
    NO_SNAPSHOT = "NO_SNAPSHOT"
    SETTING_INVALID = "SETTING_INVALID"
    NOT_RECONCILED = "NOT_RECONCILED"
    # Transient: the same call may succeed later.
    UNAVAILABLE = "UNAVAILABLE"
    BUSY = "BUSY"
    DEADLINE = "DEADLINE"
    # Defect: ours to mend.
    INTERNAL = "INTERNAL"


class HwlinkError(Exception):
    """Base of every failure that hwlink explains.

    `reason` is the machine-readable cause; `message` says what happened and what to do next, without any record's
    value.
    """

    exit_code = 70
    grpc_status = "INTERNAL"

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class InputError(HwlinkError):
    """The data or the call is wrong; the caller can mend it."""

    exit_code = 3
    grpc_status = "INVALID_ARGUMENT"


class AgreementError(HwlinkError):
    """The encodings of the two sides do not belong together."""

    exit_code = 4
    grpc_status = "FAILED_PRECONDITION"


class PolicyError(HwlinkError):
    """Refused on purpose: it would break a rule of privacy, purpose or disclosure control."""

    exit_code = 5
    grpc_status = "PERMISSION_DENIED"


class StateError(HwlinkError):
    """The system is not in the state that the call needs (already running, wrong version, not yet published)."""

    exit_code = 6
    grpc_status = "FAILED_PRECONDITION"


class TransientError(HwlinkError):
    """The same call may succeed later; retry with back-off."""

    exit_code = 7
    grpc_status = "UNAVAILABLE"


class DefectError(HwlinkError):
    """A fault of ours. Carries an incident id and no other detail."""

    exit_code = 70
    grpc_status = "INTERNAL"
