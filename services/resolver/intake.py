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
    """What one shard has said by one model up to one position.

    `first` is the offset of its first message in each partition, `completes` the position that its last message says.
    """

    model_id: str
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
        self._used: frozenset[str] | None = None
        self._epochs: dict[tuple[str, int], int] = {}
        self._open: dict[tuple[str, int], MicroBatch] = {}
        self._whole: deque[MicroBatch] = deque()
        self._next: dict[TopicPartition, int] = {}

    @property
    def waiting(self) -> int:
        """Rows of whole micro-batches that wait."""
        return sum(batch.rows for batch in self._whole)

    def use(self, models: frozenset[str] | None) -> None:
        """Take in what these models say and nothing else, and let go of what others have said; None takes all.

        What does not say by which model it is belongs to that in force, of whatever id.
        """
        if models == self._used:
            return
        self._used = models
        self._whole = deque(batch for batch in self._whole if self._uses(batch.model_id))
        self._open = {key: batch for key, batch in self._open.items() if self._uses(batch.model_id)}

    def _uses(self, model_id: str) -> bool:
        return self._used is None or model_id == "" or model_id in self._used

    def take(self, message: Message) -> None:
        """Take a message in. InputError, after which it counts as taken, when it is none of the links topic's."""
        place = TopicPartition(message.topic, message.partition)
        self._next[place] = message.offset + 1
        kind, shard, epoch = self._envelope(message)
        key = (message.headers.get("model_id", ""), shard)
        if not self._uses(key[0]):
            return  # by a model that was switched from, or abandoned
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

    def whole(self, rows: int, candidate: str | None, *, of_candidate: bool = False) -> list[MicroBatch]:
        """Return the next whole micro-batches, up to `rows` rows but one at least, leaving them here.

        `candidate` is the model being adopted; either its micro-batches are returned or those of the one in force.
        """
        chosen: list[MicroBatch] = []
        total = 0
        for batch in self._whole:
            if (batch.model_id == candidate) != of_candidate:
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
