"""The resolver role: links in, persons out. One instance is active; whoever claims later takes over from it."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from schemas.decision import DecisionPolicy
from schemas.errors import InputError, Reason, StateError
from schemas.model import parse_model
from schemas.topics import LINKS, PERSONS
from services.bus import Bus, Message, Outgoing, TopicPartition
from services.bus.dead import dead_letter
from services.bus.retention import trimmed
from services.loop import step_until
from services.registry import ResolverRegistry
from services.registry.adoption import AdoptionRegistry, AdoptionState, ModelsInUse
from services.resolver.adopting import Adopting, heard_after, since_heard
from services.resolver.intake import Intake, MicroBatch, empty_pairs, empty_roster
from services.resolver.plan import Arrived, Planner

POLL_MESSAGES: Final = 256
"""Read at once: what is small goes into one step, since finding what its subjects are linked to costs much the same for
a hundred rows as for thousands. With 32, half of the 3,600 messages that a storm over a million records had left were
still to do after a quarter of an hour."""

ROWS_A_STEP: Final = 10_000
"""Rows of one transaction (a larger micro-batch is taken whole): some 0.2 s of the registry's write lock."""

ROWS_HELD_BACK: Final = 200_000
"""Rows of the model in force that wait, at most, for the candidate to catch up before the switch: some 40 MB."""

RELAY_AT_ONCE: Final = 64
_POLL_S: Final = 0.5

log = logging.getLogger(__name__)


def random_ids(count: int) -> list[str]:
    """Return so many person ids: 128 random bits each, as 32 hexadecimal digits."""
    digits = secrets.token_hex(16 * count)
    return [digits[start : start + 32] for start in range(0, 32 * count, 32)]


class Resolver:
    """Keeps persons up to date with the links. Not thread-safe; `run` is its loop.

    Whatever a step writes (roster, pairs, persons, its position, the message to publish) is one registry transaction,
    so a restart finds either all of it or none, and goes on from the position that was written with it.
    """

    def __init__(
        self,
        bus: Bus,
        registry: ResolverRegistry,
        policy: DecisionPolicy,
        *,
        owner: str,
        adoptions: AdoptionRegistry | None = None,
        shards: int = 1,
        rows_a_step: int = ROWS_A_STEP,
        poll_messages: int = POLL_MESSAGES,
        poll_s: float = _POLL_S,
    ) -> None:
        """Become the active resolver and go to the position that the registry holds.

        Raises StateError NOT_RECONCILED when that lies beyond the topic's end: another bus was put in place. `shards`
        is how many the matcher has; `owner` is for people to read. `policy` holds until a model is in force; from then
        on its own does. Without `adoptions` none is adopted here, and all that is said is of the one in force.
        """
        self._bus = bus
        self._registry = registry
        self._adoptions = adoptions
        self._used = ModelsInUse(None, None)
        self._shards = shards
        self._planner = Planner(registry, policy, shards, random_ids)
        self._intake = Intake(shards)
        self._rows_a_step = rows_a_step
        self._poll_messages = poll_messages
        self._poll_s = poll_s
        self.counts: Counter[str] = Counter()
        """Since the start: `messages`, `steps`, `roster` rows, `pairs`, `changes`, `dead` letters, `lost` messages
        (retention took them; their shards are asked again), and `candidate_pairs` of a model that is being adopted.
        """
        bus.create_topics([LINKS.dead])
        self._dead: list[Outgoing] = []
        self._producer = bus.producer()
        self._consumer = bus.consumer("resolver", [LINKS])
        self._state = registry.claim(owner)
        self._relayed = registry.relayed()
        self._follow()
        self._go_to_position()

    def step(self) -> int:
        """Relay what is outstanding, read some messages, resolve what is whole; return how many messages were read.

        When something fails, the next step takes up the same messages again.
        """
        self._relay()
        self._send_dead()
        start = self._consumer.position()
        try:
            messages = self._consumer.poll(self._poll_messages, self._poll_s)
            begins = trimmed(self._bus, LINKS, start, messages)
            self._follow()  # after the messages were read: none of them is by a model that was in use only later
            self._ask_again(start, begins)
        except BaseException:
            self._consumer.seek(start)
            raise
        self._take(messages)
        self._resolve()
        self._apply_overrides()
        self._note_position()
        return len(messages)

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; transient failures are tried again, all others raised, OWNERSHIP_LOST too."""
        step_until(stop, self.step, self.close, "resolver")

    def lag(self) -> dict[TopicPartition, int]:
        """Return how many offsets of each links partition have still to be resolved."""
        held = self._state.position
        return {p: end - held.get(f"{p.topic}-{p.partition}", 0) for p, end in self._bus.end_offsets(LINKS).items()}

    def close(self) -> None:
        """Close the consumer and the producer."""
        self._consumer.close()
        self._producer.close()

    def _go_to_position(self) -> None:
        begins, ends = self._bus.begin_offsets(LINKS), self._bus.end_offsets(LINKS)
        held = {p: self._state.position.get(f"{p.topic}-{p.partition}", 0) for p in ends}
        if any(held[p] > end for p, end in ends.items()):
            raise StateError(
                Reason.NOT_RECONCILED,
                f"The resolver's position is beyond the end of {LINKS.name}: this is another bus. "
                "Put the old one back, or, if it is gone for good, run `hwlink store new-bus`.",
            )
        self._consumer.seek(held)
        self._ask_again(held, {p: begin for p, begin in begins.items() if begin > held[p]})

    def _ask_again(self, start: Mapping[TopicPartition, int], begins: Mapping[TopicPartition, int]) -> None:
        """Have said again what retention took: partitions were to be read from `start`, and some begin later now.

        Their shards go back to where they were resolved last, and whoever takes them over evaluates from there. What
        else is still to come of them under their old epochs starts behind the gap, and does not count.
        """
        if not begins:
            return
        lost = sum(begin - start[place] for place, begin in begins.items())
        self.counts["lost"] += lost
        log.error("%s: retention took %d messages, which are asked again", LINKS.name, lost)
        partitions = {place.partition for place in begins}
        shards = [shard for shard in range(self._shards) if shard % LINKS.partitions in partitions]
        self._registry.ask_again(self._state, since_heard(self._state, self._used, shards))
        self._refuse()
        # Asked once is enough: what is gone is passed over, by the consumer and in the position that is written.
        at = self._consumer.position()
        self._consumer.seek({place: max(begin, at[place]) for place, begin in begins.items()})
        self._intake.pass_over(begins)

    def _refuse(self) -> None:
        """Take in nothing of a shard that was said before it was asked again."""
        sides = {self._used.candidate: True, self._used.active: False}
        counts = self._registry.counts_from()
        self._intake.refuse_below({(sides[m], shard): at for (m, shard), at in counts.items() if m in sides})

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            try:
                self._intake.take(message)
            except InputError as error:
                self._dead.append(dead_letter(message, error.reason, "resolver", LINKS.dead.name))
        self.counts["messages"] += len(messages)
        self._send_dead()

    def _send_dead(self) -> None:
        """Put aside what is unusable, before the position moves past it."""
        if self._dead:
            self._producer.send(self._dead)
            self.counts["dead"] += len(self._dead)
            log.error("resolver put messages aside on %s: %d", LINKS.dead.name, len(self._dead))
            self._dead = []

    def _follow(self) -> None:
        """Use the models that are in use now, and the thresholds of the one in force."""
        if self._adoptions is None:
            return
        used = self._adoptions.in_use()
        if used.active is not None and used.active != self._used.active:
            policy = parse_model(self._adoptions.document(used.active)).policy
            self._planner = replace(self._planner, policy=policy)
        if used != self._used:
            self._used = used
            self._intake.use(used)
            self._refuse()

    def _resolve(self) -> None:
        """Take in what is whole: first what the candidate says, then, unless it has to wait, what is in force."""
        adoption = self._used.adoption
        if self._adoptions is not None and adoption is not None:
            adopting = Adopting(self._adoptions, self._used, adoption, self._shards)
            while batches := self._intake.whole(self._rows_a_step, candidate=True):
                self._hear(adopting, batches)
            if not self._adopt(adopting):
                return
        while batches := self._intake.whole(self._rows_a_step):
            self._apply(batches)

    def _adopt(self, adopting: Adopting) -> bool:
        """Take the adoption a step further if it can go; return whether the model in force may go on."""
        state = adopting.adoption.state
        if not adopting.has_caught_up(self._state):
            return state is not AdoptionState.CONFIRMED or self._intake.waiting > ROWS_HELD_BACK
        if state is AdoptionState.PREPARING:
            adopting.prepare(self._state)
        elif state is AdoptionState.CONFIRMED:
            switch = adopting.switch(self._planner, self._state)
            if adopting.registry.switch(switch):
                self._state = switch.after
                log.info("resolver switched to the adopted model: %d transactions", len(switch.transactions))
            self._follow()
            self._relay()
        return True

    def _hear(self, adopting: Adopting, batches: list[MicroBatch]) -> None:
        step = adopting.step(self._state, self._arrived(batches))
        adopting.registry.hear(step)
        self._state = step.after
        self._intake.done(batches)
        self.counts["candidate_pairs"] += step.pairs.height

    def _arrived(self, batches: list[MicroBatch]) -> Arrived:
        return Arrived(
            roster=pl.concat([empty_roster(), *(frame for batch in batches for frame in batch.roster)]),
            pairs=pl.concat([empty_pairs(), *(frame for batch in batches for frame in batch.pairs)]),
            overridden=pl.Series("serial", [], dtype=pl.Int64),
            overrides_applied=self._state.overrides_applied,
            position={**self._state.position, **self._intake.position_after(batches)},
            heard=heard_after(self._state, batches, self._used),
        )

    def _apply(self, batches: list[MicroBatch]) -> None:
        self._write(self._arrived(batches))
        self._intake.done(batches)
        self._relay()

    def _apply_overrides(self) -> None:
        """Take in what reviewers have decided since the last step."""
        last, named_subjects = self._registry.overrides_after(self._state.overrides_applied)
        if last > self._state.overrides_applied:
            state = self._state
            self._write(Arrived(empty_roster(), empty_pairs(), named_subjects, last, state.position, state.heard))
            self._relay()

    def _note_position(self) -> None:
        """Store a position that moved without a micro-batch, past messages that were put aside or are of a former
        owner.
        """
        position = {**self._state.position, **self._intake.position_after([])}
        if position != self._state.position:
            nothing = pl.Series("serial", [], dtype=pl.Int64)
            state = self._state
            self._write(Arrived(empty_roster(), empty_pairs(), nothing, state.overrides_applied, position, state.heard))

    def _write(self, arrived: Arrived) -> None:
        change = self._planner.plan(self._state, arrived)
        self._registry.apply(change)
        self._state = change.after
        self.counts["steps"] += 1
        self.counts["roster"] += arrived.roster.height
        self.counts["pairs"] += arrived.pairs.height
        self.counts["changes"] += change.transaction.changes if change.transaction else 0

    def _relay(self) -> None:
        """Publish the outbox in order. A crash before it is noted publishes again: consumers drop sequences they
        have.
        """
        while self._relayed < self._state.sequence:
            waiting = self._registry.outbox(self._relayed, RELAY_AT_ONCE)
            if not waiting:
                self._relayed = self._relayed_by_another()
                continue
            self._producer.send(
                [
                    Outgoing(
                        PERSONS.name,
                        0,
                        None,
                        transaction.payload,
                        {
                            "kind": "transaction",
                            "sequence": str(transaction.sequence),
                            "events": transaction.events_json,
                            "rows": str(transaction.changes),
                            "schema_version": "1",
                        },
                    )
                    for transaction in waiting
                ]
            )
            self._relayed = waiting[-1].sequence
            self._registry.mark_relayed(self._relayed)

    def _relayed_by_another(self) -> int:
        """Return how far the topic is, where an active resolver of before had still relayed what it wrote.

        It may relay, being late, though it may write no more. StateError NOT_RECONCILED where nobody did.
        """
        relayed = self._registry.relayed()
        if relayed <= self._relayed:
            raise StateError(
                Reason.NOT_RECONCILED,
                f"Transactions after {relayed} are neither on {PERSONS.name} nor in the registry; restore both from "
                "one backup.",
            )
        return relayed
