"""The agreement: the versioned recipe of encodings that controllers share and the server checks names against.

It holds no key. Two files can be linked only when they name the same agreement (id and content hash) and key epoch.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from schemas.contracts.base import Contract
from schemas.errors import AgreementError, Reason


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

    A part names a derived value (see `linkage/encode`), such as `surname` or `forename_phonetic`. Columns of one domain
    can be compared with each other.
    """

    column: str
    domain: str
    parts: tuple[str, ...]


class Sharing(Contract):
    """The legal frame under which controllers share, used where a file or a `send` does not state its own."""

    legal_basis: str
    purpose: str
    data_sharing_agreement: str


class Agreement(Contract):
    """The whole recipe. `normalisers` maps a field to a named, versioned rule such as `name/1`."""

    agreement_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,63}$")]
    title: str
    key_epoch: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$")]
    revoked_key_epochs: tuple[str, ...] = ()
    normalisers: dict[str, str]
    tokens: tuple[TokenRecipe, ...]
    filters: tuple[FilterRecipe, ...]
    accept_test_identifiers: bool = False
    assume_opt_outs_applied: bool = False
    sharing: Sharing

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON, as 64 hexadecimal digits: two agreements are the same when this is."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


SHIPPED = {"hwlink-1": "default", "hwlink-test-1": "test"}
"""Agreements that ship: id -> short name accepted by `--agreement`."""


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
