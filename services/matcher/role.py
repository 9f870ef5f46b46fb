"""The matcher role: shards claimed, index loaded, then micro-batches: read, compare, say, and only then move on."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from schemas.model import MatchModel, default_model, parse_model
from schemas.topics import SUBJECTS
from services.bus import Bus, Outgoing, TopicPartition
from services.lake import Zone
from services.loop import step_until
from services.matcher.drift import Drift
from services.matcher.index import ROSTER_COLUMNS, Index
from services.matcher.links import link_messages
from services.matcher.source import SubjectSource
from services.matcher.vector import Vector, before, highest, lowest, named, vector_of
from services.registry import MatcherRegistry, Shard

BATCH_MESSAGES: Final = 20
"""Messages in a micro-batch at most: some 10,000 subjects."""

_POLL_S: Final = 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Said:
    """A micro-batch that was evaluated and has still to be made durable: messages and the vector they complete."""

    messages: list[Outgoing]
    shards: tuple[int, ...]
    position: Vector


class Matcher:
    """Matches some shards of all pairs. Not thread-safe; `run` is its loop.

    Every instance holds every subject, and weighs only the pairs of its shards. A pair is met by whichever of its two
    subjects its owner reads later, so that any order of reading, and any number of instances, gives the same pairs.
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
        MODEL_MISMATCH when another model than `model` is active. `owner` is for people to read. With
        `adoption` the model is the candidate of that one, and has shards of its own beside those of the active model.
        """
        self._registry = registry
        self._model = model or active_model(registry) or default_model()
        self.adoption = adoption
        if adoption is None:
            registry.adopt_first_model(self._model.model_id, self._model.model_dump_json())
        mine = sorted(set(range(shards) if owned is None else owned))
        self._shards: dict[int, Shard] = {s: registry.claim_shard(self.model_id, s, owner) for s in mine}
        self._positions: dict[int, Vector] = {s: vector_of(SUBJECTS, held.position) for s, held in self._shards.items()}
        self._bus = bus
        self._source = SubjectSource(bus, zone, f"matcher-{'' if adoption is None else 'candidate-'}{mine[0]}")
        self._producer = bus.producer()
        self._count_of_shards = shards
        self._index = self._empty_index()
        self._drift = Drift(self._model, registry.drift(self.model_id))
        self._batch_messages = batch_messages
        self._poll_s = poll_s
        self._said: _Said | None = None
        self._loaded = False
        self._reading: Iterator[tuple[pl.DataFrame, int, Vector]] = iter(())
        self.counts: Counter[str] = Counter()
        """Since the start: `loaded` rows, `subjects` read, `roster` rows and `pairs` said."""

    @property
    def model_id(self) -> str:
        """The id of the model by which this matches."""
        return self._model.model_id

    @property
    def position(self) -> Vector:
        """The vector that the furthest behind of the shards has reached."""
        return lowest(self._positions.values())

    def load(self) -> None:
        """Fill a new index up to the furthest of the shards' positions, and bring shards that are behind up to there.

        The steps after it first evaluate, from the lake, what the topic has already dropped after that position.
        """
        self._index, self._said = self._empty_index(), None
        self._drift = Drift(self._model, self._registry.drift(self.model_id))
        until, since = highest(self._positions.values()), lowest(self._positions.values())
        self._source.refuse_beyond_end(until)
        self._index.reserve(self._source.lake_rows())
        recent: list[pl.DataFrame] = []
        for rows in self._source.history(until):
            self._index.load(rows)
            self._drift.learn(rows)
            self.counts["loaded"] += rows.height
            if since != until:
                recent.append(rows.select(ROSTER_COLUMNS).filter(~before(since)))
        for shard, position in self._positions.items():
            if position != until:
                behind = pl.concat(recent).filter(~before(position)) if recent else None
                self._catch_up(shard, behind, until)
        self._source.consumer.commit()
        self._reading = ((rows, 1, position) for rows, position in self._source.trimmed(until))
        self._loaded = True
        log.info("matcher loaded its index: %d rows", len(self._index))

    def step(self, poll_s: float | None = None) -> int:
        """Match one micro-batch, waiting briefly for its first message; return a count of the work done, 0 when idle.

        When its results could not be made durable, the next step says them again, before it reads on. `poll_s` is how
        long to wait this time.
        """
        if not self._loaded:
            self.load()
        self._flush()
        found = next(self._reading, None)
        if found is None:
            self._reading = self._source.poll(self._batch_messages, self._poll_s if poll_s is None else poll_s)
            found = next(self._reading, None)
        if found is None:
            return 0
        rows, messages, position = found
        self._evaluate(rows, position)
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
        """Close the consumer and the producer; the shards stay claimed until another owner takes them."""
        self._source.consumer.close()
        self._producer.close()

    def _empty_index(self) -> Index:
        return Index(self._model, self._count_of_shards, frozenset(self._shards))

    def _evaluate(self, rows: pl.DataFrame, position: Vector) -> None:
        roster, pairs = self._index.evaluate(rows)
        self._drift.count(rows, roster, pairs)
        self.counts["subjects"] += rows.height
        self._say(tuple(self._shards), roster, pairs, position)

    def _catch_up(self, shard: int, rows: pl.DataFrame | None, until: Vector) -> None:
        """Say for one shard what was loaded beyond its position without looking for pairs."""
        if rows is None:
            return
        roster, pairs = self._index.evaluate_held(rows)
        self._say((shard,), roster, pairs, until)
        self._flush()

    def _say(self, shards: tuple[int, ...], roster: pl.DataFrame, pairs: pl.DataFrame, position: Vector) -> None:
        self.counts["roster"] += roster.height
        self.counts["pairs"] += pairs.height
        messages = [
            message
            for shard in shards
            for message in link_messages(
                shard,
                self._shards[shard].epoch,
                roster,
                pairs.filter(pl.col("shard") == shard),
                named(position),
                self.model_id,
                self.adoption,
            )
        ]
        self._said = _Said(messages, shards, position)

    def _flush(self) -> None:
        """Make what was said durable, then move the shards' positions by compare-and-set."""
        if self._said is None:
            return
        self._producer.send(self._said.messages)
        target = named(self._said.position)
        for shard in self._said.shards:
            held = self._shards[shard]
            if dict(held.position) != target:
                # What was counted of these rows is written once, with the first shard that has them behind it.
                drift = self._drift.changes()
                self._registry.advance_shard(self.model_id, shard, held.epoch, held.position, target, drift)
                self._drift.written()
                self._shards[shard] = Shard(shard, held.epoch, target)
                self._positions[shard] = self._said.position
        self._said = None
        self._source.consumer.commit()


def active_model(registry: MatcherRegistry) -> MatchModel | None:
    """Return the model in force, None before the first."""
    active = registry.active_model()
    return None if active is None else parse_model(active[1])
