"""Identifiers that nobody real can bear: NHS numbers 9xx, National Insurance numbers with the prefix QQ, record
ids.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from linkage.synthesise.chance import Ints
from schemas.errors import InputError, Reason

NINO_SPACE: Final = 1_000_000
"""Different numbers with the prefix QQ (the suffix letter does not tell people apart)."""


def _distinct(draw: np.random.Generator, space: int, count: int) -> Ints:
    return draw.choice(space, size=count, replace=False, shuffle=True).astype(np.int64)


def nhs_numbers(draw: np.random.Generator, count: int) -> pl.Series:
    """Return `count` different 10-digit NHS numbers from the range that is never issued (9xx), with valid check
    digits.

    The check digit is 11 minus the sum of digits 1-9 weighted 10 to 2, modulo 11; 11 counts as 0, and 10 is not
    issued.
    """
    # One in eleven has no check digit; 13 % more than needed, and a few, leave enough.
    body = 900_000_000 + _distinct(draw, 100_000_000, int(count * 1.13) + 60)
    digits = body[:, None] // 10 ** np.arange(8, -1, -1) % 10
    check = 11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11
    check = np.where(check == 11, 0, check)
    number = (body * 10 + check)[check < 10][:count]
    return pl.Series("nhs_number", number).cast(pl.String)


def ninos(draw: np.random.Generator, count: int) -> pl.Series:
    """Return `count` different National Insurance numbers with the unallocatable prefix QQ, such as QQ123456C."""
    if count > NINO_SPACE:
        raise InputError(
            Reason.OPTION_INVALID,
            f"There are only {NINO_SPACE} synthetic National Insurance numbers; ask for fewer claims.",
        )
    number = pl.Series(_distinct(draw, NINO_SPACE, count)).cast(pl.String).str.zfill(6)
    suffix = pl.Series(np.array(list("ABCD"))[draw.integers(4, size=count)])
    return ("QQ" + number + suffix).alias("nino")


def dummy_ninos(draw: np.random.Generator, count: int) -> pl.Series:
    """Return placeholders as councils enter them, XX999...; several people may have the same."""
    number = pl.Series(draw.integers(0, 40, size=count)).cast(pl.String).str.zfill(3)
    return ("XX999" + number + "A").alias("nino")


def record_ids(draw: np.random.Generator, prefix: str, count: int) -> pl.Series:
    """Return `count` different record ids: the prefix and eight digits that say nothing about the person or the
    order.
    """
    return (prefix + pl.Series(_distinct(draw, 100_000_000, count)).cast(pl.String).str.zfill(8)).alias("record_id")
