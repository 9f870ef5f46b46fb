"""Frailty by the electronic frailty index that the GP system supplies, first or second edition.

The hospital frailty risk score is left out: no feed supplies it, and its list of weighted codes is not ours to guess.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.edges import EFI, EFI2, NOT_RECORDED, graded, labels
from linkage.features.entry import category, real
from linkage.features.practice.evidence import measured_on, value
from linkage.features.wording import UNLINKED, health
from schemas.codes import MeasurementKind

ENTRIES: Final = (
    real(
        "efi_score",
        "The newest electronic frailty index, a share from 0 to 1, of the edition that efi_algo names.",
        **health(("measurements",), unknown_when=f"{UNLINKED}, or none is recorded"),
    ),
    category(
        "efi_cat",
        labels(EFI),
        "Frailty by the newest index: mild, moderate and severe from 0.12, 0.24 and 0.36 (eFI) or 0.09, 0.16 and 0.24 "
        "(eFI2).",
        ordered=True,
        **health(("measurements",)),
    ),
    category(
        "efi_algo",
        (NOT_RECORDED, "efi", "efi2"),
        "Which edition of the frailty index efi_score and efi_cat are of: the newer measurement, eFI2 on one day.",
        **health(("measurements",)),
    ),
)


def columns(as_of: date) -> list[list[pl.Expr]]:
    """Return the features of `ENTRIES`."""
    efi, efi2 = measured_on(MeasurementKind.EFI), measured_on(MeasurementKind.EFI2)
    second = efi2.is_not_null() & (efi.is_null() | (efi2 >= efi))
    first_score, second_score = value(MeasurementKind.EFI), value(MeasurementKind.EFI2)
    covered = pl.col("covers_measurements")
    return [
        [
            pl.when(second).then(second_score).otherwise(first_score).alias("efi_score"),
            pl.when(covered & second)
            .then(graded(second_score, EFI2))
            .when(covered)
            .then(graded(first_score, EFI))
            .alias("efi_cat"),
            pl.when(covered & second)
            .then(pl.lit("efi2"))
            .when(covered & efi.is_not_null())
            .then(pl.lit("efi"))
            .when(covered)
            .then(pl.lit(NOT_RECORDED))
            .alias("efi_algo"),
        ]
    ]
