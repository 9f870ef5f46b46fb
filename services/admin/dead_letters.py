"""Dead letters: which there are, and sending their messages again once what was wrong with them is mended."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from schemas.errors import InputError, Reason, StateError, TransientError
from schemas.events import DeadLetter
from schemas.topics import INTERNAL, REPLAY, REPLAYABLE, Topic
from services.bus import Bus, Message, Outgoing, TopicPartition
from services.bus.dead import REPLAY_OF, letter_id
from services.registry import AuditEvent, QueryRegistry

ACTION: Final = "dlq.replay"
PURPOSE: Final = "operation"
_AT_ONCE: Final = 500
_HELD_S: Final = 10.0
"""How long to wait for a message that the bus says it holds."""


@dataclass(frozen=True)
class Letter:
    """A dead letter as it is shown. `replay_of` names the earlier letter that this message had been replayed for."""

    id: str
    topic: str
    partition: int
    offset: int
    role: str
    reason: str
    put_aside_at_ms: int
    replay_of: str | None
    replayed_to_offset: int | None
    """Where its message was sent again, None while it was not."""


def letters(bus: Bus, registry: QueryRegistry, group: str) -> Iterator[Letter]:
    """Yield every dead letter that is still kept, oldest first within each topic.

    Read as the consumer group `group`, whose position stays where it is, so that each call finds all of them.
    """
    again = replayed(registry)
    aside = [topic.dead for topic in INTERNAL]
    begins = {place: begin for topic in aside for place, begin in bus.begin_offsets(topic).items()}
    ends = {place: end for topic in aside for place, end in bus.end_offsets(topic).items()}
    with closing(bus.consumer(group, aside)) as consumer:
        consumer.seek(begins)
        while any(offset < ends[place] for place, offset in consumer.position().items()):
            messages = consumer.poll(_AT_ONCE, _HELD_S)
            if not messages:
                raise TransientError(
                    Reason.UNAVAILABLE, "The bus did not give the dead letters that it holds; try again."
                )
            yield from (_letter(message, again) for message in messages if message.value is not None)


def count(bus: Bus) -> int:
    """Return how many dead letters are kept."""
    aside = [topic.dead for topic in INTERNAL]
    return sum(
        end - bus.begin_offsets(topic)[place] for topic in aside for place, end in bus.end_offsets(topic).items()
    )


def replayed(registry: QueryRegistry) -> dict[str, int]:
    """Return, by the id of each dead letter that was replayed, the offset that its message then got (the last one)."""
    return {
        event.detail["letter"]: int(event.detail["offset"])
        for _, event, _ in registry.audit_events()
        if event.action == ACTION and event.outcome == "done"
    }


def replay(bus: Bus, registry: QueryRegistry, chosen: Iterable[Letter], principal: str) -> Iterator[tuple[Letter, int]]:
    """Send each letter's message again, and yield it with the offset that the message got.

    Whoever reads the topic meets the message like any other: rows that were taken in meanwhile at a higher version stay
    as they are, so that a replay, or a second one, changes nothing that is right. Each is audited before and after.

    Raises InputError OPTION_INVALID for a topic of which nothing may be sent again, and StateError STORE_MISSING when
    retention has taken the message.
    """
    with closing(bus.producer()) as producer:
        for letter in chosen:
            topic = _topic_of(letter)
            registry.audit(AuditEvent(principal, PURPOSE, ACTION, "started", {"letter": letter.id}))
            message = _original(bus, topic, letter)
            again = Outgoing(
                topic.name,
                letter.partition,
                message.key,
                message.value,
                {**message.headers, REPLAY_OF: letter.id},
            )
            [(_, offset)] = producer.send([again])
            registry.audit(AuditEvent(principal, PURPOSE, ACTION, "done", {"letter": letter.id, "offset": str(offset)}))
            yield letter, offset


def _letter(message: Message, again: dict[str, int]) -> Letter:
    # Letters of the first release lack who wrote them, which was landing, and headers.
    said = DeadLetter.model_validate({"role": "landing", "headers": {}, **json.loads(message.value or b"{}")})
    name = letter_id(said.topic, said.partition, said.offset)
    return Letter(
        id=name,
        topic=said.topic,
        partition=said.partition,
        offset=said.offset,
        role=said.role,
        reason=said.reason.value,
        put_aside_at_ms=message.timestamp_ms,
        replay_of=said.headers.get(REPLAY_OF),
        replayed_to_offset=again.get(name),
    )


def _topic_of(letter: Letter) -> Topic:
    for topic in REPLAYABLE:
        if topic.name == letter.topic:
            return topic
    raise InputError(
        Reason.OPTION_INVALID,
        f"Messages of {letter.topic} are of one order and cannot be sent again one by one; see 'A poison message "
        "between roles' in deploy/RUNBOOK.md.",
    )


def _original(bus: Bus, topic: Topic, letter: Letter) -> Message:
    place = TopicPartition(topic.name, letter.partition)
    if letter.offset < bus.begin_offsets(topic).get(place, letter.offset + 1):
        raise StateError(
            Reason.STORE_MISSING,
            f"Retention has taken the message of {letter.id}; ask its source to send the records again.",
        )
    with closing(bus.consumer(REPLAY, [topic])) as consumer:
        consumer.seek({p: letter.offset if p == place else end for p, end in bus.end_offsets(topic).items()})
        deadline = time.monotonic() + _HELD_S
        while (left_s := deadline - time.monotonic()) > 0:
            for message in consumer.poll(1, left_s):
                if (message.partition, message.offset) == (letter.partition, letter.offset):
                    return message
    raise TransientError(Reason.UNAVAILABLE, f"The bus did not give the message of {letter.id}; try again.")
