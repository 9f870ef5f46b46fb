"""Pseudonyms that a controller makes itself, as the hub's publisher does, so that its numbers meet the publisher's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import polars as pl

from linkage.pseudonyms import ndrs, openpseudonymiser
from schemas.agreement import PseudonymScheme

NHS_NUMBER_FIELD: Final = "NHSNumber"
"""What OpenPseudonymiser's users call the field; with one field its name does not enter the digest."""


def of_nhs_numbers(numbers: pl.Series, scheme: PseudonymScheme, salt: str) -> pl.Series:
    """Return the pseudonym of each NHS number (String of ten digits, null for null) under a scheme's salt.

    AgreementError KEY_INVALID without a salt.
    """
    make: Callable[[str], str] = (
        partial(_digest, salt=salt) if scheme is PseudonymScheme.OP1 else partial(ndrs.nhs_number_id, salt=salt)
    )
    distinct = numbers.drop_nulls().unique()
    made = pl.Series("made", [make(number) for number in distinct.to_list()], dtype=pl.String)
    table = pl.DataFrame([distinct.alias("number"), made])
    joined = numbers.alias("number").to_frame().join(table, on="number", how="left", maintain_order="left")
    return joined["made"].alias(numbers.name)


def _digest(number: str, salt: str) -> str:
    return openpseudonymiser.digest({NHS_NUMBER_FIELD: openpseudonymiser.nhs_number_digits(number)}, salt)
