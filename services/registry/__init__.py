"""The registry: small, transactional state that roles keep: streams, shards, roster, links, persons, snapshots, audit.

The port, one protocol a role, so that each role can be given only its own tables. The adapter is SQLAlchemy Core
(`services/registry/sql`), SQLite embedded and PostgreSQL in production, with one schema under Alembic.
One contract suite, `tests/contract/test_registry.py`, runs over all adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import polars as pl


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

        `refused` counts refused records by reason; `fields` counts present values by linkage column (feed police).
        """
        ...

    def complete_stream(self, stream_id: str) -> None:
        """Mark the stream complete. Idempotent."""
        ...

    def streams(self) -> list[StreamRow]:
        """Return every stream, oldest first."""
        ...

    def field_counts(self, source: str) -> dict[str, int]:
        """Return accepted records (key `_records`) and present values by linkage column over all of a source's
        streams.
        """
        ...


@dataclass(frozen=True)
class Shard:
    """A shard's owner epoch and the offset vector (`topic-partition` -> next offset) up to which its links are
    durable.
    """

    shard: int
    epoch: int
    position: Mapping[str, int]


class MatcherRegistry(Protocol):
    """What the matcher keeps: the active model and the shards' positions."""

    def active_model(self) -> tuple[str, str] | None:
        """Return the active model's id and JSON document, None before the first."""
        ...

    def adopt_first_model(self, model_id: str, document: str) -> None:
        """Make this the active model if there is none or it is the same; else StateError MODEL_MISMATCH."""
        ...

    def claim_shard(self, shard: int, owner: str) -> Shard:
        """Take a shard over: raise its epoch by one and return it; whoever held it before can no longer advance it."""
        ...

    def advance_shard(self, shard: int, epoch: int, expected: Mapping[str, int], position: Mapping[str, int]) -> None:
        """Move a shard's position by compare-and-set; StateError OWNERSHIP_LOST when epoch or position is not as
        expected.
        """
        ...


@dataclass(frozen=True)
class PublishedTransaction:
    """One resolver transaction to relay: sequence number (gapless from 1) and its message's Arrow IPC bytes."""

    sequence: int
    payload: bytes


@dataclass(frozen=True)
class LinkageSummary:
    """Counts over the current persons, for doctor, the quality report and the linkage rate."""

    subjects_by_source: Mapping[str, int]
    linked_by_source: Mapping[str, int]
    persons: int
    persons_with_several_sources: int
    links: int
    reviews: int
    model_id: str | None


class ResolverRegistry(Protocol):
    """What the resolver keeps: positions on the links topic, roster, links, persons and the outbox.

    The tables are read and written in bulk as Polars frames; the method names say what each is for. `services/resolver`
    is the only caller of the mutating ones.
    """

    def position(self) -> dict[str, int]:
        """Return the next offset of each links partition (`topic-partition`)."""
        ...

    def outbox(self, after: int, limit: int) -> list[PublishedTransaction]:
        """Return transactions with a sequence above `after`, in order."""
        ...

    def relayed(self) -> int:
        """Return the highest sequence known to be on the persons topic."""
        ...

    def mark_relayed(self, sequence: int) -> None:
        """Note that the persons topic holds every transaction up to this one."""
        ...

    def persons(self) -> pl.DataFrame:
        """Return current membership: `person_id, source, subject_ref, link_probability`."""
        ...

    def summary(self) -> LinkageSummary:
        """Return counts over the current persons."""
        ...


@dataclass(frozen=True)
class Snapshot:
    """A published, immutable state: Delta versions of the products tables, and what they were made from."""

    snapshot_id: str
    published_at_ms: int
    as_of: date
    tables: Mapping[str, int]
    model_id: str | None
    positions: Mapping[str, int]
    summary_json: str


class FeaturesRegistry(Protocol):
    """What the feature builder keeps: its position on the persons topic and the snapshots it published."""

    def features_position(self) -> tuple[dict[str, int], int]:
        """Return the next offset of each persons partition, and the last resolver sequence applied."""
        ...

    def publish_snapshot(self, snapshot: Snapshot, positions: Mapping[str, int], sequence: int) -> None:
        """Publish a snapshot and move the position and sequence, in one transaction."""
        ...

    def snapshots(self) -> list[Snapshot]:
        """Return snapshots, newest first."""
        ...


@dataclass(frozen=True)
class AuditEvent:
    """One audited act: who, for what purpose, did what, and how it ended. Detail holds no record's value."""

    principal: str
    purpose: str
    action: str
    outcome: str
    detail: Mapping[str, str]


class QueryRegistry(Protocol):
    """What query and governance keep: the release ledger and the audit chain."""

    def latest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot."""
        ...

    def snapshot(self, snapshot_id: str) -> Snapshot | None:
        """Return one snapshot by id."""
        ...

    def released(self, snapshot_id: str) -> Sequence[tuple[str, str]]:
        """Return `(query, members digest)` of what was already released from a snapshot."""
        ...

    def record_release(self, snapshot_id: str, query: str, members_digest: str, event: AuditEvent) -> None:
        """Record a release and its audit event in one transaction."""
        ...

    def audit(self, event: AuditEvent) -> None:
        """Append an event to the hash chain."""
        ...

    def audit_events(self) -> list[tuple[int, AuditEvent, str]]:
        """Return `(serial, event, chain hash)` of every event, oldest first."""
        ...
