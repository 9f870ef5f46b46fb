"""What a stream must state before it is taken, each refusal with its reason and without the value."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.errors import AgreementError, HwlinkError, InputError, PolicyError, Reason
from services.ingest.opening import declaration_of, refuse_mixture
from services.pb.hwlink.v1 import ingest_pb2

DEFAULT = shipped_agreement("default")
AGREEMENTS = {DEFAULT.agreement_id: DEFAULT}


def opening(**changes: Any) -> ingest_pb2.StreamOpening:
    stated: dict[str, Any] = {
        "stream_id": "stream-1",
        "controller": "kmpt",
        "source": "kmpt.gp",
        "agreement_id": DEFAULT.agreement_id,
        "agreement_hash": DEFAULT.content_hash,
        "key_epoch": DEFAULT.key_epoch,
        "legal_basis": "section 251",
        "purpose": "population health",
        "data_sharing_agreement": "DSA-1",
        "extract_date": "2026-06-30",
        "opt_outs_applied_on": "2026-06-29",
        "full_extract": False,
        "one_record_per_person": True,
    }
    stated |= changes
    return ingest_pb2.StreamOpening(**{name: value for name, value in stated.items() if value is not None})


def refusal(feed: Feed = Feed.HEALTH, **changes: Any) -> HwlinkError:
    with pytest.raises(HwlinkError) as caught:
        declaration_of(opening(**changes), feed, AGREEMENTS)
    return caught.value


def test_a_whole_opening_is_the_files_declaration() -> None:
    declared = declaration_of(opening(), Feed.HEALTH, AGREEMENTS)
    assert (declared.source, declared.extract_date) == ("kmpt.gp", date(2026, 6, 30))
    assert (declared.full_extract, declared.one_record_per_person) == (False, True)


@pytest.mark.parametrize("name", [f.name for f in ingest_pb2.StreamOpening.DESCRIPTOR.fields])
def test_every_field_must_be_stated(name: str) -> None:
    error = refusal(**{name: None})
    assert (type(error), error.reason) == (InputError, Reason.STREAM_NOT_OPENED)
    assert name in error.message


@pytest.mark.parametrize("name", ["legal_basis", "source"])
def test_blanks_state_nothing(name: str) -> None:
    assert refusal(**{name: "   "}).reason is Reason.STREAM_NOT_OPENED


def test_welfare_feeds_have_no_opt_outs_to_state() -> None:
    declared = declaration_of(
        opening(controller="medway", source="medway.shbe", opt_outs_applied_on=None), Feed.WELFARE, AGREEMENTS
    )
    assert declared.opt_outs_applied_on is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stream_id": "short"}, Reason.FIELD_INVALID),
        ({"stream_id": "x" * 65}, Reason.FIELD_INVALID),
        ({"stream_id": "9434765919;--"}, Reason.FIELD_INVALID),
        ({"source": "KMPT"}, Reason.FIELD_INVALID),
        ({"source": "medway.shbe"}, Reason.FIELD_INVALID),
        ({"extract_date": "30/06/2026"}, Reason.FIELD_INVALID),
        ({"extract_date": "20260630"}, Reason.FIELD_INVALID),
        ({"opt_outs_applied_on": "yesterday"}, Reason.FIELD_INVALID),
        ({"purpose": "x" * 513}, Reason.FIELD_INVALID),
    ],
)
def test_what_cannot_be_is_refused_by_name_only(changes: dict[str, str], reason: Reason) -> None:
    error = refusal(**changes)
    assert error.reason is reason
    for value in changes.values():
        assert value not in error.message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stream_id", "9434765919"),
        *((n, "for 943 476 5919") for n in ("legal_basis", "purpose", "data_sharing_agreement")),
    ],
)
def test_free_text_with_an_identifier_is_refused(name: str, text: str) -> None:
    error = refusal(**{name: text})
    assert (type(error), error.reason) == (PolicyError, Reason.CLEAR_IDENTIFIER)
    assert "476" not in error.message


@pytest.mark.parametrize("digits", ["9434765919", "01634123456"])
def test_a_digest_may_happen_to_hold_the_digits_of_an_identifier(digits: str) -> None:
    """`hwlink send` names a stream by a digest: one in a hundred looks so, and its file must still get in."""
    stream_id = f"ab{digits}".ljust(32, "c")
    assert declaration_of(opening(stream_id=stream_id), Feed.HEALTH, AGREEMENTS).source


@pytest.mark.parametrize("stream_id", ["9434765919".rjust(32, "0"), b"Bartholomew Fair".hex()])
def test_an_identifier_written_as_a_digest_is_refused(stream_id: str) -> None:
    assert refusal(stream_id=stream_id).reason is Reason.CLEAR_IDENTIFIER


def test_free_text_may_hold_dates() -> None:
    stated = {"stream_id": "extract-2026-06-30", "data_sharing_agreement": "DSA-1 of 05/01/2026"}
    assert declaration_of(opening(**stated), Feed.HEALTH, AGREEMENTS).data_sharing_agreement == "DSA-1 of 05/01/2026"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agreement_id": "another-1"}, Reason.AGREEMENT_UNKNOWN),
        ({"agreement_id": "hwlink-test-1"}, Reason.AGREEMENT_UNKNOWN),
        ({"agreement_hash": "0" * 64}, Reason.AGREEMENT_UNKNOWN),
        ({"key_epoch": "2"}, Reason.KEY_EPOCH_UNKNOWN),
    ],
)
def test_another_encoding_is_refused(changes: dict[str, str], reason: Reason) -> None:
    error = refusal(**changes)
    assert (type(error), error.reason) == (AgreementError, reason)


def test_a_revoked_epoch_is_refused_even_if_it_is_the_agreements_own() -> None:
    revoked = DEFAULT.model_copy(update={"revoked_key_epochs": (DEFAULT.key_epoch,)})
    with pytest.raises(AgreementError) as caught:
        declaration_of(opening(agreement_hash=revoked.content_hash), Feed.HEALTH, {revoked.agreement_id: revoked})
    assert caught.value.reason is Reason.KEY_EPOCH_UNKNOWN


def test_the_test_agreement_is_explained_where_it_is_not_taken() -> None:
    assert "HWLINK_ACCEPT_TEST_AGREEMENT" in refusal(agreement_id="hwlink-test-1").message


def test_encodings_that_can_never_be_compared_do_not_meet_in_one_server() -> None:
    held = declaration_of(opening(), Feed.HEALTH, AGREEMENTS)
    refuse_mixture(held, [held])

    def reason(**changes: str) -> Reason:
        with pytest.raises(AgreementError) as caught:
            refuse_mixture(FileDeclaration(**(held.model_dump() | changes)), [held])
        return caught.value.reason

    assert reason(key_epoch="2") is Reason.KEY_EPOCHS_MIXED
    assert reason(agreement_id="another-1") is Reason.AGREEMENT_UNKNOWN
    assert reason(agreement_hash="0" * 64) is Reason.AGREEMENT_UNKNOWN
