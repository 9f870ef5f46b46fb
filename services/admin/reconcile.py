"""Whether the books balance: sent = accepted + refused; accepted = landed + suppressed + duplicate; zones alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.contracts.base import Feed
from services.lake import Zone
from services.registry import IngestRegistry, StreamRow

_RECORD = ("_stream", "subject_ref", "version", "content_hash")
_MESSAGE = ("_stream", "_batch", "_partition", "_offset")
_PRINT_SHIFT = 1 << 20
"""Hashes are cut to 44 bits, so that the sum over a message's rows stays within 64."""


@dataclass(frozen=True)
class StreamReconciliation:
    """One stream's books, in records. `content_landed` counts them in the other zone, where they must be as many.

    `duplicate` counts accepted records that the stream had brought already, in the same batch or in an earlier one.
    """

    stream_id: str
    source: str
    feed: Feed
    completed: bool
    sent: int
    accepted: int
    refused: int
    landed: int
    suppressed: int
    duplicate: int
    content_landed: int

    @property
    def agrees(self) -> bool:
        """Whether the books balance."""
        return (
            self.sent == self.accepted + self.refused
            and self.accepted == self.landed + self.suppressed + self.duplicate
            and self.landed == self.content_landed
        )


@dataclass(frozen=True)
class _Landed:
    """Of one stream in one zone: distinct records, and how many more of the rows that it sent repeat one of them."""

    records: int
    again: int


def reconcile(registry: IngestRegistry, linkage: Zone, content: Zone) -> list[StreamReconciliation]:
    """Return the books of every stream, oldest first.

    Reads what the two zones hold, one row a record; records that are still on their way to the lake are missing in it,
    so the books balance once landing has drained.
    """
    subjects = _landed(linkage, "subjects")
    facts = {feed: _landed(content, f"{feed}_demographics") for feed in Feed}
    return [_stream(row, subjects, facts[Feed(row.feed)]) for row in registry.streams()]


def _stream(row: StreamRow, subjects: Mapping[str, _Landed], facts: Mapping[str, _Landed]) -> StreamReconciliation:
    nothing = _Landed(0, 0)
    linkage, content = subjects.get(row.stream_id, nothing), facts.get(row.stream_id, nothing)
    return StreamReconciliation(
        stream_id=row.stream_id,
        source=row.source,
        feed=Feed(row.feed),
        completed=row.completed,
        sent=row.accepted + row.refused,
        accepted=row.accepted,
        refused=row.refused,
        landed=linkage.records,
        suppressed=0,
        duplicate=linkage.again,
        content_landed=content.records,
    )


def _landed(zone: Zone, table: str) -> dict[str, _Landed]:
    """Return what each stream landed.

    A batch that was delivered again after a crash counts once: it is cut into the same messages again, so a message is
    known by its batch, its partition and a fingerprint of its rows. A record that stands twice in a batch is told from
    that by standing twice in what is left.
    """
    scan = zone.scan(table)
    if scan is None:
        return {}
    # Rows that ingest itself made (withdrawals by a full extract) belong to no batch and are in nobody's books.
    rows = scan.filter(pl.col("_batch").is_not_null())
    hashes = [pl.col(name).hash(seed) // _PRINT_SHIFT for seed, name in enumerate(_RECORD[1:])]
    sent = (
        rows.select(*_MESSAGE, print=pl.sum_horizontal(hashes))
        .group_by(_MESSAGE)
        .agg(pl.len().alias("rows"), pl.col("print").sum())
        .unique(["_stream", "_batch", "_partition", "rows", "print"])
        .group_by("_stream")
        .agg(pl.col("rows").sum())
    )
    records = rows.select(_RECORD).unique().group_by("_stream").agg(pl.len().alias("records"))
    both = records.join(sent, on="_stream").select("_stream", "records", "rows").collect(engine="streaming")
    return {stream: _Landed(records, rows - records) for stream, records, rows in both.rows()}


def as_json(rows: list[StreamReconciliation]) -> str:
    """Return the books as JSON, for `hwlink doctor --reconcile --json`."""
    return json.dumps(
        {"agrees": all(row.agrees for row in rows), "streams": [{**vars(row), "agrees": row.agrees} for row in rows]},
        indent=2,
    )
