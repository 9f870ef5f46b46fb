"""What the matcher says of one micro-batch, as messages of the links topic."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from schemas.columns import columns, conform
from schemas.contracts.links import LINK_KINDS, Roster
from schemas.topics import LINKS
from schemas.wire import to_ipc
from services.bus import Outgoing

ROWS_A_MESSAGE: Final = 5000

SCHEMA_VERSION: Final = "1"


def roster_of(subjects: pl.DataFrame) -> pl.DataFrame:
    """Return landed subject rows as roster rows; a content hash that an older ingest did not say counts as 0."""
    rows = conform(subjects.rename({"_one_record_per_person": "one_record_per_person"}), Roster)
    return rows.with_columns(pl.col("content_hash").fill_null(0))


def link_messages(
    shard: int,
    epoch: int,
    roster: pl.DataFrame,
    pairs: pl.DataFrame,
    position: Mapping[str, int],
    model_id: str,
    adoption: int | None = None,
) -> list[Outgoing]:
    """Return a shard's set of messages: roster first, then pairs; the last alone carries the position it completes.

    There is always a last message of pairs, if need be without rows, so that the position always arrives. A set without
    its last message is one that its owner did not live to finish; whoever owns the shard next says all of it again.
    `adoption` is that for which a candidate model speaks: what it said for an earlier one does not count.
    """
    headers = {"shard": str(shard), "epoch": str(epoch), "model_id": model_id, "schema_version": SCHEMA_VERSION}
    if adoption is not None:
        headers["adoption"] = str(adoption)
    messages = []
    for kind, frame in (("roster", roster), ("pairs", pairs)):
        for part in _parts(frame.select(columns(LINK_KINDS[kind]).names()), at_least_one=kind == "pairs"):
            own = {**headers, "kind": kind, "rows": str(part.height)}
            messages.append(Outgoing(LINKS.name, shard % LINKS.partitions, str(shard).encode(), to_ipc(part), own))
    last = messages[-1]
    complete = {**last.headers, "position": json.dumps(dict(position), sort_keys=True)}
    messages[-1] = Outgoing(last.topic, last.partition, last.key, last.value, complete)
    return messages


def _parts(frame: pl.DataFrame, *, at_least_one: bool) -> Iterator[pl.DataFrame]:
    if at_least_one and not frame.height:
        yield frame
    yield from frame.iter_slices(ROWS_A_MESSAGE)
