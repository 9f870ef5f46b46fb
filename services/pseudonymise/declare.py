"""What a pseudonymised file declares of itself, from what the caller says and the agreement fixes."""

from __future__ import annotations

from datetime import date

from pydantic import ValidationError

from schemas.agreement import Agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.errors import AgreementError, InputError, Reason


def declaration(
    agreement: Agreement,
    *,
    source: str,
    feed: str,
    epoch: str | None = None,
    ids_kept: bool = False,
    one_record_per_person: bool | None = None,
    legal_basis: str | None = None,
    purpose: str | None = None,
    data_sharing_agreement: str | None = None,
    extract_date: date | None = None,
    opt_outs_applied_on: date | None = None,
    full_extract: bool = False,
) -> FileDeclaration:
    """Return the declaration; InputError OPTION_INVALID names the option that is wrong.

    A health source holds one record per person unless it says otherwise, a welfare source does not: people are in two
    claims. A revoked epoch is refused with AgreementError KEY_EPOCH_UNKNOWN.
    """
    key_epoch = agreement.key_epoch if epoch is None else epoch
    if key_epoch in agreement.revoked_key_epochs:
        raise AgreementError(
            Reason.KEY_EPOCH_UNKNOWN,
            f"The agreement revoked that key epoch; use {agreement.key_epoch}, its present one.",
        )
    if feed not in list(Feed):
        raise InputError(Reason.OPTION_INVALID, "--feed is health or welfare; give one of the two.")
    try:
        return FileDeclaration(
            feed=Feed(feed),
            source=source,
            agreement_id=agreement.agreement_id,
            agreement_hash=agreement.content_hash,
            key_epoch=key_epoch,
            ids_kept=ids_kept,
            one_record_per_person=feed == Feed.HEALTH if one_record_per_person is None else one_record_per_person,
            legal_basis=legal_basis,
            purpose=purpose,
            data_sharing_agreement=data_sharing_agreement,
            extract_date=extract_date,
            opt_outs_applied_on=opt_outs_applied_on,
            full_extract=full_extract,
        )
    except ValidationError as error:
        wrong = sorted({str(fault["loc"][0]) for fault in error.errors(include_input=False, include_url=False)})
    raise InputError(
        Reason.OPTION_INVALID,
        f"Not usable: {', '.join(wrong)}. A source is controller.dataset in lower case, such as medway.shbe.",
    )
