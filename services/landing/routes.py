"""Which message lands in which table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.contracts.base import Contract
from schemas.contracts.facts import FACT_KINDS, FactEnvelope
from schemas.contracts.subject import Subject
from schemas.errors import InputError, Reason
from schemas.topics import CONTENT, SUBJECTS, Topic
from services.bus import Message


@dataclass(frozen=True)
class Table:
    """A lake table: its name, and the contracts whose columns its rows have."""

    name: str
    contracts: tuple[type[Contract], ...]


Routes = Mapping[Topic, Mapping[str, Table]]
"""Topic -> header `kind` -> the table that such messages land in."""

LINKAGE_ROUTES: Final[Routes] = {SUBJECTS: {"subjects": Table("subjects", (Subject,))}}

CONTENT_ROUTES: Final[Routes] = {
    topic: {kind: Table(f"{feed}_{kind}", (FactEnvelope, fact)) for kind, fact in FACT_KINDS[feed].items()}
    for feed, topic in CONTENT.items()
}


def table_of(message: Message, kinds: Mapping[str, Table]) -> Table:
    """Return the table that a message lands in; InputError FIELD_INVALID when its `kind` is none of the topic's."""
    try:
        return kinds[message.headers["kind"]]
    except KeyError:
        raise InputError(
            Reason.FIELD_INVALID, f"The header kind of a message is none of {', '.join(kinds)}; see `hwlink dlq list`."
        ) from None
