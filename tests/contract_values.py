"""Chance values that a contract's fields allow, drawn from the constraints that the contract itself states."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Final, get_args

from hypothesis import strategies as st

from schemas.contracts.base import Contract
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS

_LIMITS: Final = ("pattern", "ge", "le", "max_length")


def hexadecimal(size: int) -> st.SearchStrategy[str]:
    """Draw a keyed reference; its ends keep chance from looking like text in hexadecimal, which the door refuses."""
    return st.binary(min_size=size, max_size=size).map(lambda b: (b"\xf1" + b[1:-1] + b"\xf1").hex())


def token(size: int) -> st.SearchStrategy[bytes]:
    """Draw a keyed hash that is no text."""
    return st.binary(min_size=size - 1, max_size=size - 1).map(lambda b: b"\xf1" + b)


_OWN: Final[dict[str, st.SearchStrategy[Any]]] = {
    **dict.fromkeys(TOKEN_COLUMNS, token(16)),
    **dict.fromkeys(FILTER_COLUMNS, token(64)),
    "claim_group": token(16),
    **dict.fromkeys(("subject_ref", "claim_ref", "account_ref", "case_ref", "property_ref"), hexadecimal(16)),
    "version": st.integers(0, 3 * 10**9),
}
"""Fields whose constraints do not say what the door takes for a slip."""


@cache
def allowed(contract: type[Contract], name: str, first: date, last: date) -> st.SearchStrategy[Any]:
    """Draw what a field allows but null; days from `first` to `last`."""
    if name in _OWN:
        return _OWN[name]
    kind, metadata = contract.model_fields[name].annotation, list(contract.model_fields[name].metadata)
    while get_args(kind):
        # Optional or annotated: what is not None is the type, and constraints follow it.
        kind, *more = (part for part in get_args(kind) if part is not type(None))
        metadata += [one for part in more for one in getattr(part, "metadata", [])]
    found = {n: v for part in metadata for n in _LIMITS if (v := getattr(part, n, None)) is not None}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from([member.value for member in kind])
    if kind is date:
        return st.dates(first, last)
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(found["ge"], found["le"])
    if kind is float:
        return st.floats(found["ge"], found["le"])
    # What `$` and `\d` mean is left to the contracts' own engine.
    written = st.from_regex(re.compile(found["pattern"].replace("$", r"\Z"), re.ASCII))
    return written.filter(lambda text: len(text) <= found.get("max_length", len(text)))
