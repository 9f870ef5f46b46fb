"""The port of what ingest keeps: streams, their batches, and what each source declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StreamRow:
    """One feed stream as the registry knows it. `next_batch` is the first batch number without a receipt (from 0)."""

    stream_id: str
    source: str
    feed: str
    declaration_json: str
    next_batch: int
    accepted: int
    refused: int
    duplicate: int
    completed: bool


@dataclass(frozen=True)
class RecordedBatch:
    """A batch that has a receipt: the digest of what was sent, and how many records were taken and refused."""

    digest: str
    accepted: int
    refused: int


class IngestRegistry(Protocol):
    """What ingest keeps: streams, their batches, and what each source declared."""

    def open_stream(self, stream_id: str, source: str, feed: str, declaration_json: str) -> StreamRow:
        """Open a stream or find it again; the first declaration of a stream id holds (a different one is a
        StateError).
        """
        ...

    def recorded_batch(self, stream_id: str, batch: int) -> RecordedBatch | None:
        """Return what was recorded of a batch, None when it has no receipt yet."""
        ...

    def record_duplicate(self, stream_id: str, batch: int) -> None:
        """Count the records of a batch that came again (accepted and refused ones) to the stream's duplicates."""
        ...

    def record_batch(
        self,
        stream_id: str,
        batch: int,
        digest: str,
        *,
        accepted: int,
        refused: Mapping[str, int],
        fields: Mapping[str, int],
    ) -> None:
        """Record a batch after every topic has acknowledged it. Idempotent for the same digest.

        `refused` counts refused records by reason; `fields` counts present values by linkage column (feed police). A
        second batch of the same number with another digest is an InputError BATCH_OUT_OF_ORDER.
        """
        ...

    def complete_stream(self, stream_id: str) -> None:
        """Mark the stream complete. Idempotent."""
        ...

    def streams(self) -> list[StreamRow]:
        """Return every stream, oldest first."""
        ...

    def refusals(self, stream_id: str) -> dict[str, int]:
        """Return a stream's refused records by reason."""
        ...

    def field_counts(self, source: str) -> dict[str, int]:
        """Return accepted records (key `_records`) and present values by linkage column over all of a source's
        streams.
        """
        ...
