"""The switch between our errors and gRPC: nothing of ours is lost on the way, nothing foreign gets through."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2

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
from services.rpc.errors import DOMAIN, from_rpc_error, status_of, status_of_any
from services.rpc.logging import JsonFormatter

KINDS: list[type[HwlinkError]] = [InputError, AgreementError, PolicyError, StateError, TransientError, DefectError]


class Ended(grpc.RpcError, grpc.Call):  # type: ignore[misc]
    """What a client raises when a call ended with a status."""

    def __init__(self, status: status_pb2.Status, *, with_details: bool = True) -> None:
        self._status = status
        self._with_details = with_details

    def code(self) -> grpc.StatusCode:
        return next(c for c in grpc.StatusCode if c.value[0] == self._status.code)

    def details(self) -> str:
        return self._status.message

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return (("grpc-status-details-bin", self._status.SerializeToString()),) if self._with_details else ()

    def initial_metadata(self) -> None: ...
    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> None: ...
    def cancel(self) -> None: ...
    def add_callback(self, callback: object) -> bool:
        return False


def info_of(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    (detail,) = status.details
    assert detail.Unpack(info)
    return info


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("services.rpc.errors")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_wire(kind: type[HwlinkError]) -> None:
    error = kind(Reason.STORE_VERSION, "This is what to do.")
    status = status_of(error, {"store": "registry"})
    assert code_pb2.Code.Name(status.code) == kind.grpc_status
    info = info_of(status)
    assert (info.reason, info.domain, info.metadata["store"]) == ("STORE_VERSION", DOMAIN, "registry")
    back = from_rpc_error(Ended(status))
    assert (type(back), back.reason, back.message) == (kind, error.reason, error.message)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_travels(reason: Reason) -> None:
    assert from_rpc_error(Ended(status_of(InputError(reason, "x")))).reason is reason


def test_a_foreign_exception_becomes_an_incident_that_the_log_explains(logged: io.StringIO) -> None:
    try:
        int("MRS CANARY")
    except ValueError as error:
        status = status_of_any(error)
    info = info_of(status)
    assert (status.code, info.reason) == (code_pb2.INTERNAL, "INTERNAL")
    assert info.metadata["incident"] in status.message
    assert "CANARY" not in str(status) + logged.getvalue()
    line = json.loads(logged.getvalue())
    assert line["incident"] == info.metadata["incident"]
    assert line["error"]["type"] == "ValueError"
    assert "test_rpc_errors.py" in line["error"]["frames"][-1]


def test_a_defect_of_ours_says_no_more_than_a_foreign_one(logged: io.StringIO) -> None:
    status = status_of_any(DefectError(Reason.INTERNAL, "the inner workings"))
    assert "inner workings" not in status.message
    assert "incident" in info_of(status).metadata


def test_a_reason_of_a_newer_server_keeps_its_message() -> None:
    status = status_of(PolicyError(Reason.DISCLOSURE_RISK, "Ask otherwise."))
    info = info_of(status)
    info.reason = "SOMETHING_NEW"
    status.details[0].Pack(info)
    back = from_rpc_error(Ended(status))
    assert (type(back), back.reason, back.message) == (PolicyError, Reason.INTERNAL, "Ask otherwise.")


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, TransientError, Reason.UNAVAILABLE),
        (grpc.StatusCode.CANCELLED, TransientError, Reason.UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, TransientError, Reason.DEADLINE),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, InputError, Reason.BATCH_TOO_LARGE),
        (grpc.StatusCode.UNIMPLEMENTED, StateError, Reason.NOT_FOUND),
        (grpc.StatusCode.UNKNOWN, DefectError, Reason.INTERNAL),
    ],
)
def test_what_grpc_itself_reports_is_said_in_our_words(
    code: grpc.StatusCode, kind: type[HwlinkError], reason: Reason
) -> None:
    error = from_rpc_error(Ended(status_pb2.Status(code=code.value[0], message="peer says CANARY"), with_details=False))
    assert (type(error), error.reason) == (kind, reason)
    assert "CANARY" not in error.message


def test_details_of_another_domain_are_not_taken_for_ours() -> None:
    status = status_of(InputError(Reason.FIELD_INVALID, "CANARY"))
    info = info_of(status)
    info.domain = "elsewhere.example"
    status.details[0].Pack(info)
    error = from_rpc_error(Ended(status))
    assert error.reason is Reason.INTERNAL
    assert "CANARY" not in error.message
