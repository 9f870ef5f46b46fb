"""The matcher role: shards claimed, index loaded, then micro-batches: read, compare, say, and only then move on."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from schemas.errors import Reason, StateError
from schemas.model import MatchModel, default_model, parse_model
from schemas.topics import SUBJECTS
from services.bus import Bus, Outgoing, TopicPartition
from services.lake import Zone
from services.loop import step_until
from services.matcher.drift import DRIFT_SHARD, Drift
from services.matcher.index import Index
from services.matcher.links import link_messages
from services.matcher.source import SubjectSource
from services.matcher.vector import Vector, before, covers, highest, lowest, named, vector_of
from services.registry import MatcherRegistry, Shard

BATCH_MESSAGES: Final = 20
"""Messages in a micro-batch at most: some 10,000 subjects."""

_POLL_S: Final = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Said:
    """A micro-batch that was evaluated and has still to be made durable: messages by shard, and the vector that they
    complete.
    """

    messages: dict[int, list[Outgoing]]
    position: Vector


class Matcher:
    """Matches some shards of all pairs. Not thread-safe; `run` is its loop.

    Every instance holds every subject, and weighs only the pairs of its shards. A pair is met by whichever of its two
    subjects its owner reads later, so that any order of reading, and any number of instances, gives the same pairs.
    A shard may be taken and let go between any two steps: one whose position is another than the index's catches up
    against the index as it is, once that has reached the shard's position in every partition.
    """

    def __init__(
        self,
        bus: Bus,
        registry: MatcherRegistry,
        zone: Zone,
        model: MatchModel | None,
        *,
        owner: str,
        shards: int = 1,
        owned: Iterable[int] | None = None,
        adoption: int | None = None,
        batch_messages: int = BATCH_MESSAGES,
        poll_s: float = _POLL_S,
    ) -> None:
        """Adopt the model, take the `owned` shards (all, by default) over and open the topics; `load` comes next.

        Without `model` the active one is used, or the shipped default where none is active yet. Raises StateError
        MODEL_MISMATCH when another model than `model` is active. `owner` is for people to read, and for workers that
        deal shards among themselves. With `adoption` the model is the candidate of that one, and has shards of its own
        beside those of the active model.
        """
        self._registry = registry
        self._model = model or active_model(registry) or default_model()
        self._owner = owner
        self.adoption = adoption
        if adoption is None:
            registry.adopt_first_model(self._model.model_id, self._model.model_dump_json())
        mine = sorted(set(range(shards) if owned is None else owned))
        self._shards: dict[int, Shard] = {}
        self._positions: dict[int, Vector] = {}
        for shard in mine:
            self.take(shard)
        self._bus = bus
        self._zone = zone
        self._first = min(mine, default=0)
        self._source = SubjectSource(bus, zone, f"matcher-{'' if adoption is None else 'candidate-'}{self._first}")
        self._again: SubjectSource | None = None
        self._producer = bus.producer()
        self._count_of_shards = shards
        self._index = Index(self._model, shards)
        self._at: Vector = vector_of(SUBJECTS, {})
        self._drift: Drift | None = None
        self._drift_at: Vector = {}
        self._batch_messages = batch_messages
        self._poll_s = poll_s
        self._said: _Said | None = None
        self._loaded = False
        self._reading: Iterator[tuple[pl.DataFrame, int, Vector]] = iter(())
        # What was read and is not in the index yet: the registry may be away just then, and the source has moved on.
        self._found: tuple[pl.DataFrame, int, Vector] | None = None
        self.counts: Counter[str] = Counter()
        """Since the start: `loaded` rows, `subjects` read, `roster` rows and `pairs` said."""

    @property
    def model_id(self) -> str:
        """The id of the model by which this matches."""
        return self._model.model_id

    @property
    def owned(self) -> frozenset[int]:
        """The shards that this matches."""
        return frozenset(self._shards)

    @property
    def is_loaded(self) -> bool:
        """Whether the index holds everything before where this matches from."""
        return self._loaded

    @property
    def position(self) -> Vector:
        """The vector that the furthest behind of the shards has reached; the index's where there are no shards."""
        return lowest(self._positions.values()) or self._at

    def take(self, shard: int) -> None:
        """Take a shard over: whoever had it can say nothing of it any more."""
        self._shards[shard] = self._registry.claim_shard(self.model_id, shard, self._owner)
        self._positions[shard] = vector_of(SUBJECTS, self._shards[shard].position)

    def release(self, shard: int) -> None:
        """Let a shard go for another worker to take. What was evaluated and not sent yet, the other says."""
        self._registry.release_shard(self.model_id, shard, self._shards[shard].epoch)
        self.drop(shard)

    def drop(self, shard: int) -> None:
        """Work no more on a shard that another has taken."""
        del self._shards[shard], self._positions[shard]
        if self._said is not None:
            self._said.messages.pop(shard, None)
        if shard == DRIFT_SHARD:
            self._drift = None

    @property
    def index_rows(self) -> int:
        """How many subject versions the index holds."""
        return len(self._index)

    def load(self) -> None:
        """Fill a new index up to the furthest of all shards' positions; the steps after it bring behind ones there.

        Steps also evaluate, from the lake, what the topic has already dropped after that position.
        """
        self._index, self._said, self._found = Index(self._model, self._count_of_shards), None, None
        everywhere = {s.shard: vector_of(SUBJECTS, s.position) for s in self._registry.shards(self.model_id)}
        until = highest((vector_of(SUBJECTS, {}), *everywhere.values()))
        self._source.refuse_beyond_end(until)
        counted = everywhere.get(DRIFT_SHARD, vector_of(SUBJECTS, {}))
        drift = Drift(self._model, self._registry.drift(self.model_id))
        self._index.reserve(self._source.lake_rows())
        for rows in self._source.history(until):
            self._index.load(rows)
            drift.learn(rows.filter(before(counted)))
            self.counts["loaded"] += rows.height
        self._at, self._drift, self._drift_at = until, drift, counted
        self._commit()
        self._reading = ((rows, 1, position) for rows, position in self._source.trimmed(until))
        self._loaded = True
        log.info("matcher loaded its index: %d rows", len(self._index))

    def step(self, poll_s: float | None = None) -> int:
        """Match one micro-batch, waiting briefly for its first message; return a count of the work done, 0 when idle.

        When its results could not be made durable, the next step says them again, before it reads on. `poll_s` is how
        long to wait this time. Raises StateError OWNERSHIP_LOST when another has taken a shard over: that one is
        dropped, and the next step goes on with the others.
        """
        if not self._loaded:
            self.load()
        self._flush()
        if self._catch_up():
            return 1
        if self._found is None:
            self._found = next(self._reading, None)
        if self._found is None:
            self._reading = self._source.poll(self._batch_messages, self._poll_s if poll_s is None else poll_s)
            self._found = next(self._reading, None)
        if self._found is None:
            return 0
        rows, messages, position = self._found
        self._evaluate(rows, position)
        self._found = None
        self._flush()
        return messages

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; transient failures are tried again, all others raised, OWNERSHIP_LOST too."""
        step_until(stop, self.step, self.close, "matcher")

    def lag(self) -> dict[TopicPartition, int]:
        """Return how many offsets of each partition the furthest behind of the shards has still to match."""
        position = self.position
        return {p: end - position[p] for p, end in self._bus.end_offsets(SUBJECTS).items()}

    def close(self) -> None:
        """Close the consumers and the producer; the shards stay claimed until another owner takes them."""
        self._stop_again()
        self._source.close()
        self._producer.close()

    def _evaluate(self, rows: pl.DataFrame, position: Vector) -> None:
        """Take a micro-batch in, and say it for the shards that stand where the index stood before it."""
        level = tuple(shard for shard, at in self._positions.items() if at == self._at)
        self._ready_to_count(level)
        roster, pairs = self._index.evaluate(rows, frozenset(level))
        self._at = position
        self.counts["subjects"] += rows.height
        self._say(level, rows, roster, pairs, position)

    def _catch_up(self) -> bool:
        """Say a piece, for a shard that is behind the index and for those beside it, of what it has missed.

        Returns False when there is none. A shard that is ahead of the index in any partition waits for it.
        """
        behind = {shard: at for shard, at in self._positions.items() if at != self._at and covers(self._at, at)}
        if not behind:
            self._stop_again()
            return False
        start = min(behind.values(), key=lambda at: sum(at.values()))
        together = tuple(shard for shard, at in behind.items() if at == start)
        # Up to where the next of them stands, so that they go on together from there.
        stops = [at for at in (*behind.values(), self._at) if at != start and covers(at, start)]
        until = min(stops, key=lambda at: sum(at.values()))
        self._ready_to_count(together)
        if self._again is None:
            self._again = SubjectSource(self._bus, self._zone, self._source.group)
        rows, position = self._again.piece(start, until, self._batch_messages)
        roster, pairs = self._index.evaluate_held(rows, frozenset(together))
        self._say(together, rows, roster, pairs, position)
        self._flush()
        return True

    def _stop_again(self) -> None:
        if self._again is not None:
            self._again.close()
            self._again = None

    def _ready_to_count(self, shards: tuple[int, ...]) -> None:
        """Have the counts of drift as they stand at the position of the shard that counts, if it is among these."""
        if DRIFT_SHARD not in shards:
            return
        position = self._positions[DRIFT_SHARD]
        if self._drift is not None and self._drift_at == position:
            return
        drift = Drift(self._model, self._registry.drift(self.model_id))
        source = SubjectSource(self._bus, self._zone, self._source.group)
        try:
            for rows in source.history(position):
                drift.learn(rows)
        finally:
            source.close()
        self._drift, self._drift_at = drift, position

    def _say(
        self, shards: tuple[int, ...], rows: pl.DataFrame, roster: pl.DataFrame, pairs: pl.DataFrame, position: Vector
    ) -> None:
        if DRIFT_SHARD in shards and self._drift is not None:
            # One shard counts for all, and of its own pairs alone: so nothing is counted twice, whoever has the others.
            self._drift.count(rows, roster, pairs.filter(shard=DRIFT_SHARD))
            self._drift_at = position
        self.counts["roster"] += roster.height
        self.counts["pairs"] += pairs.height
        messages = {
            shard: link_messages(
                shard,
                self._shards[shard].epoch,
                roster,
                pairs.filter(pl.col("shard") == shard),
                named(position),
                self.model_id,
                self.adoption,
            )
            for shard in shards
        }
        self._said = _Said(messages, position)

    def _flush(self) -> None:
        """Make what was said durable, then move the shards' positions by compare-and-set."""
        if self._said is None:
            return
        if self._said.messages:
            self._producer.send([message for messages in self._said.messages.values() for message in messages])
        target = named(self._said.position)
        lost: StateError | None = None
        for shard in list(self._said.messages):
            held = self._shards[shard]
            # Also of an empty micro-batch that ends where it began, which has nothing to move.
            if dict(held.position) == target:
                continue
            drift = self._drift.changes() if shard == DRIFT_SHARD and self._drift is not None else {}
            try:
                self._registry.advance_shard(self.model_id, shard, held.epoch, held.position, target, drift)
            except StateError as error:
                if error.reason is not Reason.OWNERSHIP_LOST:
                    raise
                lost = error
                self.drop(shard)
                continue
            if shard == DRIFT_SHARD and self._drift is not None:
                self._drift.written()
            self._shards[shard] = replace(held, position=target)
            self._positions[shard] = self._said.position
        self._said = None
        self._commit()
        if lost is not None:
            raise lost

    def _commit(self) -> None:
        """Show the lag on the bus: one worker does it for all."""
        if self._first in self._shards:
            self._source.consumer.commit()


def active_model(registry: MatcherRegistry) -> MatchModel | None:
    """Return the model in force, None before the first."""
    active = registry.active_model()
    return None if active is None else parse_model(active[1])
