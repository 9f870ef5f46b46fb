"""Whether the books balance: sent = accepted + refused; accepted = landed + suppressed + duplicate; zones alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.contracts.base import Feed
from services.lake import Zone
from services.lake.landed import landed_messages
from services.registry import IngestRegistry, StreamRow

_RECORD = ("_stream", "subject_ref", "version", "content_hash")


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

    A batch that was delivered again after a crash counts once. A record that stands twice in a batch is told from that
    by standing twice in what is left.
    """
    scan = zone.scan(table)
    if scan is None:
        return {}
    sent = landed_messages(scan).group_by("_stream").agg(pl.col("rows").sum())
    of_batches = scan.filter(pl.col("_batch").is_not_null())
    records = of_batches.select(_RECORD).unique().group_by("_stream").agg(pl.len().alias("records"))
    both = records.join(sent, on="_stream").select("_stream", "records", "rows").collect(engine="streaming")
    return {stream: _Landed(records, rows - records) for stream, records, rows in both.rows()}


def as_json(rows: list[StreamReconciliation]) -> str:
    """Return the books as JSON, for `hwlink doctor --reconcile --json`."""
    return json.dumps(
        {"agrees": all(row.agrees for row in rows), "streams": [{**vars(row), "agrees": row.agrees} for row in rows]},
        indent=2,
    )
