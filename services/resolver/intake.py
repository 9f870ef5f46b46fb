"""Messages of the links topic as whole micro-batches, and the position that says which of them are done.

A matcher says each micro-batch of a shard as several messages; only the last carries the header `position`. Nothing of
a micro-batch is used before it is whole, so that a subject never loses its old pairs before its new ones are there.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from schemas.columns import columns
from schemas.contracts.links import LINK_KINDS, PairLink, Roster
from schemas.errors import InputError, Reason
from services.bus import Message, TopicPartition
from services.bus.rows import rows_of
from services.registry.adoption import ModelsInUse

REQUIRED: Final = {
    kind: tuple(name for name, about in contract.model_fields.items() if about.is_required())
    for kind, contract in LINK_KINDS.items()
}
"""The columns of each kind of message that must have a value in every row."""

DEFAULTS: Final = {
    kind: {
        name: about.default
        for name, about in contract.model_fields.items()
        if not about.is_required() and about.default is not None
    }
    for kind, contract in LINK_KINDS.items()
}
"""What a column of each kind counts as where its sender does not know it yet."""


@dataclass
class MicroBatch:
    """What one shard has said up to one position, by the model in force or by the `candidate`.

    `first` is the offset of its first message in each partition, `completes` the position that its last message says.
    """

    candidate: bool
    shard: int
    epoch: int
    first: dict[TopicPartition, int] = field(default_factory=dict)
    roster: list[pl.DataFrame] = field(default_factory=list)
    pairs: list[pl.DataFrame] = field(default_factory=list)
    rows: int = 0
    completes: Mapping[str, int] = field(default_factory=dict)


class Intake:
    """Puts micro-batches together. `shards` is how many the matcher has in all."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._used = ModelsInUse(None, None)
        self._epochs: dict[tuple[bool, int], int] = {}
        self._open: dict[tuple[bool, int], MicroBatch] = {}
        self._whole: deque[MicroBatch] = deque()
        self._next: dict[TopicPartition, int] = {}

    @property
    def waiting(self) -> int:
        """Rows of whole micro-batches that wait."""
        return sum(batch.rows for batch in self._whole)

    def use(self, used: ModelsInUse) -> None:
        """Take in from now on what these models say; let go of what any other has said.

        What the candidate has said is of the model in force once that has been switched to.
        """
        before, self._used = self._used, used
        serial = None if used.adoption is None else used.adoption.serial
        if before.active is not None and used.active != before.active:
            is_switched = used.active == before.candidate
            self._keep({True: False} if is_switched else {})
        elif before.adoption is not None and before.adoption.serial != serial:
            self._keep({False: False})

    def pass_over(self, begins: Mapping[TopicPartition, int]) -> None:
        """Count what comes before these offsets as read: nobody can read it any more."""
        for place, begin in begins.items():
            self._next[place] = max(begin, self._next.get(place, 0))

    def refuse_below(self, counts_from: Mapping[tuple[bool, int], int]) -> None:
        """Let go of what shards have said under a lower epoch than these, and take none of it in any more.

        A shard is named with whether it is the candidate's.
        """
        for key, epoch in counts_from.items():
            if epoch > self._epochs.get(key, 0):
                self._epochs[key] = epoch
                if key in self._open and self._open[key].epoch < epoch:
                    del self._open[key]
        self._whole = deque(b for b in self._whole if b.epoch >= counts_from.get((b.candidate, b.shard), 0))

    def _keep(self, sides: Mapping[bool, bool]) -> None:
        """Keep what is of these sides (whether of the candidate), as of those that they are mapped to."""
        self._epochs = {(sides[s], shard): epoch for (s, shard), epoch in self._epochs.items() if s in sides}
        self._open = {(sides[s], shard): batch for (s, shard), batch in self._open.items() if s in sides}
        self._whole = deque(batch for batch in self._whole if batch.candidate in sides)
        for batch in (*self._whole, *self._open.values()):
            batch.candidate = sides[batch.candidate]

    def _is_of_candidate(self, headers: Mapping[str, str]) -> bool | None:
        """Return whether a message is of the candidate; None for one of neither model.

        One that does not say by which model it is, or that comes before any is in force, is of the one in force.
        """
        model_id, adoption = headers.get("model_id"), self._used.adoption
        if model_id is None or self._used.active in (None, model_id):
            return False
        is_candidates = adoption is not None and model_id == adoption.model_id
        if is_candidates and headers.get("adoption") == str(adoption.serial if adoption else None):
            return True
        return None

    def take(self, message: Message) -> None:
        """Take a message in. InputError, after which it counts as taken, when it is none of the links topic's."""
        place = TopicPartition(message.topic, message.partition)
        self._next[place] = message.offset + 1
        kind, shard, epoch = self._envelope(message)
        of_candidate = self._is_of_candidate(message.headers)
        if of_candidate is None:
            return  # by a model that was switched from, or for an adoption that was abandoned
        key = (of_candidate, shard)
        if epoch < self._epochs.get(key, 0):
            return  # from an owner that has lost the shard: the new one says all of this again
        if epoch > self._epochs.get(key, 0):
            self._epochs[key] = epoch
            self._open.pop(key, None)
        frame = rows_of(message, [LINK_KINDS[kind]], REQUIRED[kind])
        frame = frame.with_columns(pl.col(name).fill_null(value) for name, value in DEFAULTS[kind].items())
        batch = self._open.setdefault(key, MicroBatch(*key, epoch))
        batch.first.setdefault(place, message.offset)
        batch.rows += frame.height
        if kind == "roster":
            batch.roster.append(frame.with_columns(pl.lit(shard, dtype=pl.Int64).alias("shard")))
        else:
            batch.pairs.append(frame)
        if "position" in message.headers:
            batch.completes = _completes(message.headers["position"])
            self._whole.append(self._open.pop(key))

    def whole(self, rows: int, *, candidate: bool = False) -> list[MicroBatch]:
        """Return the next whole micro-batches, up to `rows` rows but one at least, leaving them here.

        They are those of the model in force, or of the `candidate`.
        """
        chosen: list[MicroBatch] = []
        total = 0
        for batch in self._whole:
            if batch.candidate != candidate:
                continue
            total += batch.rows
            if chosen and total > rows:
                break
            chosen.append(batch)
        return chosen

    def done(self, batches: list[MicroBatch]) -> None:
        """Let go of micro-batches that `whole` returned."""
        self._whole = deque(b for b in self._whole if not any(b is d for d in batches))

    def position_after(self, batches: list[MicroBatch]) -> dict[str, int]:
        """Return the next offset to read of each partition once these micro-batches are done."""
        undone = [b for b in (*self._whole, *self._open.values()) if not any(b is d for d in batches)]
        position = dict(self._next)
        for batch in undone:
            for place, first in batch.first.items():
                position[place] = min(position[place], first)
        return named(position)

    def _envelope(self, message: Message) -> tuple[str, int, int]:
        try:
            kind = message.headers["kind"]
            shard, epoch = int(message.headers["shard"]), int(message.headers["epoch"])
        except (KeyError, ValueError):
            raise _foreign("its headers do not say kind, shard and epoch") from None
        if kind not in LINK_KINDS or not 0 <= shard < self._shards:
            raise _foreign("it is of a kind or shard that there is not")
        return kind, shard, epoch


def named(position: Mapping[TopicPartition, int]) -> dict[str, int]:
    """Return a position as the registry stores it: `topic-partition` -> next offset."""
    return {f"{place.topic}-{place.partition}": offset for place, offset in position.items()}


def _completes(text: str) -> dict[str, int]:
    """Return the position of a last message; one that is none says nothing of how far its shard is."""
    try:
        return {str(name): int(offset) for name, offset in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def _foreign(why: str) -> InputError:
    return InputError(
        Reason.BATCH_UNREADABLE,
        f"A message on the links topic could not be used: {why}. Check that matcher and resolver are of one version.",
    )


def empty_roster() -> pl.DataFrame:
    """Return no roster rows, with the shard that says them."""
    return pl.DataFrame(schema={**columns(Roster), "shard": pl.Int64})


def empty_pairs() -> pl.DataFrame:
    """Return no pairs."""
    return pl.DataFrame(schema=columns(PairLink))
