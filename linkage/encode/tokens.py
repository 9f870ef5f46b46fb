"""Tokens: HMAC-SHA256 of a normalised value under its domain's sub-key, cut to 128 bits; each distinct value hashed
once."""

from __future__ import annotations

import hashlib
from typing import Final

import polars as pl

TOKEN_BYTES: Final = 16
PART_SEPARATOR: Final = "\x1f"
"""Between the parts of a compound: the unit separator, which no normalised value holds."""

_BLOCK_BYTES: Final = 64


def keyed_digests(values: list[bytes], key: bytes) -> list[bytes]:
    """HMAC-SHA256 (RFC 2104) of each value, 32 bytes.

    The two padded-key states are made once and copied for each value: on OpenSSL 3 that takes 0.5 us a value, against
    0.90 us for a copied `hmac` object and 1.37 us for `hmac.digest`. Cutting to a token's length is left to the column.
    """
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    copy_inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)).copy
    copy_outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy
    digests: list[bytes] = []
    add = digests.append
    for value in values:
        inner = copy_inner()
        inner.update(value)
        outer = copy_outer()
        outer.update(inner.digest())
        add(outer.digest())
    return digests


def keyed_tokens(values: pl.Series, key: bytes) -> pl.Series:
    """Return the token of each String value (Binary of 16 bytes, null for null) in the input's order."""
    distinct = values.alias("value").drop_nulls().unique()
    digests = pl.Series("token", keyed_digests(distinct.cast(pl.Binary).to_list(), key), dtype=pl.Binary)
    digests = digests.bin.head(TOKEN_BYTES)
    table = pl.DataFrame([distinct, digests])
    joined = values.alias("value").to_frame().join(table, on="value", how="left", maintain_order="left")
    return joined["token"].alias(values.name)


def keyed_references(values: pl.Series, key: bytes) -> pl.Series:
    """Return the token of each value as 32 lower-case hexadecimal digits (String, null for null)."""
    return keyed_tokens(values, key).bin.encode("hex")
