"""What a bus's topics and rights are, as the commands of operators see them: shapes, and the port that adapters offer.

Roles never use it: they find their topics there. Names are the plain ones; an adapter puts its namespace before them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from schemas.topics import Topic
from services.bus import TopicPartition


@dataclass(frozen=True)
class Layout:
    """How a topic is kept: into how many partitions it is divided, and its settings under the names of its bus."""

    partitions: int
    settings: Mapping[str, str]


class Resource(StrEnum):
    """What a right is on."""

    TOPIC = "topic"
    GROUPS = "groups"
    """Consumer groups whose names begin with the right's `name`."""


class Operation(StrEnum):
    """What a right allows. Reading and writing allow to describe, too."""

    READ = "read"
    WRITE = "write"
    DESCRIBE = "describe"


@dataclass(frozen=True, order=True)
class Right:
    """One right: `principal` (such as `User:hwlink-landing`) may do this to that."""

    principal: str
    operation: Operation
    resource: Resource
    name: str


class LayoutAdmin(Protocol):
    """Reads and changes topics and rights. Opened by `services.bootstrap`; not thread-safe."""

    def wanted(self, topic: Topic) -> Layout:
        """Return how this bus keeps a topic of the table."""
        ...

    def layouts(self, names: Collection[str]) -> dict[str, Layout]:
        """Return how each of these topics is kept, by every setting of it; those that there are not are left out."""
        ...

    def create(self, layouts: Mapping[str, Layout]) -> None:
        """Make topics that do not exist."""
        ...

    def alter(self, layouts: Mapping[str, Layout]) -> None:
        """Bring topics that there are to these layouts as far as the bus can: partitions are only ever added."""
        ...

    def begin_at(self, topic: Topic, offsets: Mapping[TopicPartition, int]) -> None:
        """Drop what stands before these offsets of a topic, as retention does, and give none of them out any more.

        May be called again when it has failed half-way.
        """
        ...

    def rights(self, principals: str) -> set[Right] | None:
        """Return the rights of all principals whose names begin with `principals`; None where the bus checks none.

        Rights on other topics and groups than this installation's are left out.
        """
        ...

    def grant(self, rights: Iterable[Right]) -> None:
        """Add rights."""
        ...

    def revoke(self, rights: Iterable[Right]) -> None:
        """Take rights away."""
        ...

    def close(self) -> None:
        """Release what this holds."""
        ...
