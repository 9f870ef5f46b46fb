"""The one switch between `HwlinkError` and gRPC: status code, message, and `google.rpc.ErrorInfo` with the reason.

Only what we wrote ourselves crosses the wire, in either direction. Texts of other libraries may quote a record's value
(pydantic, Polars) or come from a peer that we do not know, so neither is ever forwarded.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from typing import Final

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from schemas.errors import (
    AgreementError,
    DefectError,
    HwlinkError,
    InputError,
    PolicyError,
    Reason,
    StateError,
    TransientError,
)

DOMAIN: Final = "hwlink"
"""`domain` of every `ErrorInfo` (AIP-193): a reason means what it means only within it."""

KIND: Final = "kind"
INCIDENT: Final = "incident"

_KINDS: Final[dict[str, type[HwlinkError]]] = {
    "input": InputError,
    "agreement": AgreementError,
    "policy": PolicyError,
    "state": StateError,
    "transient": TransientError,
    "defect": DefectError,
}
_KIND_OF: Final = {kind: name for name, kind in _KINDS.items()}

_CODE_OF_REASON: Final = {
    Reason.NOT_FOUND: "NOT_FOUND",
    Reason.COHORT_UNKNOWN: "NOT_FOUND",
    Reason.DEADLINE: "DEADLINE_EXCEEDED",
    Reason.BUSY: "RESOURCE_EXHAUSTED",
}
"""Reasons whose gRPC code says more than their class's."""

log = logging.getLogger(__name__)


def status_of(error: HwlinkError, metadata: Mapping[str, str] | None = None) -> status_pb2.Status:
    """Return the gRPC status that says `error`; `metadata` holds names and counts, never a record's value."""
    kind = next(name for base, name in _KIND_OF.items() if isinstance(error, base))
    info = error_details_pb2.ErrorInfo(
        reason=error.reason.value, domain=DOMAIN, metadata={KIND: kind, **(metadata or {})}
    )
    details = any_pb2.Any()
    details.Pack(info)
    name = _CODE_OF_REASON.get(error.reason, error.grpc_status)
    return status_pb2.Status(code=code_pb2.Code.Value(name), message=error.message, details=[details])


def status_of_any(error: BaseException) -> status_pb2.Status:
    """Return the status of any failure: ours as it is; anything else as INTERNAL with an incident id and no text.

    The incident is logged with the type and the frames, so that the id that a caller quotes leads to the place.
    """
    if isinstance(error, HwlinkError) and not isinstance(error, DefectError):
        return status_of(error)
    incident = uuid.uuid4().hex[:12]
    log.error("a call failed for a reason of ours", extra={"incident": incident}, exc_info=error)
    said = DefectError(
        Reason.INTERNAL, f"Incident {incident}. This is a fault of hwlink; report it to its operator with the incident."
    )
    return status_of(said, {INCIDENT: incident})


def from_rpc_error(error: grpc.RpcError) -> HwlinkError:
    """Return the failure that a server reported, or that gRPC itself met on the way to it."""
    said = _said_by_hwlink(error)
    if said is not None:
        return said
    code = error.code() if isinstance(error, grpc.Call) else None
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        return TransientError(
            Reason.UNAVAILABLE, "The server cannot be reached; check its address and that it runs, then try again."
        )
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return TransientError(Reason.DEADLINE, "The server did not answer in time; try again, or allow more time.")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return InputError(
            Reason.BATCH_TOO_LARGE, "A message is larger than the other side takes; send smaller batches."
        )
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return StateError(
            Reason.NOT_FOUND, "The server at that address does not offer this service; check the address and the role."
        )
    return DefectError(Reason.INTERNAL, "The call failed in a way that the server did not explain; see its log.")


def _said_by_hwlink(error: grpc.RpcError) -> HwlinkError | None:
    """Return what an hwlink server said, None when the status carries no `ErrorInfo` of our domain."""
    if not isinstance(error, grpc.Call):
        return None
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # details that contradict the status: not written by us
        return None
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            kind = _KINDS.get(info.metadata.get(KIND, ""), DefectError)
            # A newer server may have reasons that we lack; its message still says what to do.
            reason = Reason(info.reason) if info.reason in Reason.__members__ else Reason.INTERNAL
            return kind(reason, str(status.message))
    return None
