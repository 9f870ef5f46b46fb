"""The agreement: the versioned recipe of encodings that controllers share and the server checks names against.

It holds no key. Two files can be linked only when they name the same agreement (id and content hash) and key epoch.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from importlib.resources import files
from typing import Annotated, Final, Self

from pydantic import Field, ValidationError, model_validator

from schemas.contracts.base import Contract
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS
from schemas.errors import AgreementError, Reason

PseudonymDomain = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}(\.[a-z0-9_-]{1,32}){1,3}$")]
"""A named scheme of pseudonyms: whose, which, and for digests under which salt (its name, never the salt)."""


class Hardening(StrEnum):
    """What is done to a filter after its bits are set, to blunt pattern and frequency attacks."""

    NONE = "none"
    XOR_FOLD = "xor_fold"
    RULE_90 = "rule_90"


class FilterRecipe(Contract):
    """How one field becomes a Bloom filter: padded character n-grams, each set at `hashes` keyed independent
    positions.
    """

    field: str
    bits: Annotated[int, Field(ge=512, le=512)] = 512
    hashes: Annotated[int, Field(ge=1, le=64)]
    gram_length: Annotated[int, Field(ge=1, le=4)] = 2
    hardening: Hardening = Hardening.NONE


class TokenRecipe(Contract):
    """How one token or compound key is made: HMAC-SHA256 under the sub-key of `domain` over the joined `parts`, 128
    bits.

    A part names a derived value (`linkage.encode.PARTS`), such as `surname` or `forename_phonetic`; where one is
    missing there is no token. Columns of one domain can be compared with each other.
    """

    column: str
    domain: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    parts: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]


class PseudonymScheme(StrEnum):
    """How a pseudonym is made of an NHS number: OpenPseudonymiser's digest, or the id of the National Disease
    Registration Service.
    """

    OP1 = "op1"
    NDRS1 = "ndrs1"


class PseudonymRecipe(Contract):
    """Which pseudonyms that were there before become `token_pseudonym`: those of one domain, its hub.

    A domain is a named scheme, such as `mhsds.person_id` or `nhs.op1.<salt's name>`: two values of it are equal where
    they are one person's. Pseudonyms of other domains must be bridged to this one first. The token's sub-key is bound
    to the domain, so that tokens of two agreements with other hubs never agree by accident. With a `scheme`, whoever
    has its salt may make the pseudonyms of its own numbers.
    """

    domain: PseudonymDomain
    scheme: PseudonymScheme | None = None
    normaliser: str = "pseudonym/1"


class Sharing(Contract):
    """The legal frame under which controllers share, used where a file or a `send` does not state its own."""

    legal_basis: str
    purpose: str
    data_sharing_agreement: str


_MADE_OF_PARTS: Final = tuple(column for column in TOKEN_COLUMNS if column != "token_pseudonym")


class Agreement(Contract):
    """The whole recipe. `normalisers` maps a field, `phonetic` and `nickname` to versioned rules such as `date/1`.

    Without `pseudonym` no record carries a `token_pseudonym`.
    """

    agreement_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,63}$")]
    title: str
    key_epoch: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$")]
    revoked_key_epochs: tuple[str, ...] = ()
    normalisers: dict[str, str]
    tokens: tuple[TokenRecipe, ...]
    filters: tuple[FilterRecipe, ...]
    pseudonym: PseudonymRecipe | None = None
    accept_test_identifiers: bool = False
    assume_opt_outs_applied: bool = False
    sharing: Sharing

    @model_validator(mode="after")
    def _cover_every_column_once(self) -> Self:
        for made, wanted in (
            ([recipe.column for recipe in self.tokens], _MADE_OF_PARTS),
            ([f"filter_{recipe.field}" for recipe in self.filters], FILTER_COLUMNS),
        ):
            for column in wanted:
                if made.count(column) != 1:
                    raise ValueError(f"{column} needs exactly one recipe and has {made.count(column)}")
            unknown = sorted(set(made) - set(wanted))
            if unknown:
                raise ValueError(f"no column of the subject contract is called {unknown[0]}")
        if self.key_epoch in self.revoked_key_epochs:
            raise ValueError("key_epoch is among revoked_key_epochs")
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON, as 64 hexadecimal digits: two agreements are the same when this is."""
        document = self.model_dump(mode="json", exclude_none=True)  # what was added since does not rename what has none
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


SHIPPED = {"hwlink-1": "default", "hwlink-test-1": "test"}
"""Agreements that ship: id -> short name accepted by `--agreement`."""


def parse_agreement(text: str) -> Agreement:
    """Return the agreement in a JSON text; AgreementError AGREEMENT_INVALID says where it is wrong, never what it
    holds.
    """
    try:
        return Agreement.model_validate_json(text)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
    places = [f"{'.'.join(str(step) for step in fault['loc']) or 'agreement'}: {fault['msg']}" for fault in faults]
    raise AgreementError(
        Reason.AGREEMENT_INVALID,
        f"This is no usable agreement ({'; '.join(places[:5])}); compare it with `hwlink agreement show`.",
    )


def shipped_agreement(name: str) -> Agreement:
    """Return a shipped agreement by short name (`default`, `test`) or id; raises AgreementError AGREEMENT_UNKNOWN."""
    by_name = {short: agreement_id for agreement_id, short in SHIPPED.items()}
    agreement_id = by_name.get(name, name)
    if agreement_id not in SHIPPED:
        raise AgreementError(
            Reason.AGREEMENT_UNKNOWN,
            f"No agreement of that name ships with hwlink; give a file, or one of: {', '.join(sorted(by_name))}.",
        )
    text = files("schemas").joinpath("agreements", f"{agreement_id}.json").read_text("utf-8")
    return Agreement.model_validate_json(text)
