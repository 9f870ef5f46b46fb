"""How every role puts a message aside: where it stood and why, never what was in it."""

from __future__ import annotations

from typing import Final

from schemas.errors import Reason
from schemas.events import DeadLetter
from services.bus import Message, Outgoing

REPLAY_OF: Final = "replay_of"
"""Header of a message that was sent again after it had been put aside: which dead letter it answers."""


def letter_id(topic: str, partition: int, offset: int) -> str:
    """Return the name of a dead letter: where its message stood."""
    return f"{topic}-{partition}-{offset}"


def dead_letter(message: Message, reason: Reason, role: str, topic: str) -> Outgoing:
    """Return the dead letter of a message for `topic`, the dead-letter topic of the message's own.

    Of the headers only `replay_of` goes with it, so that a message that fails again names its earlier letter: the
    others were written by whoever sent it.
    """
    kept = {name: value for name, value in message.headers.items() if name == REPLAY_OF}
    letter = DeadLetter(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        role=role,
        reason=reason,
        headers=kept,
    )
    key = letter_id(message.topic, message.partition, message.offset).encode()
    return Outgoing(topic, 0, key, letter.model_dump_json().encode(), {"reason": reason})
