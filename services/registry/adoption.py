"""The port for adopting a model while the stream goes on: what is kept of the candidate beside the model in force.

An adoption is begun, prepared (the candidate's shards catch up with those in force), ready (who would move is known),
confirmed, and switched by the resolver in one transaction; before that it may be abandoned. One is open at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import polars as pl

from services.registry.query import AuditEvent
from services.registry.resolver import PublishedTransaction, ResolverState


class AdoptionState(StrEnum):
    """How far an adoption is."""

    PREPARING = "preparing"
    READY = "ready"
    CONFIRMED = "confirmed"
    SWITCHED = "switched"
    ABANDONED = "abandoned"


OPEN: Final = (AdoptionState.PREPARING, AdoptionState.READY, AdoptionState.CONFIRMED)
"""The states of an adoption that may still be abandoned."""


@dataclass(frozen=True)
class Adoption:
    """One adoption. `target` is the offset vector that the shards in force had reached when it began.

    `preview` counts what would change, as of the state `ready`; empty before it.
    """

    serial: int
    model_id: str
    state: AdoptionState
    target: Mapping[str, int]
    preview: Mapping[str, int]


@dataclass(frozen=True)
class ModelsInUse:
    """The id of the model in force (None before the first) and the open adoption, if there is one."""

    active: str | None
    adoption: Adoption | None

    @property
    def candidate(self) -> str | None:
        """The id of the model that is being adopted."""
        return None if self.adoption is None else self.adoption.model_id


CANDIDATE_COLUMNS: Final = pl.Schema(
    {
        "serial": pl.Int64(),
        "version": pl.Int64(),
        "withdrawn": pl.Boolean(),
        "content_hash": pl.Int64(),
        "one_record_per_person": pl.Boolean(),
        "claim_group": pl.Binary(),
        "passed": pl.Int64(),
    }
)
"""A subject as the candidate's shards have shown it: see `SUBJECT_COLUMNS`."""

MOVE_COLUMNS: Final = pl.Schema({"serial": pl.Int64(), "person": pl.Int64()})
"""A subject that would move, and the serial of the person that it would be in (null: none)."""


@dataclass(frozen=True)
class CandidateStep:
    """What one step of the resolver writes of the candidate's messages, all of it or nothing.

    `subjects_added` (SUBJECT_COLUMNS) are subjects that the model in force has not shown yet: they get their serial and
    are in no person. `shown` (CANDIDATE_COLUMNS) and `pairs` (PAIR_COLUMNS, undecided) replace what is stored.
    """

    before: ResolverState
    after: ResolverState
    adoption: int
    subjects_added: pl.DataFrame
    shown: pl.DataFrame
    pairs: pl.DataFrame


@dataclass(frozen=True)
class CandidateState:
    """Everything of which a switch is made.

    `roster` (SUBJECT_COLUMNS) as the model in force has it, `shown` (CANDIDATE_COLUMNS), the candidate's `pairs`
    (PAIR_COLUMNS), the overrides in force (OVERRIDE_COLUMNS), and the pairs that are decided now (left_serial,
    right_serial, decision).
    """

    roster: pl.DataFrame
    shown: pl.DataFrame
    pairs: pl.DataFrame
    overrides: pl.DataFrame
    decided: pl.DataFrame


@dataclass(frozen=True)
class ModelSwitch:
    """What the switch writes, in one transaction: persons by the candidate's pairs, and the candidate in force.

    `subjects_changed` (SUBJECT_COLUMNS), `pairs` (PAIR_COLUMNS, decided; all there are from then on), `persons_added`
    (serial, person_id), `persons_retired` (serial, superseded_by), and the transactions to publish, in order.
    """

    before: ResolverState
    after: ResolverState
    adoption: int
    subjects_changed: pl.DataFrame
    pairs: pl.DataFrame
    persons_added: pl.DataFrame
    persons_retired: pl.DataFrame
    transactions: tuple[PublishedTransaction, ...]


class AdoptionRegistry(Protocol):
    """What an adoption keeps. Operators begin, confirm and abandon; the resolver does the rest."""

    def in_use(self) -> ModelsInUse:
        """Return which model is in force and which is being adopted."""
        ...

    def document(self, model_id: str) -> str:
        """Return a known model's JSON document; StateError STORE_MISSING for one that is not known."""
        ...

    def adoption(self, serial: int) -> Adoption:
        """Return one adoption, open or not; StateError STORE_MISSING when there is none."""
        ...

    def begin(self, model_id: str, document: str, event: AuditEvent) -> Adoption:
        """Begin to adopt a model, or return its open adoption, which is then prepared anew unless it is confirmed.

        Raises StateError MODEL_MISMATCH when another is being adopted, when this one is in force, and when none is.
        """
        ...

    def confirm(self, serial: int, event: AuditEvent) -> None:
        """Let the resolver switch. Idempotent; StateError MODEL_MISMATCH for one that is not ready or not open."""
        ...

    def abandon(self, serial: int, event: AuditEvent) -> None:
        """End an adoption before the switch and drop what was kept for it. Idempotent.

        Raises StateError MODEL_MISMATCH for one that has been switched.
        """
        ...

    def would_move(self) -> pl.DataFrame:
        """Return who would move: `source, subject_ref, person_id, person_id_then`, as of the state `ready`.

        Ids are those of today's persons; null where a subject is in none, or would be in one that is new.
        """
        ...

    def subjects(self, keys: pl.DataFrame) -> pl.DataFrame:
        """Return the subjects (SUBJECT_COLUMNS) among `keys` as the candidate's shards have shown them.

        The version is -1 where they have not, whatever the model in force has shown.
        """
        ...

    def pairs(self, left: pl.Series) -> pl.DataFrame:
        """Return the candidate's pairs (PAIR_COLUMNS) whose left serial is one of these."""
        ...

    def hear(self, step: CandidateStep) -> None:
        """Write a step on the candidate's messages; of an adoption that is open no more, only the resolver's state.

        Raises StateError OWNERSHIP_LOST when the state is not `step.before` any more.
        """
        ...

    def candidate_state(self) -> CandidateState:
        """Return everything of which a preview or a switch is made."""
        ...

    def ready(self, serial: int, moves: pl.DataFrame, preview: Mapping[str, int]) -> None:
        """Note who would move (MOVE_COLUMNS) and count it, if the adoption is still being prepared."""
        ...

    def switch(self, switch: ModelSwitch) -> bool:
        """Put the candidate in force; False, and nothing written, when the adoption is not confirmed any more.

        Drops the former model's pairs and shards. StateError OWNERSHIP_LOST as in `hear`.
        """
        ...
