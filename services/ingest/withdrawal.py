"""What completing a full extract takes away: subjects that the source had and this extract no longer holds.

Computed from what landed, never from what passed through memory, so that it comes out the same after any restart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.contracts.base import Operation
from schemas.errors import PolicyError, Reason, TransientError
from schemas.topics import SUBJECTS
from services.bus import TopicPartition
from services.lake import Zone
from services.lake.latest import latest

TABLE: Final = "subjects"
_POLL_S: Final = 0.1


@dataclass(frozen=True)
class Withdrawal:
    """Which references to withdraw, and the version that their withdrawals get."""

    refs: pl.Series
    version: int


def await_landing(
    zone: Zone,
    ends: Callable[[], Mapping[TopicPartition, int]],
    begins: Callable[[], Mapping[TopicPartition, int]],
    stop: threading.Event,
    timeout_s: float,
) -> None:
    """Wait until the lake holds every subjects message that there was when this was called.

    Raises TransientError UNAVAILABLE when `timeout_s` passes or `stop` is set first.
    """
    wanted = {p: end - 1 for p, end in ends().items() if end > begins().get(p, 0)}
    deadline = time.monotonic() + timeout_s
    while True:
        held = zone.offsets(TABLE)
        if all(held.get(f"{SUBJECTS.name}-{p.partition}", -1) >= last for p, last in wanted.items()):
            return
        if stop.wait(_POLL_S) or time.monotonic() > deadline:
            raise TransientError(
                Reason.UNAVAILABLE,
                "The extract has arrived, and what it withdraws is known only once it has landed; see that the landing "
                "role runs, and close the stream again.",
            )


def missing_subjects(zone: Zone, source: str, stream_id: str, limit_share: float) -> Withdrawal:
    """Return the source's subjects that this stream does not hold, with the stream's highest version.

    A subject of a higher version than any of the stream's came after the extract was taken, and stays. Raises
    PolicyError WITHDRAWAL_TOO_LARGE when more than `limit_share` of the source's subjects would go.
    """
    scan = zone.scan(TABLE)
    nothing = Withdrawal(pl.Series("subject_ref", [], dtype=pl.String), 0)
    if scan is None:
        return nothing
    rows = scan.filter(pl.col("source") == source).select(
        "source", "subject_ref", "version", "operation", "content_hash", "_stream"
    )
    extract = rows.filter((pl.col("_stream") == stream_id) & (pl.col("operation") == Operation.UPSERT.value))
    version = extract.select(pl.col("version").max()).collect().item()
    if version is None:
        return nothing
    current = latest(rows).filter(pl.col("operation") != Operation.WITHDRAW.value).select("subject_ref", "version")
    gone = current.join(extract.select("subject_ref"), on="subject_ref", how="anti").filter(
        pl.col("version") <= version
    )
    subjects = current.select(pl.len()).collect().item()
    refs = gone.select("subject_ref").sort("subject_ref").collect().get_column("subject_ref")
    if len(refs) > limit_share * subjects:
        raise PolicyError(
            Reason.WITHDRAWAL_TOO_LARGE,
            f"This full extract would withdraw {len(refs)} of the source's {subjects} subjects, more than the "
            f"{limit_share:.0%} that one extract may. If the extract is whole, raise HWLINK_WITHDRAWAL_LIMIT_SHARE and "
            "send it again; if it is a part, send it as incremental under another stream id.",
        )
    return Withdrawal(refs, version)
