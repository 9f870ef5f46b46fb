"""What every contract shares: frozen, nothing extra, and no input value in an error text."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Contract(BaseModel):
    """Base of every contract: immutable, refuses unknown fields, keeps values out of error messages."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, str_max_length=512)


class Feed(StrEnum):
    """The two kinds of feed."""

    HEALTH = "health"
    WELFARE = "welfare"


class Operation(StrEnum):
    """What a record does to its subject: replace what is held, or take it away."""

    UPSERT = "upsert"
    WITHDRAW = "withdraw"


Token = Annotated[bytes, Field(min_length=16, max_length=16)]
"""HMAC-SHA256 of one normalised value, cut to 128 bits."""

Filter = Annotated[bytes, Field(min_length=64, max_length=64)]
"""Bloom filter of one field's bigrams: 512 bits, little-endian bit order within each byte (bit i is byte i//8, bit
i%8).
"""

SourceId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}\.[a-z][a-z0-9_]{1,31}$", max_length=65)]
"""One data set of one controller, `controller.dataset`, such as `medway.shbe`."""

SubjectRef = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""A record id keyed at source: 128 bits as 32 lower-case hexadecimal digits."""

ContentRef = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""A claim reference (or other grouping id) keyed at source under its own purpose, so that it equals no token."""

YearMonth = Annotated[str, Field(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]
"""A month, `YYYY-MM`: the finest date of birth or death that leaves a controller as content."""

Version = Annotated[int, Field(ge=0, le=2**53)]
"""Of two versions of a record the higher one holds. Milliseconds since 1970 where the input has no version of its
own.
"""

Pence = Annotated[int, Field(ge=-(10**9), le=10**9)]
"""An amount of money."""

VersionedName = Annotated[
    str,
    Field(pattern=r"^[a-z]+\d?([._-][a-z]+\d?)*(\.(\d{1,2}(\.\d{1,2})?|20\d\d(-\d\d)?))?$", max_length=48),
]
"""A published name and its version, such as `ucl-copd.3` or `supplier.2026-04`. Words have one digit at most, at their
end, and a version is a number or a month: no number, postcode or date of a person is such a name.
"""
