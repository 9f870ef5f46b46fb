"""What a stream must say of itself before a record is taken: source, agreement, key epoch, and the lawful frame."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from pydantic import ValidationError

from schemas.agreement import SHIPPED, Agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.errors import AgreementError, InputError, PolicyError, Reason
from services.ingest.guard import reference_is_plain, text_is_identifying
from services.pb.hwlink.v1 import ingest_pb2

_STREAM_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_REQUIRED_TEXT: Final = (
    "stream_id",
    "controller",
    "source",
    "agreement_id",
    "agreement_hash",
    "key_epoch",
    "legal_basis",
    "purpose",
    "data_sharing_agreement",
    "extract_date",
)
_FREE_TEXT: Final = ("stream_id", "legal_basis", "purpose", "data_sharing_agreement")
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")
_FLAGS: Final = ("full_extract", "one_record_per_person")


def declaration_of(
    opening: ingest_pb2.StreamOpening, feed: Feed, agreements: Mapping[str, Agreement]
) -> FileDeclaration:
    """Return what an opening declares, once everything is stated and nothing contradicts the server's agreements.

    Raises InputError STREAM_NOT_OPENED for what is not stated and FIELD_INVALID for what cannot be; PolicyError
    CLEAR_IDENTIFIER; AgreementError AGREEMENT_UNKNOWN or KEY_EPOCH_UNKNOWN. Messages name fields, never their values.
    """
    missing = [name for name in _REQUIRED_TEXT if not getattr(opening, name).strip()]
    missing += [name for name in _FLAGS if not opening.HasField(name)]
    if missing:
        raise InputError(
            Reason.STREAM_NOT_OPENED,
            f"The opening does not state {', '.join(missing)}; state every field, so that the lawful frame of the data "
            "travels with it.",
        )
    if not _STREAM_ID.fullmatch(opening.stream_id):
        raise _invalid("stream_id", "8 to 64 letters, digits, - or _")
    for name in _FREE_TEXT:
        if _is_identifying(getattr(opening, name)):
            raise PolicyError(
                Reason.CLEAR_IDENTIFIER,
                f"{name} of the opening looks as if it held an identifier of a person; state it without one.",
            )
    agreement = _known_agreement(opening, agreements)
    declaration = _declaration(opening, feed)
    if opening.source.partition(".")[0] != opening.controller:
        raise _invalid("source", "a data set of the controller: what stands before its dot is the controller")
    if feed is Feed.HEALTH and declaration.opt_outs_applied_on is None and not agreement.assume_opt_outs_applied:
        raise InputError(
            Reason.STREAM_NOT_OPENED,
            "A health feed states when national data opt-outs were applied; give opt_outs_applied_on.",
        )
    return declaration


def _is_identifying(text: str) -> bool:
    """Whether a free text holds an identifier. A digest, as `hwlink send` makes stream ids, is judged as keyed
    references are: one in a hundred holds ten digits that happen to pass for a telephone or an NHS number.
    """
    return reference_is_plain(text) if _DIGEST.fullmatch(text) else text_is_identifying(text, dates_belong=True)


def refuse_mixture(declaration: FileDeclaration, held: Iterable[FileDeclaration]) -> None:
    """Refuse a stream whose encodings can never be compared with those that the server already holds.

    Raises AgreementError KEY_EPOCHS_MIXED or AGREEMENT_UNKNOWN.
    """
    for other in held:
        if (other.agreement_id, other.agreement_hash) != (declaration.agreement_id, declaration.agreement_hash):
            raise AgreementError(
                Reason.AGREEMENT_UNKNOWN,
                "The records held here were encoded under another agreement, with which these could never be compared; "
                "encode the file under that one, or send it to a server of its own.",
            )
        if other.key_epoch != declaration.key_epoch:
            raise AgreementError(
                Reason.KEY_EPOCHS_MIXED,
                "The records held here were encoded in another key epoch, with which these could never be compared; "
                "encode the file with the key of that epoch.",
            )


def _known_agreement(opening: ingest_pb2.StreamOpening, agreements: Mapping[str, Agreement]) -> Agreement:
    agreement = agreements.get(opening.agreement_id)
    if agreement is None:
        test = SHIPPED.get(opening.agreement_id) == "test"
        raise AgreementError(
            Reason.AGREEMENT_UNKNOWN,
            "This server takes no synthetic people; start it with HWLINK_ACCEPT_TEST_AGREEMENT=true where it may."
            if test
            else "The server does not hold the agreement that the stream names; ask its operator to add the file to "
            "HWLINK_AGREEMENTS, or encode under one that it holds.",
        )
    if agreement.content_hash != opening.agreement_hash:
        raise AgreementError(
            Reason.AGREEMENT_UNKNOWN,
            "The server holds another text of the agreement that the stream names; compare `hwlink agreement show` on "
            "both sides, and encode again under one text.",
        )
    if opening.key_epoch != agreement.key_epoch or opening.key_epoch in agreement.revoked_key_epochs:
        raise AgreementError(
            Reason.KEY_EPOCH_UNKNOWN,
            "The stream's key epoch is not the one in force under its agreement; encode the file with the current key.",
        )
    return agreement


def _declaration(opening: ingest_pb2.StreamOpening, feed: Feed) -> FileDeclaration:
    try:
        return FileDeclaration(
            feed=feed,
            source=opening.source,
            agreement_id=opening.agreement_id,
            agreement_hash=opening.agreement_hash,
            key_epoch=opening.key_epoch,
            one_record_per_person=opening.one_record_per_person,
            legal_basis=opening.legal_basis,
            purpose=opening.purpose,
            data_sharing_agreement=opening.data_sharing_agreement,
            extract_date=_day("extract_date", opening.extract_date),
            opt_outs_applied_on=_day("opt_outs_applied_on", opening.opt_outs_applied_on),
            full_extract=opening.full_extract,
        )
    except ValidationError as error:
        fields = sorted({str(part) for e in error.errors(include_input=False) for part in e["loc"]})
        raise _invalid(", ".join(fields), "as hwlink/v1/ingest.proto says") from None


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) == len("YYYY-MM-DD") else _no_day(name)
    except ValueError:
        return _no_day(name)


def _no_day(name: str) -> date:
    raise _invalid(name, "a day, YYYY-MM-DD") from None


def _invalid(fields: str, wanted: str) -> InputError:
    return InputError(Reason.FIELD_INVALID, f"{fields} of the opening must be {wanted}; mend it and open again.")
