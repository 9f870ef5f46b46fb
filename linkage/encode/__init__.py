"""Encoding, at the controller: from clear rows to the pseudonymised record of `schemas.contracts.records`.

`encode` is the only way from one to the other. It holds the project's keys and is never called on the linkage side.
"""

from __future__ import annotations

from linkage.encode.batch import CLEAR_COLUMNS, PSEUDONYM, EncodedBatch, encode, subject_refs
from linkage.encode.derive import PARTS
from linkage.encode.examine import Examined, examine
from linkage.encode.keys import KeyPurpose, ProjectKeys, key_file_text, secret_from_key_file
from linkage.encode.recipes import check_agreement

__all__ = [
    "CLEAR_COLUMNS",
    "PARTS",
    "PSEUDONYM",
    "EncodedBatch",
    "Examined",
    "KeyPurpose",
    "ProjectKeys",
    "check_agreement",
    "encode",
    "examine",
    "key_file_text",
    "secret_from_key_file",
    "subject_refs",
]
