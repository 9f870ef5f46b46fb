"""The registry: small, transactional state that roles keep: streams, shards, roster, links, persons, snapshots, audit.

The port, one protocol a role, so that each role can be given only its own tables. The adapter is SQLAlchemy Core
(`services/registry/sql`), SQLite embedded and PostgreSQL in production, with one schema under Alembic.
One contract suite, `tests/contract/test_registry.py`, runs over all adapters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

if TYPE_CHECKING:
    from services.registry.adoption import AdoptionRegistry, ModelsInUse


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

    def in_use(self) -> ModelsInUse:
        """Return which model is in force and which is being adopted."""
        ...

    def document(self, model_id: str) -> str:
        """Return a known model's JSON document; StateError STORE_MISSING for one that is not known."""
        ...

    def adopt_first_model(self, model_id: str, document: str) -> None:
        """Make this the active model if there is none.

        Raises StateError MODEL_MISMATCH when another is active, unless that was adopted in place of this one.
        """
        ...

    def claim_shard(self, model_id: str, shard: int, owner: str) -> Shard:
        """Take a model's shard over: raise its epoch by one and return it; whoever held it can advance it no more.

        Raises StateError MODEL_MISMATCH for a model that is neither in force nor being adopted.
        """
        ...

    def advance_shard(
        self,
        model_id: str,
        shard: int,
        epoch: int,
        expected: Mapping[str, int],
        position: Mapping[str, int],
        drift: Mapping[str, str] | None = None,
    ) -> None:
        """Move a shard's position by compare-and-set, and write what was counted up to it, by source (`drift`).

        Raises StateError OWNERSHIP_LOST when epoch or position is not as expected.
        """
        ...

    def drift(self, model_id: str | None = None) -> dict[str, str]:
        """Return what was counted of each source by a model (that in force): JSON documents by source."""
        ...

    def shards(self, model_id: str | None = None) -> list[Shard]:
        """Return every shard of a model that was ever claimed, by number; of the active one where none is named."""
        ...

    def settle_shards(self, count: int, subjects_end: Mapping[str, int], links_end: Mapping[str, int]) -> None:
        """Keep the active model to this number of shards, or change to it where nothing is under way.

        The ends are the topics' end offsets (`topic-partition`). Raises StateError SETTING_INVALID when the number is
        another than that of the stored positions while messages are in flight or a model is being adopted.
        """
        ...


@dataclass(frozen=True)
class PublishedTransaction:
    """One resolver transaction to relay: sequence number (gapless from 1) and its message's Arrow IPC bytes.

    `events_json` is a JSON list of `PersonEvent`, `changes` the number of membership changes in the payload.
    """

    sequence: int
    payload: bytes
    events_json: str = "[]"
    changes: int = 0


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


SUBJECT_COLUMNS: Final = pl.Schema(
    {
        "serial": pl.Int64(),
        "source": pl.String(),
        "subject_ref": pl.String(),
        "version": pl.Int64(),
        "withdrawn": pl.Boolean(),
        "content_hash": pl.Int64(),
        "one_record_per_person": pl.Boolean(),
        "claim_group": pl.Binary(),
        "passed": pl.Int64(),
        "person": pl.Int64(),
        "link_probability": pl.Float64(),
    }
)
"""A subject as the resolver stores it. `serial` counts subjects as they were first seen, so the lowest is the oldest.

`version` is -1 for a subject that only a pair has named so far; (`version`, `withdrawn`, `content_hash`) is the rank by
which a subject's records succeed one another; bit s of `passed` is set once shard s has shown the record of that rank;
`person` is the person's serial, null while the subject is in none.
"""

PAIR_COLUMNS: Final = pl.Schema(
    {
        "left_serial": pl.Int64(),
        "right_serial": pl.Int64(),
        "left_version": pl.Int64(),
        "right_version": pl.Int64(),
        "left_hash": pl.Int64(),
        "right_hash": pl.Int64(),
        "pattern": pl.Int64(),
        "weight_bits": pl.Float64(),
        "log2_odds": pl.Float64(),
        "guard": pl.String(),
        "model_id": pl.String(),
        "shard": pl.Int64(),
        "probability": pl.Float64(),
        "decision": pl.String(),
    }
)
"""A pair as the resolver stores it: `PairLink` with its subjects' serials in place of their keys (left and right as
there, by key), and what was decided."""

MATCH_SUM_COLUMNS: Final = pl.Schema(
    {
        "left_source": pl.String(),
        "right_source": pl.String(),
        "decision": pl.String(),
        "pairs": pl.Int64(),
        "probability": pl.Float64(),
        "swing": pl.Float64(),
    }
)
"""Pairs of two sources with one decision: how many, the sum of their probabilities p, and that of p(1 - p)."""

OVERRIDE_COLUMNS: Final = pl.Schema({"left_serial": pl.Int64(), "right_serial": pl.Int64(), "kind": pl.String()})
"""The override in force on a pair (`schemas.decision.ConstraintKind`); the lower serial is the left one."""


@dataclass(frozen=True)
class ResolverState:
    """Where the resolver stands. `epoch` fences: whoever claims raises it, and who holds a lower one writes no more.

    `position` is the next offset of each links partition (`topic-partition`), `sequence` the last transaction's,
    `next_subject` and `next_person` the serials to give out next, `overrides_applied` the last override taken in.
    `heard` is the offset vector up to which each shard of each model in use has been resolved (`model_id/shard`).
    """

    epoch: int
    position: Mapping[str, int]
    sequence: int
    next_subject: int
    next_person: int
    overrides_applied: int
    heard: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Neighbourhood:
    """Everything that stored pairs, overrides and claims connect with some subjects.

    `subjects` (SUBJECT_COLUMNS), `pairs` (PAIR_COLUMNS) and `overrides` (OVERRIDE_COLUMNS).
    """

    subjects: pl.DataFrame
    pairs: pl.DataFrame
    overrides: pl.DataFrame


@dataclass(frozen=True)
class ResolverChange:
    """What one step of the resolver writes, all of it or nothing.

    `before` is the state it was computed from, `after` the state to write, with the same epoch. `subjects_added` and
    `subjects_changed` (SUBJECT_COLUMNS; of a changed one, key and serial stay), `pairs_removed` (left_serial,
    right_serial), `pairs_written` (PAIR_COLUMNS; replaces a stored pair), `persons_added` (serial, person_id),
    `persons_retired` (serial, superseded_by: a person's serial or null). `transaction` is None where nobody moved;
    otherwise its sequence is `after.sequence`.
    """

    before: ResolverState
    after: ResolverState
    subjects_added: pl.DataFrame
    subjects_changed: pl.DataFrame
    pairs_removed: pl.DataFrame
    pairs_written: pl.DataFrame
    persons_added: pl.DataFrame
    persons_retired: pl.DataFrame
    transaction: PublishedTransaction | None


class ResolverRegistry(Protocol):
    """What the resolver keeps: positions on the links topic, roster, links, persons and the outbox.

    The tables are read and written in bulk as Polars frames; the method names say what each is for. `services/resolver`
    is the only caller of the mutating ones.
    """

    def claim(self, owner: str) -> ResolverState:
        """Become the one active resolver: raise the epoch and return the state."""
        ...

    def subjects(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the stored subjects (SUBJECT_COLUMNS) among `keys` (source, subject_ref), in any order."""
        ...

    def neighbourhood(self, serials: pl.Series, claims: pl.Series | None = None) -> Neighbourhood:
        """Return the subjects, pairs and overrides of every component that one of these subjects is in, or a member of
        one of these claims (`claim_group`, without nulls). Members of one claim are in one component.
        """
        ...

    def overrides_after(self, serial: int) -> tuple[int, pl.Series]:
        """Return the last override's serial, and the subjects that overrides above `serial` name."""
        ...

    def person_ids(self, serials: pl.Series) -> pl.DataFrame:
        """Return `serial, person_id` of persons."""
        ...

    def apply(self, change: ResolverChange) -> None:
        """Write a step in one transaction; StateError OWNERSHIP_LOST when the state is not `change.before` any more."""
        ...

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

    def lineage(self, person_id: str) -> tuple[bool, str | None] | None:
        """Return whether a person is retired and the id that took its place; None for an id that was never given."""
        ...

    def summary(self) -> LinkageSummary:
        """Return counts over the current persons."""
        ...

    def match_sums(self) -> pl.DataFrame:
        """Return sums over the stored pairs of current subjects (MATCH_SUM_COLUMNS), by their sources and decision."""
        ...


class ReviewRegistry(Protocol):
    """What review keeps: the pairs that wait for a reviewer, and the overrides that reviewers made."""

    def reviews(self, after: tuple[int, int], limit: int) -> pl.DataFrame:
        """Return pairs in review (PAIR_COLUMNS) above `after` (left_serial, right_serial), in that order."""
        ...

    def override(self, left_serial: int, right_serial: int, kind: str, event: AuditEvent) -> int:
        """Record an override and its audit event in one transaction; a pair's last one holds. Returns its serial."""
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
    """One audited act: who, for what purpose, did what, and how it ended. Detail holds no record's value.

    `occurred_at_ms` (milliseconds since 1970) is set by the registry where it is None.
    """

    principal: str
    purpose: str
    action: str
    outcome: str
    detail: Mapping[str, str]
    occurred_at_ms: int | None = None


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
        """Return `(serial, event, chain hash)` of every event, oldest first; `chain.first_break` checks them."""
        ...


class Registry(Protocol):
    """All of the registry, as an adapter opens it. Wiring hands each role its own part only."""

    @property
    def ingest(self) -> IngestRegistry:
        """What ingest keeps."""
        ...

    @property
    def matcher(self) -> MatcherRegistry:
        """What the matcher keeps."""
        ...

    @property
    def resolver(self) -> ResolverRegistry:
        """What the resolver keeps."""
        ...

    @property
    def features(self) -> FeaturesRegistry:
        """What the feature builder keeps."""
        ...

    @property
    def query(self) -> QueryRegistry:
        """What query and governance keep."""
        ...

    @property
    def review(self) -> ReviewRegistry:
        """What review keeps."""
        ...

    @property
    def adoptions(self) -> AdoptionRegistry:
        """What is kept of a model that is being adopted."""
        ...

    def close(self) -> None:
        """Release what the registry holds."""
        ...
