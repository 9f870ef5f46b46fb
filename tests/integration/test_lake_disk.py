"""A lake's disk without room: a writer waits for it, and afterwards nothing is missing or there twice."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest

from services.lake.delta import DeltaZone

WRITER = """
    import resource, sys
    from pathlib import Path
    import numpy as np
    import polars as pl
    from schemas.errors import TransientError
    from services.lake.delta import DeltaZone

    zone, rows = DeltaZone(Path(sys.argv[1]), "linkage"), int(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def write(offset):
        values = np.random.default_rng(offset).bytes(20 * rows)
        frame = pl.DataFrame({"value": [values[20 * n : 20 * n + 20] for n in range(rows)]}).with_columns(
            _topic=pl.lit("t"), _partition=pl.lit(0, pl.Int32), _offset=pl.lit(offset, pl.Int64)
        )
        return zone.append("subjects", frame, {"t-0": offset})

    write(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), hard))
    try:
        write(1)
    except TransientError as error:
        print(error.reason)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    write(1)
    write(1)
"""


@pytest.mark.parametrize("rows", [1, 20_000])
@pytest.mark.parametrize("room", [0, 600])
def test_a_writer_waits_for_room_and_then_writes_once(tmp_path: Path, rows: int, room: int) -> None:
    """Small files fail when they are written, large ones in the midst of it, and the library tells these apart."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(tmp_path), str(rows), str(room)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["UNAVAILABLE"]

    zone = DeltaZone(tmp_path, "linkage")
    held = zone.scan("subjects")
    assert held is not None
    assert held.group_by("_offset").len().sort("_offset").collect().rows() == [(0, rows), (1, rows)]
    assert zone.offsets("subjects") == {"t-0": 1}
    assert held.select(pl.col("value").n_unique()).collect().item() == 2 * rows
