"""The port of what the resolver keeps: roster, pairs, persons and the outbox, as frames whose columns are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import polars as pl


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
        "pattern": pl.Int64(),
        "guarded": pl.Boolean(),
        "reached": pl.Int64(),
        "pairs": pl.Int64(),
        "probability": pl.Float64(),
        "swing": pl.Float64(),
    }
)
"""Pairs of two sources with one decision and pattern, guarded or not, whose probability p reaches so many of the
thresholds asked for: how many pairs, the sum of p, and that of p(1 - p)."""

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

    def counts_from(self) -> dict[tuple[str, int], int]:
        """Return by model and shard the lowest epoch under which what its owners said counts."""
        ...

    def ask_again(self, state: ResolverState, since: Mapping[tuple[str, int], Mapping[str, int]]) -> None:
        """Have everything said again that these shards, by model and number, have seen since these offset vectors.

        Their owners lose them, and what was said under their epochs does not count any more. Raises StateError
        OWNERSHIP_LOST when another resolver has taken over.
        """
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

    def match_sums(self, thresholds: Sequence[float] = ()) -> pl.DataFrame:
        """Return sums over the stored pairs of current subjects (MATCH_SUM_COLUMNS), by their sources, decision,
        pattern, guard, and how many of the probabilities `thresholds` they reach.
        """
        ...
