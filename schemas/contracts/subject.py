"""Linkage variables: what a subject is matched on. Nothing here says anything about health or welfare."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from schemas.contracts.base import Contract, Filter, Operation, SourceId, SubjectRef, Token, Version


class ClaimRole(StrEnum):
    """A person's part in a welfare claim. Members of one claim are different people, and nothing more is inferred."""

    CLAIMANT = "claimant"
    PARTNER = "partner"
    CHILD = "child"
    NON_DEPENDANT = "non_dependant"


class LinkageVariables(Contract):
    """Tokens, compound keys and filters of one subject; a missing value is absent, never an encoded blank.

    Forename and surname share one token domain, so that swapped names show; so do a date of birth and its day-month
    swap. `key_*` columns hash several parts jointly, so that no part can be attacked alone. `token_pseudonym` stands
    for an NHS number that was a pseudonym already, of the one domain that the agreement names.
    """

    token_forename: Token | None = None
    token_surname: Token | None = None
    token_middle_names: Token | None = None
    token_forename_phonetic: Token | None = None
    token_surname_phonetic: Token | None = None
    token_nickname: Token | None = None
    token_date_of_birth: Token | None = None
    token_date_of_birth_swapped: Token | None = None
    token_postcode: Token | None = None
    token_outcode: Token | None = None
    token_address: Token | None = None
    token_uprn: Token | None = None
    token_nhs_number: Token | None = None
    token_nino: Token | None = None
    token_pseudonym: Token | None = None
    # Birth date and sex jointly; names (sorted) and birth year jointly.
    key_birth_sex: Token | None = None
    key_names_year: Token | None = None
    # Two of the three parts of a date of birth, each jointly with the phonetic form of a name.
    key_year_month_forename: Token | None = None
    key_year_month_surname: Token | None = None
    key_year_day_forename: Token | None = None
    key_year_day_surname: Token | None = None
    key_month_day_forename: Token | None = None
    key_month_day_surname: Token | None = None
    filter_forename: Filter | None = None
    filter_surname: Filter | None = None
    filter_address: Filter | None = None


TOKEN_COLUMNS: Final = tuple(n for n in LinkageVariables.model_fields if n.startswith(("token_", "key_")))
FILTER_COLUMNS: Final = tuple(n for n in LinkageVariables.model_fields if n.startswith("filter_"))


class Subject(LinkageVariables):
    """One row of `hwlink.subjects.v1`: one version of one subject of one source.

    `content_hash` is ingest's hash of the whole record, the same in its content rows: it settles ties of version alike.
    """

    source: SourceId
    subject_ref: SubjectRef
    version: Version
    operation: Operation = Operation.UPSERT
    claim_group: Token | None = None
    claim_role: ClaimRole | None = None
    content_hash: int = 0
