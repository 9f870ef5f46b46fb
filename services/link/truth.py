"""The truth that `--truth` names: pairs between two files, or persons within one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from linkage.evaluate import components
from schemas.errors import InputError, Reason

_PAIRS: Final = ("left_subject", "right_subject")
_PERSONS: Final = ("subject", "person")


def read_truth(path: Path, two_files: bool) -> pl.DataFrame:
    """Return the truth as columns `file, subject, person`: file 0 or 1, one row a subject that the truth names.

    The CSV has `left_subject, right_subject` for two files, or `subject, person` for one. Raises InputError
    FILE_UNREADABLE or COLUMNS_WRONG.
    """
    wanted = _PAIRS if two_files else _PERSONS
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(
            Reason.FILE_UNREADABLE, f"{path.name} cannot be read; --truth names a CSV file with {' and '.join(wanted)}."
        ) from None
    if not set(wanted).issubset(frame.columns):
        raise InputError(Reason.COLUMNS_WRONG, f"{path.name} must have the columns {' and '.join(wanted)}; add them.")
    frame = frame.select(wanted).drop_nulls().unique(maintain_order=True)
    if not two_files:
        return frame.select(
            pl.lit(0, dtype=pl.Int64).alias("file"), "subject", person=pl.col("person").rank("dense").cast(pl.Int64)
        )
    ends = pl.concat(
        [
            frame.select(pl.lit(0, dtype=pl.Int64).alias("file"), subject=pl.col("left_subject")),
            frame.select(pl.lit(1, dtype=pl.Int64).alias("file"), subject=pl.col("right_subject")),
        ]
    )
    number = ends.select(pl.struct("file", "subject").rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    label = _joined(number, frame.height)
    return ends.with_columns(pl.Series("person", label[number])).unique(["file", "subject"], maintain_order=True)


def _joined(number: npt.NDArray[np.int64], pairs: int) -> npt.NDArray[np.int64]:
    """Return each subject's person: those whom pairs join, however many steps apart."""
    return components(int(number.max(initial=-1)) + 1, number[:pairs], number[pairs:])
