"""Which records a run has seen: eight bytes a record, so that memory stays small however long the file is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

_FIXED_SEED = 0


class SeenRecords:
    """A set of 64-bit hashes in sorted runs that double in size.

    Two records of ten million share a hash with a chance of about 3 in a million; the later would be refused as
    repeated.
    """

    def __init__(self) -> None:
        self._runs: list[npt.NDArray[np.uint64]] = []

    def repeated(self, frame: pl.DataFrame) -> pl.Series:
        """Return, for each row, whether its (record_id, version) was seen in an earlier call, and remember it now.

        Repetitions within `frame` are not reported, and rows without a record_id never are.
        """
        version = pl.col("version").cast(pl.Int64, strict=False) if "version" in frame.columns else pl.lit(None)
        identity = frame.select(
            present=pl.col("record_id").is_not_null(),
            hash=pl.struct(pl.col("record_id").cast(pl.String).str.strip_chars(), version.alias("version")).hash(
                _FIXED_SEED
            ),
        )
        hashes = identity["hash"].to_numpy()
        found = np.zeros(len(hashes), dtype=bool)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            found |= run[places] == hashes
        self._remember(np.unique(hashes))
        return pl.Series("repeated", found) & identity["present"]

    def _remember(self, hashes: npt.NDArray[np.uint64]) -> None:
        if not len(hashes):
            return
        while self._runs and len(self._runs[-1]) <= 2 * len(hashes):
            hashes = np.union1d(self._runs.pop(), hashes)
        self._runs.append(hashes)
